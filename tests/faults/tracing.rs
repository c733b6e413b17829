//! One span for an operation, one event for an attempt, with OpenTelemetry's names.

use std::time::Duration;

use org_invitations::{InvitationProvider, NewInvitation, RetryPolicy};
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, Sandbox};
use tracing::Level;

use crate::{
    capture::{Capture, Traced},
    support::{both, confluent, fixed, has_sts, impatient, list, sts},
};

const EMAIL: &str = "Ann.Lee@example.com";

fn name_of(provider: Provider) -> &'static str {
    match provider {
        Provider::Confluent => "confluent",
        _ => "clickhouse",
    }
}

/// The events of the one span of an operation.
#[track_caller]
fn attempts(capture: &Capture, operation: &str) -> Vec<Traced> {
    let mut spans = capture.spans("invitation");
    spans.retain(|span| span.field("operation") == Some(operation));
    assert_eq!(spans.len(), 1, "spans of the {operation}: {spans:#?}");
    capture.events_in(&spans[0])
}

fn fields<'a>(events: &'a [Traced], name: &str) -> Vec<Option<&'a str>> {
    events.iter().map(|event| event.field(name)).collect()
}

#[tokio::test]
async fn an_operation_is_one_span_that_names_it_and_its_provider() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        let capture = Capture::start();
        let made = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
        provider.get(&made.id).await.unwrap();
        list(&provider).await.unwrap();
        provider.delete(&made.id).await.unwrap();
        let spans = capture.spans("invitation");
        let operations = fields(&spans, "operation");
        let expected = ["create", "get", "list", "delete"].map(Some);
        assert_eq!(operations, expected, "{provider}: {spans:#?}");
        for span in &spans {
            assert_eq!(span.field("provider"), Some(name_of(name)), "{span:#?}");
            assert_eq!(span.level, Level::INFO, "{span:#?}");
            assert!(span.within.is_empty(), "{span:#?}");
        }
    }
}

#[tokio::test]
async fn an_attempt_is_one_event_with_request_and_response_fields() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        let capture = Capture::start();
        let made = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
        provider.get(&made.id).await.unwrap();
        list(&provider).await.unwrap();
        provider.delete(&made.id).await.unwrap();
        let ledger = sandbox.ledger().requests.into_iter();
        let answered: Vec<_> = ledger
            .filter(|request| request.provider == Some(name))
            .collect();
        let operations = ["create", "get", "list", "delete"];
        assert_eq!(answered.len(), operations.len());
        for (operation, request) in operations.into_iter().zip(answered) {
            let events = attempts(&capture, operation);
            assert_eq!(events.len(), 1, "{provider} {operation}: {events:#?}");
            let event = &events[0];
            let status = request.status.map(|status| status.to_string());
            for (field, expected) in [
                ("http.request.method", Some(request.method.as_str())),
                ("http.response.status_code", status.as_deref()),
                ("http.request.resend_count", Some("0")),
                ("server.address", Some("127.0.0.1")),
                ("request_id", Some(request.request_id.as_str())),
            ] {
                assert_eq!(
                    event.field(field),
                    expected,
                    "{provider} {field}: {event:#?}"
                );
            }
            assert!(event.field("waited_ms").is_some(), "{event:#?}");
        }
    }
}

#[tokio::test]
async fn an_attempt_that_was_refused_is_one_event_too() {
    let sandbox = Sandbox::start().await.unwrap();
    for (_, provider) in both(&sandbox) {
        let made = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
        let refused = Rule::new(Fault::status_before(503)).on(Operation::Get);
        sandbox.set_faults(Faults::script([refused.times(2)]));
        let capture = Capture::start();
        provider.get(&made.id).await.unwrap();
        let events = attempts(&capture, "get");
        assert_eq!(
            fields(&events, "http.response.status_code"),
            ["503", "503", "200"].map(Some),
            "{provider}: {events:#?}"
        );
        assert_eq!(
            fields(&events, "http.request.resend_count"),
            ["0", "1", "2"].map(Some),
            "{provider}: {events:#?}"
        );
        let ledger = sandbox.ledger().requests;
        let ids = ledger.iter().map(|request| request.request_id.as_str());
        let sent = ids.skip(ledger.len() - 3).map(Some).collect::<Vec<_>>();
        assert_eq!(fields(&events, "request_id"), sent, "{events:#?}");
    }
}

