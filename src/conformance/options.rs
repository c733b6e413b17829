//! What providers may offer: honoured, or refused without a request.

use super::{
    TestContext,
    expect::{expect, refused, same},
    report::Verdict,
};
use crate::{
    error::ErrorKind,
    invitation::{AuthType, NewInvitation},
    role::RoleGrant,
};

pub(super) async fn capabilities_are_fixed(subject: &TestContext<'_>) -> Verdict {
    let provider = subject.provider;
    let look = async {
        (
            provider.capabilities(),
            provider.to_string(),
            format!("{provider:?}"),
        )
    };
    let (capabilities, name, shown) = subject.without_a_request(look).await?;
    subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    same(
        "what it offers later",
        provider.capabilities(),
        capabilities,
    )?;
    expect(!name.is_empty() && !shown.is_empty(), "it has no name")
}

pub(super) async fn an_auth_type_is_honoured_or_refused(subject: &TestContext<'_>) -> Verdict {
    let new = NewInvitation::new(subject.address()).auth_type(AuthType::Local);
    if !subject.provider.capabilities().auth_type {
        return unsupported(subject, "an auth type", new).await;
    }
    let made = subject.create(new).await?;
    same("the auth type", made.auth_type, Some(AuthType::Local))
}

pub(super) async fn roles_are_honoured_or_refused(subject: &TestContext<'_>) -> Verdict {
    let new = NewInvitation::new(subject.address()).roles(&subject.roles);
    if !subject.provider.capabilities().roles {
        return unsupported(subject, "roles", new).await;
    }
    let made = subject.create(new).await?;
    let assigned = made.assigned_roles.unwrap_or_default();
    let met = |grant: &RoleGrant| assigned.iter().any(|role| grant.is_met_by(role));
    let missing: Vec<_> = subject.roles.iter().filter(|grant| !met(grant)).collect();
    expect(missing.is_empty(), format!("{missing:?} are not given"))?;
    same("the number of roles", assigned.len(), subject.roles.len())
}

pub(super) async fn a_legacy_role_is_honoured_or_refused(subject: &TestContext<'_>) -> Verdict {
    let role = subject.legacy_role.as_deref();
    let new = NewInvitation::new(subject.address()).legacy_role(role.unwrap_or("developer"));
    if !subject.provider.capabilities().legacy_role {
        return unsupported(subject, "a legacy role", new).await;
    }
    match role {
        Some(role) => {
            let made = subject.create(new).await?;
            same("the role", made.role.as_deref(), Some(role))
        }
        None => {
            let outcome = subject.create(new).await;
            refused("a legacy role", outcome, ErrorKind::InvalidInput).map(drop)
        }
    }
}

async fn unsupported(subject: &TestContext<'_>, what: &str, new: NewInvitation) -> Verdict {
    let outcome = subject.without_a_request(subject.create(new)).await?;
    let error = refused(what, outcome, ErrorKind::Unsupported)?;
    same("`may_have_executed`", error.may_have_executed(), false)
}
