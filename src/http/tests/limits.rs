//! The rate limit, the deadline and the time limits of a call.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    client::Error,
    connect_with, options, quick,
    server::{Answer, Server, json, respond},
};
use crate::http::{ClientOptions, Rate, TransportError, TransportErrorKind};

const THING: &str = r#"{"id": "t-1"}"#;

#[tokio::test]
async fn a_call_rate_limited_past_its_deadline_is_not_sent() {
    let server = Server::start([json(200, THING)]).await;
    let options = ClientOptions {
        rates: vec![Rate::at_most(1, Duration::MAX)],
        retry: quick().deadline(Duration::from_secs(1)),
        ..options()
    };
    let client = connect_with(&server.url, options);
    client.get_thing("t-1").await.unwrap();
    let error = client.create_thing(&json!({})).await.unwrap_err();
    let error = TransportError::find(&error).unwrap();
    assert_eq!(error.kind(), TransportErrorKind::RateLimitDeadline);
    let expected = "the rate limit leaves no room before the deadline of the call";
    assert_eq!(error.message(), expected);
    assert_eq!((error.attempts(), error.may_have_executed()), (0, false));
    let wait = error.wait().unwrap();
    assert!((86_300..=86_400).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(server.count(), 1);
}

/// The server said something once, and then the retry policy or the rate limit leaves no room.
#[tokio::test]
async fn when_no_time_is_left_the_last_reply_is_the_result() {
    let patient = ClientOptions {
        retry: quick().max_delay(Duration::from_secs(3600)),
        ..options()
    };
    let limited = ClientOptions {
        rates: vec![Rate::at_most(1, Duration::MAX)],
        retry: quick().deadline(Duration::from_secs(2)),
        ..options()
    };
    for (options, code) in [(patient, 429), (limited, 503)] {
        let headers = ["retry-after: 3600", "x-request-id: r-1"];
        let server = Server::start([respond(code, &headers, "{}")]).await;
        let client = connect_with(&server.url, options);
        let state = Arc::new(client.inner.client().start_call());
        client.within(&state).get_thing("t-1").await.unwrap_err();
        let reply = state.take_reply().unwrap();
        assert_eq!(reply.status, code);
        assert_eq!(reply.header("x-request-id"), Some("r-1"));
        assert_eq!((state.attempts(), server.count()), (1, 1), "{code}");
    }
}

#[tokio::test]
async fn the_deadline_holds_over_all_requests_of_a_call() {
    let server = Server::start([Answer::Hang("")]).await;
    let options = ClientOptions {
        retry: quick().deadline(Duration::from_millis(200)),
        ..options()
    };
    let client = connect_with(&server.url, options);
    let state = Arc::new(client.inner.client().start_call());
    let within = client.within(&state);
    for attempts in [1, 2] {
        let error = within.create_thing(&json!({})).await.unwrap_err();
        let error = TransportError::find(&error).unwrap();
        assert_eq!(error.kind(), TransportErrorKind::Timeout);
        assert!(error.attempts() <= attempts && error.may_have_executed());
    }
    assert_eq!(state.time_left(), Duration::ZERO);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_after_the_read_timeout() {
    for text in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
        let server = Server::start([Answer::Hang(text)]).await;
        let options = ClientOptions {
            read_timeout: Duration::from_millis(100),
            retry: quick().max_attempts(1),
            ..options()
        };
        let start = Instant::now();
        let client = connect_with(&server.url, options);
        let error = client.get_thing("t-1").await.unwrap_err();
        assert!(matches!(error, Error::CommunicationError(_)), "{error:?}");
        let error = TransportError::find(&error).unwrap();
        assert_eq!(error.kind(), TransportErrorKind::Timeout);
        assert_eq!(error.message(), "the server did not answer in time");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn limits_without_end_do_not_overflow() {
    let server = Server::start([json(200, THING)]).await;
    let options = ClientOptions {
        timeout: Duration::MAX,
        read_timeout: Duration::MAX,
        retry: quick().deadline(Duration::MAX),
        ..options()
    };
    connect_with(&server.url, options)
        .get_thing("t-1")
        .await
        .unwrap();
}
