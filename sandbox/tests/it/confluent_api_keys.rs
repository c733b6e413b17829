//! API keys on Confluent, and their owners.

use org_invitations_sandbox::{ConfluentKey, Fault, Faults, Operation, Rule};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const KEYS: &str = "/iam/v2/api-keys";

async fn api() -> Api {
    Api::configured(json!({ "confluent": [
        {
            "keys": [
                { "api_key": "ADMIN", "api_secret": "s", "user": "u-1", "display_name": "Invitations" },
                { "api_key": "READER", "api_secret": "s", "user": "u-2", "rights": "reader" },
                { "api_key": "KAFKA", "api_secret": "s", "user": "u-2", "resource": "lkc-1", "description": "Orders" },
                { "api_key": "ROBOT", "api_secret": "s", "user": "sa-1" },
                { "api_key": "NONE", "api_secret": "s", "user": "u-1", "rights": "none" },
            ],
            "members": [
                { "id": "u-1", "email": "ada@example.com" },
                { "id": "u-2", "email": "bob@example.com" },
            ],
        },
        { "keys": [{ "api_key": "OTHER", "api_secret": "s" }] },
    ] }))
    .await
}

async fn get(api: &Api, key: &str, path: &str) -> Reply {
    let request = api.http.get(api.url(&format!("{KEYS}{path}")));
    send(request.basic_auth(key, Some("s"))).await
}

async fn ids(api: &Api, key: &str, query: &str) -> Vec<Value> {
    let list = get(api, key, query).await;
    assert!(list.documented && list.status == 200, "{list:?}");
    let list = list.json();
    let keys = list["data"].as_array().unwrap().iter();
    keys.map(|key| key["id"].clone()).collect()
}

#[tokio::test]
async fn keys_are_listed_by_owner_and_resource_without_secrets() {
    let api = api().await;
    assert_eq!(
        ids(&api, "ADMIN", "").await,
        ["ADMIN", "READER", "KAFKA", "ROBOT", "NONE"]
    );
    assert_eq!(
        ids(&api, "ADMIN", "?spec.owner=u-2").await,
        ["READER", "KAFKA"]
    );
    assert_eq!(ids(&api, "ADMIN", "?spec.resource=lkc-1").await, ["KAFKA"]);
    assert!(ids(&api, "ADMIN", "?spec.owner=u-").await.is_empty());
    let list = get(&api, "ADMIN", "?spec.owner=u-2").await;
    assert!(!list.text.contains("secret"), "{}", list.text);
    let list = list.json();
    assert_eq!(list["metadata"]["total_size"], 2);
    assert_eq!(list["data"][0]["spec"]["resource"], Value::Null);
    let kafka = &list["data"][1];
    assert_eq!(kafka["spec"]["description"], "Orders");
    assert_eq!(kafka["spec"]["resource"]["kind"], "Cluster");
    assert_eq!(*kafka, get(&api, "ADMIN", "/KAFKA").await.json());
    let odd = get(&api, "ADMIN", "?show_expired=maybe").await;
    assert_eq!((odd.status, odd.documented), (400, true));
    let prefixes = Rule::new(Fault::FiltersAsPrefixes).on(Operation::ListApiKeys);
    api.sandbox.set_faults(Faults::script([prefixes]));
    assert_eq!(ids(&api, "ADMIN", "?spec.owner=u-").await.len(), 4);
}

#[tokio::test]
async fn pages_of_keys_follow_each_other() {
    let api = api().await;
    let page = get(&api, "ADMIN", "?page_size=2&spec.owner=u-1")
        .await
        .json();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert!(page["metadata"].get("next").is_none(), "{page}");
    let page = get(&api, "ADMIN", "?page_size=3").await.json();
    let next = page["metadata"]["next"].as_str().unwrap();
    let rest = next.split_once(KEYS).unwrap().1;
    assert_eq!(ids(&api, "ADMIN", rest).await, ["ROBOT", "NONE"]);
}

#[tokio::test]
async fn a_key_sees_the_keys_that_its_rights_allow() {
    let api = api().await;
    assert_eq!(ids(&api, "READER", "").await, ["READER", "KAFKA"]);
    let own = get(&api, "READER", "/READER").await.json();
    assert_eq!(own["spec"]["owner"]["id"], "u-2");
    assert_eq!(own["spec"]["owner"]["kind"], "User");
    assert_eq!(get(&api, "READER", "/ADMIN").await.status, 404);
    assert_eq!(get(&api, "ADMIN", "/OTHER").await.status, 404);
    assert_eq!(get(&api, "NONE", "").await.status, 403);
    // A key for a cluster is none for this API.
    assert_eq!(get(&api, "KAFKA", "").await.status, 401);
    let robot = get(&api, "ROBOT", "/ROBOT").await.json();
    assert_eq!(robot["spec"]["owner"]["kind"], "ServiceAccount");
    let posted = api.http.post(api.url(KEYS));
    assert_eq!(send(posted).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn added_keys_go_with_their_owner_and_at_a_reset() {
    let api = api().await;
    let further = || ConfluentKey::new("FURTHER", "s").user("u-2");
    api.sandbox.add_confluent_key(further()).unwrap();
    let twice = api.sandbox.add_confluent_key(further()).unwrap_err();
    assert!(twice.to_string().contains("FURTHER"), "{twice}");
    assert_eq!(ids(&api, "FURTHER", "?spec.owner=u-2").await.len(), 3);
    let listed = api.sandbox.api_keys();
    assert_eq!(listed.len(), 7);

    let user = api.url("/iam/v2/users/u-2");
    let deleted = api.http.request(Method::DELETE, user);
    let deleted = send(deleted.basic_auth("ADMIN", Some("s"))).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(get(&api, "FURTHER", "").await.status, 401);
    assert_eq!(get(&api, "ADMIN", "/KAFKA").await.status, 404);
    assert_eq!(ids(&api, "ADMIN", "").await, ["ADMIN", "ROBOT", "NONE"]);

    api.sandbox.reset();
    assert_eq!(api.sandbox.api_keys().len(), 6);
    assert_eq!(get(&api, "READER", "").await.status, 200);
    assert_eq!(get(&api, "FURTHER", "").await.status, 401);
}
