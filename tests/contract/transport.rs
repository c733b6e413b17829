//! Below the API: no connection, no answer, half an answer, too much of one.

use std::time::Duration;

use org_invitations::{Error, ErrorKind, InvitationProvider, ListQuery, Operation};
use serde_json::json;

use crate::{
    backend::{Backend, OPERATIONS, REQUEST_ID, Setup, changes_state, refused, run},
    raw_http::{Behavior, RawServer, closed_port},
    support::{Answer, Checks, Wire},
};

/// Carries every operation out on both backends and shows the error to `look`.
async fn fail_everything(
    url: impl Fn() -> String,
    setup: impl Fn() -> Setup,
    look: impl Fn(&mut Checks, Operation, &Error),
) {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            checks.case(format!("{backend:?} {operation}"));
            let provider = backend.connect_with(url(), setup());
            match run(&*provider, backend, operation).await {
                Ok(()) => checks.that(false, "it succeeded"),
                Err(error) => {
                    checks.same("the provider", error.provider(), Some(backend.name()));
                    checks.same("the operation", error.operation(), operation);
                    look(&mut checks, operation, &error);
                }
            }
        }
    }
}

fn impatient() -> Setup {
    Setup {
        timeout: Some(Duration::from_millis(200)),
        ..Setup::default()
    }
}

#[tokio::test]
async fn a_refused_connection_executed_nothing() {
    fail_everything(closed_port, Setup::default, |checks, _, error| {
        checks.same("the kind", error.kind(), ErrorKind::Connect);
        checks.same("the status", error.status(), None);
        checks.same("may_have_executed", error.may_have_executed(), false);
        checks.that(error.cause().is_some(), "the cause is lost");
    })
    .await;
}

