//! Members, roles with actors, and activities on ClickHouse.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, SYSTEM_ROLES, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const ADA: &str = "ada@example.com";
const AUDITOR: &str = "33333333-0000-4000-8000-000000000003";
const NOBODY: &str = "44444444-0000-4000-8000-000000000004";
const ADMIN: &str = SYSTEM_ROLES[0].id;
const DEVELOPER: &str = SYSTEM_ROLES[1].id;
const BILLING: &str = SYSTEM_ROLES[2].id;

async fn get(api: &Api, path: &str) -> Value {
    let reply = send(api.clickhouse_at(Method::GET, path)).await;
    assert_eq!((reply.status, reply.documented), (200, true), "{reply:?}");
    reply.json()["result"].clone()
}

async fn patch(api: &Api, id: &str, body: &Value) -> Reply {
    let request = api.clickhouse_at(Method::PATCH, &format!("/members/{id}"));
    send(request.json(body)).await
}

/// Invites and accepts, and returns the id of the member.
async fn joined(api: &Api, email: &str, roles: &[&str]) -> String {
    let body = json!({ "email": email, "assignedRoleIds": roles });
    let reply = send(api.clickhouse(Method::POST, "").json(&body)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    api.sandbox.accept(Provider::ClickHouse, email).unwrap();
    api.sandbox.members().pop().unwrap().id
}

fn role_ids(member: &Value) -> Vec<&Value> {
    let roles = member["assignedRoles"].as_array().unwrap();
    roles.iter().map(|role| &role["roleId"]).collect()
}

#[tokio::test]
async fn an_accepted_invitation_makes_a_member_with_its_roles() {
    let api = Api::start().await;
    let invited = api.invite_clickhouse("bob@example.com").await;
    assert_eq!(get(&api, "/members").await, json!([]));
    let id = joined(&api, "Ada@example.com", &[ADMIN, BILLING]).await;
    let members = get(&api, "/members").await;
    let ada = get(&api, &format!("/members/{id}")).await;
    assert_eq!(members, json!([ada]));
    assert_eq!(ada["email"], ADA);
    assert_eq!(ada["role"], "admin");
    assert_eq!(role_ids(&ada), [ADMIN, BILLING]);
    assert_eq!(get(&api, "/invitations").await, json!([invited]));

    let body = json!({ "email": ADA });
    let refused = send(api.clickhouse(Method::POST, "").json(&body)).await;
    assert_eq!(refused.status, 409);
    let error = refused.clickhouse_error();
    assert_eq!(
        error,
        "CONFLICT: This email address belongs to a member of the organization"
    );
}

#[tokio::test]
async fn an_update_replaces_the_roles() {
    let api = Api::start().await;
    let id = joined(&api, ADA, &[ADMIN, BILLING]).await;
    let body = json!({ "assignedRoleIds": [DEVELOPER, DEVELOPER] });
    let changed = patch(&api, &id, &body).await;
    assert_eq!((changed.status, changed.documented), (200, true));
    let ada = get(&api, &format!("/members/{id}")).await;
    assert_eq!(changed.json()["result"], ada);
    assert_eq!(
        (role_ids(&ada), &ada["role"]),
        (vec![&json!(DEVELOPER)], &json!("developer"))
    );
    let legacy = patch(&api, &id, &json!({ "role": "admin" })).await.json();
    assert_eq!(role_ids(&legacy["result"]), [ADMIN]);
    let none = patch(&api, &id, &json!({ "assignedRoleIds": [] }))
        .await
        .json();
    assert_eq!(none["result"]["assignedRoles"], json!([]));
    for body in [
        json!({}),
        json!([]),
        json!({ "assignedRoleIds": [AUDITOR] }),
        json!({ "assignedRoleIds": ADMIN }),
        json!({ "role": "owner" }),
        json!({ "role": "admin", "assignedRoleIds": [ADMIN] }),
    ] {
        let refused = patch(&api, &id, &body).await;
        assert_eq!((refused.status, refused.documented), (400, true), "{body}");
    }
    let body = json!({ "assignedRoleIds": [] });
    assert_eq!(patch(&api, NOBODY, &body).await.status, 404);
    assert_eq!(patch(&api, "u-1", &body).await.status, 400);

    let roles = json!({ "custom_roles": [{ "id": AUDITOR, "name": "Auditor" }] });
    api.admin(Method::PUT, "/_sandbox/roles", &roles).await;
    let refused = patch(&api, &id, &json!({ "role": "admin" })).await;
    let words = "BAD_REQUEST: Use 'assignedRoleIds' instead of 'role'.";
    assert_eq!(refused.clickhouse_error(), words);
    let both = json!({ "assignedRoleIds": [ADMIN, AUDITOR] });
    let frozen = patch(&api, &id, &both).await.json();
    assert_eq!(frozen["result"]["role"], "developer");
    assert_eq!(frozen["result"]["assignedRoles"][1]["roleType"], "custom");
}

#[tokio::test]
async fn a_removed_member_can_be_invited_again() {
    let api = Api::start().await;
    let id = joined(&api, ADA, &[]).await;
    let path = format!("/members/{id}");
    let removed = send(api.clickhouse_at(Method::DELETE, &path)).await;
    assert_eq!((removed.status, removed.documented), (200, true));
    for method in [Method::GET, Method::DELETE] {
        let gone = send(api.clickhouse_at(method, &path)).await;
        assert_eq!(gone.status, 404);
        assert_eq!(
            gone.clickhouse_error(),
            "NOT_FOUND: The member does not exist"
        );
    }
    assert_eq!(get(&api, "/members").await, json!([]));
    api.invite_clickhouse(ADA).await;
    let commits = serde_json::to_value(api.sandbox.ledger().commits).unwrap();
    assert_eq!(commits[2]["operation"], "remove");
    assert_eq!(
        (&commits[2]["id"], &commits[2]["email"]),
        (&json!(id), &json!(ADA))
    );
}

#[tokio::test]
async fn roles_tell_who_has_them() {
    let api = Api::start().await;
    let key = format!("apiKey/{}", api.sandbox.credentials().clickhouse.api_key);
    let ada = format!("user/{}", joined(&api, ADA, &[ADMIN, BILLING]).await);
    let roles = get(&api, "/roles").await;
    let actors: Vec<_> = roles
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["actors"])
        .collect();
    assert_eq!(actors, [&json!([ada, key]), &json!([]), &json!([ada])]);
    let organization = &api.sandbox.credentials().clickhouse.organization_id;
    assert_eq!(roles[0]["tenantId"], format!("organization/{organization}"));
    assert_eq!(get(&api, &format!("/roles/{BILLING}")).await, roles[2]);
    for (id, status) in [(AUDITOR, 404), ("admin", 400)] {
        let reply = send(api.clickhouse_at(Method::GET, &format!("/roles/{id}"))).await;
        assert_eq!(reply.status, status, "{id}");
    }
}

