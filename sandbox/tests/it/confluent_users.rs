//! Users and organisations on Confluent.

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, Sandbox};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const ADA: &str = "ada@example.com";
const USERS: &str = "/iam/v2/users";

async fn accepted(api: &Api) -> Value {
    let invitation = api.invite_confluent(ADA).await;
    api.sandbox.accept(Provider::Confluent, ADA).unwrap();
    invitation
}

async fn user(api: &Api, method: Method, id: &Value) -> Reply {
    let path = format!("{USERS}/{}", id.as_str().unwrap());
    send(api.confluent_at(method, &path)).await
}

async fn users(api: &Api) -> Vec<Value> {
    let list = send(api.confluent_at(Method::GET, USERS)).await;
    assert!(list.documented, "{list:?}");
    list.json()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_invitee_is_a_user_once_accepted() {
    let api = Api::start().await;
    let invitation = api.invite_confluent(ADA).await;
    let id = &invitation["user"]["id"];
    assert!(users(&api).await.is_empty());
    let unknown = user(&api, Method::GET, id).await;
    assert_eq!((unknown.status, unknown.documented), (404, true));

    api.sandbox.accept(Provider::Confluent, ADA).unwrap();
    let listed = users(&api).await;
    assert_eq!(listed.len(), 1);
    let read = user(&api, Method::GET, id).await;
    assert!(read.documented, "{read:?}");
    let read = read.json();
    assert_eq!(read, listed[0]);
    assert_eq!(read["metadata"]["self"], invitation["user"]["related"]);
    let resource_name = &read["metadata"]["resource_name"];
    assert_eq!(resource_name, &invitation["user"]["resource_name"]);
    assert_eq!(read["email"], ADA);
    assert_eq!(read["auth_type"], invitation["auth_type"]);
    assert_eq!(api.sandbox.members()[0].id, *id);
}

#[tokio::test]
async fn only_the_name_of_a_user_can_be_changed() {
    let api = Api::start().await;
    let id = accepted(&api).await["user"]["id"].clone();
    let path = format!("{USERS}/{}", id.as_str().unwrap());
    let body = json!({ "full_name": "Ada King", "email": "other@example.com" });
    let changed = send(api.confluent_at(Method::PATCH, &path).json(&body)).await;
    assert_eq!((changed.status, changed.documented), (200, true));
    let changed = changed.json();
    assert_eq!(changed["full_name"], "Ada King");
    assert_eq!(changed["email"], ADA);
    assert_eq!(user(&api, Method::GET, &id).await.json(), changed);
    let invalid = json!({ "full_name": 1 });
    let invalid = send(api.confluent_at(Method::PATCH, &path).json(&invalid)).await;
    assert_eq!(invalid.status, 422);
    let pointer = &invalid.confluent_error()["source"]["pointer"];
    assert_eq!(pointer, "/full_name");
    let nobody = format!("{USERS}/u-nobody");
    let nobody = send(api.confluent_at(Method::PATCH, &nobody).json(&json!({}))).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn a_deleted_user_can_be_invited_again() {
    let api = Api::start().await;
    let invitation = accepted(&api).await;
    let id = &invitation["user"]["id"];
    let again = api
        .confluent(Method::POST, "")
        .json(&json!({ "email": ADA }));
    let refused = send(again.try_clone().unwrap()).await;
    assert_eq!(refused.status, 409);
    let deleted = user(&api, Method::DELETE, id).await;
    assert_eq!((deleted.status, deleted.documented), (204, true));
    assert_eq!(user(&api, Method::GET, id).await.status, 404);
    assert_eq!(user(&api, Method::DELETE, id).await.status, 404);
    assert!(users(&api).await.is_empty());
    assert_eq!(send(again).await.status, 201);
    let ledger = api.sandbox.ledger();
    let operation = |path: &str| {
        let mut entries = ledger.requests.iter();
        entries.find(|it| it.path == path).unwrap().operation
    };
    assert_eq!(operation(USERS), Some("listIamV2Users"));
    assert_eq!(
        serde_json::to_value(&ledger.commits).unwrap()[2]["operation"],
        "remove"
    );
}

#[tokio::test]
async fn deleting_a_user_deletes_the_keys_of_the_user() {
    let api = Api::configured(json!({ "confluent": [{
        "keys": [
            { "api_key": "ONE", "api_secret": "s", "user": "u-1" },
            { "api_key": "TWO", "api_secret": "s", "user": "u-2" },
        ],
        "members": [{ "id": "u-2", "email": ADA, "full_name": "Ada" }],
    }] }))
    .await;
    let with_second_key = || {
        let request = api.http.get(api.url(USERS));
        send(request.basic_auth("TWO", Some("s")))
    };
    let listed = with_second_key().await.json();
    assert_eq!(listed["data"][0]["full_name"], "Ada");
    assert_eq!(user(&api, Method::DELETE, &json!("u-2")).await.status, 204);
    assert_eq!(with_second_key().await.status, 401);
    api.sandbox.reset();
    assert_eq!(with_second_key().await.status, 200);
    assert_eq!(api.sandbox.members().len(), 1);
}

#[tokio::test]
async fn seeded_users_come_page_by_page_and_cannot_be_invited() {
    let api = Api::with(Sandbox::builder().seed(3).seed_members(25)).await;
    let mut emails = Vec::new();
    let mut path = USERS.to_owned();
    loop {
        let page = send(api.confluent_at(Method::GET, &path)).await;
        assert!(page.documented, "{page:?}");
        let page = page.json();
        assert_eq!(page["metadata"]["total_size"], 25);
        for user in page["data"].as_array().unwrap() {
            emails.push(user["email"].as_str().unwrap().to_owned());
        }
        match page["metadata"]["next"].as_str() {
            Some(next) => path = next.strip_prefix(api.sandbox.url()).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(emails.len(), 25);
    assert_eq!(emails[24], "member25@seeded.example");

    let body = json!({ "email": "Member7@seeded.example" });
    let refused = send(api.confluent(Method::POST, "").json(&body)).await;
    assert_eq!(refused.status, 409);
    let detail = &refused.confluent_error()["detail"];
    assert_eq!(detail, "This user already exists within the Organization");
    let invalid = send(api.confluent_at(Method::GET, "/iam/v2/users?page_size=101")).await;
    assert_eq!(invalid.status, 400);
    assert_eq!(
        invalid.confluent_error()["source"]["parameter"],
        "page_size"
    );
}

#[tokio::test]
async fn faults_hit_lists_of_users() {
    let api = Api::with(Sandbox::builder().seed_members(3)).await;
    let rule = |fault| Rule::new(fault).on(Operation::ListMembers);
    api.sandbox.set_faults(Faults::script([
        rule(Fault::status_before(503)),
        rule(Fault::EmptyPage),
    ]));
    let failed = send(api.confluent_at(Method::GET, USERS)).await;
    assert_eq!(failed.status, 503);
    let empty = send(api.confluent_at(Method::GET, USERS)).await.json();
    assert_eq!(empty["data"], json!([]));
    let next = empty["metadata"]["next"].as_str().unwrap();
    let next = next.strip_prefix(api.sandbox.url()).unwrap();
    let full = send(api.confluent_at(Method::GET, next)).await.json();
    assert_eq!(full["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_key_sees_its_own_organisation_only() {
    let (one, two) = (
        "11111111-0000-4000-8000-000000000001",
        "22222222-0000-4000-8000-000000000002",
    );
    let api = Api::configured(json!({ "confluent": [
        { "id": one, "keys": [{ "api_key": "ONE", "api_secret": "s" }] },
        {
            "id": two,
            "keys": [{ "api_key": "TWO", "api_secret": "s" }],
            "members": [{ "id": "u-2", "email": ADA }],
        },
    ] }))
    .await;
    let path = "/org/v2/organizations";
    let list = send(api.confluent_at(Method::GET, path)).await;
    assert!(list.documented, "{list:?}");
    let list = list.json();
    assert_eq!(list["metadata"]["total_size"], 1);
    assert_eq!(list["data"][0]["id"], one);
    let read = send(api.confluent_at(Method::GET, &format!("{path}/{one}"))).await;
    assert!(read.documented, "{read:?}");
    assert_eq!(read.json(), list["data"][0]);
    for (id, status) in [(two, 403), ("none", 404)] {
        let reply = send(api.confluent_at(Method::GET, &format!("{path}/{id}"))).await;
        assert_eq!((reply.status, reply.documented), (status, true), "{id}");
    }
    let theirs = user(&api, Method::GET, &json!("u-2")).await;
    assert_eq!(theirs.status, StatusCode::FORBIDDEN);
    let wrong = send(api.confluent_at(Method::POST, path)).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET"));
}
