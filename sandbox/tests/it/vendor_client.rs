//! ClickHouse's published Rust client, unmodified, against the sandbox.

use clickhouse_cloud_api::models::InvitationPostRequest;
use clickhouse_cloud_api::{Client, Error};
use org_invitations_sandbox::{Limit, Limits, SYSTEM_ROLES};
use uuid::Uuid;

use crate::api::Api;

fn client(api: &Api) -> (Client, &str) {
    let keys = &api.sandbox.credentials().clickhouse;
    let client = Client::with_base_url(api.sandbox.url(), &keys.api_key, &keys.api_secret);
    (client, &keys.organization_id)
}

fn invite(email: &str, roles: &[&str]) -> InvitationPostRequest {
    InvitationPostRequest {
        email: email.to_owned(),
        assigned_role_ids: Some(roles.iter().map(|&id| id.to_owned()).collect()),
    }
}

/// The status and message of the client's own error.
fn api_error<T: std::fmt::Debug>(result: Result<T, Error>) -> (u16, String) {
    match result {
        Err(Error::Api { status, message }) => (status, message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_vendor_client_creates_gets_lists_and_deletes() {
    let api = Api::start().await;
    let (client, organization) = client(&api);
    let [admin, _, billing] = SYSTEM_ROLES.map(|role| role.id);
    let request = invite("Ada@Example.com", &[admin, billing]);
    let created = client.invitation_create(organization, &request).await;
    let created = created.unwrap().result.unwrap();
    assert_eq!(created.email.as_deref(), Some("ada@example.com"));
    let roles = created.assigned_roles.as_ref().unwrap();
    let names: Vec<_> = roles.iter().map(|it| it.role_name.as_deref()).collect();
    assert_eq!(names, [Some("Admin"), Some("Billing")]);
    let lifetime = created.expire_at.unwrap() - created.created_at.unwrap();
    assert_eq!(lifetime.num_days(), 7);

    let id = created.id.unwrap().to_string();
    let got = client.invitation_get(organization, &id).await.unwrap();
    assert_eq!(got.result.as_ref(), Some(&created));
    let listed = client.invitation_get_list(organization).await.unwrap();
    assert_eq!(listed.result.unwrap(), [created]);
    client.invitation_delete(organization, &id).await.unwrap();
    let listed = client.invitation_get_list(organization).await.unwrap();
    assert_eq!(listed.result.unwrap(), []);
}

#[tokio::test]
async fn the_vendor_client_parses_errors() {
    let api = Api::start().await;
    let (client, organization) = client(&api);
    let (status, message) = api_error(client.invitation_get(organization, "mine").await);
    assert_eq!(status, 400);
    assert!(message.starts_with("BAD_REQUEST: Invalid"), "{message}");
    let unknown = Uuid::new_v4().to_string();
    let (status, message) = api_error(client.invitation_delete(organization, &unknown).await);
    assert_eq!(status, 404);
    assert!(message.starts_with("NOT_FOUND"), "{message}");

    let none = Limit::new(0, std::time::Duration::from_secs(60));
    api.sandbox.set_limits(Limits::default().clickhouse(none));
    let (status, message) = api_error(client.invitation_get_list(organization).await);
    assert_eq!((status, message.as_str()), (429, "TOO_MANY_REQUESTS"));
}
