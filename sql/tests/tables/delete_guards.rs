//! What keeps a `DELETE` from going too far, and what becomes of one that does not go through.

use std::sync::{Arc, atomic::AtomicBool};

use org_invitations::{BulkOptions, ErrorKind, RemovalLimit};
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use org_invitations_sql::{RefusedRows, WriteOptions, provider_error, register};

use crate::{
    stock::Stock,
    world::{CLICKHOUSE, CONFLUENT, Ran, World, users},
};

#[track_caller]
fn refused_rows(ran: &Ran) -> &RefusedRows {
    let mut source: Option<&dyn std::error::Error> = Some(ran.error());
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return found;
        }
        source = error.source();
    }
    panic!("{}", ran.error())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_without_where_is_refused() {
    let world = World::seeded(3).await;
    for table in [CONFLUENT, CLICKHOUSE, "invitations"] {
        for rest in ["", "LIMIT 2", "LIMIT 0"] {
            let error = world.refused(&format!("DELETE FROM {table} {rest}")).await;
            assert!(error.contains("allow_delete_all"), "{error}");
        }
    }
    assert_eq!(world.left(Provider::Confluent).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_without_where_that_is_allowed_deletes_everything_of_its_table() {
    let options = WriteOptions::default()
        .allow_delete_all(true)
        .max_deletes(RemovalLimit::count(2));
    let world = World::with(5, options).await;
    let ran = world.run(&format!("DELETE FROM {CONFLUENT} LIMIT 1")).await;
    assert_eq!(ran.count(), 1);
    let ran = world.run(&format!("DELETE FROM {CONFLUENT}")).await;
    assert_eq!(ran.count(), 4);
    assert_eq!(world.left(Provider::Confluent), [""; 0]);
    assert_eq!(world.left(Provider::ClickHouse).len(), 5);
    // With a condition, the number counts all the same.
    let ran = world
        .run(&format!("DELETE FROM {CLICKHOUSE} WHERE true"))
        .await;
    assert!(ran.error().to_string().contains("matches 5"));
    assert_eq!(ran.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarter_is_deleted_and_one_more_is_none() {
    let world = World::with(100, WriteOptions::default()).await;
    let delete = |count: u64| {
        let ids = (1..=count).map(|number| format!("'i-seed-{number}'"));
        let ids = ids.collect::<Vec<_>>().join(", ");
        format!("DELETE FROM {CONFLUENT} WHERE id IN ({ids})")
    };
    let ran = world.run(&delete(26)).await;
    let error = ran.error().to_string();
    assert!(
        error.contains("matches 26") && error.contains("of 100") && error.contains("25"),
        "{error}"
    );
    assert_eq!(ran.commits, [""; 0]);
    let ran = world.run(&delete(25)).await;
    assert_eq!(ran.count(), 25);
    assert_eq!(world.left(Provider::Confluent), users(26..=100));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_counts_over_both_providers() {
    let world = World::with(
        3,
        WriteOptions::default().max_deletes(RemovalLimit::count(5)),
    )
    .await;
    let ran = world
        .run("DELETE FROM invitations WHERE status = 'sent'")
        .await;
    assert!(ran.error().to_string().contains("matches 6"));
    assert_eq!(ran.commits, [""; 0]);
    let ran = world
        .run("DELETE FROM invitations WHERE id <> 'i-seed-1'")
        .await;
    assert_eq!(ran.count(), 5);
    let world = World::with(
        3,
        WriteOptions::default().max_deletes(RemovalLimit::count(0)),
    )
    .await;
    let ran = world
        .run("DELETE FROM invitations WHERE id = 'i-seed-1'")
        .await;
    assert!(ran.error().to_string().contains("matches 1 "));
    assert_eq!(ran.commits, [""; 0]);
}

/// The list is read to its end before the first row is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_in_the_middle_deletes_nothing() {
    let world = World::seeded(250).await;
    for page in 1..=3 {
        let fault = Rule::new(Fault::status_before(403))
            .on(Operation::List)
            .nth(page);
        world.sandbox.set_faults(Faults::script([fault]));
        let options = WriteOptions::default().max_deletes(RemovalLimit::none());
        let context = datafusion::prelude::SessionContext::new();
        world.register_in(&context, options);
        let sql = format!("DELETE FROM {CONFLUENT} WHERE email LIKE '%'");
        let ran = world.run_in(&context, &sql).await;
        let error = provider_error(ran.error()).unwrap();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "page {page}");
        assert_eq!(ran.commits, [""; 0], "page {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subquery_that_fails_deletes_nothing() {
    let world = World::seeded(5).await;
    let fault = Rule::new(Fault::status_before(403)).on(Operation::List);
    let fault = fault.provider(Provider::ClickHouse).always();
    world.sandbox.set_faults(Faults::script([fault]));
    for condition in ["IN", "NOT IN"] {
        let sql = format!(
            "DELETE FROM {CONFLUENT} WHERE email {condition} (SELECT email FROM {CLICKHOUSE})"
        );
        let ran = world.run(&sql).await;
        assert!(provider_error(ran.error()).is_some(), "{}", ran.error());
        assert_eq!(ran.commits, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_refuses_is_listed_and_the_others_go_on() {
    let world = World::seeded(5).await;
    for number in [2, 4] {
        let email = format!("user{number}@seeded.example");
        world.sandbox.accept(Provider::Confluent, &email).unwrap();
    }
    let ran = world
        .run(&format!("DELETE FROM {CONFLUENT} WHERE email LIKE 'user%'"))
        .await;
    let rows = refused_rows(&ran);
    assert_eq!((rows.statement, rows.done), ("DELETE", 3));
    let refused: Vec<_> = rows
        .refused
        .iter()
        .map(|row| {
            (
                row.number,
                row.subject.as_str(),
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
    let text = ran.error().to_string();
    assert!(
        text.contains("3 rows went through, 2 rows were refused"),
        "{text}"
    );
    assert!(text.contains("row 2 i-seed-2: "), "{text}");
    assert_eq!(world.left(Provider::Confluent), users([2, 4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_deletes_once_and_counts() {
    for fault in [
        Fault::reset_after(),
        Fault::status_after(500),
        Fault::reset_before(),
    ] {
        let world = World::seeded(3).await;
        let rule = Rule::new(fault.clone()).on(Operation::Delete).times(2);
        world.sandbox.set_faults(Faults::script([rule]));
        let ran = world
            .run("DELETE FROM invitations WHERE email = 'user2@seeded.example'")
            .await;
        assert_eq!(
            ran.commits,
            [
                "delete clickhouse user2@seeded.example",
                "delete confluent user2@seeded.example"
            ],
            "{fault:?}"
        );
        assert_eq!(ran.count(), 2, "{fault:?}");
    }
}

/// Somebody else was faster: it is gone, which is what was wanted, and not counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_gone_meanwhile_is_no_failure() {
    let world = World::seeded(3).await;
    let rule = Rule::new(Fault::duplicate()).on(Operation::Delete);
    world.sandbox.set_faults(Faults::script([rule]));
    let ran = world
        .run(&format!("DELETE FROM {CONFLUENT} WHERE id = 'i-seed-2'"))
        .await;
    assert_eq!(ran.commits, ["delete confluent user2@seeded.example"]);
    assert_eq!(ran.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_told_to_stop_nothing_more_is_deleted() {
    let stop = Arc::new(AtomicBool::new(true));
    let bulk = BulkOptions::default().stop(stop);
    let world = World::with(3, WriteOptions::default().bulk(bulk)).await;
    let ran = world
        .run(&format!("DELETE FROM {CONFLUENT} WHERE true"))
        .await;
    let rows = refused_rows(&ran);
    assert_eq!((rows.done, rows.refused.len()), (0, 3));
    assert_eq!(ran.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_list_of_a_provider_of_ones_own_deletes_nothing() {
    let world = World::empty().await;
    let stock = Stock::of(35).failing_at(4).shared();
    register(&world.context, "stock", Arc::clone(&stock) as _).unwrap();
    let ran = world
        .run("DELETE FROM stock WHERE email LIKE 'user%'")
        .await;
    assert_eq!(provider_error(ran.error()).unwrap().status(), Some(503));
    assert_eq!(stock.ids().len(), 35);
    assert!(!stock.calls().iter().any(|call| call.starts_with("delete")));
}

#[tokio::test(flavor = "multi_thread")]
async fn update_merge_and_truncate_are_refused() {
    let world = World::seeded(2).await;
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
            let error = world.refused(&sql).await;
            assert!(error.contains(words), "{sql}: {error}");
        }
    }
}

/// What the engine's SQL has no `DELETE` for.
#[tokio::test(flavor = "multi_thread")]
async fn other_forms_of_delete_are_refused() {
    let world = World::seeded(3).await;
    let view = format!("CREATE VIEW first AS SELECT * FROM {CONFLUENT} WHERE id = 'i-seed-1'");
    world.run(&view).await.rows();
    for sql in [
        "DELETE FROM first WHERE id = 'i-seed-1'".to_owned(),
        format!("DELETE FROM {CONFLUENT} USING {CLICKHOUSE} c WHERE c.email = 'x'"),
        format!("DELETE FROM {CONFLUENT}, {CLICKHOUSE} WHERE id = 'i-seed-1'"),
        format!("DELETE FROM {CONFLUENT} WHERE id = 'i-seed-1' RETURNING id"),
        format!("DELETE FROM {CONFLUENT} WHERE id = 'i-seed-1' ORDER BY id"),
        format!("DELETE FROM {CONFLUENT} WHERE nonsense = 1"),
        format!("DELETE FROM {CONFLUENT} WHERE id"),
        format!("DELETE FROM {CONFLUENT} AS t WHERE t.id = 'i-seed-1'"),
    ] {
        let ran = world.run(&sql).await;
        assert!(ran.result.is_err(), "{sql}");
        assert_eq!(ran.requests, [""; 0], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_changes_nothing() {
    let world = World::seeded(3).await;
    let ran = world
        .run(&format!(
            "DELETE FROM {CONFLUENT} AS t WHERE id = 'i-seed-1'"
        ))
        .await;
    assert_eq!(ran.commits, ["delete confluent user1@seeded.example"]);
}
