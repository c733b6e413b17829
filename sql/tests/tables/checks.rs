//! Statements that the engine alone would answer wrongly: they are right, or refused with words and a form that works.
//!
//! Table `c` has 20 invitations, and every column that may be null is null somewhere.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use org_invitations::{
    AuthType, Invitation, InvitationProvider, InvitationStatus, RemovalLimit, ResourceReference,
};
use org_invitations_sql::{Table, WriteOptions, message, session, sql};

use crate::{
    fake_provider::{FakeProvider, Filters},
    rows::render,
};

/// `u0` to `u19`, created twelve hours one after the other, the newest half an hour ago. Every fourth has no status, and every
/// fifth was created by nobody.
pub fn people() -> Vec<Invitation> {
    let now = Utc::now();
    let person = |number: i64| {
        let id = format!("i-{number}").parse().unwrap();
        let mut it = Invitation::new(id, format!("u{number}@x.io"));
        it.status = match number % 4 {
            0 => None,
            1 => Some(InvitationStatus::Expired),
            _ => Some(InvitationStatus::Sent),
        };
        it.auth_type = (number % 2 == 0).then_some(AuthType::Sso);
        it.creator = (number % 5 != 0).then(|| ResourceReference::new(format!("u-{}", number % 3)));
        it.created_at = Some(now - TimeDelta::minutes(30) - TimeDelta::hours(12 * number));
        it.expires_at = it.created_at.filter(|_| number % 3 != 0);
        it
    };
    (0..20).map(person).collect()
}

/// A session with the table `c`, and `l` of leavers: the addresses of u1 and u2, and a null.
pub async fn context() -> (SessionContext, Arc<FakeProvider>) {
    let fake = FakeProvider::new(people(), Filters::Exact).shared();
    let context = session();
    let options = WriteOptions::default()
        .allow_delete_all(true)
        .max_deletes(RemovalLimit::none());
    let provider = Arc::clone(&fake) as Arc<dyn InvitationProvider>;
    let table = Table::invitations(provider).write_options(options);
    table.register(&context, "c").unwrap();
    let leavers = "CREATE TABLE l AS SELECT * FROM (VALUES ('u1@x.io', 'sent', 1), \
                   ('u2@x.io', NULL, 2), (NULL, 'expired', NULL)) AS v(email, status, days)";
    sql(&context, leavers)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    (context, fake)
}

async fn run(context: &SessionContext, text: &str) -> Result<Vec<String>, String> {
    let failed = |error| message(&error);
    let frame = sql(context, text).await.map_err(failed)?;
    let batches = frame.collect().await.map_err(failed)?;
    Ok(render(&batches))
}

/// The numbers of the rows that a condition selects, of which a `DELETE` deletes exactly these.
#[track_caller]
fn assert_selects(condition: &str, expected: &[u32]) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (selected, deleted) = runtime.block_on(async {
        let (context, fake) = context().await;
        let selected = run(&context, &format!("SELECT id FROM c WHERE {condition}")).await;
        let before = fake.ids();
        let delete = format!("DELETE FROM c WHERE {condition}");
        let done = run(&context, &delete)
            .await
            .unwrap_or_else(|e| panic!("{delete}: {e}"));
        let after = fake.ids();
        let deleted: Vec<String> = before
            .into_iter()
            .filter(|id| !after.contains(id))
            .collect();
        assert_eq!(done, [deleted.len().to_string()], "{delete}");
        (selected, deleted)
    });
    let mut selected = selected.unwrap_or_else(|error| panic!("{condition}: {error}"));
    let number = |id: &String| id[2..].parse::<u32>().unwrap();
    selected.sort_by_key(number);
    let selected: Vec<u32> = selected.iter().map(number).collect();
    let mut deleted: Vec<u32> = deleted.iter().map(number).collect();
    deleted.sort_unstable();
    assert_eq!(selected, expected, "SELECT … WHERE {condition}");
    assert_eq!(deleted, expected, "DELETE … WHERE {condition}");
}

