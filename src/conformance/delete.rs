//! Deleting.

use super::{
    TestContext,
    expect::{expect, refused, same},
    report::Verdict,
};
use crate::{
    error::ErrorKind,
    invitation::{InvitationStatus, NewInvitation},
    provider_ext::InvitationProviderExt,
};

pub(super) async fn what_was_deleted_is_gone(subject: &TestContext<'_>) -> Verdict {
    let email = subject.address();
    let made = subject.create(NewInvitation::new(&email)).await?;
    subject.provider.delete(&made.id).await?;
    match subject.provider.get(&made.id).await {
        Ok(read) => same(
            "its status",
            read.status,
            Some(InvitationStatus::Deactivated),
        ),
        outcome => refused("reading it", outcome, ErrorKind::NotFound).map(drop),
    }
}

pub(super) async fn a_second_delete_is_not_found(subject: &TestContext<'_>) -> Verdict {
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    subject.provider.delete(&made.id).await?;
    let second = subject.provider.delete(&made.id).await;
    refused("the second delete", second, ErrorKind::NotFound).map(drop)
}

pub(super) async fn delete_if_exists_is_idempotent(subject: &TestContext<'_>) -> Verdict {
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    let first = subject.provider.delete_if_exists(&made.id).await?;
    let second = subject.provider.delete_if_exists(&made.id).await?;
    same("what it gave", [first, second], [true, false])
}

pub(super) async fn what_was_deleted_can_be_made_again(subject: &TestContext<'_>) -> Verdict {
    let email = subject.address();
    let first = subject.create(NewInvitation::new(&email)).await?;
    subject.provider.delete(&first.id).await?;
    let second = subject.create(NewInvitation::new(&email)).await?;
    expect(
        first.id != second.id,
        format_args!("both invitations have the id {}", first.id),
    )
}
