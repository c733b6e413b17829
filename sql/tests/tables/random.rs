//! Random conditions over random invitations give the same rows with push-down as without.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use org_invitations::{AuthType, Invitation, InvitationStatus, RemovalLimit, ResourceReference};
use org_invitations_sql::{Table, WriteOptions, register, session};
use proptest::{
    collection::vec, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner,
};

use crate::{
    fake_provider::{FakeProvider, Filters},
    memory_tables::memory_tables,
    rows::render,
};

/// Few values, so that many rows match, and those that a server might take for the same.
const EMAILS: [&str; 6] = [
    "ann@x.io",
    "Ann@x.io",
    "ann@x.io.uk",
    "bob@y.io",
    "o'neil@x.io",
    "ünï@x.io",
];
const STATUSES: [&str; 4] = ["sent", "accepted", "expired", "INVITE_STATUS_ODD"];
const USERS: [&str; 3] = ["u-1", "U-1", "u-11"];

fn invitations() -> impl Strategy<Value = Vec<Invitation>> {
    let row = (
        select(&EMAILS[..]),
        prop::option::of(select(&STATUSES[..])),
        prop::option::of(select(&USERS[..])),
        prop::option::of(select(&USERS[..])),
        any::<bool>(),
        prop::option::of(0..3_i64),
    );
    vec(row, 0..40).prop_map(|rows| {
        let mut all = Vec::new();
        for (number, (email, status, user, creator, sso, day)) in rows.into_iter().enumerate() {
            let id = format!("i-{number}").parse().unwrap();
            let mut it = Invitation::new(id, email);
            it.status = status.map(InvitationStatus::from);
            it.user = user.map(ResourceReference::new);
            it.creator = creator.map(ResourceReference::new);
            it.auth_type = sso.then_some(AuthType::Sso);
            it.created_at = day.map(|day| {
                chrono::DateTime::from_timestamp(1_700_000_000 + day * 86_400, 0).unwrap()
            });
            all.push(it);
        }
        all
    })
}

/// A column whose values can be pushed, and a literal that may be one of them, or a null.
fn pair() -> impl Strategy<Value = (&'static str, String)> {
    let literal = |texts: Vec<String>| {
        let text = prop_oneof![
            8 => select(texts),
            1 => Just("ANN@X.IO".to_owned()),
            1 => Just(String::new()),
            1 => Just("../x?y=1&z".to_owned()),
        ];
        prop_oneof![
            9 => text.prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
            1 => Just("NULL".to_owned()),
        ]
    };
    let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    // A server may find an invitation by either spelling of its id.
    let ids = (0..8).flat_map(|id| [format!("i-{id}"), format!("I-{id}")]);
    let ids: Vec<String> = ids.collect();
    prop_oneof![
        (Just("email"), literal(owned(&EMAILS))),
        (Just("status"), literal(owned(&STATUSES))),
        (Just("\"user\""), literal(owned(&USERS))),
        (Just("creator"), literal(owned(&USERS))),
        (Just("id"), literal(ids)),
        (Just("provider"), literal(owned(&["one", "two", "three"]))),
    ]
}

