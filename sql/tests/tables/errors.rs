//! A provider that fails: the statement fails with its error, and a part never looks complete.

use std::sync::Arc;

use futures::StreamExt;
use org_invitations::{ErrorKind, InvitationProvider};
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use org_invitations_sql::{provider_error, register, session};
use serde_json::json;

use crate::{
    canned_server::CannedServer,
    fake_provider::FakeProvider,
    fixture::{CLICKHOUSE, CONFLUENT, Fixture},
    rows::render,
};

/// Every shape of query that reads more than one page.
const QUERIES: &[&str] = &[
    "SELECT * FROM confluent.iam.invitations",
    "SELECT count(*) FROM confluent.iam.invitations",
    "SELECT email FROM confluent.iam.invitations ORDER BY email LIMIT 1",
    "SELECT status, count(*) FROM invitations GROUP BY status",
    "SELECT email FROM confluent.iam.invitations WHERE status = 'sent'",
    "SELECT email FROM confluent.iam.invitations WHERE email LIKE '%nobody%' LIMIT 1",
    "SELECT email FROM confluent.iam.invitations LIMIT 150",
    "SELECT a.email FROM clickhouse.members.invitations a JOIN confluent.iam.invitations b ON a.email = b.email",
    "SELECT a.email FROM confluent.iam.invitations a LEFT JOIN clickhouse.members.invitations b ON a.email = b.email",
    "SELECT email FROM clickhouse.members.invitations WHERE email NOT IN (SELECT email FROM confluent.iam.invitations)",
    "SELECT (SELECT max(email) FROM confluent.iam.invitations)",
    "SELECT email FROM confluent.iam.invitations UNION SELECT email FROM clickhouse.members.invitations",
    "SELECT DISTINCT email FROM invitations",
    "SELECT row_number() OVER (ORDER BY email) FROM confluent.iam.invitations",
    "EXPLAIN ANALYZE SELECT * FROM confluent.iam.invitations",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_page_fails_the_query_with_its_details() {
    let fixture = Fixture::seeded(250).await;
    for sql in QUERIES {
        let rule = Rule::new(Fault::status_before(403)).on(Operation::List);
        let rule = rule.provider(Provider::Confluent).nth(2);
        fixture.sandbox.set_faults(Faults::script([rule]));
        let run = fixture.run(sql).await;
        let error = provider_error(run.error()).unwrap_or_else(|| panic!("{sql}: {}", run.error()));
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{sql}");
        assert_eq!(error.status(), Some(403), "{sql}");
        assert_eq!(error.provider(), Some("confluent"), "{sql}");
        let ledger = fixture.sandbox.ledger();
        let failed = ledger.requests.iter().rfind(|it| it.status == Some(403));
        let id = failed.unwrap().request_id.clone();
        assert_eq!(error.request_id(), Some(id.as_str()), "{sql}");
        assert!(
            run.error().to_string().contains(&id),
            "{sql}: {}",
            run.error()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_failure_is_retried() {
    let fixture = Fixture::seeded(250).await;
    for fault in [
        Fault::status_before(503),
        Fault::reset_after(),
        Fault::truncated_body(),
        Fault::rate_limited(10),
    ] {
        let rule = Rule::new(fault.clone()).on(Operation::List).nth(2);
        fixture.sandbox.set_faults(Faults::script([rule]));
        let sql = format!("SELECT count(*) FROM {CONFLUENT}");
        assert_eq!(fixture.run(&sql).await.count(), 250, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_list_is_an_error() {
    let fixture = Fixture::seeded(250).await;
    let rule = Rule::new(Fault::NextRepeats).on(Operation::List).always();
    fixture.sandbox.set_faults(Faults::script([rule]));
    let run = fixture.run(&format!("SELECT email FROM {CONFLUENT}")).await;
    let error = provider_error(run.error()).unwrap();
    assert_eq!(error.kind(), ErrorKind::Unexpected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_fails_is_no_missing_row() {
    let fixture = Fixture::seeded(3).await;
    let rule = Rule::new(Fault::status_before(403))
        .on(Operation::Get)
        .nth(2);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let sql =
        format!("SELECT email FROM {CONFLUENT} WHERE id IN ('i-seed-1', 'i-seed-2', 'i-seed-3')");
    let run = fixture.run(&sql).await;
    let error = provider_error(run.error()).unwrap();
    assert_eq!(error.operation(), org_invitations::Operation::Get);
    assert_eq!(error.status(), Some(403));
}

/// If one of two providers fails, the query over both fails.
#[tokio::test(flavor = "multi_thread")]
async fn the_union_without_one_provider_is_an_error() {
    let fixture = Fixture::seeded(3).await;
    for (provider, name) in [
        (Provider::Confluent, "confluent"),
        (Provider::ClickHouse, "clickhouse"),
    ] {
        let rule = Rule::new(Fault::ExpiredToken).provider(provider).always();
        fixture.sandbox.set_faults(Faults::script([rule]));
        let run = fixture.run("SELECT email FROM invitations").await;
        let error = provider_error(run.error()).unwrap();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert_eq!(error.provider(), Some(name));
        let other = format!("SELECT count(*) FROM invitations WHERE provider <> '{name}'");
        // The engine does not push `<>` down, so both providers are queried.
        fixture.run(&other).await.error();
        let other = match name {
            "confluent" => CLICKHOUSE,
            _ => CONFLUENT,
        };
        assert_eq!(
            fixture
                .run(&format!("SELECT count(*) FROM {other}"))
                .await
                .count(),
            3
        );
    }
}

#[tokio::test]
async fn an_interrupted_stream_ends_with_the_error() {
    let fake = FakeProvider::of(35).failing_at(3).shared();
    let context = session();
    register(&context, "stock", Arc::clone(&fake) as _).unwrap();
    let frame = context.sql("SELECT email FROM stock").await.unwrap();
    let mut stream = frame.execute_stream().await.unwrap();
    let (mut rows, mut failed) = (0, None);
    while let Some(batch) = stream.next().await {
        assert!(failed.is_none(), "a batch after the error");
        match batch {
            Ok(batch) => rows += render(&[batch]).len(),
            Err(error) => failed = Some(error),
        }
    }
    let failed = failed.expect("20 rows of 35 without an error");
    let error = provider_error(&failed).unwrap();
    assert_eq!(error.request_id(), Some("r-503"));
    assert!(rows <= 20, "{rows}");
}

#[tokio::test]
async fn an_invitation_that_cannot_be_read_is_an_error() {
    let item = |id| json!({ "id": id, "email": "ann@x.io" });
    let items = json!([item(json!("i-1")), item(json!(7)), item(json!("i-3"))]);
    let confluent = json!({ "data": items, "metadata": {} });
    let clickhouse = json!({ "status": 200, "requestId": "r", "result": items });
    let providers: [Arc<dyn InvitationProvider>; 2] = [
        CannedServer::answering(confluent).await.confluent(),
        CannedServer::answering(clickhouse).await.clickhouse(),
    ];
    for provider in providers {
        let context = session();
        register(&context, "t", Arc::clone(&provider)).unwrap();
        for sql in [
            "SELECT id FROM t",
            "SELECT count(*) FROM t",
            "SELECT id FROM t WHERE email = 'ann@x.io'",
            "SELECT id FROM t WHERE email = 'nobody@x.io'",
            "SELECT id FROM t ORDER BY id LIMIT 1",
            "DELETE FROM t WHERE email = 'ann@x.io'",
        ] {
            let frame = org_invitations_sql::sql(&context, sql).await.unwrap();
            let failed = frame.collect().await.unwrap_err();
            let error = provider_error(&failed).unwrap_or_else(|| panic!("{sql}: {failed}"));
            assert_eq!(error.kind(), ErrorKind::Decode, "{provider} {sql}");
        }
    }
}

#[tokio::test]
async fn an_error_of_the_engine_has_no_provider_error() {
    let context = session();
    let error = context
        .sql("SELECT nonsense FROM nowhere")
        .await
        .unwrap_err();
    assert!(provider_error(&error).is_none());
    let fixture = Fixture::empty().await;
    let run = fixture
        .run(&format!("INSERT INTO {CONFLUENT} (email) VALUES ('x')"))
        .await;
    assert!(provider_error(run.error()).is_none());
}
