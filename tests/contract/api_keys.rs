//! API keys: what is sent, and what is made of each answer.

use org_invitations::{
    Confluent, ErrorKind, InvitationProvider, MemberId, MemberProvider, RetryPolicy,
};
use serde_json::{Value, json};

use crate::{
    backend::{KEY, SECRET},
    support::{Answer, Wire},
};

const LEAKED: &str = "the-secret-of-a-key";

async fn answering(body: &Value) -> (Wire, Confluent) {
    let wire = Wire::always(Answer::json(200, body)).await;
    let builder = Confluent::builder().api_key(KEY, SECRET);
    let builder = builder.base_url(wire.url()).retry(RetryPolicy::none());
    let provider = builder.build().unwrap();
    (wire, provider)
}

fn key(id: &str, owner: &Value) -> Value {
    let spec = json!({ "display_name": "Export", "secret": LEAKED, "owner": owner, "purpose": 7 });
    json!({ "id": id, "metadata": {}, "secret": LEAKED, "spec": spec, "unknown": [1] })
}

fn ann() -> MemberId {
    MemberId::new("u-1").unwrap()
}

#[tokio::test]
async fn keys_have_no_secret_and_lose_nothing_else() {
    let of_ann = key("K-1", &json!({ "id": "u-1" }));
    let of_bob = key("K-2", &json!({ "id": "u-2" }));
    let body = json!({ "data": [of_ann, of_bob], "metadata": {} });
    let (wire, provider) = answering(&body).await;
    if !provider.capabilities().api_keys {
        return;
    }
    let keys = provider.api_keys(&ann()).await.unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(keys[0].name.as_deref(), Some("Export"));
    assert_eq!(keys[0].extra["unknown"], json!([1]));
    assert_eq!(keys[0].extra["spec"]["purpose"], 7);
    let shown = format!("{keys:?} {}", serde_json::to_string(&keys).unwrap());
    assert!(!shown.contains(LEAKED), "{shown}");
    let seen = wire.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, "/iam/v2/api-keys");
    let owner = ("spec.owner".to_owned(), "u-1".to_owned());
    assert!(seen[0].query.contains(&owner), "{:?}", seen[0].query);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_an_error_without_it() {
    let odd = key("K-2", &json!({ "kind": "User" }));
    let list = json!({ "data": [key("K-1", &json!({ "id": "u-1" })), odd], "metadata": {} });
    let (_wire, provider) = answering(&list).await;
    if !provider.capabilities().api_keys {
        return;
    }
    let error = provider.api_keys(&ann()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("spec.owner"), "{shown}");
    assert!(!shown.contains(LEAKED), "{shown}");
}

#[tokio::test]
async fn the_owner_is_that_of_the_key_in_use() {
    for (id, owner, expected) in [
        (KEY, json!({ "id": "u-1", "kind": "User" }), Some("u-1")),
        (KEY, json!({ "id": "u-1" }), Some("u-1")),
        (KEY, json!({ "id": "sa-1", "kind": "ServiceAccount" }), None),
        (KEY, json!({ "id": "sa-1" }), None),
    ] {
        let (wire, provider) = answering(&key(id, &owner)).await;
        if !provider.capabilities().api_keys {
            return;
        }
        let found = provider.key_owner().await.unwrap();
        assert_eq!(found.as_ref().map(MemberId::as_str), expected, "{owner}");
        assert_eq!(wire.seen()[0].path, format!("/iam/v2/api-keys/{KEY}"));
    }
    for body in [
        key("another", &json!({ "id": "u-1" })),
        key(KEY, &json!({})),
        key(KEY, &Value::Null),
        json!({ "id": KEY }),
        json!({ "id": KEY, "spec": { "owner": { "id": "u-1" } }, "errors": [{ "detail": LEAKED }] }),
    ] {
        let (_wire, provider) = answering(&body).await;
        let error = provider.key_owner().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        let excerpt = error.body_excerpt().unwrap_or_default();
        assert_eq!(excerpt, "", "{body}");
    }
}