fn leaf() -> impl Strategy<Value = String> {
    let same = |(column, literal)| format!("{column} = {literal}");
    let several = || vec(pair(), 1..6);
    let list = |pairs: Vec<(&str, String)>, not: &str| {
        let column = pairs[0].0;
        let values = pairs.iter().filter(|pair| pair.0 == column);
        let values: Vec<&str> = values.map(|pair| pair.1.as_str()).collect();
        format!("{column} {not}IN ({})", values.join(", "))
    };
    prop_oneof![
        6 => pair().prop_map(same),
        2 => pair().prop_map(|(column, literal)| format!("{literal} = {column}")),
        4 => several().prop_map(move |pairs| list(pairs, "")),
        2 => several().prop_map(move |pairs| list(pairs, "NOT ")),
        1 => pair().prop_map(|(column, literal)| format!("{column} <> {literal}")),
        1 => pair().prop_map(|(column, literal)| format!("{column} < {literal}")),
        1 => pair().prop_map(|(column, literal)| format!("{column} >= {literal}")),
        1 => pair().prop_map(|(column, literal)| format!("{column} IS NOT DISTINCT FROM {literal}")),
        1 => pair().prop_map(|(column, _)| format!("{column} IS NULL")),
        1 => pair().prop_map(|(column, literal)| format!("({column} = {literal}) IS NULL")),
        1 => pair().prop_map(|(column, literal)| format!("CAST({column} AS TEXT) = {literal}")),
        1 => pair().prop_map(|(column, literal)| format!("{column} = CAST({literal} AS TEXT)")),
        1 => pair().prop_map(|(column, literal)| format!("lower({column}) = {literal}")),
        1 => (pair(), pair()).prop_map(|((one, literal), (other, _))| {
            format!("CASE WHEN {one} = {literal} THEN {other} IS NULL ELSE auth_type = 'sso' END")
        }),
        1 => pair().prop_map(|(column, literal)| {
            format!("{column} IN (SELECT s.{column} FROM t s WHERE s.{column} = {literal} OR s.status = 'sent')")
        }),
        1 => pair().prop_map(|(column, literal)| {
            format!("{column} NOT IN (SELECT s.{column} FROM t s WHERE s.{column} = {literal})")
        }),
        1 => Just("email LIKE '%n@x.io'".to_owned()),
        1 => Just("created_at > TIMESTAMP '2023-11-15T00:00:00Z'".to_owned()),
        1 => Just("email = id".to_owned()),
        1 => select(&["true", "false", "NULL", "1 = 1", "1 = 0"][..]).prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            4 => two().prop_map(|(one, other)| format!("({one}) AND ({other})")),
            4 => two().prop_map(|(one, other)| format!("({one}) OR ({other})")),
            1 => inner.clone().prop_map(|one| format!("NOT ({one})")),
        ]
    })
}

const FILTERS: [Filters; 5] = [
    Filters::Absent,
    Filters::Exact,
    Filters::WithoutCase,
    Filters::Containing,
    Filters::Ignored,
];

async fn rows(context: &SessionContext, sql: &str) -> Result<Vec<String>, String> {
    let frame = org_invitations_sql::sql(context, sql)
        .await
        .map_err(|error| error.to_string())?;
    let batches = frame.collect().await.map_err(|error| error.to_string())?;
    let mut rows = render(&batches);
    rows.sort();
    Ok(rows)
}

