//! The rows of queries, compared with those of the same query over tables in memory.

use std::time::Duration;

use datafusion::prelude::SessionContext;
use org_invitations_sandbox::Provider;

use crate::{
    fixture::{CLICKHOUSE, CONFLUENT, Fixture, users},
    memory_tables::memory_tables,
    rows::render,
};

/// Some of every status, and some invited on both.
async fn mixed() -> Fixture {
    let fixture = Fixture::seeded(12).await;
    fixture.sandbox.advance(Duration::from_secs(8 * 86_400));
    let fresh = [
        "ann@x.io",
        "Bob@x.io",
        "bob@y.io",
        "o'neil@x.io",
        "zoe@x.io",
    ];
    fixture.invite(Provider::Confluent, &fresh).await;
    fixture
        .invite(Provider::ClickHouse, &["ann@x.io", "cleo@x.io", "zoe@x.io"])
        .await;
    for (provider, email) in [
        (Provider::Confluent, "bob@y.io"),
        (Provider::Confluent, "zoe@x.io"),
        (Provider::ClickHouse, "cleo@x.io"),
    ] {
        fixture.sandbox.accept(provider, email).unwrap();
    }
    fixture
}

/// The tables of a world, in memory.
async fn in_memory(fixture: &Fixture) -> SessionContext {
    let of = |label, all: Vec<_>| all.into_iter().map(move |it| (label, it));
    let confluent = fixture.all(Provider::Confluent).await;
    let clickhouse = fixture.all(Provider::ClickHouse).await;
    let both = of("confluent", confluent.clone()).chain(of("clickhouse", clickhouse.clone()));
    memory_tables(&[
        ("invitations", both.collect()),
        (CONFLUENT, of("confluent", confluent).collect()),
        (CLICKHOUSE, of("clickhouse", clickhouse).collect()),
    ])
}

