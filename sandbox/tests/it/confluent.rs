//! Confluent: authentication, create, get, delete, and errors.

use chrono::{DateTime, TimeDelta};
use org_invitations_sandbox::Provider;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

async fn create(api: &Api, body: Value) -> Reply {
    send(api.confluent(POST, "").json(&body)).await
}

fn path(invitation: &Value) -> String {
    format!("/{}", invitation["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_created_invitation_has_every_property() {
    let api = Api::start().await;
    let reply = create(&api, json!({ "email": "Ada.L@Example.com" })).await;
    assert_eq!(reply.status, 201, "{reply:?}");

    let body = reply.json();
    let id = body["id"].as_str().unwrap();
    let link = api.url(&format!("/iam/v2/invitations/{id}"));
    assert!(id.starts_with("i-"), "{body}");
    assert_eq!(reply.header("location"), link);
    assert_eq!(body["api_version"], "iam/v2");
    assert_eq!(body["kind"], "Invitation");
    assert_eq!(body["email"], "Ada.L@Example.com", "the spelling is kept");
    assert_eq!(body["auth_type"], "AUTH_TYPE_LOCAL");
    assert_eq!(body["status"], "INVITE_STATUS_SENT");
    assert_eq!(body.get("accepted_at"), Some(&Value::Null));
    assert_eq!(body["metadata"]["self"], link);
    let name = body["metadata"]["resource_name"].as_str().unwrap();
    assert!(
        name.starts_with("crn://confluent.cloud/organization="),
        "{name}"
    );
    assert!(name.ends_with(&format!("/invitation={id}")), "{name}");
    assert_eq!(
        body["metadata"]["created_at"],
        body["metadata"]["updated_at"]
    );
    for reference in ["user", "creator"] {
        let user = &body[reference];
        let id = user["id"].as_str().unwrap();
        assert!(id.starts_with("u-"), "{user}");
        assert_eq!(user["related"], api.url(&format!("/iam/v2/users/{id}")));
        let name = user["resource_name"].as_str().unwrap();
        assert!(name.ends_with(&format!("/user={id}")), "{name}");
    }
    assert_ne!(body["user"]["id"], body["creator"]["id"]);
}

#[tokio::test]
async fn an_invitation_expires_after_seven_days() {
    let api = Api::start().await;
    let body = api.invite_confluent("ada@example.com").await;
    let time = |value: &Value| DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap();
    let lifetime = time(&body["expires_at"]) - time(&body["metadata"]["created_at"]);
    assert_eq!(lifetime, TimeDelta::days(7), "{body}");
    assert!(
        body["expires_at"].as_str().unwrap().ends_with('Z'),
        "{body}"
    );
}

#[tokio::test]
async fn an_unknown_auth_type_is_kept() {
    let api = Api::start().await;
    for (email, auth_type) in [
        ("ada@example.com", "AUTH_TYPE_SSO"),
        ("bob@example.com", "AUTH_TYPE_PASSKEY"),
    ] {
        let body = json!({ "email": email, "auth_type": auth_type });
        assert_eq!(create(&api, body).await.json()["auth_type"], auth_type);
    }
}

#[tokio::test]
async fn a_create_ignores_read_only_and_unknown_properties() {
    let api = Api::start().await;
    let body = json!({
        "email": "ada@example.com", "id": "i-mine", "kind": 7, "status": "INVITE_STATUS_ACCEPTED",
        "metadata": null, "colour": "red",
    });
    let reply = create(&api, body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let body = reply.json();
    assert_ne!(body["id"], "i-mine");
    assert_eq!(body["status"], "INVITE_STATUS_SENT");
    assert_eq!(body.get("colour"), None);
}

#[tokio::test]
async fn an_invalid_property_is_rejected_with_its_pointer() {
    let api = Api::start().await;
    for (body, pointer) in [
        (json!({}), "/email"),
        (json!({ "email": null }), "/email"),
        (json!({ "email": 7 }), "/email"),
        (json!({ "email": "" }), "/email"),
        (json!({ "email": "ada" }), "/email"),
        (json!({ "email": "ada@example.com\n" }), "/email"),
        (
            json!({ "email": "ada@example.com", "auth_type": 1 }),
            "/auth_type",
        ),
        (
            json!({ "email": "ada@example.com", "auth_type": null }),
            "/auth_type",
        ),
        (
            json!({ "email": "ada@example.com", "auth_type": "SSO" }),
            "/auth_type",
        ),
    ] {
        let reply = create(&api, body.clone()).await;
        assert_eq!(reply.status, 422, "{body}: {reply:?}");
        assert_eq!(
            reply.confluent_error()["source"]["pointer"],
            pointer,
            "{body}"
        );
    }
    assert!(api.sandbox.ledger().commits.is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_a_bad_request() {
    let api = Api::start().await;
    for body in [
        "",
        "{",
        "email=ada%40example.com",
        "[]",
        "\"ada@example.com\"",
        "null",
    ] {
        let reply = send(api.confluent(POST, "").body(body)).await;
        assert_eq!(reply.status, 400, "{body}: {reply:?}");
        reply.confluent_error();
    }
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_rejected() {
    let api = Api::start().await;
    let padded = |bytes: usize| {
        let body = json!({ "email": "ada@example.com", "padding": "" }).to_string();
        body.replace(r#""""#, &format!("\"{}\"", "x".repeat(bytes - body.len())))
    };
    let reply = send(api.confluent(POST, "").body(padded(1024 * 1024 + 1))).await;
    assert_eq!(reply.status, 413, "{}", reply.text);
    reply.confluent_error();
    let reply = send(api.confluent(POST, "").body(padded(1024 * 1024))).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

#[tokio::test]
async fn a_second_create_for_an_address_names_the_first() {
    let api = Api::start().await;
    let first = api.invite_confluent("ada@example.com").await;
    let reply = create(&api, json!({ "email": "ADA@example.COM" })).await;
    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(reply.header("location"), first["metadata"]["self"]);
    assert_eq!(reply.confluent_error()["code"], "resource_already_exists");

    send(api.confluent(DELETE, &path(&first))).await;
    let again = api.invite_confluent("ADA@example.COM").await;
    assert_ne!(again["id"], first["id"], "ids are not used twice");
}

#[tokio::test]
async fn concurrent_creates_for_an_address_make_one_invitation() {
    let api = Api::start().await;
    let body = json!({ "email": "ada@example.com" });
    let all: Vec<_> = (0..16)
        .map(|_| tokio::spawn(send(api.confluent(POST, "").json(&body))))
        .collect();
    let mut statuses = Vec::new();
    for one in all {
        statuses.push(one.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201, "{statuses:?}");
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(api.sandbox.ledger().commits.len(), 1);
}

#[tokio::test]
async fn get_returns_what_create_returned() {
    let api = Api::start().await;
    let created = api.invite_confluent("ada@example.com").await;
    let reply = send(api.confluent(GET, &path(&created))).await;
    assert_eq!((reply.status, reply.json()), (200, created));
}

#[tokio::test]
async fn a_deleted_invitation_is_gone() {
    let api = Api::start().await;
    let created = api.invite_confluent("ada@example.com").await;
    let reply = send(api.confluent(DELETE, &path(&created))).await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    for method in [GET, DELETE] {
        let reply = send(api.confluent(method, &path(&created))).await;
        assert_eq!(reply.status, 404, "{reply:?}");
        reply.confluent_error();
    }
}

#[tokio::test]
async fn an_accepted_invitation_cannot_be_deleted() {
    let api = Api::start().await;
    let created = api.invite_confluent("ada@example.com").await;
    let accepted = api.sandbox.accept(Provider::Confluent, "Ada@example.com");
    assert_eq!(created["id"], accepted.unwrap());

    let read = send(api.confluent(GET, &path(&created))).await.json();
    assert_eq!(read["status"], "INVITE_STATUS_ACCEPTED");
    assert!(read["accepted_at"].is_string(), "{read}");
    assert_eq!(read["metadata"]["updated_at"], read["accepted_at"]);
    let reply = send(api.confluent(DELETE, &path(&created))).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let detail = &reply.confluent_error()["detail"];
    assert_eq!(detail, "The invitation was already accepted");
    let reply = create(&api, json!({ "email": "ada@example.com" })).await;
    assert_eq!(reply.status, 409, "{reply:?}");
}

#[tokio::test]
async fn the_access_token_has_the_rights_of_the_key() {
    let api = Api::start().await;
    let token = api.sandbox.credentials().confluent.access_token();
    let url = api.url("/iam/v2/invitations");
    let reply = send(api.http.get(url).bearer_auth(token)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn wrong_credentials_are_rejected_with_a_challenge() {
    let api = Api::start().await;
    let keys = &api.sandbox.credentials().confluent;
    let other = &api.sandbox.credentials().clickhouse;
    let request = || api.http.get(api.url("/iam/v2/invitations"));
    for (request, scheme) in [
        (request(), "Basic "),
        (request().header("authorization", "Basic ???"), "Basic "),
        (request().basic_auth(&keys.api_key, Some("wrong")), "Basic "),
        (
            request().basic_auth("wrong", Some(&keys.api_secret)),
            "Basic ",
        ),
        (
            request().basic_auth(&other.api_key, Some(&other.api_secret)),
            "Basic ",
        ),
        (request().bearer_auth(&keys.api_secret), "Bearer "),
    ] {
        let reply = send(request).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        let challenge = reply.header("www-authenticate");
        assert!(challenge.starts_with(scheme), "{challenge}");
        reply.confluent_error();
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_get_an_error_object() {
    let api = Api::start().await;
    for (method, path, status, allow) in [
        (GET, "/iam/v2/members", 404, None),
        (GET, "/iam", 404, None),
        (GET, "/iam/v2/invitations/", 404, None),
        (GET, "/iam/v2/invitations/i-1/more", 404, None),
        (GET, "/iam/v2/invitations/i%2F1", 401, None),
        (Method::PUT, "/iam/v2/invitations", 405, Some("GET, POST")),
        (DELETE, "/iam/v2/invitations", 405, Some("GET, POST")),
        (
            Method::PATCH,
            "/iam/v2/invitations/i-1",
            405,
            Some("GET, DELETE"),
        ),
        (POST, "/iam/v2/invitations/i-1", 405, Some("GET, DELETE")),
    ] {
        let reply = send(api.http.request(method.clone(), api.url(path))).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        reply.confluent_error();
        let allowed = reply.headers.get("allow");
        let allowed = allowed.map(|value| value.to_str().unwrap());
        assert_eq!(allowed, allow, "{method} {path}");
    }
}

#[tokio::test]
async fn an_id_in_the_path_is_percent_decoded() {
    let api = Api::start().await;
    let created = api.invite_confluent("ada@example.com").await;
    let encoded = path(&created).replace('-', "%2D");
    let reply = send(api.confluent(GET, &encoded)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn replies_have_a_request_id_and_successes_a_rate_limit() {
    let api = Api::start().await;
    let mut ids = Vec::new();
    for path in ["", "?page_size=1", "/i-none"] {
        let reply = send(api.confluent(GET, path)).await;
        let id = reply.header("x-request-id");
        assert_eq!(id.len(), 32, "{id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        ids.push(id.to_owned());
        for name in ["limit", "remaining", "reset"] {
            let name = format!("x-ratelimit-{name}");
            let number = reply.headers.get(&name).map(|value| {
                let text = value.to_str().unwrap();
                text.parse::<u64>().unwrap()
            });
            assert_eq!(number.is_some(), reply.status == 200, "{name}: {reply:?}");
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
}
