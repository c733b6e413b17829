//! The transport behind a client as progenitor generates it, against a server below HTTP.

mod attempts;
mod client;
mod credentials;
mod limits;
mod responses;
mod server;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod tls;
mod tracing_events;

use std::{sync::Arc, time::Duration};

use reqwest::header::HeaderMap;

use self::{client::Client, server::Server};
use crate::http::{
    Authorization, ClientOptions, Credentials, Endpoint, HttpClient, RetryPolicy, Service, headers,
};

/// Short enough for tests.
fn quick() -> RetryPolicy {
    RetryPolicy::default()
        .initial_delay(Duration::from_millis(1))
        .max_delay(Duration::from_millis(20))
        .deadline(Duration::from_secs(20))
}

fn options() -> ClientOptions {
    ClientOptions {
        retry: quick(),
        ..ClientOptions::default()
    }
}

fn request_id(headers: &HeaderMap, _: &[u8]) -> Option<String> {
    headers::text(headers, "x-request-id").map(str::to_owned)
}

fn http_client(url: &str, authorization: Authorization, options: ClientOptions) -> Arc<HttpClient> {
    let service = Service {
        name: "things",
        published_rate: None,
        request_id,
        is_own_refusal: |_, body| body != b"<html>",
    };
    let endpoint = Endpoint::new(&crate::http::BaseUrl::parse(url).unwrap(), None);
    HttpClient::new(service, endpoint, authorization, options).unwrap()
}

fn connect_with(url: &str, options: ClientOptions) -> Client {
    let credentials = Credentials::api_key("key", "hush-hush");
    let authorization = Authorization::fixed(&credentials, None).unwrap();
    Client::over(http_client(url, authorization, options))
}

fn connect(server: &Server) -> Client {
    connect_with(&server.url, options())
}
