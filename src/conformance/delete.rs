//! Behaviours of `delete`.

use super::{
    TestContext,
    assertions::{ensure, ensure_eq, ensure_fails},
    report::CaseResult,
};
use crate::{
    error::ErrorKind,
    invitation::{InvitationStatus, NewInvitation},
    provider_ext::InvitationProviderExt,
};

pub(super) async fn a_deleted_invitation_is_gone(context: &TestContext<'_>) -> CaseResult {
    let email = context.address();
    let created = context.create(NewInvitation::new(&email)).await?;
    context.provider.delete(&created.id).await?;
    match context.provider.get(&created.id).await {
        Ok(read) => ensure_eq(
            "its status",
            read.status,
            Some(InvitationStatus::Deactivated),
        ),
        outcome => ensure_fails("get after delete", outcome, ErrorKind::NotFound).map(drop),
    }
}

pub(super) async fn a_second_delete_is_not_found(context: &TestContext<'_>) -> CaseResult {
    let created = context.create_new().await?;
    context.provider.delete(&created.id).await?;
    let second = context.provider.delete(&created.id).await;
    ensure_fails("the second delete", second, ErrorKind::NotFound).map(drop)
}

pub(super) async fn delete_if_exists_is_idempotent(context: &TestContext<'_>) -> CaseResult {
    let created = context.create_new().await?;
    let first = context.provider.delete_if_exists(&created.id).await?;
    let second = context.provider.delete_if_exists(&created.id).await?;
    ensure_eq("the returned values", [first, second], [true, false])
}

pub(super) async fn a_deleted_address_can_be_invited_again(
    context: &TestContext<'_>,
) -> CaseResult {
    let email = context.address();
    let first = context.create(NewInvitation::new(&email)).await?;
    context.provider.delete(&first.id).await?;
    let second = context.create(NewInvitation::new(&email)).await?;
    ensure(
        first.id != second.id,
        format_args!("both invitations have the id {}", first.id),
    )
}
