//! `DELETE` deletes exactly the rows that match, according to the sandbox's ledger.

use datafusion::{
    datasource::provider_as_source,
    logical_expr::{DmlStatement, LogicalPlan, LogicalPlanBuilder, WriteOp},
    prelude::{Expr, SessionContext, col, lit},
};
use org_invitations_sandbox::Provider;
use std::sync::Arc;

use crate::{
    fixture::{CLICKHOUSE, CONFLUENT, Fixture, StatementRun, users},
    rows::render,
};

/// `user1` to `user6` on both, `only@x.io` on ClickHouse alone, and `user6` accepted on ClickHouse, where it
/// is then gone.
async fn fixture() -> Fixture {
    let fixture = Fixture::seeded(6).await;
    fixture.invite(Provider::ClickHouse, &["only@x.io"]).await;
    let sixth = "user6@seeded.example";
    fixture.sandbox.accept(Provider::ClickHouse, sixth).unwrap();
    fixture
}

/// Runs `DELETE FROM <Confluent's table> <rest>` and returns the remaining addresses; checks the count, and that
/// nothing else is changed.
async fn left(rest: &str) -> Vec<String> {
    let fixture = fixture().await;
    let clickhouse = fixture.left(Provider::ClickHouse);
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} {rest}"))
        .await;
    assert_eq!(fixture.left(Provider::ClickHouse), clickhouse, "{rest}");
    let left = fixture.left(Provider::Confluent);
    assert_eq!(run.count() as usize, 6 - left.len(), "{rest}");
    assert_eq!(run.commits.len(), 6 - left.len(), "{rest}");
    let sent = run.requests.iter();
    let deletes = sent.filter(|it| it.contains(" delete ")).count();
    assert_eq!(deletes, 6 - left.len(), "{rest}: {:?}", run.requests);
    left
}

