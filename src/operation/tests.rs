//! What the results of the bindings become, with a server that gives one response.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;

use reqwest::header::HeaderMap;

use super::*;
use crate::http::{
    Authorization, ClientOptions, Credentials, Endpoint, RetryPolicy, Service, Token,
    TokenProvider, Transport, TransportError, TransportErrorKind,
};

fn request_id(headers: &HeaderMap, _: &[u8]) -> Option<String> {
    headers::text(headers, "x-request-id").map(str::to_owned)
}

fn read_failure(context: &OperationContext<'_>, reply: &Reply) -> Error {
    match reply.json() {
        Some(Value::String(text)) => context.error_from_reply(reply, ErrorKind::NotFound, text),
        _ => context.unexpected_response(reply),
    }
}

fn client(url: &str, authorization: Authorization) -> Arc<HttpClient> {
    let service = Service {
        name: "things",
        published_rate: None,
        request_id,
        is_own_refusal: |_, _| true,
    };
    let options = ClientOptions {
        retry: RetryPolicy::none(),
        timeout: Duration::from_secs(20),
        ..ClientOptions::default()
    };
    let endpoint = Endpoint::new(&crate::http::BaseUrl::parse(url).unwrap(), None);
    HttpClient::new(service, endpoint, authorization, options).unwrap()
}

fn fixed() -> Authorization {
    let credentials = Credentials::api_key("key", "hush-hush");
    Authorization::fixed(&credentials, None).unwrap()
}

/// Answers one request with this; the thread ends with the process.
fn serve(response: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(response.as_bytes());
    });
    url
}

/// Sends a request as the bindings do.
async fn send(context: &OperationContext<'_>, client: &Arc<HttpClient>) -> Result<Success<Value>> {
    let transport = Transport::new(Arc::clone(client)).within(&context.call);
    let method = match context.operation {
        Operation::Get => reqwest::Method::GET,
        _ => reqwest::Method::POST,
    };
    let url = format!("{}/things", client.endpoint.as_base());
    let request = reqwest::Request::new(method, url.parse().unwrap());
    let sent = match transport.execute(request, "thing").await {
        Ok(response) if response.status().is_success() => {
            ResponseValue::from_response::<()>(response).await
        }
        Ok(response) => Err(ClientError::UnexpectedResponse(response)),
        Err(error) => Err(ClientError::CommunicationError(error)),
    };
    context.outcome(sent)
}

async fn failed(operation: Operation, response: &'static str) -> Error {
    let client = client(&serve(response), fixed());
    let context = OperationContext::new(&client, read_failure, operation, Some("t-1"));
    let outcome = send(&context, &client).await;
    let error = match outcome {
        Ok(Success { value, reply }) => context.decode_error(&reply, &value.unwrap_err()),
        Err(error) => error,
    };
    assert_eq!(error.provider(), Some("things"));
    assert_eq!(
        (error.operation(), error.target()),
        (operation, Some("t-1"))
    );
    assert_eq!(error.attempts(), 1);
    error
}

#[tokio::test]
async fn a_failure_has_what_its_body_and_headers_say() {
    let error = failed(
        Operation::Get,
        "HTTP/1.1 404 Not Found\r\nx-request-id: r-1\r\nretry-after: 7\r\nx-ratelimit-remaining: 3\r\n\
         www-authenticate: Basic was=hush-hush\r\ncontent-length: 9\r\n\r\n\"no such\"",
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!((error.status(), error.message()), (Some(404), "no such"));
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.rate_limit().unwrap().remaining, Some(3));
    assert_eq!(error.challenge(), Some("Basic was=[REDACTED]"));
    assert!(!error.may_have_executed());
}

