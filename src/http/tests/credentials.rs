//! Tokens in calls: fetched before, replaced when rejected, missing.

use std::{
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;

use super::{
    client::Client,
    http_client, options,
    server::{Server, json, status},
};
use crate::http::{
    Authorization, ClientOptions, Credentials, RetryPolicy, Token, TokenProvider, TransportError,
    TransportErrorKind,
};

const THING: &str = r#"{"id": "t-1"}"#;

/// Gives `token-1`, `token-2`, and so on; or fails, or never answers.
#[derive(Default)]
struct Provider {
    fetched: AtomicU32,
    fails: bool,
    hangs: bool,
}

#[async_trait]
impl TokenProvider for Provider {
    async fn fetch(&self) -> Result<Token, TransportError> {
        let number = self.fetched.fetch_add(1, Ordering::SeqCst) + 1;
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.fails {
            return Err(self.token_error("no token today"));
        }
        Ok(Token {
            credentials: Credentials::bearer(format!("token-{number}")),
            lifetime: Duration::from_secs(900),
        })
    }

    fn token_error(&self, why: &str) -> TransportError {
        TransportError::new(TransportErrorKind::Credentials, why).with_source("the cause")
    }

    fn hold_off(&self, _: &TransportError) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

fn connect(url: &str, provider: Provider, options: ClientOptions) -> (Arc<Provider>, Client) {
    let provider = Arc::new(provider);
    let authorization = Authorization::refreshed(provider.clone());
    (
        provider,
        Client::over(http_client(url, authorization, options)),
    )
}

#[tokio::test]
async fn one_token_serves_many_calls() {
    let server = Server::start([json(200, THING)]).await;
    let (provider, client) = connect(&server.url, Provider::default(), options());
    for _ in 0..3 {
        client.get_thing("t-1").await.unwrap();
    }
    let sent: Vec<_> = (0..3)
        .map(|index| server.header(index, "authorization"))
        .collect();
    assert!(
        sent.iter()
            .all(|header| header.as_deref() == Some("Bearer token-1"))
    );
    assert_eq!(provider.fetched.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once_per_call() {
    for retry in [RetryPolicy::none(), options().retry] {
        let options = ClientOptions { retry, ..options() };
        let server = Server::start([status(401), json(201, THING)]).await;
        let (_, client) = connect(&server.url, Provider::default(), options.clone());
        let made = client.create_thing(&json!({})).await;
        assert_eq!(made.unwrap().id, "t-1");
        let sent = [0, 1].map(|index| server.header(index, "authorization").unwrap());
        assert_eq!(sent, ["Bearer token-1", "Bearer token-2"]);

        let server = Server::start([status(401)]).await;
        let (provider, client) = connect(&server.url, Provider::default(), options);
        let state = Arc::new(client.inner.client().start_call());
        let within = client.within(&state);
        within.create_thing(&json!({})).await.unwrap_err();
        assert_eq!((state.attempts(), state.is_ambiguous()), (2, false));
        assert_eq!(state.take_reply().unwrap().status, 401);
        assert_eq!(provider.fetched.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = Server::start([json(200, THING)]).await;
    let fails = Provider {
        fails: true,
        ..Provider::default()
    };
    let (_, client) = connect(&server.url, fails, options());
    let error = client.create_thing(&json!({})).await.unwrap_err();
    let error = TransportError::find(&error).unwrap();
    assert_eq!(error.kind(), TransportErrorKind::Credentials);
    assert_eq!(error.message(), "no token today");
    assert_eq!(error.source().unwrap().to_string(), "the cause");
    assert_eq!((error.attempts(), error.may_have_executed()), (0, false));

    let hangs = Provider {
        hangs: true,
        ..Provider::default()
    };
    let retry = options().retry.deadline(Duration::from_millis(100));
    let (_, client) = connect(&server.url, hangs, ClientOptions { retry, ..options() });
    let error = client.create_thing(&json!({})).await.unwrap_err();
    let error = TransportError::find(&error).unwrap();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
    let expected = "no token came before the deadline of the call";
    assert_eq!((error.message(), error.attempts()), (expected, 0));
    assert_eq!(server.count(), 0);
}
