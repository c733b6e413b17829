//! Quotas.

use org_invitations_sandbox::{Provider, Quota, Quotas};
use reqwest::Method;
use serde_json::json;

use crate::api::{Api, Reply, send};

async fn create(api: &Api, email: &str) -> Reply {
    let request = api.confluent(Method::POST, "");
    send(request.json(&json!({ "email": email }))).await
}

#[tokio::test]
async fn a_create_over_the_quota_is_answered_with_402() {
    let api = Api::start().await;
    let two = Quotas::default().confluent(Quota::new(2));
    api.sandbox.set_quotas(two);
    let ada = api.invite_confluent("ada@example.com").await;
    api.invite_confluent("bob@example.com").await;
    let accepted = api.sandbox.accept(Provider::Confluent, "bob@example.com");
    accepted.unwrap();

    let reply = create(&api, "cy@example.com").await;
    assert_eq!(reply.status, 402);
    assert!(reply.documented);
    let error = reply.confluent_error();
    assert_eq!(error["code"], "quota_exceeded");
    let detail = error["detail"].as_str().unwrap();
    assert!(detail.contains("invitations_per_org"), "{detail}");
    assert_eq!(create(&api, "ada@example.com").await.status, 409);
    assert_eq!(api.sandbox.ledger().commits.len(), 3);

    let path = format!("/{}", ada["id"].as_str().unwrap());
    send(api.confluent(Method::DELETE, &path)).await;
    api.invite_confluent("cy@example.com").await;
    api.invite_clickhouse("cy@example.com").await;
}

#[tokio::test]
async fn the_status_over_the_quota_can_be_400() {
    let api = Api::start().await;
    let none = Quotas::default().confluent(Quota::new(0).as_bad_request());
    api.sandbox.set_quotas(none);
    let reply = create(&api, "ada@example.com").await;
    assert_eq!(reply.status, 400);
    let error = reply.confluent_error();
    assert_eq!(error["code"], "quota_exceeded");
}

#[tokio::test]
async fn the_quota_is_set_and_read_over_http() {
    let api = Api::start().await;
    let (put, quota) = (Method::PUT, "/_sandbox/quota");
    let one = json!({ "confluent": { "invitations_per_org": 1 } });
    assert_eq!(api.admin(put.clone(), quota, &one).await.status, 204);
    api.invite_confluent("ada@example.com").await;
    assert_eq!(create(&api, "bob@example.com").await.status, 402);
    let read = api.admin(Method::GET, quota, &json!(null)).await.json();
    let written = json!({ "confluent": { "invitations_per_org": 1, "status": 402 } });
    assert_eq!(read, written);
    for wrong in [
        json!({ "confluent": { "invitations_per_org": -1 } }),
        json!({ "confluent": { "invitations_per_org": 1, "status": 409 } }),
        json!({ "clickhouse": { "invitations_per_org": 1 } }),
    ] {
        let reply = api.admin(put.clone(), quota, &wrong).await;
        assert_eq!(reply.status, 422, "{wrong}");
    }
    assert_eq!(api.admin(put, quota, &json!({})).await.status, 204);
    api.invite_confluent("bob@example.com").await;
}
