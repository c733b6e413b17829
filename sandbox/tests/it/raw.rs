//! One request over a connection of its own, to see what happens to the connection.

use std::io::ErrorKind;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use org_invitations_sandbox::Provider;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api::Api;

/// How long a silence is taken for one without end.
pub const SILENCE: Duration = Duration::from_millis(250);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Reset,
    /// It is open, and nothing comes.
    Silent,
}

/// All that came on a connection, and how it ended.
#[derive(Debug)]
pub struct Heard {
    pub text: String,
    pub end: End,
}

impl Heard {
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

    pub fn stated_length(&self) -> usize {
        let head = self.head().to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap_or_else(|| panic!("no length: {self:?}"));
        length.parse().unwrap()
    }
}

/// Creates an invitation of `email`, keeping the connection alive.
pub async fn create(api: &Api, provider: Provider, email: &str) -> Heard {
    let body = format!(r#"{{"email":"{email}"}}"#);
    ask(api, provider, "POST", "", &body).await
}

pub async fn ask(api: &Api, provider: Provider, method: &str, path: &str, body: &str) -> Heard {
    let mut stream = connect(api).await;
    let request = request(api, provider, method, path, body);
    stream.write_all(request.as_bytes()).await.unwrap();
    hear(&mut stream).await
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

/// Reads until the connection ends, or nothing comes any more.
pub async fn hear(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        match tokio::time::timeout(SILENCE, stream.read(&mut buffer)).await {
            Err(_elapsed) => break End::Silent,
            Ok(Ok(0)) => break End::Closed,
            Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Ok(Err(error)) => panic!("{error}"),
        }
    };
    let text = String::from_utf8(bytes).unwrap();
    Heard { text, end }
}