/// Conditions, most of them on every table.
const CONDITIONS: &[&str] = &[
    "true",
    "email = 'ann@x.io'",
    "'ann@x.io' = email",
    "email = 'ANN@X.IO'",
    "email IN ('ann@x.io', 'Ann@x.io', 'nobody@x.io')",
    "email = 'ann@x.io' OR email = 'bob@x.io'",
    "email = 'ann@x.io' OR status = 'expired'",
    "email <> 'ann@x.io'",
    "email NOT IN ('ann@x.io', 'bob@x.io')",
    "NOT (email = 'ann@x.io' OR status = 'accepted')",
    "email = 'o''neil@x.io'",
    "email LIKE '%@x.io'",
    "email ILIKE 'bob@%'",
    "email ~ '^user1'",
    "lower(email) = 'bob@x.io'",
    "email = 'bob@x.io'",
    "email = 'Bob@x.io'",
    "email IN ('Bob@x.io', 'bob@x.io', 'BOB@X.IO')",
    "email || '' = 'ann@x.io'",
    "email > 'm' AND email < 'user3'",
    "email BETWEEN 'a' AND 'b'",
    "email IS NULL",
    "email IN ('ann@x.io', NULL)",
    "email IN (NULL, 'ann@x.io')",
    "email IN (NULL)",
    "email IN (NULL, NULL, NULL, NULL)",
    "status IN (NULL) OR email = 'ann@x.io'",
    "email NOT IN ('ann@x.io', NULL)",
    "email NOT IN (NULL)",
    "NOT (email IN (NULL))",
    "(email IN (NULL)) IS NULL AND status = 'accepted'",
    "NULL",
    "NOT NULL",
    "email = NULL",
    "email IS NOT DISTINCT FROM 'ann@x.io'",
    "email = 'ann@x.io' AND email = 'Ann@x.io'",
    "email IN ('ann@x.io', 'bob@x.io') AND email IN ('bob@x.io', 'zoe@x.io')",
    "email IN ('ann@x.io', 'bob@x.io') AND status IN ('accepted', 'expired')",
    "status = 'sent'",
    "status IN ('accepted', 'expired')",
    "status = 'INVITE_STATUS_HELD'",
    "status = ''",
    "status = 'sent' AND email LIKE 'a%'",
    "status = CASE WHEN email LIKE 'user%' THEN 'expired' ELSE 'sent' END",
    "CASE WHEN status = 'expired' THEN email = 'user3@seeded.example' ELSE email = 'ann@x.io' END",
    "id = 'i-seed-3'",
    "id IN ('i-seed-3', 'i-seed-4', 'i-nothing')",
    "id = 'i-seed-3' OR id = 'I-SEED-4'",
    "id = 'i-seed-3' AND email = 'user3@seeded.example'",
    "id = 'i-seed-3' AND email = 'user4@seeded.example'",
    "id = '00000000-0000-4000-8000-000000000003'",
    "id IN ('i-seed-1', '00000000-0000-4000-8000-000000000003')",
    "id <> 'i-seed-3'",
    "id LIKE 'i-seed-1%'",
    "id = email",
    "CAST(id AS TEXT) = 'i-seed-3'",
    "id = (SELECT 'i-seed-3')",
    "email IN (SELECT email FROM invitations WHERE status = 'sent')",
    "email NOT IN (SELECT email FROM invitations WHERE status = 'sent')",
    "EXISTS (SELECT 1 FROM clickhouse.members.invitations c WHERE c.email = t.email AND c.status = 'sent')",
    "email = (SELECT max(email) FROM invitations)",
    "created_at < '2000-01-01' OR status = 'accepted'",
    "accepted_at IS NOT NULL",
    "expires_at - created_at > INTERVAL '6 days'",
    "1 = 0",
    "1 = 1",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_gives_the_rows_of_the_engine() {
    let fixture = mixed().await;
    let reference = in_memory(&fixture).await;
    let (mut wrong, mut found) = (Vec::new(), 0);
    for table in ["invitations", CONFLUENT, CLICKHOUSE] {
        for condition in CONDITIONS {
            if table == CLICKHOUSE && condition.contains("accepted_at") {
                continue;
            }
            let sql = format!("SELECT id, email, status FROM {table} AS t WHERE {condition}");
            let expected = org_invitations_sql::sql(&reference, &sql)
                .await
                .unwrap()
                .collect()
                .await
                .unwrap();
            let mut expected = render(&expected);
            expected.sort();
            found += expected.len();
            let seen = fixture.rows(&sql).await;
            if seen != expected {
                wrong.push(format!("{sql}\n  {seen:?}\n  not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 500, "{found} rows compare too little");
}

const QUERIES: &[&str] = &[
    "SELECT provider, status, count(*) FROM invitations GROUP BY provider, status",
    "SELECT count(*) FROM invitations",
    "SELECT count(*), count(accepted_at), min(email) FROM confluent.iam.invitations",
    "SELECT count(*) FROM invitations WHERE email = 'ann@x.io'",
    "SELECT DISTINCT status FROM invitations WHERE status <> 'sent'",
    "SELECT email FROM invitations WHERE provider = 'confluent' AND status = 'accepted'",
    "SELECT email FROM invitations WHERE provider <> 'confluent'",
    "SELECT email FROM invitations WHERE provider = 'nobody'",
    "SELECT email FROM invitations WHERE provider = 'confluent' AND provider = 'clickhouse'",
    "SELECT email FROM invitations WHERE provider IN ('clickhouse', 'x') AND status = 'expired'",
    "SELECT email FROM invitations WHERE provider = 'confluent' OR email = 'cleo@x.io'",
    "SELECT email, count(*) FROM invitations GROUP BY email HAVING count(*) > 1",
    "SELECT a.email FROM confluent.iam.invitations a JOIN clickhouse.members.invitations b
     ON a.email = b.email WHERE a.status = 'accepted' AND b.status = 'sent'",
    "SELECT a.id, b.id FROM invitations a LEFT JOIN clickhouse.members.invitations b
     ON a.email = b.email AND b.status = 'sent' WHERE a.email LIKE '%x.io'",
    "SELECT a.id, b.id FROM confluent.iam.invitations a FULL JOIN clickhouse.members.invitations b
     ON a.email = b.email WHERE a.id IS NULL OR b.id IS NULL",
    "SELECT email FROM confluent.iam.invitations UNION SELECT email FROM clickhouse.members.invitations",
    "SELECT email FROM confluent.iam.invitations EXCEPT SELECT email FROM clickhouse.members.invitations",
    "WITH late AS (SELECT * FROM invitations WHERE status = 'expired')
     SELECT provider, email FROM late WHERE email = 'user3@seeded.example'",
    r#"SELECT "user" FROM confluent.iam.invitations WHERE "user" IN ('u-seed-1', 'u-seed-2', 'u-none')"#,
    r#"SELECT count(*) FROM confluent.iam.invitations WHERE creator =
       (SELECT creator FROM confluent.iam.invitations WHERE id = 'i-seed-1')"#,
    "SELECT email FROM (SELECT * FROM invitations ORDER BY email LIMIT 4) AS t WHERE email = 'user1@seeded.example'",
    "SELECT provider, email FROM invitations ORDER BY email DESC, provider LIMIT 3 OFFSET 2",
    "SELECT email FROM invitations WHERE status = 'expired' ORDER BY id LIMIT 5",
    "SELECT row_number() OVER (PARTITION BY provider ORDER BY email), email FROM invitations",
];

#[tokio::test(flavor = "multi_thread")]
async fn joins_groups_windows_and_limits_give_the_engines_rows() {
    let fixture = mixed().await;
    let reference = in_memory(&fixture).await;
    for sql in QUERIES {
        let expected = org_invitations_sql::sql(&reference, sql)
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        let mut expected = render(&expected);
        expected.sort();
        assert_eq!(fixture.rows(sql).await, expected, "{sql}");
    }
}

/// Which rows a limit without an order leaves is open; that there are so many, all different, is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_leaves_so_many_different_rows() {
    let fixture = Fixture::seeded(30).await;
    for limit in [0, 1, 9, 29, 30, 31, 59, 60, 61, 1_000_000] {
        let sql = format!("SELECT provider, id FROM invitations LIMIT {limit}");
        let mut rows = fixture.rows(&sql).await;
        rows.dedup();
        assert_eq!(rows.len(), limit.min(60), "{sql}");
        let sql = format!("SELECT id FROM {CONFLUENT} WHERE email LIKE '%1%' LIMIT {limit}");
        let mut rows = fixture.rows(&sql).await;
        rows.dedup();
        // 1, 10 to 19, and 21.
        assert_eq!(rows.len(), limit.min(12), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_skips_rows_and_none_twice() {
    let fixture = Fixture::seeded(25).await;
    let mut rows = Vec::new();
    for page in 0..4 {
        let offset = page * 8;
        let sql = format!("SELECT email FROM {CONFLUENT} LIMIT 8 OFFSET {offset}");
        rows.extend(fixture.rows(&sql).await);
    }
    rows.sort();
    assert_eq!(rows, users(1..=25));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_read_as_its_query() {
    let fixture = Fixture::seeded(3).await;
    let view = "CREATE VIEW second AS SELECT email AS who FROM invitations WHERE id = 'i-seed-2'";
    fixture.run(view).await.rows();
    let run = fixture.run("SELECT who FROM second").await;
    assert_eq!(run.rows(), users([2]));
    let requests = run.requests;
    assert!(
        !requests.contains(&"confluent list".to_owned()),
        "{requests:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_query_is_pushed_with_its_parameter() {
    let fixture = Fixture::seeded(3).await;
    let sql = format!("PREPARE who(TEXT) AS SELECT email FROM {CONFLUENT} WHERE id = $1");
    fixture.run(&sql).await.rows();
    let run = fixture.run("EXECUTE who('i-seed-2')").await;
    assert_eq!(run.rows(), users([2]));
    assert_eq!(run.requests, ["confluent get i-seed-2"]);
}
