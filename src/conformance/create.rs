//! Creating, and reading what was created.

use futures_util::{StreamExt, TryStreamExt, future::join_all};

use super::{
    TestContext,
    expect::{expect, refused, same},
    report::Verdict,
};
use crate::{
    error::ErrorKind,
    invitation::{Invitation, InvitationStatus, NewInvitation},
    list::ListQuery,
    provider_ext::InvitationProviderExt,
};

pub(super) async fn create_gives_the_invitation(subject: &TestContext<'_>) -> Verdict {
    let email = subject.address();
    let made = subject.create(NewInvitation::new(&email)).await?;
    same("the email", made.email.as_str(), &email)?;
    let over = [
        InvitationStatus::Accepted,
        InvitationStatus::Expired,
        InvitationStatus::Deactivated,
    ];
    let status = &made.status;
    let open = status.as_ref().is_none_or(|status| !over.contains(status));
    expect(
        open,
        format_args!("a new invitation has the status {status:?}"),
    )?;
    same("`accepted_at`", made.accepted_at, None)?;
    expect(
        made.expires_at
            .is_none_or(|end| made.created_at.is_none_or(|start| start < end)),
        format_args!(
            "it expires at {:?} and was created at {:?}",
            made.expires_at, made.created_at
        ),
    )
}

pub(super) async fn what_was_created_can_be_read(subject: &TestContext<'_>) -> Verdict {
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    let read = subject.provider.get(&made.id).await?;
    same("the id", &read.id, &made.id)?;
    same("the email", &read.email, &made.email)?;
    same("`created_at`", read.created_at, made.created_at)?;
    same("`expires_at`", read.expires_at, made.expires_at)
}

pub(super) async fn what_was_created_is_listed_once(subject: &TestContext<'_>) -> Verdict {
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    let listed: Vec<Invitation> = subject
        .provider
        .list(ListQuery::new())
        .try_collect()
        .await?;
    let count = listed.iter().filter(|one| one.id == made.id).count();
    same("how often it is in the list", count, 1)
}

pub(super) async fn a_second_invitation_is_refused(subject: &TestContext<'_>) -> Verdict {
    let email = subject.address();
    subject.create(NewInvitation::new(&email)).await?;
    let second = subject.create(NewInvitation::new(&email)).await;
    refused("the second create", second, ErrorKind::AlreadyExists).map(drop)
}

pub(super) async fn a_second_invitation_in_capitals_is_refused(
    subject: &TestContext<'_>,
) -> Verdict {
    let email = subject.address();
    subject.create(NewInvitation::new(&email)).await?;
    let second = subject
        .create(NewInvitation::new(email.to_uppercase()))
        .await;
    refused("the second create", second, ErrorKind::AlreadyExists).map(drop)
}

pub(super) async fn creates_at_once_make_one_invitation(subject: &TestContext<'_>) -> Verdict {
    let email = subject.address();
    let creates = (0..4).map(|_| subject.create(NewInvitation::new(&email)));
    let outcomes = join_all(creates).await;
    let mut created = 0;
    for outcome in outcomes {
        match outcome {
            Ok(_) => created += 1,
            outcome => drop(refused(
                "another create",
                outcome,
                ErrorKind::AlreadyExists,
            )?),
        }
    }
    let listed = of_address(subject, &email).await?;
    for invitation in &listed {
        subject.made(&invitation.id);
    }
    same("how many invitations there are", listed.len(), 1)?;
    expect(created <= 1, format_args!("{created} creates succeeded"))
}

pub(super) async fn get_or_create_is_idempotent(subject: &TestContext<'_>) -> Verdict {
    let email = subject.address();
    let first = subject
        .provider
        .get_or_create(NewInvitation::new(&email))
        .await?;
    subject.made(&first.id);
    let second = subject
        .provider
        .get_or_create(NewInvitation::new(&email))
        .await?;
    same("the second id", &second.id, &first.id)?;
    let capitals = NewInvitation::new(email.to_uppercase());
    let third = subject.provider.get_or_create(capitals).await?;
    same("the id by capital letters", &third.id, &first.id)?;
    same(
        "how many there are",
        of_address(subject, &email).await?.len(),
        1,
    )
}

/// All invitations of an address that are not over.
async fn of_address(subject: &TestContext<'_>, email: &str) -> Verdict<Vec<Invitation>> {
    let mut found = Vec::new();
    let mut list = subject.provider.list(ListQuery::new());
    while let Some(item) = list.next().await {
        let invitation = item?;
        let over = matches!(
            invitation.status,
            Some(InvitationStatus::Expired | InvitationStatus::Deactivated)
        );
        if invitation.email.eq_ignore_ascii_case(email) && !over {
            found.push(invitation);
        }
    }
    Ok(found)
}
