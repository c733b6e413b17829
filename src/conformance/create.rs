//! Behaviours of `create` and `get`.

use futures_util::{StreamExt, TryStreamExt, future::join_all};

use super::{
    TestContext,
    assertions::{ensure, ensure_eq, ensure_fails},
    report::CaseResult,
};
use crate::{
    error::ErrorKind,
    invitation::{Invitation, NewInvitation},
    list::ListQuery,
    provider_ext::InvitationProviderExt,
};

pub(super) async fn create_returns_the_invitation(context: &TestContext<'_>) -> CaseResult {
    let email = context.address();
    let created = context.create(NewInvitation::new(&email)).await?;
    ensure_eq("the email", created.email.as_str(), &email)?;
    ensure(
        created.is_pending(),
        format_args!("a new invitation has the status {:?}", created.status),
    )?;
    ensure_eq("`accepted_at`", created.accepted_at, None)?;
    ensure(
        created
            .expires_at
            .is_none_or(|end| created.created_at.is_none_or(|start| start < end)),
        format_args!(
            "it expires at {:?} and was created at {:?}",
            created.expires_at, created.created_at
        ),
    )
}

pub(super) async fn a_created_invitation_can_be_read(context: &TestContext<'_>) -> CaseResult {
    let created = context.create_new().await?;
    let read = context.provider.get(&created.id).await?;
    ensure_eq("the id", &read.id, &created.id)?;
    ensure_eq("the email", &read.email, &created.email)?;
    ensure_eq("`created_at`", read.created_at, created.created_at)?;
    ensure_eq("`expires_at`", read.expires_at, created.expires_at)
}

pub(super) async fn a_created_invitation_is_listed_once(context: &TestContext<'_>) -> CaseResult {
    let created = context.create_new().await?;
    let listed: Vec<Invitation> = context
        .provider
        .list(ListQuery::new())
        .try_collect()
        .await?;
    let count = listed
        .iter()
        .filter(|invitation| invitation.id == created.id)
        .count();
    ensure_eq("its number of occurrences in the list", count, 1)
}

pub(super) async fn a_second_invitation_is_refused(context: &TestContext<'_>) -> CaseResult {
    let email = context.address();
    context.create(NewInvitation::new(&email)).await?;
    let second = context.create(NewInvitation::new(&email)).await;
    ensure_fails("the second create", second, ErrorKind::AlreadyExists).map(drop)
}

pub(super) async fn a_second_invitation_in_capitals_is_refused(
    context: &TestContext<'_>,
) -> CaseResult {
    let email = context.address();
    context.create(NewInvitation::new(&email)).await?;
    let second = context
        .create(NewInvitation::new(email.to_uppercase()))
        .await;
    ensure_fails("the second create", second, ErrorKind::AlreadyExists).map(drop)
}

pub(super) async fn concurrent_creates_make_one_invitation(
    context: &TestContext<'_>,
) -> CaseResult {
    let email = context.address();
    let creates = (0..4).map(|_| context.create(NewInvitation::new(&email)));
    let outcomes = join_all(creates).await;
    let mut created = 0;
    for outcome in outcomes {
        match outcome {
            Ok(_) => created += 1,
            outcome => drop(ensure_fails(
                "another create",
                outcome,
                ErrorKind::AlreadyExists,
            )?),
        }
    }
    let listed = active_invitations(context, &email).await?;
    for invitation in &listed {
        context.track(&invitation.id);
    }
    ensure_eq("the number of invitations", listed.len(), 1)?;
    ensure(created <= 1, format_args!("{created} creates succeeded"))
}

pub(super) async fn get_or_create_is_idempotent(context: &TestContext<'_>) -> CaseResult {
    let email = context.address();
    let first = context
        .provider
        .get_or_create(NewInvitation::new(&email))
        .await?;
    context.track(&first.id);
    let second = context
        .provider
        .get_or_create(NewInvitation::new(&email))
        .await?;
    ensure_eq("the second id", &second.id, &first.id)?;
    let capitals = NewInvitation::new(email.to_uppercase());
    let third = context.provider.get_or_create(capitals).await?;
    ensure_eq(
        "the id for the address in capital letters",
        &third.id,
        &first.id,
    )?;
    ensure_eq(
        "the number of invitations",
        active_invitations(context, &email).await?.len(),
        1,
    )
}

/// The invitations of an address that neither expired nor were deleted.
async fn active_invitations(context: &TestContext<'_>, email: &str) -> CaseResult<Vec<Invitation>> {
    let mut found = Vec::new();
    let mut list = context.provider.list(ListQuery::new());
    while let Some(item) = list.next().await {
        let invitation = item?;
        if invitation.email.eq_ignore_ascii_case(email) && !invitation.is_void() {
            found.push(invitation);
        }
    }
    Ok(found)
}