/// Conditions, and the numbers of the users that they match.
#[tokio::test(flavor = "multi_thread")]
async fn every_condition_deletes_the_rows_that_match_it() {
    let on_clickhouse = "(SELECT email FROM clickhouse.members.invitations)";
    let cases: Vec<(String, Vec<u32>)> = vec![
        ("email = 'user3@seeded.example'".into(), vec![3]),
        ("id = 'i-seed-3'".into(), vec![3]),
        ("id IN ('i-seed-3', 'i-seed-4', 'i-none')".into(), vec![3, 4]),
        ("id = 'i-seed-3' OR email = 'user4@seeded.example'".into(), vec![3, 4]),
        ("email LIKE 'user_@%' AND id > 'i-seed-4'".into(), vec![5, 6]),
        ("CASE WHEN id = 'i-seed-3' THEN true ELSE false END".into(), vec![3]),
        ("CASE id WHEN 'i-seed-3' THEN NULL ELSE id = 'i-seed-4' END".into(), vec![4]),
        ("status = 'sent' AND \"user\" = 'u-seed-2'".into(), vec![2]),
        // Subqueries, of which the engine hands a table nothing.
        (format!("email IN {on_clickhouse}"), (1..=5).collect()),
        (format!("email NOT IN {on_clickhouse}"), vec![6]),
        (format!("email IN {on_clickhouse} AND id > 'i-seed-4'"), vec![5]),
        ("NOT EXISTS (SELECT 1 FROM clickhouse.members.invitations s WHERE s.email = invitations.email) OR id = 'i-seed-1'".into(), vec![1, 6]),
        ("email IN (SELECT email FROM clickhouse.members.invitations s WHERE s.email = 'user2@seeded.example')".into(), vec![2]),
        ("email IN (SELECT email FROM clickhouse.members.invitations s WHERE s.email = 'nobody')".into(), vec![]),
        ("email IN (SELECT email FROM clickhouse.members.invitations WHERE 1 = 0)".into(), vec![]),
        ("email IN (SELECT email FROM clickhouse.members.invitations LIMIT 0)".into(), vec![]),
        ("email IN (SELECT email FROM invitations s WHERE provider = 'clickhouse' AND s.email LIKE '%3@%')".into(), vec![3]),
        ("email IN (SELECT column1 FROM (VALUES ('user3@seeded.example'), (NULL)))".into(), vec![3]),
        ("email NOT IN (SELECT column1 FROM (VALUES ('user3@seeded.example'), (NULL)))".into(), vec![]),
        ("email NOT IN (SELECT email FROM clickhouse.members.invitations UNION ALL SELECT NULL)".into(), vec![]),
        ("email = (SELECT max(email) FROM clickhouse.members.invitations)".into(), vec![5]),
        ("email = (SELECT email FROM clickhouse.members.invitations s WHERE s.email = 'nobody')".into(), vec![]),
        ("email > (SELECT 'user4@seeded.example')".into(), vec![5, 6]),
        ("EXISTS (SELECT 1 FROM clickhouse.members.invitations c WHERE c.email = confluent.iam.invitations.email)".into(), (1..=5).collect()),
        ("NOT EXISTS (SELECT 1 FROM clickhouse.members.invitations c WHERE c.email = confluent.iam.invitations.email)".into(), vec![6]),
        ("EXISTS (SELECT 1 FROM clickhouse.members.invitations s WHERE s.email = 'nobody')".into(), vec![]),
        ("NOT EXISTS (SELECT 1 FROM clickhouse.members.invitations)".into(), vec![]),
        ("email IN (SELECT a.email FROM confluent.iam.invitations a JOIN clickhouse.members.invitations b ON a.email = b.email WHERE a.id = 'i-seed-2')".into(), vec![2]),
        ("id IN (SELECT id FROM confluent.iam.invitations ORDER BY id DESC LIMIT 2)".into(), vec![5, 6]),
        // Conditions that match nothing.
        ("1 = 0".into(), vec![]),
        ("false".into(), vec![]),
        ("NULL".into(), vec![]),
        ("id = NULL".into(), vec![]),
        ("id IN (NULL)".into(), vec![]),
        ("id IN (NULL, NULL)".into(), vec![]),
        ("id NOT IN (NULL)".into(), vec![]),
        ("id NOT IN ('i-seed-1', NULL)".into(), vec![]),
        ("id IN ('i-seed-1', NULL)".into(), vec![1]),
        ("id <> NULL".into(), vec![]),
        ("NOT (id = NULL)".into(), vec![]),
        ("id IS NULL".into(), vec![]),
        ("email = 'user1@seeded.example' AND email = 'user2@seeded.example'".into(), vec![]),
        ("email IN ('user1@seeded.example', 'user2@seeded.example') AND email = 'user3@seeded.example'".into(), vec![]),
        ("status = 'sent' AND status = 'accepted'".into(), vec![]),
        ("id = 'i-seed-1' AND email = 'user2@seeded.example'".into(), vec![]),
        ("email = 'USER1@SEEDED.EXAMPLE'".into(), vec![]),
        ("email = ''".into(), vec![]),
        ("email <> email".into(), vec![]),
        ("created_at < '2000-01-01'".into(), vec![]),
        ("accepted_at > created_at".into(), vec![]),
        // Conditions that match everything.
        ("1 = 1".into(), (1..=6).collect()),
        ("true".into(), (1..=6).collect()),
        ("email = email".into(), (1..=6).collect()),
        ("id NOT IN ('x', 'y')".into(), (1..=6).collect()),
        ("NOT (email = 'user1@seeded.example' AND email = 'user2@seeded.example')".into(), (1..=6).collect()),
    ];
    for (condition, deleted) in cases {
        let expected = users((1..=6).filter(|number| !deleted.contains(number)));
        assert_eq!(
            left(&format!("WHERE {condition}")).await,
            expected,
            "{condition}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_kept() {
    for (rest, deleted) in [
        ("WHERE email LIKE 'user%' LIMIT 2", 2),
        ("WHERE status = 'sent' LIMIT 2", 2),
        ("WHERE status = 'sent' LIMIT 0", 0),
        ("WHERE status = 'sent' LIMIT 100", 6),
        (
            "WHERE email IN (SELECT email FROM clickhouse.members.invitations) LIMIT 1",
            1,
        ),
        ("WHERE true LIMIT 3", 3),
        ("WHERE 1 = 0 LIMIT 3", 0),
    ] {
        assert_eq!(left(rest).await.len(), 6 - deleted, "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_sends_a_read_and_a_request_for_each_row() {
    let fixture = fixture().await;
    let sql = format!("DELETE FROM {CONFLUENT} WHERE email = 'user3@seeded.example'");
    let run = fixture.run(&sql).await;
    assert_eq!(
        run.requests,
        [
            "confluent list email=user3%40seeded.example",
            "confluent delete i-seed-3"
        ]
    );
    assert_eq!(run.commits, ["delete confluent user3@seeded.example"]);
    assert_eq!(run.ordered(), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_union_each_row_is_deleted_at_its_own_provider() {
    let fixture = fixture().await;
    let condition = "email IN ('user1@seeded.example', 'only@x.io')";
    let run = fixture
        .run(&format!("DELETE FROM invitations WHERE {condition}"))
        .await;
    assert_eq!(run.count(), 3);
    assert_eq!(
        run.commits,
        [
            "delete clickhouse only@x.io",
            "delete clickhouse user1@seeded.example",
            "delete confluent user1@seeded.example"
        ]
    );
    let condition = "provider = 'clickhouse' AND email LIKE '%2@%'";
    let run = fixture
        .run(&format!("DELETE FROM invitations WHERE {condition}"))
        .await;
    assert_eq!(run.commits, ["delete clickhouse user2@seeded.example"]);
    assert!(!run.requests.iter().any(|it| it.starts_with("confluent")));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_from_a_file_are_the_ones_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leavers.csv");
    std::fs::write(&path, "email\nuser2@seeded.example\nnobody@x.io\n").unwrap();
    let path = path.display();
    let kept = left(&format!("WHERE email IN (SELECT email FROM '{path}')")).await;
    assert_eq!(kept, users([1, 3, 4, 5, 6]));
    let kept = left(&format!("WHERE email NOT IN (SELECT email FROM '{path}')")).await;
    assert_eq!(kept, users([2]));
}

/// An empty field of a file is a null, and `NOT IN` a list with a null matches nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_field_makes_not_in_match_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("staff.csv");
    std::fs::write(&path, "email,name\nuser2@seeded.example,Bob\n,Eve\n").unwrap();
    let path = path.display();
    let kept = left(&format!("WHERE email NOT IN (SELECT email FROM '{path}')")).await;
    assert_eq!(kept, users(1..=6));
}

/// A frame takes parameters; `PREPARE` is refused, because `EXECUTE` does not say what it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_delete_takes_a_parameter() {
    for (value, commits) in [
        (
            Some("user3@seeded.example"),
            vec!["delete confluent user3@seeded.example"],
        ),
        (None, vec![]),
        (Some("%"), vec![]),
    ] {
        let fixture = fixture().await;
        let sql = format!("DELETE FROM {CONFLUENT} WHERE email = $1");
        let run = async {
            let frame = org_invitations_sql::sql(&fixture.context, &sql).await?;
            let value = datafusion::common::ScalarValue::from(value);
            frame.with_param_values(vec![value])?.collect().await
        };
        let run = fixture.watch(run).await;
        assert_eq!(
            (run.count() as usize, run.commits),
            (
                commits.len(),
                commits.iter().map(|it| (*it).to_owned()).collect()
            )
        );
    }
    let fixture = fixture().await;
    let prepare = format!("PREPARE forget(TEXT) AS DELETE FROM {CONFLUENT} WHERE email = $1");
    let refused = fixture.refused(&prepare).await;
    assert!(refused.contains("PREPARE"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placeholder_without_a_value_deletes_nothing() {
    let fixture = fixture().await;
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} WHERE email = $1"))
        .await;
    run.error();
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subquery_over_a_view_deletes_what_the_view_has() {
    let fixture = fixture().await;
    let view =
        format!("CREATE VIEW late AS SELECT email FROM {CLICKHOUSE} WHERE email LIKE '%3@%'");
    fixture.run(&view).await.rows();
    let sql = format!("DELETE FROM {CONFLUENT} WHERE email IN (SELECT email FROM late)");
    let run = fixture.run(&sql).await;
    assert_eq!(run.commits, ["delete confluent user3@seeded.example"]);
}

/// A plan that was made by hand: a `DELETE` whose input is a filtered scan.
async fn plan(context: &SessionContext, filter: Option<Expr>) -> LogicalPlan {
    let provider = context.table_provider(CONFLUENT).await.unwrap();
    let source = provider_as_source(provider);
    let scan = LogicalPlanBuilder::scan(CONFLUENT, Arc::clone(&source), None).unwrap();
    let input = match filter {
        Some(filter) => scan.filter(filter).unwrap(),
        None => scan,
    };
    let input = Arc::new(input.build().unwrap());
    LogicalPlan::Dml(DmlStatement::new(
        CONFLUENT.into(),
        source,
        WriteOp::Delete,
        input,
    ))
}

async fn run_plan(fixture: &Fixture, context: &SessionContext, plan: &LogicalPlan) -> StatementRun {
    let work = async {
        context
            .execute_logical_plan(plan.clone())
            .await?
            .collect()
            .await
    };
    fixture.watch(work).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_made_by_hand_deletes_nothing() {
    let fixture = fixture().await;
    let context = &fixture.context;
    for filter in [Some(col("email").eq(lit("user3@seeded.example"))), None] {
        let plan = plan(context, filter).await;
        let run = run_plan(&fixture, context, &plan).await;
        let error = run.error().to_string();
        assert!(error.contains("nothing was deleted"), "{error}");
        assert_eq!(run.requests, [""; 0]);
    }
}

const PREPARED: &[(&str, &[u32])] = &[
    ("email = 'user3@seeded.example'", &[3]),
    ("email LIKE '%3@%' OR id = 'i-seed-4'", &[3, 4]),
    (
        "email IN (SELECT email FROM clickhouse.members.invitations s WHERE s.email LIKE '%3@%')",
        &[3],
    ),
    (
        "email NOT IN (SELECT email FROM clickhouse.members.invitations)",
        &[6],
    ),
    (
        "EXISTS (SELECT 1 FROM clickhouse.members.invitations s WHERE s.email = 'nobody')",
        &[],
    ),
    ("id IN (NULL)", &[]),
    ("id IN (NULL, 'i-seed-2')", &[2]),
    ("1 = 0", &[]),
    ("id = NULL", &[]),
    ("email = 'a@b' AND email = 'c@d'", &[]),
    ("status = 'sent' LIMIT 0", &[]),
    (
        "email = (SELECT max(email) FROM clickhouse.members.invitations)",
        &[5],
    ),
];

/// The optimizer moves, rewrites and drops parts of a plan; this does not change the result, with the rules in the session or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_optimised_before_deletes_the_same_rows() {
    for (condition, deleted) in PREPARED {
        for knows_the_rules in [true, false] {
            let fixture = fixture().await;
            let sql = format!("DELETE FROM {CONFLUENT} WHERE {condition}");
            let other = SessionContext::new();
            let planner = match knows_the_rules {
                true => &fixture.context,
                false => by_hand(&fixture, &other),
            };
            let state = planner.state();
            let statement = org_invitations_sql::parse(&sql).unwrap().remove(0);
            let plan = org_invitations_sql::plan(planner, statement).await.unwrap();
            let plan = state.optimize(&plan).unwrap();
            let again = state.optimize(&plan).unwrap();
            let run = run_plan(&fixture, &fixture.context, &again).await;
            assert!(run.result.is_ok(), "{condition}: {:?}", run.result);
            let expected = users((1..=6).filter(|number| !deleted.contains(number)));
            let left = fixture.left(Provider::Confluent);
            assert_eq!(left, expected, "{condition}, {knows_the_rules}\n{again}");
        }
    }
}

/// Registers the tables in a session without the rules.
fn by_hand<'a>(fixture: &Fixture, context: &'a SessionContext) -> &'a SessionContext {
    use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider};
    for (catalog, schema) in [("confluent", "iam"), ("clickhouse", "members")] {
        let provider = MemoryCatalogProvider::new();
        let tables = Arc::new(MemorySchemaProvider::new());
        provider.register_schema(schema, tables).unwrap();
        context.register_catalog(catalog, Arc::new(provider));
    }
    for (name, table) in fixture.tables() {
        context.register_table(name, Arc::new(table)).unwrap();
    }
    context
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_by_the_engine_alone_deletes_nothing() {
    let fixture = fixture().await;
    let other = SessionContext::new();
    let other = by_hand(&fixture, &other);
    for (condition, _) in PREPARED {
        for rest in [format!("WHERE {condition}"), String::new()] {
            for table in [CONFLUENT, CLICKHOUSE, "invitations"] {
                let sql = format!("DELETE FROM {table} {rest}");
                let run = async { other.sql(&sql).await?.collect().await };
                let run = fixture.watch(run).await;
                let error = run.error().to_string();
                assert!(error.contains("nothing was deleted"), "{sql}: {error}");
                assert_eq!(run.commits, [""; 0], "{sql}");
                assert_eq!(run.requests, [""; 0], "{sql}");
            }
        }
    }
    // Queries work without the rules.
    let sql = format!("SELECT count(*) FROM {CONFLUENT}");
    assert_eq!(fixture.run_in(other, &sql).await.count(), 6);
}

/// A table that was registered by hand is as safe.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_registered_by_hand_is_safe() {
    let fixture = fixture().await;
    let [(_, table), ..] = fixture.tables();
    fixture
        .context
        .register_table("mine", Arc::new(table))
        .unwrap();
    let sql = "DELETE FROM mine WHERE email IN (SELECT email FROM clickhouse.members.invitations s
               WHERE s.email = 'user3@seeded.example')";
    let run = fixture.run(sql).await;
    assert_eq!(run.commits, ["delete confluent user3@seeded.example"]);
    let refused = fixture.refused("DELETE FROM mine").await;
    assert!(refused.contains("without WHERE"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn preparing_a_delete_sends_nothing() {
    let fixture = fixture().await;
    let sql = format!("DELETE FROM {CONFLUENT} WHERE email LIKE 'user%'");
    let prepare = async {
        let frame = org_invitations_sql::sql(&fixture.context, &sql).await?;
        frame.clone().into_optimized_plan()?;
        frame.create_physical_plan().await?;
        Ok(Vec::new())
    };
    let run = fixture.watch(prepare).await;
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!((run.requests.len(), run.commits.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_of_a_delete_sends_nothing() {
    let fixture = fixture().await;
    for explain in ["EXPLAIN", "EXPLAIN VERBOSE", "EXPLAIN FORMAT TREE"] {
        let condition = "email IN (SELECT email FROM clickhouse.members.invitations)";
        let run = fixture
            .run(&format!(
                "{explain} DELETE FROM {CONFLUENT} WHERE {condition}"
            ))
            .await;
        let plan = run.ordered().join("\n");
        assert!(
            plan.contains("DeleteInvitations") || explain.ends_with("TREE"),
            "{plan}"
        );
        assert_eq!(run.requests, [""; 0], "{explain}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_executed_again_reads_again() {
    let fixture = fixture().await;
    let sql = format!("DELETE FROM {CONFLUENT} WHERE email LIKE 'user%' LIMIT 2");
    let frame = org_invitations_sql::sql(&fixture.context, &sql)
        .await
        .unwrap();
    for (done, left) in [("2", 4), ("2", 2), ("2", 0), ("0", 0)] {
        let batches = frame.clone().collect().await.unwrap();
        assert_eq!(render(&batches), [done]);
        assert_eq!(fixture.left(Provider::Confluent).len(), left);
    }
}