#[tokio::test]
async fn activities_tell_what_happened_and_when() {
    let api = Api::start().await;
    let bob = api.invite_clickhouse("bob@example.com").await;
    let path = format!("/{}", bob["id"].as_str().unwrap());
    send(api.clickhouse(Method::DELETE, &path)).await;
    api.sandbox.advance(Duration::from_secs(3600));
    let id = joined(&api, ADA, &[]).await;
    patch(&api, &id, &json!({ "assignedRoleIds": [ADMIN] })).await;
    send(api.clickhouse_at(Method::DELETE, &format!("/members/{id}"))).await;

    let all = get(&api, "/activities").await;
    let all = all.as_array().unwrap();
    let kinds: Vec<_> = all.iter().map(|it| it["type"].as_str().unwrap()).collect();
    let wanted = [
        "organization_invite_create",
        "organization_invite_delete",
        "organization_invite_create",
        "organization_member_join",
        "organization_member_update_roles",
        "organization_member_leave",
    ];
    assert_eq!(kinds, wanted);
    let key = &api.sandbox.credentials().clickhouse.api_key;
    assert_eq!(
        (&all[0]["actorType"], &all[0]["actorId"]),
        (&json!("api"), &json!(key))
    );
    assert_eq!(
        (&all[3]["actorType"], &all[3]["actorId"]),
        (&json!("user"), &json!(id))
    );
    assert_eq!(all[3]["actorDetails"], ADA);

    let time = |index: usize| all[index]["createdAt"].as_str().unwrap();
    let late = get(&api, &format!("/activities?from_date={}", time(2))).await;
    assert_eq!(late.as_array().unwrap().len(), 4);
    let early = get(&api, &format!("/activities?to_date={}", time(2))).await;
    assert!(early.as_array().unwrap().len() >= 2, "{early}");
    let none = "/activities?from_date=2001-01-01T00:00:00Z&to_date=2001-01-02T00:00:00Z";
    assert_eq!(get(&api, none).await, json!([]));
    let invalid = api.clickhouse_at(Method::GET, "/activities?from_date=yesterday");
    assert_eq!(send(invalid).await.status, 400);
}

