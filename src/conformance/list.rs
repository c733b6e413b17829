//! Behaviours of lists: filters and pages.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;

use super::{
    TestContext,
    assertions::{ensure, ensure_eq, ensure_fails},
    report::CaseResult,
};
use crate::{
    error::ErrorKind,
    invitation::{Invitation, InvitationId, InvitationStatus, NewInvitation},
    list::ListQuery,
    provider_ext::InvitationProviderExt,
};

pub(super) async fn find_by_email_finds_the_invitation(context: &TestContext<'_>) -> CaseResult {
    let email = context.address();
    let none = context.provider.find_by_email(&email).await?;
    ensure(
        none.is_none(),
        format_args!("it found {none:?} before the create"),
    )?;
    let created = context.create(NewInvitation::new(&email)).await?;
    let found = context.provider.find_by_email(&email).await?;
    ensure_eq(
        "the invitation that it found",
        found.map(|found| found.id),
        Some(created.id),
    )
}

pub(super) async fn the_email_filter_is_exact(context: &TestContext<'_>) -> CaseResult {
    let (email, other) = (context.address(), context.address());
    let query = ListQuery::new().email(&email);
    if !context.provider.capabilities().filter_email {
        return unsupported(context, "the email filter", query).await;
    }
    let created = context.create(NewInvitation::new(&email)).await?;
    context.create(NewInvitation::new(&other)).await?;
    // Contains the filtered address.
    context
        .create(NewInvitation::new(format!("x{email}")))
        .await?;
    let listed = ids(context, query).await?;
    ensure_eq(
        "the listed invitations",
        listed,
        BTreeSet::from([created.id]),
    )
}

pub(super) async fn the_status_filter_is_exact(context: &TestContext<'_>) -> CaseResult {
    let status = InvitationStatus::Sent;
    let query = ListQuery::new().status(status.clone());
    if !context.provider.capabilities().filter_status {
        return unsupported(context, "the status filter", query).await;
    }
    let created = context.create_new().await?;
    let sent = all(context, query).await?;
    for invitation in &sent {
        ensure_eq(
            "the status of a listed invitation",
            invitation.status.as_ref(),
            Some(&status),
        )?;
    }
    let is_listed = sent.iter().any(|invitation| invitation.id == created.id);
    ensure_eq(
        "whether the new invitation is listed",
        is_listed,
        created.status == Some(status),
    )?;
    let expired = ids(context, ListQuery::new().status(InvitationStatus::Expired)).await?;
    ensure(
        !expired.contains(&created.id),
        "a new invitation is listed among the expired",
    )
}

pub(super) async fn the_user_filter_is_exact(context: &TestContext<'_>) -> CaseResult {
    let query = ListQuery::new().user(UNKNOWN_USER);
    if !context.provider.capabilities().filter_user {
        return unsupported(context, "the filter by user", query).await;
    }
    let created = context.create_new().await?;
    context.create_new().await?;
    ensure_eq(
        "the invitations listed for an unknown user",
        ids(context, query).await?,
        BTreeSet::new(),
    )?;
    if let Some(user) = created.user {
        let listed = ids(context, ListQuery::new().user(user.id)).await?;
        ensure_eq(
            "the invitations listed for its user",
            listed,
            BTreeSet::from([created.id]),
        )?;
    }
    Ok(())
}

pub(super) async fn the_creator_filter_is_exact(context: &TestContext<'_>) -> CaseResult {
    let query = ListQuery::new().creator(UNKNOWN_USER);
    if !context.provider.capabilities().filter_creator {
        return unsupported(context, "the filter by creator", query).await;
    }
    let created = context.create_new().await?;
    ensure_eq(
        "the invitations listed for an unknown user",
        ids(context, query).await?,
        BTreeSet::new(),
    )?;
    if let Some(creator) = created.creator {
        let listed = all(context, ListQuery::new().creator(&creator.id)).await?;
        let is_listed = listed.iter().any(|invitation| invitation.id == created.id);
        ensure(is_listed, "it is not listed for its creator")?;
        for invitation in listed {
            let id = invitation.creator.map(|creator| creator.id);
            ensure_eq(
                "the creator of a listed invitation",
                id.as_ref(),
                Some(&creator.id),
            )?;
        }
    }
    Ok(())
}

pub(super) async fn pages_add_up_to_the_list(context: &TestContext<'_>) -> CaseResult {
    let mut created = BTreeSet::new();
    for _ in 0..3 {
        created.insert(context.create_new().await?.id);
    }
    let query = ListQuery::new().page_size(2);
    let (mut token, mut paged) = (None, Vec::new());
    loop {
        let page = context.provider.list_page(&query, token.as_ref()).await?;
        let size = page.items.len();
        ensure(size <= 2, format_args!("a page of 2 has {size} items"))?;
        for item in page.items {
            paged.push(item?.id);
        }
        let Some(next) = page.next else { break };
        ensure(
            token.as_ref() != Some(&next),
            format_args!("the token {next} is repeated"),
        )?;
        token = Some(next);
    }
    let distinct: BTreeSet<_> = paged.iter().collect();
    ensure_eq(
        "the number of different invitations in all pages",
        distinct.len(),
        paged.len(),
    )?;
    let missing: Vec<_> = created.iter().filter(|id| !distinct.contains(id)).collect();
    ensure(missing.is_empty(), format_args!("no page has {missing:?}"))
}

pub(super) async fn the_largest_page_is_accepted(context: &TestContext<'_>) -> CaseResult {
    let largest = context
        .provider
        .capabilities()
        .max_page_size
        .unwrap_or(u32::MAX);
    context
        .provider
        .list_page(&ListQuery::new().page_size(largest), None)
        .await?;
    Ok(())
}

/// An id that no user has.
const UNKNOWN_USER: &str = "u-nobody";

async fn unsupported(context: &TestContext<'_>, what: &str, query: ListQuery) -> CaseResult {
    let outcome = context
        .without_a_request(context.provider.list_page(&query, None))
        .await?;
    ensure_fails(what, outcome, ErrorKind::Unsupported).map(drop)
}

async fn all(context: &TestContext<'_>, query: ListQuery) -> CaseResult<Vec<Invitation>> {
    Ok(context.provider.list(query).try_collect().await?)
}

async fn ids(context: &TestContext<'_>, query: ListQuery) -> CaseResult<BTreeSet<InvitationId>> {
    let all = all(context, query).await?;
    Ok(all.into_iter().map(|invitation| invitation.id).collect())
}
