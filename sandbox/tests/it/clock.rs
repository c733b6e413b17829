//! The clock, and invitations in one form.

use std::time::Duration;

use org_invitations_sandbox::{AcceptError, InvitationStatus, Provider};
use reqwest::Method;
use serde_json::json;

use crate::api::{Api, send};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[tokio::test]
async fn an_invitation_expires_after_a_week() {
    let api = Api::start().await;
    let ada = api.invite_confluent("ada@example.com").await;
    api.invite_clickhouse("ada@example.com").await;
    api.sandbox.advance(WEEK - Duration::from_secs(60));
    let path = format!("/{}", ada["id"].as_str().unwrap());
    let status = async || {
        let reply = send(api.confluent(Method::GET, &path)).await;
        reply.json()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "INVITE_STATUS_SENT");
    let url = api.url("/_sandbox/clock");
    let reply = send(api.http.post(&url).json(&json!({ "advance_seconds": 60 }))).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json()["now"].is_string(), "{reply:?}");
    assert_eq!(status().await, "INVITE_STATUS_EXPIRED");
    for provider in [Provider::Confluent, Provider::ClickHouse] {
        let rejected = api.sandbox.accept(provider, "ada@example.com");
        assert_eq!(rejected, Err(AcceptError::Expired));
    }
    for wrong in [
        json!({}),
        json!({ "advance_seconds": -1 }),
        json!({ "seconds": 1 }),
    ] {
        let reply = send(api.http.post(&url).json(&wrong)).await;
        assert_eq!(reply.status, 422, "{wrong}: {reply:?}");
    }
}

#[tokio::test]
async fn all_invitations_have_one_form() {
    let api = Api::start().await;
    api.invite_clickhouse("Cy@example.com").await;
    let ada = api.invite_confluent("Ada@example.com").await;
    api.invite_confluent("bob@example.com").await;
    api.sandbox
        .accept(Provider::Confluent, "bob@example.com")
        .unwrap();
    api.sandbox.advance(WEEK);
    api.invite_clickhouse("dan@example.com").await;

    let all = api.sandbox.invitations();
    let seen: Vec<_> = all
        .iter()
        .map(|entry| (entry.provider, entry.email.as_str(), entry.status))
        .collect();
    assert_eq!(
        seen,
        [
            (
                Provider::Confluent,
                "Ada@example.com",
                InvitationStatus::Expired
            ),
            (
                Provider::Confluent,
                "bob@example.com",
                InvitationStatus::Accepted
            ),
            (
                Provider::ClickHouse,
                "cy@example.com",
                InvitationStatus::Expired
            ),
            (
                Provider::ClickHouse,
                "dan@example.com",
                InvitationStatus::Sent
            ),
        ]
    );
    let url = api.url("/_sandbox/invitations");
    let shown = send(api.http.get(url)).await.json();
    assert_eq!(shown, json!({ "invitations": all, "total": 4 }));
    let first = &shown["invitations"][0];
    assert_eq!(first["id"], ada["id"]);
    assert_eq!(first["provider"], "confluent");
    assert_eq!(first["status"], "expired");
    assert_eq!(first["accepted_at"], json!(null));
    let requests = api.sandbox.ledger().requests.len();
    assert_eq!(requests, 4, "looking is not recorded");
}