#[tokio::test]
async fn a_failed_tls_handshake_executed_nothing() {
    let server = RawServer::start(Behavior::HangUp);
    let url = || server.url().replace("http://", "https://");
    fail_everything(url, Setup::default, |checks, _, error| {
        checks.same("the kind", error.kind(), ErrorKind::Connect);
        checks.same("may_have_executed", error.may_have_executed(), false);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_times_out() {
    let half = "HTTP/1.1 200 OK\r\nX-Request-Id: r-1\r\nContent-Length: 100\r\n\r\n{\"half\":";
    for text in ["", "HTTP/1.1 200 OK\r\n", half] {
        let server = RawServer::start(Behavior::WriteAndHang(text));
        let url = || server.url();
        fail_everything(url, impatient, |checks, operation, error| {
            checks.same(
                &format!("the kind after {text:?}"),
                error.kind(),
                ErrorKind::Timeout,
            );
            checks.same(
                "may_have_executed",
                error.may_have_executed(),
                changes_state(operation),
            );
            checks.same("the attempts", error.attempts(), 1);
        })
        .await;
        let sent = server.seen().len();
        assert!(sent <= 8, "8 calls sent {sent} requests after {text:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_open() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n",
        "This is no HTTP at all\r\n\r\n",
    ] {
        let server = RawServer::start(Behavior::WriteAndClose(text));
        let url = || server.url();
        fail_everything(url, Setup::default, |checks, operation, error| {
            checks.same(
                &format!("the kind after {text:?}"),
                error.kind(),
                ErrorKind::Transport,
            );
            checks.same(
                "may_have_executed",
                error.may_have_executed(),
                changes_state(operation),
            );
            let says = error.message().starts_with("the connection broke");
            checks.that(says, format!("the message is {:?}", error.message()));
            checks.that(error.cause().is_some(), "the cause is lost");
        })
        .await;
        assert_eq!(
            server.seen().len(),
            8,
            "each request goes out once after {text:?}"
        );
    }
}

#[tokio::test]
async fn what_is_known_of_a_cut_off_answer_is_kept() {
    let text = "HTTP/1.1 201 Created\r\nX-Request-Id: r-1\r\nContent-Length: 100\r\n\r\n{\"id\":";
    let server = RawServer::start(Behavior::WriteAndClose(text));
    let url = || server.url();
    fail_everything(url, Setup::default, |checks, _, error| {
        checks.same("the status", error.status(), Some(201));
        checks.same("the request id", error.request_id(), Some("r-1"));
    })
    .await;
}

fn limited(bytes: usize) -> Setup {
    Setup {
        max_body_bytes: Some(bytes),
        ..Setup::default()
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    for backend in Backend::ALL {
        for operation in [Operation::Create, Operation::Get, Operation::List] {
            let answer = backend
                .success(operation)
                .header("X-Request-Id", REQUEST_ID);
            let (status, length) = (answer.status, answer.body.len());
            let wire = Wire::always(answer).await;
            let provider = backend.connect_with(wire.url(), limited(length));
            let outcome = run(&*provider, backend, operation).await;
            assert!(outcome.is_ok(), "{backend:?} {operation}: {outcome:?}");
            let provider = backend.connect_with(wire.url(), limited(length - 1));
            let error = refused(run(&*provider, backend, operation).await);
            assert_eq!(
                (error.kind(), error.status(), error.request_id()),
                (ErrorKind::Decode, Some(status), Some(REQUEST_ID)),
                "{backend:?}: {error}"
            );
            assert_eq!(
                error.may_have_executed(),
                operation == Operation::Create,
                "{backend:?}: {error}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_limited_too() {
    let chunk = "4\r\n    \r\n4\r\n    \r\n4\r\n    \r\n0\r\n\r\n";
    let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    let server = RawServer::start(Behavior::WriteAndClose(text.leak()));
    for backend in Backend::ALL {
        let provider = backend.connect_with(server.url(), limited(10));
        let error = refused(provider.list_page(&ListQuery::new(), None).await);
        assert_eq!(error.kind(), ErrorKind::Decode, "{backend:?}: {error}");
        assert!(
            error.to_string().contains("10"),
            "the limit is not named: {error}"
        );
    }
}

#[tokio::test]
async fn a_failure_with_a_body_over_the_limit_keeps_its_kind() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for (status, kind) in [
            (401, ErrorKind::Unauthenticated),
            (403, ErrorKind::PermissionDenied),
            (429, ErrorKind::RateLimited),
            (503, ErrorKind::Unavailable),
        ] {
            checks.case(format!("{backend:?} {status}"));
            let answer = Answer::html(status).header("Retry-After", "3");
            let wire = Wire::always(answer).await;
            let provider = backend.connect_with(wire.url(), limited(10));
            let error = refused(run(&*provider, backend, Operation::Create).await);
            checks.same("the kind", error.kind(), kind);
            checks.same("the status", error.status(), Some(status));
            checks.same(
                "may_have_executed",
                error.may_have_executed(),
                // The vendor's 429 has no body, and of this one nothing was read.
                backend == Backend::ClickHouse || status != 429,
            );
            checks.same(
                "retry_after",
                error.retry_after(),
                Some(Duration::from_secs(3)),
            );
        }
    }
}

#[tokio::test]
async fn only_the_vendors_own_refusal_says_that_nothing_was_done() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            for status in [400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503, 504] {
                for answer in [
                    backend.refusal(status),
                    Answer::html(status),
                    Answer::empty(status),
                ] {
                    checks.case(format!("{backend:?} {operation} {status}"));
                    let refuses = backend.refuses(&answer);
                    let wire = Wire::always(answer).await;
                    let error = refused(run(&*backend.connect(&wire), backend, operation).await);
                    checks.same(
                        "may_have_executed",
                        error.may_have_executed(),
                        changes_state(operation) && !refuses,
                    );
                    checks.same("the status", error.status(), Some(status));
                    checks.same("how often it was sent", wire.seen().len(), 1);
                }
            }
        }
    }
}

#[tokio::test]
async fn deep_nesting_is_an_error_and_no_crash() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for (status, body) in [
            (200, deep.clone()),
            (200, format!("{{\"id\":{deep}}}")),
            (200, format!("{{\"data\":[{deep}],\"result\":[{deep}]}}")),
            (400, format!("{{\"errors\":{deep},\"error\":{deep}}}")),
        ] {
            for operation in [Operation::Create, Operation::Get, Operation::List] {
                checks.case(format!("{backend:?} {operation} {status}"));
                let wire = Wire::always(Answer::empty(status).body(body.clone())).await;
                let outcome = run(&*backend.connect(&wire), backend, operation).await;
                checks.that(outcome.is_err(), "it succeeded");
            }
        }
    }
}

#[tokio::test]
async fn clones_and_calls_share_one_provider() {
    let wire = Wire::always(Backend::Confluent.success(Operation::Get)).await;
    let provider = Backend::Confluent.connect(&wire);
    let id = Backend::Confluent.id();
    let calls = (0..8).map(|_| provider.get(&id));
    let outcomes = futures::future::join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(wire.seen().len(), 8);
    let again = provider.get(&id).await.unwrap();
    assert_eq!(json!(again)["id"], id.as_str());
}
