//! Errors and outcomes in reports, logs and tests.

use std::{error::Error as _, io};

use org_invitations::{
    Confluent, CreateOutcome, CreateResult, DeleteOutcome, DeleteResult, Error, ErrorKind,
    Invitation, InvitationId, InvitationProvider, ItemOutcome, ItemResult, ListQuery,
    NewInvitation, Operation, Page, RateLimitConfig, RetryPolicy, RoleChange, RoleFailure,
    RoleGrant, StsConfig, SubjectTokenConfig,
};
use serde_json::json;

/// An error and its sources, as `anyhow` and others print them.
fn report(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn a_report_has_the_root_cause_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let provider = Confluent::builder()
        .api_key("KEY", "a-secret")
        .base_url(url)
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let error = provider
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let text = report(&error);
    assert_eq!(text.matches("refused").count(), 1, "{text}");

    // The cause is there for a look at its type.
    let mut cause = error.cause();
    let mut found = None;
    while let Some(error) = cause {
        found = found.or_else(|| error.downcast_ref::<io::Error>());
        cause = error.source();
    }
    let kind = found.map(io::Error::kind);
    assert_eq!(kind, Some(io::ErrorKind::ConnectionRefused), "{error:?}");
}

#[test]
fn a_cause_that_is_not_told_is_a_source() {
    let vault = io::Error::other("the vault is sealed");
    let error = Error::new(ErrorKind::Unavailable, Operation::Get, "no credentials");
    let error = error.with_source(vault);
    let text = report(&error);
    assert!(
        text.ends_with(": no credentials: the vault is sealed"),
        "{text}"
    );
}

#[test]
fn an_incomplete_change_names_its_failure_once() {
    let failed = Error::new(
        ErrorKind::Unavailable,
        Operation::GrantRole,
        "the lights are out",
    );
    let mut change = RoleChange::default();
    change.failed = vec![RoleFailure::new(RoleGrant::new("Admin"), failed)];
    let error = change.complete().unwrap_err();
    let text = report(&error);
    assert_eq!(text.matches("the lights are out").count(), 1, "{text}");
}

#[test]
fn kinds_and_errors_are_data() {
    let kind = serde_json::to_value(ErrorKind::AlreadyExists).unwrap();
    assert_eq!(kind, json!("already_exists"));
    assert_eq!(
        serde_json::from_value::<ErrorKind>(kind).unwrap(),
        ErrorKind::AlreadyExists
    );
    let error = Error::new(ErrorKind::Unavailable, Operation::ListMembers, "out")
        .with_provider("confluent")
        .with_target("ann@example.com")
        .with_status(503)
        .with_retry_after(std::time::Duration::from_millis(1_500))
        .with_attempts(2)
        .with_may_have_executed(true);
    let expected = json!({
        "kind": "unavailable", "operation": "list_members", "message": "out",
        "provider": "confluent", "target": "ann@example.com", "status": 503,
        "retry_after_seconds": 1.5, "attempts": 2, "may_have_executed": true,
    });
    assert_eq!(serde_json::to_value(error).unwrap(), expected);
}

#[test]
fn outcomes_are_made_cloned_and_written() {
    let id = InvitationId::new("i-1").unwrap();
    let ann = Invitation::new(id.clone(), "ann@example.com");
    let new = NewInvitation::new("ann@example.com");
    let created = CreateResult::Created(Box::new(ann.clone()));
    let created = CreateOutcome::new(3, new, created);
    let expected = json!({
        "index": 3, "new": { "email": "ann@example.com" },
        "result": { "created": { "id": "i-1", "email": "ann@example.com" } },
    });
    assert_eq!(serde_json::to_value(created.clone()).unwrap(), expected);

    let deleted = DeleteOutcome::new(0, id, DeleteResult::NotFound);
    let expected = json!({ "index": 0, "id": "i-1", "result": "not_found" });
    assert_eq!(serde_json::to_value(deleted.clone()).unwrap(), expected);

    let item = ItemOutcome::<_, ()>::new(1, "x", ItemResult::Duplicate(0));
    let expected = json!({ "index": 1, "item": "x", "result": { "duplicate": 0 } });
    assert_eq!(serde_json::to_value(item.clone()).unwrap(), expected);

    let page = Page::new(vec![Ok(ann)], None);
    let written = serde_json::to_value(page.clone()).unwrap();
    assert_eq!(written["items"][0]["Ok"]["id"], "i-1", "{written}");
}

#[test]
fn configurations_are_made_in_code() {
    let mut sts = StsConfig::new("pool-1", SubjectTokenConfig::File("token".into()));
    sts.expires_in_seconds = Some(300);
    let limit = RateLimitConfig::new(10, 60.0);
    assert_eq!(
        (limit.requests, sts.identity_pool_id.as_str()),
        (10, "pool-1")
    );
}
