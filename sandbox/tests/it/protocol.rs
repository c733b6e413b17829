//! HTTP itself: versions, connections, unknown parameters.

use org_invitations_sandbox::Provider;
use reqwest::{Client, Method, Version};
use tokio::io::AsyncWriteExt as _;

use crate::api::{Api, send};
use crate::raw_http;

#[tokio::test]
async fn http_2_without_tls_is_spoken_by_prior_knowledge() {
    let mut api = Api::start().await;
    api.http = Client::builder().http2_prior_knowledge().build().unwrap();
    let ada = api.invite_confluent("ada@example.com").await;
    api.invite_clickhouse("ada@example.com").await;
    let path = format!("/{}", ada["id"].as_str().unwrap());
    let reply = api.confluent(Method::GET, &path).send().await.unwrap();
    assert_eq!(reply.version(), Version::HTTP_2);
    assert_eq!(reply.status(), 200);
    let requests = (0..50).map(|_| tokio::spawn(send(api.confluent(Method::GET, ""))));
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_connection_is_kept_alive_after_an_error() {
    let api = Api::start().await;
    let mut stream = raw_http::connect(&api).await;
    for path in ["", "/i-none", "?page_size=x", ""] {
        let request = raw_http::request(&api, Provider::Confluent, "GET", path, "");
        stream.write_all(request.as_bytes()).await.unwrap();
        let response = raw_http::receive(&mut stream).await;
        assert_eq!(response.end, raw_http::End::Idle, "{response:?}");
        assert!(response.text.starts_with("HTTP/1.1 "), "{response:?}");
        assert_eq!(response.body().len(), response.content_length());
    }
    let two = raw_http::request(&api, Provider::ClickHouse, "GET", "", "").repeat(2);
    stream.write_all(two.as_bytes()).await.unwrap();
    let response = raw_http::receive(&mut stream).await;
    assert_eq!(
        response.text.matches("HTTP/1.1 200").count(),
        2,
        "{response:?}"
    );
}

#[tokio::test]
async fn unknown_query_parameters_are_ignored() {
    let api = Api::start().await;
    let ada = api.invite_confluent("ada@example.com").await;
    api.invite_clickhouse("ada@example.com").await;
    let path = format!("/{}?expand=user&x", ada["id"].as_str().unwrap());
    let reply = send(api.confluent(Method::GET, &path)).await;
    assert_eq!(reply.json(), ada);
    let listed = send(api.confluent(Method::GET, "?Email=bob&foo[bar]=%FF&&=")).await;
    assert_eq!(listed.json()["data"][0], ada);
    let listed = send(api.clickhouse(Method::GET, "?limit=0&email=bob")).await;
    assert_eq!(listed.json()["result"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_reply_has_its_own_request_id() {
    let api = Api::start().await;
    let mut seen = std::collections::HashSet::new();
    for path in ["", "/i-none", "?page_size=x"] {
        let reply = send(api.confluent(Method::GET, path)).await;
        let id = reply.header("x-request-id").to_owned();
        assert_eq!(id.len(), 32, "{id}");
        assert!(seen.insert(id));
    }
    for path in ["", "/x"] {
        let reply = send(api.clickhouse(Method::GET, path)).await.json();
        assert!(seen.insert(reply["requestId"].as_str().unwrap().to_owned()));
    }
}
