//! The limits of a `DELETE`, and deletions that fail.

use std::sync::{Arc, atomic::AtomicBool};

use org_invitations::{BulkOptions, ErrorKind, RemovalLimit};
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use org_invitations_sql::{RowErrors, WriteOptions, provider_error, register};

use crate::{
    fake_provider::FakeProvider,
    fixture::{CLICKHOUSE, CONFLUENT, Fixture, StatementRun, users},
};

#[track_caller]
fn row_errors(run: &StatementRun) -> &RowErrors {
    let mut source: Option<&dyn std::error::Error> = Some(run.error());
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return found;
        }
        source = error.source();
    }
    panic!("{}", run.error())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_without_where_is_refused() {
    let fixture = Fixture::seeded(3).await;
    for table in [CONFLUENT, CLICKHOUSE, "invitations"] {
        for rest in ["", "LIMIT 2", "LIMIT 0"] {
            let error = fixture
                .refused(&format!("DELETE FROM {table} {rest}"))
                .await;
            assert!(error.contains("allow_delete_all"), "{error}");
        }
    }
    assert_eq!(fixture.left(Provider::Confluent).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_delete_without_where_deletes_everything() {
    let options = WriteOptions::default().allow_delete_all(true);
    let fixture = Fixture::with(8, options).await;
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} LIMIT 1"))
        .await;
    assert_eq!(run.count(), 1);
    let run = fixture.run(&format!("DELETE FROM {CONFLUENT}")).await;
    assert_eq!(run.count(), 7);
    assert_eq!(fixture.left(Provider::Confluent), [""; 0]);
    assert_eq!(fixture.left(Provider::ClickHouse).len(), 8);
    // With a condition, the default limit applies.
    let run = fixture
        .run(&format!("DELETE FROM {CLICKHOUSE} WHERE true"))
        .await;
    assert!(run.error().to_string().contains("matches 8"));
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarter_is_deleted_and_one_more_is_none() {
    let fixture = Fixture::with(100, WriteOptions::default()).await;
    let delete = |count: u64| {
        let ids = (1..=count).map(|number| format!("'i-seed-{number}'"));
        let ids = ids.collect::<Vec<_>>().join(", ");
        format!("DELETE FROM {CONFLUENT} WHERE id IN ({ids})")
    };
    let run = fixture.run(&delete(26)).await;
    let error = run.error().to_string();
    assert!(
        error.contains("matches 26") && error.contains("of 100") && error.contains("25"),
        "{error}"
    );
    assert_eq!(run.commits, [""; 0]);
    let run = fixture.run(&delete(25)).await;
    assert_eq!(run.count(), 25);
    assert_eq!(fixture.left(Provider::Confluent), users(26..=100));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_counts_over_both_providers() {
    let fixture = Fixture::with(
        3,
        WriteOptions::default().max_deletes(RemovalLimit::count(5)),
    )
    .await;
    let run = fixture
        .run("DELETE FROM invitations WHERE status = 'sent'")
        .await;
    assert!(run.error().to_string().contains("matches 6"));
    assert_eq!(run.commits, [""; 0]);
    let run = fixture
        .run("DELETE FROM invitations WHERE id <> 'i-seed-1'")
        .await;
    assert_eq!(run.count(), 5);
    let fixture = Fixture::with(
        3,
        WriteOptions::default().max_deletes(RemovalLimit::count(0)),
    )
    .await;
    let run = fixture
        .run("DELETE FROM invitations WHERE id = 'i-seed-1'")
        .await;
    assert!(run.error().to_string().contains("matches 1 "));
    assert_eq!(run.commits, [""; 0]);
}

/// The list is read to its end before the first row is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_in_the_middle_deletes_nothing() {
    let fixture = Fixture::seeded(250).await;
    for page in 1..=3 {
        let fault = Rule::new(Fault::status_before(403))
            .on(Operation::List)
            .nth(page);
        fixture.sandbox.set_faults(Faults::script([fault]));
        let options = WriteOptions::default().max_deletes(RemovalLimit::none());
        let context = datafusion::prelude::SessionContext::new();
        fixture.register_in(&context, options);
        let sql = format!("DELETE FROM {CONFLUENT} WHERE email LIKE '%'");
        let run = fixture.run_in(&context, &sql).await;
        let error = provider_error(run.error()).unwrap();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "page {page}");
        assert_eq!(run.commits, [""; 0], "page {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subquery_that_fails_deletes_nothing() {
    let fixture = Fixture::seeded(5).await;
    let fault = Rule::new(Fault::status_before(403)).on(Operation::List);
    let fault = fault.provider(Provider::ClickHouse).always();
    fixture.sandbox.set_faults(Faults::script([fault]));
    for condition in ["IN", "NOT IN"] {
        let sql = format!(
            "DELETE FROM {CONFLUENT} WHERE email {condition} (SELECT email FROM {CLICKHOUSE})"
        );
        let run = fixture.run(&sql).await;
        assert!(provider_error(run.error()).is_some(), "{}", run.error());
        assert_eq!(run.commits, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_deletions_are_listed_and_others_continue() {
    let fixture = Fixture::seeded(5).await;
    for number in [2, 4] {
        let email = format!("user{number}@seeded.example");
        fixture.sandbox.accept(Provider::Confluent, &email).unwrap();
    }
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} WHERE email LIKE 'user%'"))
        .await;
    let rows = row_errors(&run);
    assert_eq!((rows.statement, rows.succeeded), ("DELETE", 3));
    let refused: Vec<_> = rows
        .errors
        .iter()
        .map(|row| {
            (
                row.number,
                row.target.as_str(),
                row.error.as_ref().unwrap().kind(),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [
            (2, "i-seed-2", ErrorKind::AlreadyAccepted),
            (4, "i-seed-4", ErrorKind::AlreadyAccepted)
        ]
    );
    let text = run.error().to_string();
    assert!(
        text.contains("3 rows went through, 2 rows were refused"),
        "{text}"
    );
    assert!(
        text.contains("row 2 i-seed-2 (user2@seeded.example): "),
        "{text}"
    );
    assert_eq!(fixture.left(Provider::Confluent), users([2, 4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_deletes_once_and_counts() {
    for fault in [
        Fault::reset_after(),
        Fault::status_after(500),
        Fault::reset_before(),
    ] {
        let fixture = Fixture::seeded(3).await;
        let rule = Rule::new(fault.clone()).on(Operation::Delete).times(2);
        fixture.sandbox.set_faults(Faults::script([rule]));
        let run = fixture
            .run("DELETE FROM invitations WHERE email = 'user2@seeded.example'")
            .await;
        assert_eq!(
            run.commits,
            [
                "delete clickhouse user2@seeded.example",
                "delete confluent user2@seeded.example"
            ],
            "{fault:?}"
        );
        assert_eq!(run.count(), 2, "{fault:?}");
    }
}

/// An invitation that another client deleted is no error, and is not counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_deleted_meanwhile_is_no_error() {
    let fixture = Fixture::seeded(3).await;
    let rule = Rule::new(Fault::duplicate()).on(Operation::Delete);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} WHERE id = 'i-seed-2'"))
        .await;
    assert_eq!(run.commits, ["delete confluent user2@seeded.example"]);
    assert_eq!(run.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_told_to_stop_nothing_more_is_deleted() {
    let stop = Arc::new(AtomicBool::new(true));
    let bulk = BulkOptions::default().stop(stop);
    let fixture = Fixture::with(3, WriteOptions::default().bulk(bulk)).await;
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} WHERE true"))
        .await;
    let rows = row_errors(&run);
    assert_eq!((rows.succeeded, rows.errors.len()), (0, 3));
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_list_of_a_custom_provider_deletes_nothing() {
    let fixture = Fixture::empty().await;
    let fake = FakeProvider::of(35).failing_at(4).shared();
    register(&fixture.context, "stock", Arc::clone(&fake) as _).unwrap();
    let run = fixture
        .run("DELETE FROM stock WHERE email LIKE 'user%'")
        .await;
    assert_eq!(provider_error(run.error()).unwrap().status(), Some(503));
    assert_eq!(fake.ids().len(), 35);
    assert!(!fake.calls().iter().any(|call| call.starts_with("delete")));
}

#[tokio::test(flavor = "multi_thread")]
async fn update_merge_and_truncate_are_refused() {
    let fixture = Fixture::seeded(2).await;
    for table in [CONFLUENT, CLICKHOUSE, "invitations"] {
        for (sql, words) in [
            (
                format!("UPDATE {table} SET email = 'a@b'"),
                "cannot be changed",
            ),
            (
                format!("UPDATE {table} SET email = 'a@b' WHERE id = 'i-seed-1'"),
                "cannot be changed",
            ),
            (format!("TRUNCATE TABLE {table}"), "TRUNCATE"),
            (
                format!(
                    "MERGE INTO {table} AS t USING (VALUES ('a@b')) AS s(email) ON t.email = s.email
                     WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (email) VALUES (s.email)"
                ),
                "MERGE",
            ),
        ] {
            let error = fixture.refused(&sql).await;
            assert!(error.contains(words), "{sql}: {error}");
        }
    }
}

/// A limit that was set holds without a condition too.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_for_a_delete_of_everything() {
    let options = WriteOptions::default()
        .allow_delete_all(true)
        .max_deletes(RemovalLimit::count(2));
    let fixture = Fixture::with(3, options).await;
    let run = fixture.run(&format!("DELETE FROM {CONFLUENT}")).await;
    let error = run.error().to_string();
    assert!(error.contains("the limit is 2"), "{error}");
    assert_eq!(run.commits, [""; 0]);
    let options = WriteOptions::default().allow_delete_all(true);
    let fixture = Fixture::with(12, options).await;
    let run = fixture.run(&format!("DELETE FROM {CONFLUENT}")).await;
    assert_eq!(run.count(), 12);
}

/// A copy under the name of a table would be taken for the vendor's rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_neither_replaced_nor_dropped() {
    let fixture = Fixture::seeded(1).await;
    for sql in [
        "CREATE OR REPLACE TABLE invitations AS SELECT 'i-seed-1' AS id".to_owned(),
        format!("CREATE TABLE IF NOT EXISTS {CONFLUENT} AS SELECT 1 AS id"),
        "CREATE OR REPLACE VIEW invitations AS SELECT 1 AS id".to_owned(),
        format!("DROP TABLE {CONFLUENT}"),
        "DROP TABLE IF EXISTS invitations".to_owned(),
        "DROP VIEW invitations".to_owned(),
    ] {
        let error = fixture.refused(&sql).await;
        assert!(error.contains("is a table of a provider"), "{sql}: {error}");
    }
    for sql in [
        "CREATE TABLE mine AS SELECT 1 AS a",
        "CREATE OR REPLACE TABLE mine AS SELECT 2 AS a",
        "DROP TABLE mine",
    ] {
        fixture.run(sql).await.ordered();
    }
}

/// Forms of `DELETE` that the engine does not support.
#[tokio::test(flavor = "multi_thread")]
async fn other_forms_of_delete_are_refused() {
    let fixture = Fixture::seeded(3).await;
    let view = format!("CREATE VIEW first AS SELECT * FROM {CONFLUENT} WHERE id = 'i-seed-1'");
    fixture.run(&view).await.rows();
    for sql in [
        "DELETE FROM first WHERE id = 'i-seed-1'".to_owned(),
        format!("DELETE FROM {CONFLUENT} USING {CLICKHOUSE} c WHERE c.email = 'x'"),
        format!("DELETE FROM {CONFLUENT}, {CLICKHOUSE} WHERE id = 'i-seed-1'"),
        "DELETE FROM first WHERE id = 'i-seed-1' RETURNING id".to_owned(),
        format!("DELETE FROM {CONFLUENT} WHERE id = 'i-seed-1' ORDER BY id"),
        format!("DELETE FROM {CONFLUENT} WHERE nonsense = 1"),
        format!("DELETE FROM {CONFLUENT} WHERE id"),
    ] {
        let run = fixture.run(&sql).await;
        assert!(run.result.is_err(), "{sql}");
        assert_eq!(run.requests, [""; 0], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_changes_nothing() {
    let fixture = Fixture::seeded(3).await;
    let run = fixture
        .run(&format!(
            "DELETE FROM {CONFLUENT} AS t WHERE id = 'i-seed-1'"
        ))
        .await;
    assert_eq!(run.commits, ["delete confluent user1@seeded.example"]);
}
