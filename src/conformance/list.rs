//! Listing: filters and pages.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;

use super::{
    TestContext,
    expect::{expect, refused, same},
    report::Verdict,
};
use crate::{
    error::ErrorKind,
    invitation::{Invitation, InvitationId, InvitationStatus, NewInvitation},
    list::ListQuery,
    provider_ext::InvitationProviderExt,
};

pub(super) async fn find_by_email_finds_the_invited(subject: &TestContext<'_>) -> Verdict {
    let email = subject.address();
    let nobody = subject.provider.find_by_email(&email).await?;
    expect(
        nobody.is_none(),
        format_args!("it found {nobody:?} before it was made"),
    )?;
    let made = subject.create(NewInvitation::new(&email)).await?;
    let found = subject.provider.find_by_email(&email).await?;
    same("what it found", found.map(|found| found.id), Some(made.id))
}

pub(super) async fn the_email_filter_is_exact(subject: &TestContext<'_>) -> Verdict {
    let (email, other) = (subject.address(), subject.address());
    let query = ListQuery::new().email(&email);
    if !subject.provider.capabilities().filter_email {
        return unsupported(subject, "the email filter", query).await;
    }
    let made = subject.create(NewInvitation::new(&email)).await?;
    subject.create(NewInvitation::new(&other)).await?;
    // One that contains the other.
    subject
        .create(NewInvitation::new(format!("x{email}")))
        .await?;
    let listed = ids(subject, query).await?;
    same("what is listed", listed, BTreeSet::from([made.id]))
}

pub(super) async fn the_status_filter_is_exact(subject: &TestContext<'_>) -> Verdict {
    let status = InvitationStatus::Sent;
    let query = ListQuery::new().status(status.clone());
    if !subject.provider.capabilities().filter_status {
        return unsupported(subject, "the status filter", query).await;
    }
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    let sent = all(subject, query).await?;
    for invitation in &sent {
        same(
            "the status of one that is listed",
            invitation.status.as_ref(),
            Some(&status),
        )?;
    }
    let is_listed = sent.iter().any(|invitation| invitation.id == made.id);
    same(
        "whether the new one is listed",
        is_listed,
        made.status == Some(status),
    )?;
    let expired = ids(subject, ListQuery::new().status(InvitationStatus::Expired)).await?;
    expect(
        !expired.contains(&made.id),
        "a new invitation is listed among the expired",
    )
}

pub(super) async fn the_user_filter_is_exact(subject: &TestContext<'_>) -> Verdict {
    let query = ListQuery::new().user(NOBODY);
    if !subject.provider.capabilities().filter_user {
        return unsupported(subject, "the filter by user", query).await;
    }
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    same(
        "what is listed for nobody",
        ids(subject, query).await?,
        BTreeSet::new(),
    )?;
    if let Some(user) = made.user {
        let listed = ids(subject, ListQuery::new().user(user.id)).await?;
        same(
            "what is listed for its user",
            listed,
            BTreeSet::from([made.id]),
        )?;
    }
    Ok(())
}

pub(super) async fn the_creator_filter_is_exact(subject: &TestContext<'_>) -> Verdict {
    let query = ListQuery::new().creator(NOBODY);
    if !subject.provider.capabilities().filter_creator {
        return unsupported(subject, "the filter by creator", query).await;
    }
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    same(
        "what is listed for nobody",
        ids(subject, query).await?,
        BTreeSet::new(),
    )?;
    if let Some(creator) = made.creator {
        let listed = all(subject, ListQuery::new().creator(&creator.id)).await?;
        let is_listed = listed.iter().any(|invitation| invitation.id == made.id);
        expect(is_listed, "it is not listed for its creator")?;
        for invitation in listed {
            let id = invitation.creator.map(|creator| creator.id);
            same(
                "the creator of one that is listed",
                id.as_ref(),
                Some(&creator.id),
            )?;
        }
    }
    Ok(())
}

pub(super) async fn pages_are_the_list(subject: &TestContext<'_>) -> Verdict {
    let mut made = BTreeSet::new();
    for _ in 0..3 {
        made.insert(
            subject
                .create(NewInvitation::new(subject.address()))
                .await?
                .id,
        );
    }
    let query = ListQuery::new().page_size(2);
    let (mut token, mut paged) = (None, Vec::new());
    loop {
        let page = subject.provider.list_page(&query, token.as_ref()).await?;
        let size = page.items.len();
        expect(size <= 2, format_args!("a page of 2 has {size} items"))?;
        for item in page.items {
            paged.push(item?.id);
        }
        let Some(next) = page.next else { break };
        expect(
            token.as_ref() != Some(&next),
            format_args!("the token {next} comes again"),
        )?;
        token = Some(next);
    }
    let once: BTreeSet<_> = paged.iter().collect();
    same(
        "how many different ones the pages have",
        once.len(),
        paged.len(),
    )?;
    let missing: Vec<_> = made.iter().filter(|id| !once.contains(id)).collect();
    expect(missing.is_empty(), format_args!("no page has {missing:?}"))
}

pub(super) async fn the_largest_page_is_accepted(subject: &TestContext<'_>) -> Verdict {
    let largest = subject
        .provider
        .capabilities()
        .max_page_size
        .unwrap_or(u32::MAX);
    subject
        .provider
        .list_page(&ListQuery::new().page_size(largest), None)
        .await?;
    Ok(())
}

/// The id of no user.
const NOBODY: &str = "u-nobody";

async fn unsupported(subject: &TestContext<'_>, what: &str, query: ListQuery) -> Verdict {
    let outcome = subject
        .without_a_request(subject.provider.list_page(&query, None))
        .await?;
    refused(what, outcome, ErrorKind::Unsupported).map(drop)
}

async fn all(subject: &TestContext<'_>, query: ListQuery) -> Verdict<Vec<Invitation>> {
    Ok(subject.provider.list(query).try_collect().await?)
}

async fn ids(subject: &TestContext<'_>, query: ListQuery) -> Verdict<BTreeSet<InvitationId>> {
    let all = all(subject, query).await?;
    Ok(all.into_iter().map(|invitation| invitation.id).collect())
}
