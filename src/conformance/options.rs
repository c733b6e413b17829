//! Behaviours of optional capabilities: honoured, or refused before a request is sent.

use super::{
    TestContext,
    assertions::{ensure, ensure_eq, ensure_fails},
    report::CaseResult,
};
use crate::{
    error::ErrorKind,
    invitation::{AuthType, NewInvitation},
    role::RoleGrant,
};

pub(super) async fn capabilities_are_fixed(context: &TestContext<'_>) -> CaseResult {
    let provider = context.provider;
    let look = async {
        (
            provider.capabilities(),
            provider.to_string(),
            format!("{provider:?}"),
        )
    };
    let (capabilities, name, shown) = context.without_a_request(look).await?;
    context.create_new().await?;
    ensure_eq(
        "the capabilities afterwards",
        provider.capabilities(),
        capabilities,
    )?;
    ensure(!name.is_empty() && !shown.is_empty(), "it has no name")
}

pub(super) async fn an_auth_type_is_honoured_or_refused(context: &TestContext<'_>) -> CaseResult {
    let new = NewInvitation::new(context.address()).auth_type(AuthType::Local);
    if !context.provider.capabilities().auth_type {
        return unsupported(context, "an auth type", new).await;
    }
    let created = context.create(new).await?;
    ensure_eq("the auth type", created.auth_type, Some(AuthType::Local))
}

pub(super) async fn roles_are_honoured_or_refused(context: &TestContext<'_>) -> CaseResult {
    let new = NewInvitation::new(context.address()).roles(&context.roles);
    if !context.provider.capabilities().roles {
        return unsupported(context, "roles", new).await;
    }
    let created = context.create(new).await?;
    let assigned = created.roles.unwrap_or_default();
    let is_met = |grant: &RoleGrant| assigned.iter().any(|role| grant.is_met_by(role));
    let missing: Vec<_> = context
        .roles
        .iter()
        .filter(|grant| !is_met(grant))
        .collect();
    ensure(missing.is_empty(), format!("{missing:?} are not assigned"))?;
    ensure_eq("the number of roles", assigned.len(), context.roles.len())
}

pub(super) async fn a_legacy_role_is_honoured_or_refused(context: &TestContext<'_>) -> CaseResult {
    let role = context.legacy_role.as_deref();
    let new = NewInvitation::new(context.address()).legacy_role(role.unwrap_or("developer"));
    if !context.provider.capabilities().legacy_role {
        return unsupported(context, "a legacy role", new).await;
    }
    match role {
        Some(role) => {
            let created = context.create(new).await?;
            ensure_eq("the role", created.role.as_deref(), Some(role))
        }
        None => {
            let outcome = context.create(new).await;
            ensure_fails("a legacy role", outcome, ErrorKind::InvalidInput).map(drop)
        }
    }
}

async fn unsupported(context: &TestContext<'_>, what: &str, new: NewInvitation) -> CaseResult {
    let outcome = context.without_a_request(context.create(new)).await?;
    let error = ensure_fails(what, outcome, ErrorKind::Unsupported)?;
    ensure_eq("`may_have_executed`", error.may_have_executed(), false)
}
