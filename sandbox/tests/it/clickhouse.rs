//! ClickHouse: authentication, the four operations, and errors.

use chrono::{DateTime, TimeDelta};
use org_invitations_sandbox::{Provider, SYSTEM_ROLES};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

async fn create(api: &Api, body: Value) -> Reply {
    send(api.clickhouse(POST, "").json(&body)).await
}

fn path(invitation: &Value) -> String {
    format!("/{}", invitation["id"].as_str().unwrap())
}

fn assert_error(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    let error = reply.clickhouse_error();
    assert!(error.starts_with(&format!("{code}: ")), "{error}");
}

#[tokio::test]
async fn a_created_invitation_has_every_property() {
    let api = Api::start().await;
    let reply = create(&api, json!({ "email": "Ada.L@Example.com" })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["status"], 200);
    assert_eq!(body["requestId"].as_str().unwrap().len(), 36);

    let invitation = &body["result"];
    assert_eq!(invitation["id"].as_str().unwrap().len(), 36);
    assert_eq!(invitation["email"], "ada.l@example.com", "in lower case");
    assert_eq!(invitation["role"], "developer");
    let assigned = invitation["assignedRoles"].as_array().unwrap();
    assert_eq!(assigned.len(), 1, "{invitation}");
    assert_eq!(assigned[0]["roleName"], "Developer");
    assert_eq!(assigned[0]["roleType"], "system");
    let created = invitation["createdAt"].as_str().unwrap();
    let expires = invitation["expireAt"].as_str().unwrap();
    for time in [created, expires] {
        assert_eq!(time.len(), "2025-01-02T03:04:05.678Z".len(), "{time}");
    }
    let time = |text| DateTime::parse_from_rfc3339(text).unwrap();
    assert_eq!(time(expires) - time(created), TimeDelta::days(7));
}