/// A session in which `t` is two providers, and one in which it is a table in memory.
fn sessions(
    rows: &[Invitation],
    filters: Filters,
    page: usize,
) -> (SessionContext, SessionContext) {
    let half = rows.len() / 2;
    let fake = |rows: &[Invitation]| {
        let fake = FakeProvider::new(rows.to_vec(), filters).page_size(page);
        fake.shared() as Arc<dyn org_invitations::InvitationProvider>
    };
    let (one, two) = rows.split_at(half);
    let context = session();
    let table = Table::union_of([
        ("one", Table::invitations(fake(one))),
        ("two", Table::invitations(fake(two))),
    ]);
    table.register(&context, "t").unwrap();
    register(&context, "alone", fake(one)).unwrap();
    let label = |label, rows: &[Invitation]| {
        let rows = rows.iter().cloned();
        rows.map(|row| (label, row)).collect::<Vec<_>>()
    };
    let both = [label("one", one), label("two", two)].concat();
    (
        context,
        memory_tables(&[("t", both), ("alone", label("one", one))]),
    )
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// However loosely a server compares, the rows are those of the engine, without duplicates.
#[test]
fn any_condition_gives_the_same_rows_without_pushdown() {
    let runtime = runtime();
    let strategy = (
        invitations(),
        vec(condition(), 4),
        select(&FILTERS[..]),
        select(&[1_usize, 3, 100][..]),
    );
    let result = runner(24).run(&strategy, |(invitations, conditions, filters, page)| {
        let (pushed, reference) = sessions(&invitations, filters, page);
        for condition in conditions {
            let tables = match condition.contains("provider") || condition.contains("FROM t") {
                true => &["t"][..],
                false => &["t", "alone"],
            };
            for table in tables {
                let columns = r#"id, email, status, "user", creator, created_at"#;
                let sql = format!("SELECT {columns} FROM {table} WHERE {condition}");
                let expected = runtime.block_on(rows(&reference, &sql));
                let seen = runtime.block_on(rows(&pushed, &sql));
                // What the engine cannot plan it cannot plan either way.
                prop_assert_eq!(
                    seen.is_ok(),
                    expected.is_ok(),
                    "{}: {:?}",
                    sql,
                    (seen, expected)
                );
                prop_assert_eq!(&seen.ok(), &expected.clone().ok(), "{}", sql);
                let Ok(expected) = expected else { continue };
                let mut different = expected.clone();
                different.dedup();
                prop_assert_eq!(&different, &expected, "ids differ");
                let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
                let count = runtime.block_on(rows(&pushed, &sql)).unwrap();
                prop_assert_eq!(count, [expected.len().to_string()], "{}", sql);
                let sql = format!("SELECT {columns} FROM {table} WHERE {condition} LIMIT 3");
                let some = runtime.block_on(rows(&pushed, &sql)).unwrap();
                prop_assert_eq!(some.len(), expected.len().min(3), "{}", sql);
                prop_assert!(some.iter().all(|row| expected.contains(row)), "{}", sql);
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// A `DELETE` leaves exactly the rows that do not match according to the engine.
#[test]
fn any_condition_deletes_the_rows_that_it_selects() {
    let runtime = runtime();
    let strategy = (invitations(), vec(condition(), 1..4), select(&FILTERS[..]));
    let result = runner(40).run(&strategy, |(invitations, conditions, filters)| {
        for condition in conditions {
            if condition.contains("provider") {
                continue;
            }
            let fake = FakeProvider::new(invitations.clone(), filters)
                .page_size(7)
                .shared();
            let context = session();
            let options = WriteOptions::default().max_deletes(RemovalLimit::none());
            let table = Table::invitations(Arc::clone(&fake) as _).write_options(options);
            table.register(&context, "t").unwrap();
            let all = invitations.iter().map(|it| ("stock", it.clone()));
            let reference = memory_tables(&[("t", all.collect())]);
            let sql = format!("SELECT id FROM t WHERE {condition}");
            let Ok(selected) = runtime.block_on(rows(&reference, &sql)) else {
                continue;
            };
            let sql = format!("DELETE FROM t WHERE {condition}");
            let done = runtime.block_on(rows(&context, &sql));
            prop_assert_eq!(done, Ok(vec![selected.len().to_string()]), "{}", sql);
            let mut left: Vec<String> = invitations.iter().map(|it| it.id.to_string()).collect();
            left.retain(|id| !selected.contains(id));
            prop_assert_eq!(fake.ids(), left, "{}", sql);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The strategy above is no use if it makes conditions that match nothing, or that are never pushed.
#[test]
fn the_random_conditions_are_pushed_and_match() {
    let runtime = runtime();
    let mut runner = TestRunner::deterministic();
    let (mut matched, mut pushed, mut refused) = (0, 0, 0);
    for _ in 0..60 {
        let rows_of = invitations().new_tree(&mut runner).unwrap().current();
        let condition = condition().new_tree(&mut runner).unwrap().current();
        let (context, _) = sessions(&rows_of, Filters::Exact, 10);
        let sql = format!("SELECT id FROM t WHERE {condition}");
        match runtime.block_on(rows(&context, &sql)) {
            Ok(rows) => matched += usize::from(!rows.is_empty()),
            Err(_) => refused += 1,
        }
        let plan = runtime.block_on(rows(&context, &format!("EXPLAIN {sql}")));
        pushed += usize::from(plan.is_ok_and(|plan| plan.join("\n").contains("rows=[")));
    }
    let seen = format!("{matched} matched, {pushed} pushed, {refused} refused");
    assert!(matched > 18 && pushed > 9 && refused < 6, "{seen}");
}
