//! Which requests are repeated, and what is left when they are not.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    client::Error,
    client::Failure,
    connect, connect_with, options, quick,
    server::{Answer, Server, closed_port, json, respond, status},
};
use crate::http::{
    CallState, ClientOptions, RetryPolicy, TransportError, TransportErrorKind,
    tests::client::Client,
};

const THING: &str = r#"{"id": "t-1"}"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Get,
    Put,
    Delete,
    Post,
}

const METHODS: [Method; 4] = [Method::Get, Method::Put, Method::Delete, Method::Post];

/// The error of a call, if it fails.
async fn call(client: &Client, method: Method) -> Result<(), Error<Failure>> {
    let body = json!({"name": "thing"});
    match method {
        Method::Get => client.get_thing("t-1").await.map(drop),
        Method::Put => client.replace_thing("t-1", &body).await.map(drop),
        Method::Delete => client.delete_thing("t-1").await.map(drop),
        Method::Post => client.create_thing(&body).await.map(drop),
    }
}

fn transport_error(error: &Error<Failure>) -> &TransportError {
    TransportError::find(error).unwrap_or_else(|| panic!("{error:?}"))
}

/// A gateway's 429 is no promise that nothing was executed.
#[tokio::test]
async fn a_gateways_429_is_retried_only_if_idempotent() {
    for method in METHODS {
        let gateway = respond(429, &["retry-after: 0"], "<html>");
        let server = Server::start([gateway, json(200, THING)]).await;
        let client = connect(&server);
        let state = Arc::new(client.inner.client().start_call());
        let _ = call(&client.within(&state), method).await;
        let is_post = method == Method::Post;
        let status = state.take_reply().unwrap().status;
        assert_eq!(status, if is_post { 429 } else { 200 }, "{method:?}");
        assert_eq!(server.count(), if is_post { 1 } else { 2 }, "{method:?}");
        assert_eq!(state.is_ambiguous(), method != Method::Get, "{method:?}");
    }
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_until_it_succeeds() {
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    for (fault, also_post) in [
        (status(408), false),
        (status(429), true),
        (respond(429, &["retry-after: 0"], "{}"), true),
        (status(500), false),
        (status(502), false),
        (status(503), false),
        (status(504), false),
        (Answer::Close, false),
        (Answer::Text(broken.to_owned()), false),
    ] {
        for method in METHODS {
            let server = Server::start([fault.clone(), fault.clone(), json(200, THING)]).await;
            let outcome = call(&connect(&server), method).await;
            let repeated = also_post || method != Method::Post;
            let expected = if repeated { 3 } else { 1 };
            assert_eq!(
                outcome.is_ok(),
                repeated,
                "{method:?} {fault:?} {outcome:?}"
            );
            assert_eq!(server.count(), expected, "{method:?} {fault:?}");
            let seen = server.seen();
            assert!(seen.iter().all(|request| *request == seen[0]), "{seen:#?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_get_better_is_sent_once() {
    for code in [300, 400, 401, 403, 404, 409, 422, 501] {
        for method in METHODS {
            let server = Server::start([json(code, r#"{"message": "no"}"#)]).await;
            let error = call(&connect(&server), method).await.unwrap_err();
            assert_eq!(error.status().map(|status| status.as_u16()), Some(code));
            assert_eq!(server.count(), 1, "{method:?} {code}");
        }
    }
}

#[tokio::test]
async fn the_last_reply_is_the_result_whatever_its_status() {
    let server = Server::start([
        json(503, r#"{"message": "first"}"#),
        respond(503, &["x-request-id: r-2"], r#"{"message": "last"}"#),
    ])
    .await;
    let options = ClientOptions {
        retry: quick().max_attempts(2),
        ..options()
    };
    let client = connect_with(&server.url, options);
    match client.get_thing("t-1").await.unwrap_err() {
        Error::ErrorResponse(failure) => {
            assert_eq!(failure.status(), 503);
            assert_eq!(failure.headers()["x-request-id"], "r-2");
            assert_eq!(failure.message, "last");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn an_error_has_attempts_and_may_have_executed() {
    let twice = ClientOptions {
        retry: quick().max_attempts(2),
        ..options()
    };
    for (answer, kind) in [
        (Answer::Close, TransportErrorKind::Transport),
        (Answer::Hang(""), TransportErrorKind::Timeout),
        (
            Answer::Hang("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"),
            TransportErrorKind::Timeout,
        ),
    ] {
        for method in METHODS {
            let server = Server::start([answer.clone()]).await;
            let timeout = match kind {
                TransportErrorKind::Timeout => Duration::from_millis(100),
                _ => twice.timeout,
            };
            let options = ClientOptions {
                timeout,
                ..twice.clone()
            };
            let client = connect_with(&server.url, options);
            let error = call(&client, method).await.unwrap_err();
            let error = transport_error(&error);
            assert_eq!(error.kind(), kind, "{method:?} {answer:?}");
            let attempts = if method == Method::Post { 1 } else { 2 };
            assert_eq!(error.attempts(), attempts, "{method:?} {answer:?}");
            let changes = method != Method::Get;
            assert_eq!(error.may_have_executed(), changes, "{method:?} {answer:?}");
        }
    }
    for method in METHODS {
        let client = connect_with(&closed_port(), twice.clone());
        let error = call(&client, method).await.unwrap_err();
        let error = transport_error(&error);
        assert_eq!(error.kind(), TransportErrorKind::Connect, "{error}");
        assert_eq!((error.attempts(), error.may_have_executed()), (2, false));
        assert!(error.message().contains("refused"), "{error}");
    }
}

/// Every reply to a create, and whether it leaves open that the thing was created.
#[tokio::test]
async fn a_reply_that_is_no_refusal_leaves_it_open() {
    for (code, open) in [
        (200, false),
        (300, true),
        (301, true),
        (302, true),
        (303, true),
        (307, false),
        (400, false),
        (404, false),
        (409, false),
        (429, false),
        (500, true),
        (501, true),
        (503, true),
        (599, true),
    ] {
        let server = Server::start([json(code, THING)]).await;
        let options = ClientOptions {
            retry: RetryPolicy::none(),
            ..options()
        };
        let client = connect_with(&server.url, options);
        for (method, open) in [
            (Method::Post, open),
            (Method::Delete, open),
            (Method::Get, false),
        ] {
            let state = Arc::new(client.inner.client().start_call());
            let _ = call(&client.within(&state), method).await;
            assert_eq!(state.is_ambiguous(), open, "{method:?} {code}");
            assert_eq!(state.take_reply().unwrap().status.as_u16(), code);
        }
    }
}

#[tokio::test]
async fn a_call_counts_over_all_its_requests() {
    let server = Server::start([
        Answer::Close,
        respond(429, &["x-request-id: r-2"], ""),
        respond(201, &["x-request-id: r-3", "location: /things/t-1"], THING),
    ])
    .await;
    let client = connect(&server);
    let state = Arc::new(client.inner.client().start_call());
    let begun = state.first_sent();
    let within = client.within(&state);
    let body = json!({});
    let error = within.create_thing(&body).await.unwrap_err();
    assert_eq!(transport_error(&error).attempts(), 1);
    assert!(state.take_reply().is_none());
    let (first, last) = (state.first_sent(), state.last_sent());
    assert!(begun <= first && first == last);
    tokio::time::sleep(Duration::from_millis(2)).await;

    let left = within.create_thing(&body).await.unwrap_err();
    assert!(
        matches!(left, progenitor_client::Error::Custom(_)),
        "the reply is in the call"
    );
    assert_eq!((state.attempts(), state.is_ambiguous()), (3, true));
    assert_eq!(state.first_sent(), first);
    assert!(state.last_sent() > last);
    let reply = state.take_reply().unwrap();
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("location"), Some("/things/t-1"));
    assert_eq!(reply.body, THING);
}

#[tokio::test]
async fn attempts_are_limited_over_the_whole_call() {
    let server = Server::start([status(429)]).await;
    let client = connect(&server);
    let state = Arc::new(client.inner.client().start_call());
    let within = client.within(&state);
    within.get_thing("t-1").await.unwrap_err();
    assert_eq!(server.count(), 5);
    within.get_thing("t-1").await.unwrap_err();
    assert_eq!((server.count(), state.attempts()), (6, 6));
}

#[tokio::test]
async fn a_safe_call_is_repeated_whatever_its_method() {
    let server = Server::start([status(503), Answer::Close, json(200, THING)]).await;
    let client = connect(&server);
    let state = Arc::new(CallState::new(Duration::from_secs(20)).safe());
    let _ = client.within(&state).create_thing(&json!({})).await;
    assert_eq!((state.attempts(), state.is_ambiguous()), (3, false));
    assert_eq!(state.take_reply().unwrap().status, 200);
}

#[tokio::test]
async fn a_body_that_cannot_be_copied_is_sent_once() {
    for answer in [status(429), respond(307, &["location: /elsewhere"], "")] {
        let server = Server::start([answer]).await;
        let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("a"), Ok("b")]);
        let body = reqwest::Body::wrap_stream(chunks);
        let error = connect(&server).import_things(body).await.unwrap_err();
        assert!(matches!(error, Error::UnexpectedResponse(_)), "{error:?}");
        assert_eq!(server.count(), 1);
    }
}
