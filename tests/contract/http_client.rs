//! A client of the program's: what it may set, and what it cannot change.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use org_invitations::{
    ClickHouse, Confluent, ErrorKind, InvitationProvider, ListQuery, RetryPolicy, SharedHttpClient,
    reqwest::{
        self,
        header::{HeaderMap, HeaderValue},
    },
};
use org_invitations_sandbox::Sandbox;
use serde_json::json;

use crate::{
    backend::ORGANIZATION,
    relay::TlsRelay,
    support::{Answer, Wire},
};

fn confluent(url: &str, client: &SharedHttpClient) -> Confluent {
    let builder = Confluent::builder().api_key("key", "secret");
    let builder = builder.retry(RetryPolicy::none()).base_url(url);
    builder.http_client(client.clone()).build().unwrap()
}

fn clickhouse(url: &str, client: &SharedHttpClient) -> ClickHouse {
    let builder = ClickHouse::builder(ORGANIZATION).api_key("key", "secret");
    let builder = builder.retry(RetryPolicy::none()).base_url(url);
    builder.http_client(client.clone()).build().unwrap()
}

fn page() -> Answer {
    Answer::json(200, &json!({ "data": [], "metadata": {} }))
}

#[tokio::test]
async fn headers_and_user_agent_are_the_programs() {
    let wire = Wire::always(page()).await;
    let client = SharedHttpClient::new(|builder| {
        let headers = HeaderMap::from_iter([
            (
                "x-team".parse().unwrap(),
                HeaderValue::from_static("identity"),
            ),
            (
                "authorization".parse().unwrap(),
                HeaderValue::from_static("Basic of-the-client"),
            ),
        ]);
        let agent = format!("{} sync/1", SharedHttpClient::USER_AGENT);
        builder.user_agent(agent).default_headers(headers)
    });
    let provider = confluent(&wire.url(), &client);
    provider.list_page(&ListQuery::new(), None).await.unwrap();
    let sent = wire.only();
    assert_eq!(sent.header("x-team"), ["identity"]);
    let agent = sent.header("user-agent").join("");
    assert!(
        agent.starts_with("org-invitations/") && agent.ends_with(" sync/1"),
        "{agent}"
    );
    let authorization = sent.header("authorization").join("");
    assert_eq!(authorization, "Basic a2V5OnNlY3JldA==", "of the provider");
}

#[tokio::test]
async fn no_client_follows_redirects_or_repeats_by_itself() {
    let elsewhere = Wire::always(page()).await;
    let target = format!("{}/stolen", elsewhere.url());
    let wire = Wire::always(Answer::empty(307).header("location", target)).await;
    let client = SharedHttpClient::new(|builder| {
        let again = reqwest::retry::for_host("127.0.0.1")
            .no_budget()
            .classify_fn(|answer| answer.retryable());
        builder
            .redirect(reqwest::redirect::Policy::limited(10))
            .referer(true)
            .retry(again)
    });
    let provider = confluent(&wire.url(), &client);
    let error = provider.list_page(&ListQuery::new(), None).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unexpected);
    assert_eq!(wire.seen().len(), 1, "nothing is repeated");
    elsewhere.assert_untouched("it is another origin");
}

#[tokio::test]
async fn a_client_with_cookies_is_refused() {
    let client = SharedHttpClient::new(|builder| builder.cookie_store(true));
    let builder = Confluent::builder().api_key("key", "secret");
    let error = builder.http_client(client).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.target(), Some("HTTP client"), "{error}");
}

#[tokio::test]
async fn what_the_client_has_is_not_set_beside_it() {
    let client = SharedHttpClient::default();
    let builder = || {
        let builder = Confluent::builder().api_key("key", "secret");
        builder.http_client(client.clone())
    };
    let with_timeout = builder().connect_timeout(Duration::from_secs(1));
    for (builder, target) in [
        (with_timeout, "connect_timeout"),
        (builder().ca_certificates("x"), "root certificates"),
        (builder().proxy("http://127.0.0.1:1"), "proxy"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(
            (error.kind(), error.target()),
            (ErrorKind::Config, Some(target))
        );
    }
}

#[tokio::test]
async fn providers_of_one_client_share_certificates() {
    let sandbox = Sandbox::start().await.unwrap();
    let relay = TlsRelay::start(sandbox.url()).await;
    let authority = reqwest::Certificate::from_pem(relay.authority.as_bytes()).unwrap();
    let configured = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&configured);
    let client = SharedHttpClient::new(move |builder| {
        counted.fetch_add(1, Ordering::SeqCst);
        builder.tls_certs_merge([authority.clone()])
    });
    let key = &sandbox.credentials().confluent;
    for _ in 0..3 {
        let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
        let builder = builder.base_url(relay.url.as_str());
        let provider = builder.http_client(client.clone()).build().unwrap();
        provider.list_page(&ListQuery::new(), None).await.unwrap();
    }
    assert_eq!(configured.load(Ordering::SeqCst), 1, "loaded once");
}

#[tokio::test]
async fn certificates_are_verified_whatever_the_client_says() {
    let sandbox = Sandbox::start().await.unwrap();
    let relay = TlsRelay::start(sandbox.url()).await;
    let client = SharedHttpClient::new(|builder| {
        builder
            .tls_danger_accept_invalid_certs(true)
            .tls_danger_accept_invalid_hostnames(true)
    });
    let provider = confluent(&relay.url, &client);
    let error = provider.list_page(&ListQuery::new(), None).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(sandbox.ledger().requests.is_empty());
}

/// Answers every request with the same body; says how often somebody connected.
fn counting_server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            counted.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                    if line == "\r\n" {
                        let body = r#"{"status":404,"error":"NOT_FOUND: none"}"#;
                        let _ = write!(
                            stream,
                            "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len()
                        );
                    }
                    line.clear();
                }
                let _ = reader.read(&mut [0]);
            });
        }
    });
    (url, connections)
}

#[tokio::test]
async fn providers_of_one_client_share_connections() {
    let (url, connections) = counting_server();
    let client = SharedHttpClient::default();
    let id = "11111111-2222-4333-8444-555555555555".parse().unwrap();
    confluent(&url, &client).get(&id).await.unwrap_err();
    clickhouse(&url, &client).get(&id).await.unwrap_err();
    confluent(&url, &client).get(&id).await.unwrap_err();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