#[tokio::test]
async fn roles_are_assigned_by_legacy_name_or_by_id() {
    let api = Api::start().await;
    let [admin, developer, billing] = SYSTEM_ROLES;
    for (number, (body, role, assigned)) in [
        (json!({ "role": "admin" }), "admin", vec![admin]),
        (json!({ "role": "developer" }), "developer", vec![developer]),
        (json!({ "assignedRoleIds": [] }), "developer", vec![]),
        (
            json!({ "assignedRoleIds": [billing.id] }),
            "developer",
            vec![billing],
        ),
        (
            json!({ "assignedRoleIds": [billing.id, admin.id] }),
            "admin",
            vec![billing, admin],
        ),
        (
            json!({ "assignedRoleIds": [admin.id, admin.id] }),
            "admin",
            vec![admin],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut request = body.clone();
        request["email"] = format!("user{number}@example.com").into();
        let reply = create(&api, request).await;
        assert_eq!(reply.status, 200, "{body}: {reply:?}");
        let invitation = &reply.json()["result"];
        assert_eq!(invitation["role"], role, "{body}");
        let expected: Vec<_> = assigned
            .iter()
            .map(|role| json!({ "roleId": role.id, "roleName": role.name, "roleType": "system" }))
            .collect();
        assert_eq!(invitation["assignedRoles"], json!(expected), "{body}");
    }
}

#[tokio::test]
async fn an_invalid_body_is_a_bad_request() {
    let api = Api::start().await;
    let email = "ada@example.com";
    for body in [
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({}).to_string(),
        json!({ "email": null }).to_string(),
        json!({ "email": 7 }).to_string(),
        json!({ "email": "ada" }).to_string(),
        json!({ "email": email, "role": "owner" }).to_string(),
        json!({ "email": email, "role": 1 }).to_string(),
        json!({ "email": email, "role": null }).to_string(),
        json!({ "email": email, "assignedRoleIds": "x" }).to_string(),
        json!({ "email": email, "assignedRoleIds": [1] }).to_string(),
        json!({ "email": email, "assignedRoleIds": ["unknown"] }).to_string(),
        json!({ "email": email, "assignedRoleIds": [NOBODY] }).to_string(),
        json!({ "email": email, "role": "admin", "assignedRoleIds": [] }).to_string(),
    ] {
        let reply = send(api.clickhouse(POST, "").body(body)).await;
        assert_error(&reply, 400, "BAD_REQUEST");
    }
    assert!(api.sandbox.ledger().commits.is_empty());
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_rejected() {
    let api = Api::start().await;
    let body = " ".repeat(1024 * 1024 + 1);
    let reply = send(api.clickhouse(POST, "").body(body)).await;
    assert_error(&reply, 413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn unknown_properties_of_a_create_are_ignored() {
    let api = Api::start().await;
    let reply = create(
        &api,
        json!({ "email": "ada@example.com", "id": 7, "colour": "red" }),
    )
    .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["result"].get("colour"), None);
}

#[tokio::test]
async fn a_second_create_for_an_address_conflicts() {
    let api = Api::start().await;
    let first = api.invite_clickhouse("ada@example.com").await;
    let reply = create(&api, json!({ "email": "ADA@example.com" })).await;
    assert_error(&reply, 409, "CONFLICT");
    send(api.clickhouse(DELETE, &path(&first))).await;
    api.invite_clickhouse("ada@example.com").await;
}

#[tokio::test]
async fn the_list_is_one_array_in_order_of_creation() {
    let api = Api::start().await;
    let mut all = Vec::new();
    assert_eq!(
        send(api.clickhouse(GET, "")).await.json()["result"],
        json!(all)
    );
    for number in 0..120 {
        all.push(
            api.invite_clickhouse(&format!("user{number}@example.com"))
                .await,
        );
    }
    let reply = send(api.clickhouse(GET, "?limit=1&colour=red")).await;
    assert_eq!(reply.json()["result"], json!(all));
}

#[tokio::test]
async fn get_returns_what_create_returned() {
    let api = Api::start().await;
    let created = api.invite_clickhouse("ada@example.com").await;
    for path in [path(&created), path(&created).to_uppercase()] {
        let reply = send(api.clickhouse(GET, &path)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["result"], created);
    }
}

#[tokio::test]
async fn a_deleted_invitation_is_gone() {
    let api = Api::start().await;
    let created = api.invite_clickhouse("ada@example.com").await;
    let reply = send(api.clickhouse(DELETE, &path(&created))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["status"], 200);
    assert_eq!(body.as_object().unwrap().len(), 2, "no result: {body}");
    for method in [GET, DELETE] {
        let reply = send(api.clickhouse(method, &path(&created))).await;
        assert_error(&reply, 404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_accepted_invitation_is_no_longer_shown() {
    let api = Api::start().await;
    let created = api.invite_clickhouse("ada@example.com").await;
    let accepted = api.sandbox.accept(Provider::ClickHouse, "ADA@example.com");
    assert_eq!(created["id"], accepted.unwrap());

    assert_eq!(
        send(api.clickhouse(GET, "")).await.json()["result"],
        json!([])
    );
    for method in [GET, DELETE] {
        let reply = send(api.clickhouse(method, &path(&created))).await;
        assert_error(&reply, 404, "NOT_FOUND");
    }
    let reply = create(&api, json!({ "email": "ada@example.com" })).await;
    assert_error(&reply, 409, "CONFLICT");
}

#[tokio::test]
async fn wrong_credentials_are_rejected() {
    let api = Api::start().await;
    let keys = &api.sandbox.credentials().clickhouse;
    let other = &api.sandbox.credentials().confluent;
    let path = format!("/v1/organizations/{}/invitations", keys.organization_id);
    let request = || api.http.get(api.url(&path));
    for request in [
        request(),
        request().basic_auth(&keys.api_key, Some("wrong")),
        request().basic_auth(&other.api_key, Some(&other.api_secret)),
        request().bearer_auth(&keys.api_secret),
        request().bearer_auth(other.access_token()),
    ] {
        assert_error(&send(request).await, 401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn another_organisation_is_forbidden_a_malformed_id_invalid() {
    let api = Api::start().await;
    for method in [GET, POST] {
        let reply = send(api.clickhouse_in(NOBODY, method.clone(), "")).await;
        assert_error(&reply, 403, "FORBIDDEN");
        let reply = send(api.clickhouse_in("my%20org", method, "")).await;
        assert_error(&reply, 400, "BAD_REQUEST");
        let expected = r#"BAD_REQUEST: Invalid organization id string:"my org""#;
        assert_eq!(reply.clickhouse_error(), expected);
    }
}

#[tokio::test]
async fn an_invitation_id_must_be_a_uuid() {
    let api = Api::start().await;
    for method in [GET, DELETE] {
        let reply = send(api.clickhouse(method.clone(), "/i-1")).await;
        assert_error(&reply, 400, "BAD_REQUEST");
        let expected = r#"BAD_REQUEST: Invalid invitation id string:"i-1""#;
        assert_eq!(reply.clickhouse_error(), expected);
        let reply = send(api.clickhouse(method, &format!("/{NOBODY}"))).await;
        assert_error(&reply, 404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_unknown_path_gets_a_page_and_a_wrong_method_an_error() {
    let api = Api::start().await;
    let organization = &api.sandbox.credentials().clickhouse.organization_id;
    for path in [
        "/v1",
        "/v1/organizations",
        &format!("/v1/organizations/{organization}/people"),
        &format!("/v1/organizations/{organization}/invitations/"),
        &format!("/v1/organizations/{organization}/invitations/{NOBODY}/resend"),
        "/v1/organizations//invitations",
        "/",
        "/v2/anything",
    ] {
        let reply = send(api.http.get(api.url(path))).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(
            reply.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(reply.text.starts_with("<!DOCTYPE html>"), "{}", reply.text);
    }
    let reply = send(api.clickhouse(Method::PATCH, "")).await;
    assert_error(&reply, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("allow"), "GET, POST");
    let reply = send(api.clickhouse(POST, &format!("/{NOBODY}"))).await;
    assert_error(&reply, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("allow"), "GET, DELETE");
}

#[tokio::test]
async fn replies_have_rate_limit_headers_with_a_fractional_reset() {
    let api = Api::start().await;
    for path in ["".to_owned(), format!("/{NOBODY}")] {
        let reply = send(api.clickhouse(GET, &path)).await;
        for name in ["limit", "remaining"] {
            let number = reply.header(&format!("x-ratelimit-{name}"));
            number.parse::<u64>().unwrap();
        }
        let reset = reply.header("x-ratelimit-reset");
        assert!(reset.contains('.'), "{reset}");
        reset.parse::<f64>().unwrap();
    }
}