#[tokio::test]
async fn an_attempt_without_a_response_is_one_event_with_its_error() {
    for (fault, status) in [
        (Fault::reset_before(), None),
        (Fault::hang(), None),
        (Fault::truncated_body(), Some("200")),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        for (_, provider) in both(&sandbox) {
            let made = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
            let rule = Rule::new(fault.clone()).on(Operation::Get);
            sandbox.set_faults(Faults::script([rule]));
            let capture = Capture::start();
            provider.get(&made.id).await.unwrap();
            let events = attempts(&capture, "get");
            for (field, expected) in [
                ("http.request.method", ["GET", "GET"].map(Some)),
                ("http.request.resend_count", ["0", "1"].map(Some)),
                ("server.address", ["127.0.0.1"; 2].map(Some)),
                ("http.response.status_code", [status, Some("200")]),
            ] {
                assert_eq!(
                    fields(&events, field),
                    expected,
                    "{provider} {fault:?} {field}: {events:#?}"
                );
            }
            let why = fields(&events, "error.type");
            assert!(why[0].is_some() && why[1].is_none(), "{events:#?}");
        }
    }
}

#[tokio::test]
async fn an_attempt_that_the_deadline_cuts_off_is_one_event() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox, impatient().deadline(Duration::from_millis(150)));
    sandbox.set_faults(Faults::script([Rule::new(Fault::hang()).always()]));
    let capture = Capture::start();
    let error = list(&provider).await.unwrap_err();
    let events = attempts(&capture, "list");
    assert_eq!(
        fields(&events, "http.request.method"),
        [Some("GET")],
        "{error}: {events:#?}"
    );
    assert!(events[0].field("error.type").is_some(), "{events:#?}");
}

#[tokio::test]
async fn a_create_that_is_sent_again_after_a_lookup_stays_one_span() {
    let sandbox = Sandbox::start().await.unwrap();
    for (_, provider) in both(&sandbox) {
        let rule = Rule::new(Fault::reset_before()).on(Operation::Create);
        sandbox.set_faults(Faults::script([rule]));
        let capture = Capture::start();
        provider.create(NewInvitation::new(EMAIL)).await.unwrap();
        let events = attempts(&capture, "create");
        assert_eq!(
            fields(&events, "http.request.resend_count"),
            ["0", "1"].map(Some),
            "{provider}: {events:#?}"
        );
    }
}

#[tokio::test]
async fn a_token_exchange_is_a_span_within_that_of_its_call() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    let capture = Capture::start();
    list(&provider).await.unwrap();
    let spans = capture.spans("invitation");
    let operations = fields(&spans, "operation");
    assert_eq!(operations, ["list", "authenticate"].map(Some), "{spans:#?}");
    assert_eq!(spans[1].within.len(), 1, "{spans:#?}");
    let events = attempts(&capture, "authenticate");
    assert_eq!(
        fields(&events, "http.request.method"),
        [Some("POST")],
        "{events:#?}"
    );
}

#[tokio::test]
async fn an_event_says_how_long_the_attempt_waited_for_its_turn() {
    let sandbox = Sandbox::start().await.unwrap();
    let key = &sandbox.credentials().confluent;
    let builder = org_invitations::Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .retry(RetryPolicy::none())
        .rate_limit(1, Duration::from_millis(200));
    let provider = builder.build().unwrap();
    list(&provider).await.unwrap();
    let capture = Capture::start();
    list(&provider).await.unwrap();
    let events = attempts(&capture, "list");
    let waited = events[0].field("waited_ms").map(str::parse::<u64>);
    assert!(
        matches!(waited, Some(Ok(100..=60_000))),
        "{waited:?}: {events:#?}"
    );
}