#[tokio::test]
async fn members_can_be_configured_and_seeded() {
    let api = Api::configured(json!({ "seed_members": 2, "clickhouse": [{
        "custom_roles": [{ "id": AUDITOR, "name": "Auditor" }],
        "members": [{ "id": NOBODY, "email": ADA, "name": "Ada", "role_ids": [AUDITOR] }],
    }] }))
    .await;
    let members = get(&api, "/members").await;
    let members = members.as_array().unwrap();
    assert_eq!(members.len(), 3);
    assert_eq!(
        (&members[0]["userId"], &members[0]["name"]),
        (&json!(NOBODY), &json!("Ada"))
    );
    assert_eq!(role_ids(&members[0]), [AUDITOR]);
    assert_eq!(members[2]["email"], "member2@seeded.example");
    let shown = api
        .admin(Method::GET, "/_sandbox/members", &json!(null))
        .await;
    let shown = shown.json();
    let ids: Vec<_> = shown["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids.len(), 5, "both APIs");
    let body = json!({ "email": ADA });
    let refused = send(api.clickhouse(Method::POST, "").json(&body)).await;
    assert_eq!(refused.status, 409);

    for member in [
        json!({ "email": "ada" }),
        json!({ "email": ADA, "id": "u-1" }),
        json!({ "email": ADA, "role_ids": [AUDITOR] }),
    ] {
        let config = json!({ "clickhouse": [{ "members": [member] }] });
        let config = serde_json::from_value(config).unwrap();
        assert!(Sandbox::builder().config(config).start().await.is_err());
    }
}

#[tokio::test]
async fn faults_and_methods_hold_for_members() {
    let api = Api::with(Sandbox::builder().seed_members(1)).await;
    let rule = Rule::new(Fault::rate_limited(100)).on(Operation::ListMembers);
    api.sandbox.set_faults(Faults::script([rule]));
    let limited = send(api.clickhouse_at(Method::GET, "/members")).await;
    assert_eq!(limited.status, 429);
    get(&api, "/members").await;
    let operations: Vec<_> = api
        .sandbox
        .ledger()
        .requests
        .iter()
        .map(|it| it.operation)
        .collect();
    assert_eq!(operations, [Some("memberGetList"); 2]);
    for (path, allowed) in [
        ("/members", "GET"),
        ("/members/x", "GET, PATCH, DELETE"),
        ("/roles/x", "GET"),
        ("/activities", "GET"),
    ] {
        let reply = send(api.clickhouse_at(Method::POST, path)).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, allowed),
            "{path}"
        );
    }
    let stranger = api.url("/v1/organizations/11111111-0000-4000-8000-000000000001/members");
    assert_eq!(send(api.http.get(stranger)).await.status, 401);
}
