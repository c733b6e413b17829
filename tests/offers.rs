//! What the document offers works; what it does not offer is refused, and the server sees nothing.
//!
//! Holds for any document that the library was built from. CI runs it on an older one too.

use std::sync::Arc;

use org_invitations::{
    AuthType, ClickHouse, Confluent, ErrorKind, InvitationProvider, ListQuery, NewInvitation,
    RoleGrant,
};
use org_invitations_sandbox::{SYSTEM_ROLES, Sandbox};

async fn providers() -> (Sandbox, [Arc<dyn InvitationProvider>; 2]) {
    let sandbox = Sandbox::start().await.unwrap();
    let (confluent, clickhouse) = (
        &sandbox.credentials().confluent,
        &sandbox.credentials().clickhouse,
    );
    let confluent = Confluent::builder()
        .api_key(&confluent.api_key, confluent.api_secret.as_str())
        .base_url(sandbox.url())
        .build()
        .unwrap();
    let clickhouse = ClickHouse::builder(&clickhouse.organization_id)
        .api_key(&clickhouse.api_key, clickhouse.api_secret.as_str())
        .base_url(sandbox.url())
        .build()
        .unwrap();
    (sandbox, [Arc::new(confluent), Arc::new(clickhouse)])
}

/// Both sides of one option: supported, it works with one request; unsupported, it is refused without one.
async fn both_sides(
    offered: impl Fn(&dyn InvitationProvider) -> bool,
    attempt: impl AsyncFn(&dyn InvitationProvider) -> org_invitations::Result<()>,
) {
    both_sides_sending(|_| 1, offered, attempt).await;
}

/// As [`both_sides`], where a provider may need several requests.
async fn both_sides_sending(
    requests: impl Fn(&dyn InvitationProvider) -> usize,
    offered: impl Fn(&dyn InvitationProvider) -> bool,
    attempt: impl AsyncFn(&dyn InvitationProvider) -> org_invitations::Result<()>,
) {
    let (sandbox, providers) = providers().await;
    for provider in providers {
        let before = sandbox.ledger().requests.len();
        let outcome = attempt(&*provider).await;
        let sent = sandbox.ledger().requests.len() - before;
        if offered(&*provider) {
            assert!(outcome.is_ok(), "{provider}: {outcome:?}");
            assert_eq!(sent, requests(&*provider), "{provider}");
        } else {
            let error = outcome.expect_err("it is not offered");
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{provider}: {error}");
            assert_eq!((sent, error.attempts()), (0, 0), "{provider}");
        }
    }
}

#[tokio::test]
async fn auth_types() {
    both_sides(
        |provider| provider.capabilities().auth_type,
        async |provider| {
            let new = NewInvitation::new("ann@example.com").auth_type(AuthType::Local);
            let invitation = provider.create(new).await?;
            assert_eq!(invitation.auth_type, Some(AuthType::Local));
            Ok(())
        },
    )
    .await;
}

/// Two roles that the provider's organisation has.
fn roles_of(provider: &dyn InvitationProvider) -> [&'static str; 2] {
    if is_confluent(provider) {
        ["MetricsViewer", "EnvironmentAdmin@env-123"]
    } else {
        [SYSTEM_ROLES[0].id, SYSTEM_ROLES[2].id]
    }
}

fn is_confluent(provider: &dyn InvitationProvider) -> bool {
    provider.to_string() == Confluent::NAME
}

#[tokio::test]
async fn roles() {
    both_sides_sending(
        // On Confluent the organisation is looked up, and each role is bound to the user whom the create made.
        |provider| if is_confluent(provider) { 4 } else { 1 },
        |provider| provider.capabilities().roles,
        async |provider| {
            let wanted = roles_of(provider);
            let new = NewInvitation::new("ann@example.com").roles(wanted);
            let invitation = provider.create(new).await?;
            let given = invitation.roles.unwrap();
            assert_eq!(given.len(), wanted.len());
            for (grant, role) in wanted.map(RoleGrant::from).iter().zip(&given) {
                assert!(grant.is_met_by(role), "{grant} {role:?}");
            }
            Ok(())
        },
    )
    .await;
}

#[tokio::test]
async fn the_legacy_role() {
    both_sides(
        |provider| provider.capabilities().legacy_role,
        async |provider| {
            let new = NewInvitation::new("ann@example.com").legacy_role("admin");
            let invitation = provider.create(new).await?;
            assert_eq!(invitation.role.as_deref(), Some("admin"));
            Ok(())
        },
    )
    .await;
}

#[tokio::test]
async fn filters_by_user_and_creator() {
    both_sides(
        |provider| provider.capabilities().filter_user,
        async |provider| {
            let query = ListQuery::new().user("u-nobody");
            let page = provider.list_page(&query, None).await?;
            assert!(page.items.is_empty(), "{page:?}");
            Ok(())
        },
    )
    .await;
    both_sides(
        |provider| provider.capabilities().filter_creator,
        async |provider| {
            let query = ListQuery::new().creator("u-nobody");
            let page = provider.list_page(&query, None).await?;
            assert!(page.items.is_empty(), "{page:?}");
            Ok(())
        },
    )
    .await;
}

#[tokio::test]
async fn the_largest_page() {
    let (_sandbox, providers) = providers().await;
    for provider in providers {
        if let Some(largest) = provider.capabilities().max_page_size {
            let query = ListQuery::new().page_size(largest);
            provider.list_page(&query, None).await.unwrap();
            let query = ListQuery::new().page_size(largest + 1);
            let error = provider.list_page(&query, None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{provider}: {error}");
        }
        let none = ListQuery::new().page_size(0);
        let error = provider.list_page(&none, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{provider}: {error}");
    }
}
