//! A request over its own TCP connection, to see what happens to the connection.

use std::io::ErrorKind;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use org_invitations_sandbox::Provider;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api::Api;

/// How long without bytes counts as idle.
pub const IDLE_TIMEOUT: Duration = Duration::from_millis(250);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Reset,
    /// Open, without further bytes.
    Idle,
}

/// The bytes received on a connection, and how it ended.
#[derive(Debug)]
pub struct RawResponse {
    pub text: String,
    pub end: End,
}

impl RawResponse {
    pub fn head(&self) -> &str {
        self.text
            .split_once("\r\n\r\n")
            .map_or("", |(head, _)| head)
    }

    pub fn body(&self) -> &str {
        self.text
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
    }

    pub fn content_length(&self) -> usize {
        let head = self.head().to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap_or_else(|| panic!("no length: {self:?}"));
        length.parse().unwrap()
    }
}

/// Creates an invitation over a new connection.
pub async fn create(api: &Api, provider: Provider, email: &str) -> RawResponse {
    let body = format!(r#"{{"email":"{email}"}}"#);
    ask(api, provider, "POST", "", &body).await
}

pub async fn ask(
    api: &Api,
    provider: Provider,
    method: &str,
    path: &str,
    body: &str,
) -> RawResponse {
    let mut stream = connect(api).await;
    let request = request(api, provider, method, path, body);
    stream.write_all(request.as_bytes()).await.unwrap();
    receive(&mut stream).await
}

pub async fn connect(api: &Api) -> TcpStream {
    let address = api.sandbox.url().strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

pub fn request(api: &Api, provider: Provider, method: &str, path: &str, body: &str) -> String {
    let credentials = api.sandbox.credentials();
    let (root, key, secret) = match provider {
        Provider::Confluent => (
            "/iam/v2/invitations".to_owned(),
            &credentials.confluent.api_key,
            &credentials.confluent.api_secret,
        ),
        _ => (
            format!(
                "/v1/organizations/{}/invitations",
                credentials.clickhouse.organization_id
            ),
            &credentials.clickhouse.api_key,
            &credentials.clickhouse.api_secret,
        ),
    };
    format!(
        "{method} {root}{path} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Basic {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        STANDARD.encode(format!("{key}:{secret}")),
        body.len(),
    )
}

/// Reads until the connection ends or is idle.
pub async fn receive(stream: &mut TcpStream) -> RawResponse {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        match tokio::time::timeout(IDLE_TIMEOUT, stream.read(&mut buffer)).await {
            Err(_elapsed) => break End::Idle,
            Ok(Ok(0)) => break End::Closed,
            Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Ok(Err(error)) => panic!("{error}"),
        }
    };
    let text = String::from_utf8(bytes).unwrap();
    RawResponse { text, end }
}