/// Statements that are refused before anything is sent, in words that contain these.
#[track_caller]
fn assert_refused(cases: &[(&str, &str)]) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (context, fake) = context().await;
        let mut wrong = Vec::new();
        for (text, words) in cases {
            match run(&context, text).await {
                Ok(rows) => wrong.push(format!("{text}: it went through: {rows:?}")),
                Err(error) if error.contains(words) => {}
                Err(error) => wrong.push(format!("{text}: {error}")),
            }
            assert_eq!(fake.calls(), [""; 0], "{text}: nothing may be sent");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

fn range(numbers: impl IntoIterator<Item = u32>) -> Vec<u32> {
    numbers.into_iter().collect()
}

#[test]
fn intervals_are_compared_by_their_length() {
    for (condition, expected) in [
        ("now() - created_at < INTERVAL '1 day'", range(0..2)),
        ("INTERVAL '1 day' > now() - created_at", range(0..2)),
        ("now() - created_at > INTERVAL '5 days'", range(10..20)),
        (
            "NOT now() - created_at <= INTERVAL '120 hours'",
            range(10..20),
        ),
        ("now() - created_at >= INTERVAL '1 month'", range([])),
        ("now() - created_at < INTERVAL '1 week'", range(0..14)),
        (
            "now() - created_at BETWEEN INTERVAL '1 day' AND INTERVAL '60 hours'",
            range(2..5),
        ),
        (
            "now() - created_at NOT BETWEEN INTERVAL '1 day' AND INTERVAL '2 days'",
            range((0..2).chain(4..20)),
        ),
        (
            "expires_at - created_at = INTERVAL '0 days'",
            range((0..20).filter(|n| n % 3 != 0)),
        ),
        (
            "expires_at - created_at IS DISTINCT FROM INTERVAL '0 days'",
            range((0..20).step_by(3)),
        ),
        ("INTERVAL '1 day' = INTERVAL '24 hours'", range(0..20)),
        ("INTERVAL '1 month' <> INTERVAL '30 days'", range([])),
        ("INTERVAL '25 hours' < INTERVAL '1 day'", range([])),
        (
            "INTERVAL '1 day' IN (INTERVAL '24 hours', INTERVAL '2 days')",
            range(0..20),
        ),
        ("created_at > now() - INTERVAL '1 day'", range(0..2)),
        (
            "now() - created_at > (SELECT INTERVAL '2 days')",
            range(4..20),
        ),
    ] {
        assert_selects(condition, &expected);
    }
}

#[test]
fn intervals_are_neither_sorted_nor_grouped() {
    assert_refused(&[
        (
            "SELECT email FROM c ORDER BY INTERVAL '1 day', email",
            "ORDER BY",
        ),
        ("SELECT DISTINCT INTERVAL '1 day' AS i FROM c", "DISTINCT"),
        (
            "SELECT count(*) FROM c GROUP BY INTERVAL '1 day', email",
            "GROUP BY",
        ),
        ("SELECT max(INTERVAL '1 day') FROM c", "max"),
        (
            "SELECT nullif(INTERVAL '1 day', INTERVAL '24 hours') FROM c",
            "nullif",
        ),
    ]);
}

#[test]
fn any_some_and_all_are_in_and_not_in() {
    for (condition, expected) in [
        (
            "email = ANY (SELECT s.email FROM c s WHERE s.status = 'expired')",
            range([1, 5, 9, 13, 17]),
        ),
        ("email = SOME (SELECT s.email FROM l s)", range([1, 2])),
        ("email <> ALL (SELECT s.email FROM l s)", range([])),
        (
            "email <> ALL (SELECT s.email FROM l s WHERE s.email IS NOT NULL)",
            range((0..20).filter(|n| ![1, 2].contains(n))),
        ),
        ("NOT (email = ANY (SELECT s.email FROM l s))", range([])),
        ("email = ANY (['u3@x.io', NULL])", range([3])),
    ] {
        assert_selects(condition, &expected);
    }
    assert_refused(&[
        (
            "DELETE FROM c WHERE email > ANY (SELECT s.email FROM c s)",
            "SELECT min(",
        ),
        (
            "DELETE FROM c WHERE email >= ALL (SELECT s.email FROM c s)",
            "SELECT max(",
        ),
        (
            "SELECT email < SOME (SELECT s.email FROM c s) FROM c",
            "SELECT max(",
        ),
        ("SELECT NOT (email = ANY ([NULL, 'a'])) FROM c", "array_has"),
        (
            "DELETE FROM c WHERE email <> ANY (['a'])",
            "= ANY (array) is",
        ),
    ]);
}

#[test]
fn not_in_knows_null_or_is_refused() {
    for (condition, expected) in [
        ("email NOT IN (SELECT s.email FROM l s)", range([])),
        (
            "status NOT IN (SELECT s.status FROM l s WHERE s.days = 1)",
            range((0..20).filter(|n| n % 4 == 1)),
        ),
        (
            "status NOT IN (SELECT s.status FROM l s WHERE s.days = 7)",
            range(0..20),
        ),
        (
            "email NOT IN (SELECT s.email FROM l s WHERE s.days > 0) AND status = 'sent'",
            range([3, 6, 7, 10, 11, 14, 15, 18, 19]),
        ),
        (
            "email IN (SELECT s.email FROM l s) OR status = 'expired'",
            range([1, 2, 5, 9, 13, 17]),
        ),
        (
            "NOT EXISTS (SELECT 1 FROM l s WHERE s.email = c.email) OR status IS NULL",
            range((0..20).filter(|n| ![1, 2].contains(n))),
        ),
        ("status NOT IN ('sent', NULL)", range([])),
        (
            "status IN ('sent', NULL) IS NOT TRUE AND email = 'u1@x.io'",
            range([1]),
        ),
    ] {
        assert_selects(condition, &expected);
    }
    assert_refused(&[
        (
            "DELETE FROM c WHERE email = 'u1@x.io' OR email NOT IN (SELECT s.email FROM l s)",
            "NOT EXISTS",
        ),
        (
            "DELETE FROM c WHERE (email NOT IN (SELECT s.email FROM l s)) IS TRUE",
            "NOT EXISTS",
        ),
        (
            "DELETE FROM c WHERE (email IN (SELECT s.email FROM l s)) IS NOT TRUE",
            "EXISTS",
        ),
        (
            "DELETE FROM c WHERE NOT (email IN (SELECT s.email FROM l s) OR status = 'sent')",
            "EXISTS",
        ),
        (
            "DELETE FROM c WHERE CASE WHEN email NOT IN (SELECT s.email FROM l s) THEN false ELSE true END",
            "NOT EXISTS",
        ),
        ("SELECT email IN (SELECT s.email FROM l s) FROM c", "EXISTS"),
        (
            "SELECT count(*) FROM c JOIN l ON c.email IN (SELECT s.email FROM l s)",
            "EXISTS",
        ),
    ]);
}

#[test]
fn distinct_from_needs_parentheses_before_and_and_or() {
    for (condition, expected) in [
        (
            "(status IS DISTINCT FROM 'sent') AND auth_type = 'sso'",
            range((0..20).step_by(4)),
        ),
        (
            "auth_type = 'sso' AND status IS DISTINCT FROM 'sent'",
            range((0..20).step_by(4)),
        ),
        (
            "NOT status IS NOT DISTINCT FROM 'sent'",
            range((0..20).filter(|n| n % 4 < 2)),
        ),
        (
            "status IS DISTINCT FROM NULL",
            range((0..20).filter(|n| n % 4 != 0)),
        ),
    ] {
        assert_selects(condition, &expected);
    }
    assert_refused(&[
        (
            "DELETE FROM c WHERE status IS NOT DISTINCT FROM 'sent' AND auth_type = 'sso'",
            "(a IS DISTINCT FROM b) AND c",
        ),
        (
            "DELETE FROM c WHERE status IS DISTINCT FROM 'sent' OR false",
            "(a IS DISTINCT FROM b) AND c",
        ),
        (
            "SELECT email FROM c WHERE id = 'i-1' OR status IS DISTINCT FROM 'sent' AND true",
            "(a IS DISTINCT FROM b) AND c",
        ),
        (
            "SELECT status IS DISTINCT FROM creator IS NULL FROM c",
            "(a IS DISTINCT FROM b) AND c",
        ),
    ]);
}

#[test]
fn clauses_that_the_engine_ignores_are_refused() {
    assert_refused(&[
        ("SELECT * FROM c TABLESAMPLE (10 PERCENT)", "TABLESAMPLE"),
        (
            "DELETE FROM c TABLESAMPLE (10 PERCENT) WHERE true",
            "TABLESAMPLE",
        ),
        ("SELECT * FROM c SAMPLE (10)", "SAMPLE"),
        (
            "SELECT * FROM (SELECT * FROM c) TABLESAMPLE (10 ROWS)",
            "SAMPLE",
        ),
        ("SELECT * FROM c PREWHERE status = 'sent'", "PREWHERE"),
        (
            "SELECT * FROM c START WITH id = 'i-1' CONNECT BY PRIOR id = creator",
            "CONNECT BY",
        ),
        ("SELECT * FROM c PARTITION (p0)", "PARTITION"),
        ("DELETE FROM c PARTITION (p0) WHERE true", "PARTITION"),
        ("SELECT * FROM c FINAL", "FINAL"),
        ("DELETE FROM c FINAL WHERE true", "FINAL"),
        (
            "SELECT status, count(*) FROM c GROUP BY status WITH ROLLUP",
            "ROLLUP",
        ),
        (
            "SELECT status, count(*) FROM c GROUP BY status WITH TOTALS",
            "TOTALS",
        ),
        ("SELECT * FROM c SETTINGS max_threads = 1", "SETTINGS"),
        ("SELECT * FROM c FORMAT JSON", "FORMAT"),
        ("SELECT * FROM c FOR UPDATE", "FOR UPDATE"),
        ("SELECT * FROM c FOR XML AUTO", "FOR XML"),
        ("SELECT * FROM c FETCH FIRST 2 ROWS ONLY", "FETCH"),
        ("SELECT * FROM c WITH (NOLOCK)", "WITH"),
        (
            "SELECT * FROM c GLOBAL JOIN l ON c.email = l.email",
            "GLOBAL JOIN",
        ),
        ("SELECT TOP 2 * FROM c", "TOP"),
        ("SELECT * FROM c SORT BY email", "SORT BY"),
        ("SELECT * INTO x FROM c", "SELECT INTO"),
        ("SELECT * RENAME (email AS e) FROM c", "RENAME"),
        ("SELECT * ILIKE '%a%' FROM c", "ILIKE"),
        ("SELECT email FROM c ORDER BY email WITH FILL", "WITH FILL"),
        (
            "SELECT array(SELECT email FROM l) FROM c",
            "a query as the argument",
        ),
        ("SELECT quantile(0.5)(days) FROM l", "quantile(…)(…)"),
        ("SELECT email FROM c |> WHERE status = 'sent'", "subquery"),
        ("PREPARE p AS DELETE FROM c WHERE id = 'i-1'", "PREPARE"),
        (
            "INSERT INTO c (email) VALUES ('a@x.io') ON CONFLICT DO NOTHING",
            "ON CONFLICT",
        ),
        (
            "INSERT OVERWRITE c (email) VALUES ('a@x.io')",
            "INSERT INTO",
        ),
        ("DELETE FROM c WHERE id = 'i-1' ORDER BY id", "ORDER BY"),
        ("DELETE FROM c USING l WHERE c.email = l.email", "USING"),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_alone_selects_everything() {
    let (context, _) = context().await;
    let all = run(&context, "SELECT * FROM c ORDER BY id").await.unwrap();
    assert_eq!(run(&context, "FROM c ORDER BY id").await.unwrap(), all);
    assert_eq!(all.len(), 20);
    let some = run(&context, "FROM c SELECT id WHERE email = 'u7@x.io'").await;
    assert_eq!(some.unwrap(), ["i-7"]);
}

#[test]
fn similar_to_and_counted_set_operations_are_refused() {
    assert_refused(&[
        (
            "DELETE FROM c WHERE email SIMILAR TO 'u1'",
            "~ '^(ann|bob)@'",
        ),
        ("SELECT email NOT SIMILAR TO 'u1%' FROM c", "LIKE"),
        (
            "SELECT status FROM c INTERSECT ALL SELECT status FROM l",
            "INTERSECT ALL",
        ),
        (
            "SELECT status FROM c EXCEPT ALL SELECT status FROM l",
            "EXCEPT ALL",
        ),
        (
            "SELECT 1 FROM c UNION SELECT 2 FROM (SELECT status FROM c EXCEPT ALL SELECT status FROM l)",
            "EXCEPT ALL",
        ),
    ]);
    assert_selects("email ~ '^u1@'", &[1]);
    assert_selects(
        "status IN (SELECT 'sent' INTERSECT SELECT 'sent')",
        &range((0..20).filter(|n| n % 4 > 1)),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_and_qualified_names_work_in_a_delete() {
    for (text, expected) in [
        ("DELETE FROM c x WHERE x.id = 'i-1'", "1"),
        (
            "DELETE FROM c AS x WHERE id = 'i-2' AND x.status = 'sent'",
            "1",
        ),
        ("DELETE FROM c WHERE c.id = 'i-3'", "1"),
        ("DELETE FROM public.c WHERE public.c.id = 'i-4'", "1"),
        (
            "DELETE FROM c x WHERE EXISTS (SELECT 1 FROM l WHERE l.email = x.email)",
            "2",
        ),
        ("DELETE FROM c WHERE email IN (SELECT email FROM l)", "2"),
        (
            "DELETE FROM c x WHERE x.email = (SELECT max(l.email) FROM l WHERE l.days < 2)",
            "1",
        ),
        (
            "DELETE FROM c WHERE email IN (SELECT l.email FROM l GROUP BY email)",
            "2",
        ),
        (
            "DELETE FROM c WHERE email IN (WITH w AS (SELECT email FROM l) SELECT email FROM w)",
            "2",
        ),
    ] {
        let (context, fake) = context().await;
        assert_eq!(
            run(&context, text).await,
            Ok(vec![expected.to_owned()]),
            "{text}"
        );
        assert_eq!(
            fake.ids().len(),
            20 - expected.parse::<usize>().unwrap(),
            "{text}"
        );
    }
}

#[test]
fn a_captured_column_is_refused_with_both_meanings() {
    assert_refused(&[
        (
            "DELETE FROM c WHERE EXISTS (SELECT 1 FROM l WHERE l.email = email)",
            "write l.email for the column of l, or c.email for that of the row to delete",
        ),
        (
            "DELETE FROM c x WHERE EXISTS (SELECT 1 FROM l y WHERE y.email = x.email AND status = 'sent')",
            "write y.status for the column of y, or x.status for that of the row to delete",
        ),
        (
            "DELETE FROM c WHERE email IN (SELECT l.email FROM l JOIN l m ON m.days = l.days AND email = m.email)",
            "Ambiguous",
        ),
        // The other way round: the subquery's table has no such column, so that each row is compared with itself.
        (
            "DELETE FROM c WHERE id IN (SELECT id FROM l)",
            "no column of the subquery's own tables: write c.id",
        ),
        (
            "DELETE FROM c WHERE EXISTS (SELECT 1 FROM l WHERE l.days = 1 AND creator IS NOT NULL)",
            "write c.creator",
        ),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_without_the_checks_is_refused() {
    let (context, fake) = context().await;
    let planned = context.sql("DELETE FROM c WHERE id = 'i-1'").await.unwrap();
    let error = planned.collect().await.unwrap_err();
    assert!(
        message(&error).contains("org_invitations_sql::sql"),
        "{error}"
    );
    assert_eq!(fake.ids().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_chain_is_balanced_and_a_deep_tree_is_refused() {
    let (context, _) = context().await;
    for (operator, count) in [("OR", "20"), ("AND", "1")] {
        let terms: Vec<String> = (0..400)
            .map(|number| match operator {
                "OR" => format!("email = 'u{number}@x.io'"),
                _ => format!("email <> 'u{}@x.io'", number + 1),
            })
            .collect();
        let condition = terms.join(&format!(" {operator} "));
        let rows = run(
            &context,
            &format!("SELECT count(*) FROM c WHERE {condition}"),
        )
        .await;
        assert_eq!(rows, Ok(vec![count.to_owned()]));
    }
    let chain = |operator: &str, count: usize| vec!["1"; count].join(operator);
    for operator in ["AND", "OR"] {
        let terms = vec!["email = 'u1@x.io'"; 1_200].join(&format!(" {operator} "));
        for condition in [terms.clone(), format!("NOT ({terms})")] {
            let rows = run(
                &context,
                &format!("SELECT count(*) FROM c WHERE {condition}"),
            )
            .await;
            let error = rows.unwrap_err();
            assert!(error.contains("500 AND and OR"), "{error}");
        }
    }
    for (text, words) in [
        (format!("SELECT {}", chain(" + ", 1_200)), "100 levels"),
        (format!("SELECT {}", chain(" + ", 90_000)), "100 levels"),
        (format!("SELECT {}", chain(" + ", 200_000)), "operators"),
        (
            format!("SELECT {}", vec!["1"; 1_200].join(" UNION ALL SELECT ")),
            "union",
        ),
        (
            format!("SELECT 1 FROM {}", vec!["l"; 1_200].join(" CROSS JOIN ")),
            "joins",
        ),
        (
            format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000)),
            "recursion",
        ),
        (format!("SELECT {}true", "NOT ".repeat(3_000)), "sql error"),
    ] {
        let error = run(&context, &text).await.unwrap_err();
        assert!(error.to_lowercase().contains(words), "{error}");
    }
    let sum = run(&context, &format!("SELECT {}", chain(" + ", 80))).await;
    assert_eq!(sum, Ok(vec!["80".to_owned()]));
    let union = vec!["1"; 80].join(" UNION ALL SELECT ");
    let union = run(&context, &format!("SELECT count(*) FROM (SELECT {union})")).await;
    assert_eq!(union, Ok(vec!["80".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn show_tables_lists_those_of_the_session() {
    let (context, _) = context().await;
    let tables = run(&context, "SHOW TABLES").await.unwrap();
    assert_eq!(
        tables,
        [
            "datafusion | public | c | BASE TABLE",
            "datafusion | public | l | BASE TABLE"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_any_size_are_not_made() {
    let (context, _) = context().await;
    for call in [
        "lpad('x', 2147483647)",
        "rpad(email, 2147483647, 'ab')",
        "repeat('x', 9000000000)",
        "repeat(email, days * 1000000000)",
        "array_repeat(1, 9000000000)",
        "array_resize([1], 9000000000)",
    ] {
        let error = run(&context, &format!("SELECT {call} FROM l"))
            .await
            .unwrap_err();
        assert!(error.contains("the limit is 100000000"), "{call}: {error}");
    }
    let short = run(
        &context,
        "SELECT lpad('x', 3, '-') || repeat('y', 2) || rpad('z', 2)",
    )
    .await;
    assert_eq!(short, Ok(vec!["--xyyz ".to_owned()]));
}
