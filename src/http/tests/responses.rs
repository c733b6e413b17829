//! What becomes of a response: decoded, kept whole, redirected, cut off, redacted.

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt;
use serde_json::json;

use super::{
    client::{Client, Error, Failure},
    connect, connect_with, options,
    server::{Answer, Server, json, respond, status},
};
use crate::http::{AttemptEvent, ClientOptions, RetryPolicy, TransportError, TransportErrorKind};

const THING: &str = r#"{"id": "t-1"}"#;
const HTML: &str = "<html>a gateway</html>";

fn once(url: &str) -> Client {
    let retry = RetryPolicy::none();
    connect_with(url, ClientOptions { retry, ..options() })
}

async fn unexpected(error: Error<Failure>) -> (u16, Option<String>, String) {
    match error {
        Error::UnexpectedResponse(response) => {
            let status = response.status().as_u16();
            let id = response.headers().get("x-request-id");
            let id = id.map(|id| id.to_str().unwrap().to_owned());
            (status, id, response.text().await.unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_has_credentials_and_accept_and_no_api_version() {
    let server = Server::start([json(200, THING)]).await;
    let thing = connect(&server).get_thing("t-1").await.unwrap();
    assert_eq!(thing.id, "t-1");
    assert_eq!(thing.headers()["content-type"], "application/json");
    assert_eq!(server.count(), 1);
    for (name, value) in [
        ("authorization", Some("Basic a2V5Omh1c2gtaHVzaA==")),
        ("accept", Some("application/json")),
        ("api-version", None),
        (
            "user-agent",
            Some(concat!("org-invitations/", env!("CARGO_PKG_VERSION"))),
        ),
    ] {
        assert_eq!(server.header(0, name).as_deref(), value, "{name}");
    }
}

#[tokio::test]
async fn a_response_that_is_not_in_the_documented_form_is_kept_whole() {
    for (code, body) in [
        (200, HTML),
        (200, r#"{"id": "#),
        (204, HTML),
        (404, HTML),
        (404, ""),
        (500, ""),
        (503, HTML),
        (307, ""),
        (303, HTML),
    ] {
        // A 204 has no body.
        let body = if code == 204 { "" } else { body };
        let answer = respond(code, &["x-request-id: r-1"], body);
        let server = Server::start([answer]).await;
        let client = once(&server.url);
        let kept = (code, Some("r-1".to_owned()), body.to_owned());
        if code != 204 {
            let error = client.get_thing("t-1").await.unwrap_err();
            assert_eq!(unexpected(error).await, kept);
            let error = client.delete_thing("t-1").await.unwrap_err();
            assert_eq!(unexpected(error).await, kept);
        }
    }
}

#[tokio::test]
async fn a_response_in_the_documented_form_is_decoded() {
    let server = Server::start([
        json(404, r#"{"message": "no such thing"}"#),
        status(204),
        status(200),
        respond(200, &["content-type: text/csv"], "id\nt-1\n"),
        respond(502, &["content-type: text/html"], HTML),
        // JSON, but not a thing.
        json(200, "[]"),
    ])
    .await;
    let client = once(&server.url);
    match client.get_thing("t-1").await.unwrap_err() {
        Error::ErrorResponse(failure) => assert_eq!(failure.message, "no such thing"),
        other => panic!("{other:?}"),
    }
    client.delete_thing("t-1").await.unwrap();
    client.delete_thing("t-1").await.unwrap();
    // An operation that documents something else than JSON gets it.
    let export = client.export_things().await.unwrap();
    let chunks: Vec<_> = export.into_inner_stream().try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"id\nt-1\n");
    assert_eq!(server.header(3, "accept").as_deref(), Some("*/*"));
    let error = client.export_things().await.map(drop).unwrap_err();
    assert_eq!(unexpected(error).await.0, 502);
    match client.get_thing("t-1").await.unwrap_err() {
        Error::InvalidResponsePayload(body, _) => assert_eq!(body, "[]"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_path_that_leaves_its_operation_is_not_sent() {
    let server = Server::start([json(200, THING)]).await;
    let client = connect(&server);
    for id in ["", ".", "..", "../other", "..\\other", "%2e%2e"] {
        let outcomes = [
            client.get_thing(id).await.map(drop),
            client.delete_thing(id).await.map(drop),
        ];
        for outcome in outcomes {
            match outcome.unwrap_err() {
                Error::InvalidRequest(why) => assert!(why.contains("/things/{id}"), "{why}"),
                other => panic!("{id:?}: {other:?}"),
            }
        }
    }
    assert_eq!(server.count(), 0);
    client.get_thing("a b/ä").await.unwrap();
    assert!(server.seen()[0].starts_with("GET /things/a%20b%2F%C3%A4 HTTP"));
}

#[tokio::test]
async fn what_the_document_does_not_offer_is_refused_before_sending() {
    let server = Server::start([json(200, THING)]).await;
    let body = json!({"name": "thing", "secret": true});
    match connect(&server).create_thing(&body).await.unwrap_err() {
        Error::InvalidRequest(why) => assert!(why.contains("`secret`"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn another_origin_is_not_sent_to() {
    let (here, elsewhere) = (
        Server::start([json(200, THING)]).await,
        Server::start([json(200, THING)]).await,
    );
    let mut client = connect(&here);
    client.baseurl.clone_from(&elsewhere.url);
    let error = client.get_thing("t-1").await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    // Past the hook that prepares requests, too.
    let url = format!("{}/things/t-1", elsewhere.url);
    let request = client.client.get(url).build().unwrap();
    let error = client.inner.execute(request, "get_thing").await;
    let error = error.unwrap_err();
    let error = TransportError::find(&error).unwrap();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
    assert_eq!(
        (error.attempts(), here.count(), elsewhere.count()),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn a_redirect_within_the_origin_keeps_method_headers_and_body() {
    for code in [301, 307, 308] {
        let server = Server::start([
            respond(code, &["location: /moved?k=v"], ""),
            json(201, THING),
        ])
        .await;
        let client = connect(&server);
        let made = client.create_thing(&json!({"name": "thing"})).await;
        assert_eq!(made.unwrap().id, "t-1");
        let seen = server.seen();
        assert!(seen[1].starts_with("POST /moved?k=v HTTP"), "{seen:#?}");
        let (first, second) = (seen[0].lines().skip(1), seen[1].lines().skip(1));
        assert!(first.eq(second), "{seen:#?}");
    }
}

#[tokio::test]
async fn other_redirects_are_replies() {
    let elsewhere = Server::start([json(200, THING)]).await;
    let location = format!("location: {}/things", elsewhere.url);
    for (location, sent) in [
        (location.as_str(), 1),
        ("location: /round", 6),
        ("x-none: 1", 1),
    ] {
        let server = Server::start([respond(307, &[location], "")]).await;
        let error = connect(&server).get_thing("t-1").await.unwrap_err();
        assert_eq!(unexpected(error).await.0, 307);
        assert_eq!(server.count(), sent, "{location}");
    }
    assert_eq!(elsewhere.count(), 0);
}

fn limited(server: &Server, bytes: usize) -> Client {
    let limited = ClientOptions {
        max_body_bytes: bytes,
        ..options()
    };
    connect_with(&server.url, limited)
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_error_with_status_and_headers() {
    let chunked = "HTTP/1.1 200 OK\r\nx-request-id: r-1\r\ntransfer-encoding: chunked\r\n\r\n\
                   6\r\n{\"id\":\r\n6\r\n \"t-1\"\r\n1\r\n}\r\n0\r\n\r\n";
    for answer in [
        respond(200, &["x-request-id: r-1"], THING),
        Answer::Text(chunked.to_owned()),
    ] {
        let server = Server::start([answer]).await;
        limited(&server, THING.len())
            .get_thing("t-1")
            .await
            .unwrap();
        let error = limited(&server, THING.len() - 1).get_thing("t-1").await;
        let error = error.unwrap_err();
        let error = TransportError::find(&error).unwrap();
        assert_eq!(error.kind(), TransportErrorKind::BodyTooLarge);
        assert_eq!(error.message(), "the answer has more than 12 bytes");
        assert_eq!(error.status().unwrap(), 200);
        assert_eq!(error.headers().unwrap()["x-request-id"], "r-1");
        assert_eq!(server.count(), 2, "asked for once each");
    }
    let server = Server::start([respond(404, &["x-request-id: r-1"], HTML)]).await;
    let error = limited(&server, 5).get_thing("t-1").await.unwrap_err();
    let kept = (404, Some("r-1".to_owned()), String::new());
    assert_eq!(
        unexpected(error).await,
        kept,
        "its status is meaningful alone"
    );
}

#[tokio::test]
async fn secrets_that_a_failure_echoes_are_redacted() {
    let echo = respond(
        400,
        &["www-authenticate: Basic was=a2V5Omh1c2gtaHVzaA=="],
        r#"{"message": "hush-hush is wrong"}"#,
    );
    let server = Server::start([echo]).await;
    let error = connect(&server).get_thing("t-1").await.unwrap_err();
    let Error::ErrorResponse(failure) = error else {
        panic!("{error:?}")
    };
    assert_eq!(failure.message, "[REDACTED] is wrong");
    let challenge = &failure.headers()["www-authenticate"];
    assert_eq!(challenge, "Basic was=[REDACTED]");
    let debug = format!("{:?}", connect(&server));
    assert!(
        debug.contains("things") && !debug.contains("hush"),
        "{debug}"
    );
}

#[tokio::test]
async fn an_observer_sees_every_complete_response() {
    let headers = [
        "x-request-id: r-1",
        "x-ratelimit-remaining: 7",
        "location: /things/t-1",
        "date: Thu, 01 Jan 2026 00:00:09 GMT",
    ];
    let server = Server::start([
        respond(503, &headers, ""),
        Answer::Close,
        respond(200, &headers, THING),
    ])
    .await;
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let record = Arc::clone(&seen);
    let observer = move |event: &AttemptEvent<'_>| {
        let Some(status) = event.status() else { return };
        let limit = event.rate_limit().and_then(|limit| limit.remaining);
        assert_eq!((event.provider, limit), ("things", Some(7)));
        assert_eq!(event.location(), Some("/things/t-1"));
        assert!(event.date().is_some());
        let id = event.request_id();
        record.lock().unwrap().push((event.operation, status, id));
    };
    let observed = ClientOptions {
        interceptors: vec![Arc::new(observer)],
        ..options()
    };
    let client = connect_with(&server.url, observed);
    client.get_thing("t-1").await.unwrap();
    let id = || Some("r-1".to_owned());
    let expected = [("get_thing", 503, id()), ("get_thing", 200, id())];
    assert_eq!(*seen.lock().unwrap(), expected);
}
