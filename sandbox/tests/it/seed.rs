//! The invitations at the start.

use org_invitations_sandbox::{Provider, Sandbox};
use reqwest::Method;
use serde_json::Value;

use crate::api::{Api, send};

async fn ids(api: &Api) -> (Vec<Value>, Vec<Value>) {
    let page = send(api.confluent(Method::GET, "?page_size=99"))
        .await
        .json();
    assert_eq!(page["metadata"]["total_size"], 25);
    let list = send(api.clickhouse(Method::GET, "")).await.json();
    let ids = |all: &Value| {
        let all = all.as_array().unwrap().iter();
        all.map(|it| it["id"].clone()).collect()
    };
    (ids(&page["data"]), ids(&list["result"]))
}

#[tokio::test]
async fn seeded_invitations_are_the_same_in_every_sandbox() {
    let api = Api::with(Sandbox::builder().seed(25)).await;
    let seeded = ids(&api).await;
    assert_eq!((seeded.0.len(), seeded.1.len()), (25, 25));
    let other = Api::with(Sandbox::builder().seed(25)).await;
    assert_eq!(ids(&other).await, seeded);
    assert!(
        api.sandbox.ledger().commits.is_empty(),
        "seeds are not in the ledger"
    );

    for provider in [Provider::Confluent, Provider::ClickHouse] {
        api.sandbox
            .accept(provider, "user7@seeded.example")
            .unwrap();
    }
    let path = format!("/{}", seeded.0[0].as_str().unwrap());
    let deleted = send(api.confluent(Method::DELETE, &path)).await;
    assert_eq!(deleted.status, 204);
    api.sandbox.reset();
    assert_eq!(ids(&api).await, seeded);
}

#[tokio::test]
async fn seeded_invitations_behave_like_others() {
    let api = Api::with(Sandbox::builder().seed(3)).await;
    let all = send(api.confluent(Method::GET, "")).await.json();
    let first = &all["data"][0];
    assert_eq!(first["status"], "INVITE_STATUS_SENT");
    let path = format!("?user={}", first["user"]["id"].as_str().unwrap());
    let found = send(api.confluent(Method::GET, &path)).await.json();
    assert_eq!(found["data"][0], *first);
    assert_eq!(found["metadata"]["total_size"], 1);
    let invited = api.invite_confluent("user4@seeded.example").await;
    let own = api.invite_clickhouse("user4@seeded.example").await;
    assert_ne!(invited["id"], own["id"]);
}
