//! Each operation with each documented status of the sandbox. `send` validates the replies.

use org_invitations_sandbox::Provider;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::api::{Api, send};

async fn assert_documented(request: RequestBuilder, status: u16) {
    let reply = send(request).await;
    assert_eq!(reply.status, status, "{reply:?}");
    assert!(reply.documented, "not validated: {reply:?}");
}

#[tokio::test]
async fn confluent_replies_are_as_documented() {
    let api = Api::start().await;
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let ada = json!({ "email": "ada@example.com" });
    let url = api.url("/iam/v2/invitations");
    let item = api.url("/iam/v2/invitations/i-none");

    assert_documented(api.confluent(post.clone(), "").json(&ada), 201).await;
    assert_documented(api.confluent(post.clone(), "").json(&ada), 409).await;
    assert_documented(api.confluent(post.clone(), "").json(&json!({})), 422).await;
    assert_documented(api.confluent(post.clone(), "").body("{"), 400).await;
    assert_documented(api.http.post(&url).json(&ada), 401).await;
    assert_documented(api.http.post(&url).bearer_auth("wrong").json(&ada), 401).await;

    api.invite_confluent("bob@example.com").await;
    assert_documented(api.confluent(get.clone(), ""), 200).await;
    assert_documented(api.confluent(get.clone(), "?page_size=1"), 200).await;
    assert_documented(api.confluent(get.clone(), "?email=nobody"), 200).await;
    assert_documented(api.confluent(get.clone(), "?page_size=x"), 400).await;
    assert_documented(api.http.get(&url), 401).await;

    let cy = api.invite_confluent("cy@example.com").await;
    let cy = format!("/{}", cy["id"].as_str().unwrap());
    assert_documented(api.confluent(get.clone(), &cy), 200).await;
    assert_documented(api.confluent(get.clone(), "/i-none"), 404).await;
    assert_documented(api.http.get(&item), 401).await;

    let dan = api.invite_confluent("dan@example.com").await;
    let dan = format!("/{}", dan["id"].as_str().unwrap());
    let accepted = api.sandbox.accept(Provider::Confluent, "dan@example.com");
    accepted.unwrap();
    assert_documented(api.confluent(get, &dan), 200).await;
    assert_documented(api.confluent(delete.clone(), &dan), 400).await;
    assert_documented(api.confluent(delete.clone(), &cy), 204).await;
    assert_documented(api.confluent(delete, &cy), 404).await;
    assert_documented(api.http.delete(&item), 401).await;
}

#[tokio::test]
async fn clickhouse_replies_are_as_documented() {
    let api = Api::start().await;
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let ada = json!({ "email": "ada@example.com" });

    assert_documented(api.clickhouse(get.clone(), ""), 200).await;
    assert_documented(api.clickhouse(post.clone(), "").json(&ada), 200).await;
    assert_documented(api.clickhouse(post.clone(), "").body("{"), 400).await;
    assert_documented(api.clickhouse(get.clone(), ""), 200).await;
    assert_documented(api.clickhouse_in("x", get.clone(), ""), 400).await;
    assert_documented(api.clickhouse_in("x", post, ""), 400).await;

    let bob = api.invite_clickhouse("bob@example.com").await;
    let bob = format!("/{}", bob["id"].as_str().unwrap());
    assert_documented(api.clickhouse(get.clone(), &bob), 200).await;
    assert_documented(api.clickhouse(get, "/x"), 400).await;
    assert_documented(api.clickhouse(delete.clone(), &bob), 200).await;
    assert_documented(api.clickhouse(delete, "/x"), 400).await;
}