#[tokio::test]
async fn a_response_in_another_form_keeps_the_meaning_of_its_status() {
    for (response, kind, message) in [
        (
            "404 Not Found\r\ncontent-length: 2\r\n\r\n<>",
            ErrorKind::Unexpected,
            "the provider's form",
        ),
        (
            "503 Down\r\ncontent-length: 0\r\n\r\n",
            ErrorKind::Unavailable,
            "no body",
        ),
        (
            "307 Elsewhere\r\nlocation: http://b.example/?hush-hush\r\ncontent-length: 0\r\n\r\n",
            ErrorKind::Unexpected,
            "redirected to http://b.example/?[REDACTED], which was not followed",
        ),
    ] {
        let response = format!("HTTP/1.1 {response}").leak();
        for operation in [Operation::Create, Operation::Get] {
            let error = failed(operation, response).await;
            assert_eq!(error.kind(), kind, "{response}");
            assert!(error.message().contains(message), "{error}");
            // Whoever wrote it, it is not the vendor.
            let open = operation == Operation::Create;
            assert_eq!(error.may_have_executed(), open, "{error}");
        }
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_was_executed() {
    let response = "HTTP/1.1 200 OK\r\nx-request-id: r-1\r\ncontent-length: 10\r\n\r\nhush-hush!";
    for operation in [Operation::Create, Operation::Get] {
        let error = failed(operation, response).await;
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(
            (error.status(), error.request_id()),
            (Some(200), Some("r-1"))
        );
        assert_eq!(error.body_excerpt(), Some("[REDACTED]!"));
        assert_eq!(error.may_have_executed(), operation == Operation::Create);
    }
}

#[tokio::test]
async fn a_call_without_a_response_keeps_cause_and_outcome() {
    let cut_off = "HTTP/1.1 201 Created\r\nx-request-id: r-1\r\ncontent-length: 9\r\n\r\n{";
    for (response, status) in [("", None), (cut_off, Some(201))] {
        let error = failed(Operation::Create, response).await;
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert_eq!(error.status(), status);
        assert_eq!(error.request_id(), status.map(|_| "r-1"));
        assert!(error.may_have_executed() && error.cause().is_some());
        assert!(
            error.message().starts_with("the connection broke"),
            "{error}"
        );
    }
}

/// Fails with an error of the facade.
struct NoToken;

#[async_trait]
impl TokenProvider for NoToken {
    async fn fetch(&self) -> std::result::Result<Token, TransportError> {
        let own = Error::new(ErrorKind::Unauthenticated, Operation::Authenticate, "who?");
        Err(self
            .token_error("no token")
            .with_source(own.with_attempts(4)))
    }

    fn token_error(&self, why: &str) -> TransportError {
        TransportError::new(TransportErrorKind::Credentials, why)
    }

    fn hold_off(&self, _: &TransportError) -> Option<Duration> {
        None
    }
}

#[tokio::test]
async fn what_sends_nothing_says_so() {
    let without_token = client(
        "http://127.0.0.1:1",
        Authorization::refreshed(Arc::new(NoToken)),
    );
    let context = OperationContext::new(&without_token, read_failure, Operation::Create, None);
    let outcome = send(&context, &without_token).await;
    let error = outcome.map(|_| ()).unwrap_err();
    let actual = (error.kind(), error.operation(), error.attempts());
    let expected = (ErrorKind::Unauthenticated, Operation::Authenticate, 4);
    assert_eq!((actual, error.message()), (expected, "who?"));
    assert!(!error.may_have_executed());

    let client = client("http://127.0.0.1:1", fixed());
    let context = OperationContext::new(&client, read_failure, Operation::Create, None);
    let invalid_request =
        Err::<ResponseValue<()>, _>(ClientError::<()>::InvalidRequest("odd".to_owned()));
    let errors = [
        context.outcome(invalid_request).map(|_| ()).unwrap_err(),
        context.require_supported(false, "roles").unwrap_err(),
    ];
    for (error, kind) in errors
        .iter()
        .zip([ErrorKind::InvalidInput, ErrorKind::Unsupported])
    {
        assert_eq!((error.kind(), error.attempts()), (kind, 0), "{error}");
        assert!(!error.may_have_executed());
    }
    assert_eq!(errors[1].message(), "the provider has no roles");
}
