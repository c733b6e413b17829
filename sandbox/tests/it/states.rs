//! The states an invitation goes through on Confluent.

use std::time::Duration;

use org_invitations_sandbox::{AcceptError, InvitationStatus, Provider};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const ADA: &str = "ada@example.com";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn with_organization(organization: Value) -> Api {
    Api::configured(json!({ "confluent": [organization] })).await
}

async fn request(api: &Api, method: Method, id: &Value) -> Reply {
    let path = format!("/{}", id.as_str().unwrap());
    send(api.confluent(method, &path)).await
}

async fn create(api: &Api) -> Reply {
    let request = api.confluent(Method::POST, "");
    send(request.json(&json!({ "email": ADA }))).await
}

async fn emails_of(api: &Api, status: &str) -> usize {
    let path = format!("?status=INVITE_STATUS_{status}");
    let page = send(api.confluent(Method::GET, &path)).await.json();
    let total = page["metadata"]["total_size"].as_u64().unwrap();
    assert_eq!(page["data"].as_array().unwrap().len() as u64, total);
    total as usize
}

#[tokio::test]
async fn staged_then_sent_then_expired() {
    let api = with_organization(json!({ "staging_seconds": 60 })).await;
    let ada = api.invite_confluent(ADA).await;
    assert_eq!(ada["status"], "INVITE_STATUS_STAGED");
    let rejected = api.sandbox.accept(Provider::Confluent, ADA);
    assert_eq!(rejected, Err(AcceptError::NotSent));
    let body = json!({ "provider": "confluent", "email": ADA });
    let reply = api.admin(Method::POST, "/_sandbox/accept", &body).await;
    assert_eq!(reply.status, 409);
    assert_eq!(
        api.sandbox.invitations()[0].status,
        InvitationStatus::Staged
    );
    assert_eq!(emails_of(&api, "STAGED").await, 1);

    api.sandbox.advance(Duration::from_secs(60));
    let sent = request(&api, Method::GET, &ada["id"]).await.json();
    assert_eq!(sent["status"], "INVITE_STATUS_SENT");
    assert_eq!(emails_of(&api, "STAGED").await, 0);

    api.sandbox.advance(7 * DAY);
    let expired = request(&api, Method::GET, &ada["id"]).await.json();
    assert_eq!(expired["status"], "INVITE_STATUS_EXPIRED");
    assert_eq!(emails_of(&api, "EXPIRED").await, 1);
}

#[tokio::test]
async fn an_expired_invitation_conflicts_and_can_be_deleted() {
    let api = Api::start().await;
    let ada = api.invite_confluent(ADA).await;
    api.sandbox.advance(8 * DAY);
    let rejected = create(&api).await;
    assert_eq!(rejected.status, 409);
    assert_eq!(rejected.header("location"), ada["metadata"]["self"]);
    assert_eq!(request(&api, Method::DELETE, &ada["id"]).await.status, 204);
    assert_eq!(create(&api).await.status, 201);
}

#[tokio::test]
async fn an_accepted_invitation_is_a_user() {
    let api = Api::start().await;
    let ada = api.invite_confluent(ADA).await;
    let body = json!({ "provider": "confluent", "email": "ADA@example.com" });
    let reply = api.admin(Method::POST, "/_sandbox/accept", &body).await;
    assert_eq!(reply.json(), json!({ "id": ada["id"] }));
    let accepted = request(&api, Method::GET, &ada["id"]).await.json();
    assert_eq!(accepted["status"], "INVITE_STATUS_ACCEPTED");
    assert!(accepted["accepted_at"].is_string(), "{accepted}");
    assert_eq!(accepted["user"], ada["user"]);

    let rejected = create(&api).await;
    assert_eq!(rejected.status, 409);
    let detail = &rejected.confluent_error()["detail"];
    assert_eq!(detail, "This user already exists within the Organization");
    let rejected = request(&api, Method::DELETE, &ada["id"]).await;
    assert_eq!(rejected.status, 400);
    let detail = &rejected.confluent_error()["detail"];
    assert_eq!(detail, "The invitation was already accepted");
}

#[tokio::test]
async fn a_deleted_invitation_is_removed_or_deactivated() {
    let api = Api::start().await;
    let ada = api.invite_confluent(ADA).await;
    assert_eq!(request(&api, Method::DELETE, &ada["id"]).await.status, 204);
    assert_eq!(request(&api, Method::GET, &ada["id"]).await.status, 404);
    assert!(api.sandbox.invitations().is_empty());

    let api = with_organization(json!({ "keep_deleted": true })).await;
    let ada = api.invite_confluent(ADA).await;
    assert_eq!(request(&api, Method::DELETE, &ada["id"]).await.status, 204);
    let deleted = request(&api, Method::GET, &ada["id"]).await.json();
    assert_eq!(deleted["status"], "INVITE_STATUS_DEACTIVATED");
    assert!(deleted["metadata"]["deleted_at"].is_string(), "{deleted}");
    assert_eq!(request(&api, Method::DELETE, &ada["id"]).await.status, 404);
    let rejected = api.sandbox.accept(Provider::Confluent, ADA);
    assert_eq!(rejected, Err(AcceptError::NotInvited));

    let again = create(&api).await.json();
    assert_ne!(again["id"], ada["id"]);
    assert_eq!(emails_of(&api, "DEACTIVATED").await, 1);
    assert_eq!(emails_of(&api, "SENT").await, 1);
    let path = format!("?email={ADA}");
    let both = send(api.confluent(Method::GET, &path)).await.json();
    assert_eq!(both["metadata"]["total_size"], 2);
    let statuses = api.sandbox.invitations();
    let statuses: Vec<_> = statuses.iter().map(|it| it.status).collect();
    assert_eq!(
        statuses,
        [InvitationStatus::Deactivated, InvitationStatus::Sent]
    );
    let shown = api.admin(Method::GET, "/_sandbox/invitations", &json!(null));
    assert_eq!(
        shown.await.json()["invitations"][0]["status"],
        "deactivated"
    );
}
