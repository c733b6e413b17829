//! What the results of the bindings become, with a server that gives one response.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;

use super::*;
use crate::http::{
    Authorization, ClientOptions, Credentials, Endpoint, RetryPolicy, Service, Token,
    TokenProvider, Transport, TransportError, TransportErrorKind,
};

fn read_failure(context: &OperationContext<'_>, reply: &Reply) -> Error {
    context.unexpected_response(reply)
}

fn client(url: &str, authorization: Authorization) -> Arc<HttpClient> {
    let service = Service {
        name: "things",
        published_rate: None,
        request_id: |_, _| None,
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
    let error = outcome.map(|_| ()).unwrap_err();
    assert_eq!(error.provider(), Some("things"));
    assert_eq!(
        (error.operation(), error.target()),
        (operation, Some("t-1"))
    );
    assert_eq!(error.attempts(), 1);
    error
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
