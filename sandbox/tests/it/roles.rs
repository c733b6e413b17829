//! Custom roles on ClickHouse.

use org_invitations_sandbox::{ClickHouseOrganization, Config, CustomRole, SYSTEM_ROLES, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const AUDITOR: &str = "33333333-0000-4000-8000-000000000003";

async fn create(api: &Api, body: &Value) -> Reply {
    send(api.clickhouse(Method::POST, "").json(body)).await
}

async fn get(api: &Api, invitation: &Value) -> Value {
    let path = format!("/{}", invitation["id"].as_str().unwrap());
    send(api.clickhouse(Method::GET, &path)).await.json()["result"].clone()
}

#[tokio::test]
async fn custom_roles_freeze_the_deprecated_role() {
    let api = Api::start().await;
    let admin = json!({ "email": "ada@example.com", "role": "admin" });
    let ada = create(&api, &admin).await.json()["result"].clone();
    assert_eq!(ada["role"], "admin");

    let roles = json!({ "custom_roles": [{ "id": AUDITOR, "name": "Auditor" }] });
    let (put, path) = (Method::PUT, "/_sandbox/roles");
    assert_eq!(api.admin(put.clone(), path, &roles).await.status, 204);
    let read = api.admin(Method::GET, path, &json!(null)).await.json();
    assert_eq!(read, roles);

    let reply = create(
        &api,
        &json!({ "email": "bob@example.com", "role": "admin" }),
    )
    .await;
    assert_eq!(reply.status, 400);
    let error = reply.clickhouse_error();
    assert_eq!(
        error,
        "BAD_REQUEST: Use 'assignedRoleIds' instead of 'role'."
    );

    let ids = [AUDITOR, SYSTEM_ROLES[0].id];
    let both = json!({ "email": "bob@example.com", "assignedRoleIds": ids });
    let bob = create(&api, &both).await.json()["result"].clone();
    assert_eq!(
        bob["assignedRoles"],
        json!([
            { "roleId": AUDITOR, "roleName": "Auditor", "roleType": "custom" },
            { "roleId": ids[1], "roleName": "Admin", "roleType": "system" },
        ])
    );
    assert_eq!(bob["role"], "developer", "it does not follow the roles");
    assert_eq!(get(&api, &ada).await["role"], "admin", "as it was before");

    let none = json!({ "custom_roles": [] });
    api.admin(put, path, &none).await;
    let admin = json!({ "email": "cy@example.com", "role": "admin" });
    assert_eq!(create(&api, &admin).await.status, 200);
    let auditor = json!({ "email": "dan@example.com", "assignedRoleIds": [AUDITOR] });
    assert_eq!(create(&api, &auditor).await.status, 400);
    assert_eq!(get(&api, &bob).await["role"], "developer");
}

#[tokio::test]
async fn a_reset_restores_the_configured_custom_roles() {
    let mut organization = ClickHouseOrganization::default();
    organization.custom_roles = vec![CustomRole::new(AUDITOR, "Auditor")];
    let mut config = Config::default();
    config.clickhouse.push(organization);
    let api = Api::with(Sandbox::builder().config(config)).await;
    let auditor = json!({ "email": "ada@example.com", "assignedRoleIds": [AUDITOR] });
    assert_eq!(create(&api, &auditor).await.status, 200);
    api.sandbox.set_custom_roles(Vec::new()).unwrap();
    api.sandbox.reset();
    assert_eq!(create(&api, &auditor).await.status, 200);
}

#[tokio::test]
async fn role_ids_must_be_unique_uuids() {
    let api = Api::start().await;
    for ids in [
        ["", AUDITOR],
        [AUDITOR, "auditor"],
        [AUDITOR, AUDITOR],
        [AUDITOR, SYSTEM_ROLES[1].id],
    ] {
        let roles = ids.map(|id| json!({ "id": id, "name": "Auditor" }));
        let body = json!({ "custom_roles": roles });
        let reply = api.admin(Method::PUT, "/_sandbox/roles", &body).await;
        assert_eq!(reply.status, 422, "{body}");
        let roles = ids.map(|id| CustomRole::new(id, "Auditor")).to_vec();
        assert!(api.sandbox.set_custom_roles(roles).is_err());
    }
}
