//! Finds the invitation of an address: the one that a create conflicts with, and the one that a create made.

mod confirm;
mod shared;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;

pub(crate) use self::{
    confirm::{Confirmation, Unconfirmed, create_confirmed},
    shared::{LookupResult, SharedList, SharedLookups},
};
use crate::{
    address::same_email,
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, InvitationId},
    list::ListQuery,
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
};

/// The invitation that the error of a create names, or else the latest pending or accepted one of the address, as it
/// was sent or in lower case.
pub(crate) async fn find_conflicting<P>(
    provider: &P,
    email: &str,
    error: &Error,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let named = get_if_exists(provider, error.conflicting_id()).await?;
    // A server may name the invitation of another address.
    if let Some(found) = named.filter(|found| same_email(&found.email, email)) {
        return Ok(Some(found));
    }
    for query in queries_for(provider, email) {
        // A void invitation does not conflict with a new one, and is not the new one.
        let found = latest(provider, query, |invitation| {
            same_email(&invitation.email, email) && !invitation.is_void()
        });
        if let Some(found) = found.await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The latest invitation of an address in any spelling, from the whole list. A void invitation ranks last.
pub(crate) async fn find_by_email_ignore_case<P>(
    provider: &P,
    email: &str,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    latest(provider, ListQuery::new(), |invitation| {
        same_email(&invitation.email, email)
    })
    .await
}

/// The invitation, in any spelling of the address, that the error of a create is about.
pub(crate) async fn find<P>(
    provider: &P,
    email: &str,
    error: &Error,
    list: Option<&SharedList>,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    match (find_conflicting(provider, email, error).await?, list) {
        (Some(found), _) => Ok(Some(found)),
        (None, Some(list)) => list.find(provider, email).await,
        (None, None) => find_by_email_ignore_case(provider, email).await,
    }
}

/// Whether an error in the provider's documented form says that the person is a member.
///
/// Observed: ClickHouse lists no invitation of a member. Confluent says that "this user already exists within the
/// Organization" of a member and also of an invitee, and names the invitation then; so an error that names an
/// invitation is not about a member.
pub(crate) fn is_about_a_member(error: &Error) -> bool {
    let message = error.message().to_lowercase();
    let phrases = [
        "member of the organi",
        "already a member",
        "user already exists",
    ];
    error.conflicting_id().is_none()
        && (error.code().is_some() || !error.details().is_empty())
        && phrases.iter().any(|phrase| message.contains(phrase))
}

/// The list queries that have an address: as it was sent and, if a server may compare byte by byte, in lower case.
fn queries_for<P>(provider: &P, email: &str) -> Vec<ListQuery>
where
    P: InvitationProvider + ?Sized,
{
    let capabilities = provider.capabilities();
    if !capabilities.filter_email {
        return vec![ListQuery::new()];
    }
    let lower = email.to_lowercase();
    let mut queries = vec![ListQuery::new().email(email)];
    if lower != email && capabilities.server_side_filters {
        queries.push(ListQuery::new().email(lower));
    }
    queries
}

async fn get_if_exists<P>(provider: &P, id: Option<&InvitationId>) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let Some(id) = id else { return Ok(None) };
    match provider.get(id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// The latest match; a void invitation ranks last. Without a match, an unreadable item is an error, because it may be
/// the match.
async fn latest<P>(
    provider: &P,
    query: ListQuery,
    matches: impl Fn(&Invitation) -> bool,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let mut latest: Option<Invitation> = None;
    let mut item_error = None;
    let mut list = provider.list(query);
    while let Some(item) = list.next().await {
        match item {
            Ok(invitation) if matches(&invitation) => {
                if latest
                    .as_ref()
                    .is_none_or(|latest| rank(latest) < rank(&invitation))
                {
                    latest = Some(invitation);
                }
            }
            Ok(_) => {}
            Err(error) => item_error = item_error.or(Some(error)),
        }
    }
    match (latest, item_error) {
        (None, Some(error)) => Err(error),
        (latest, _) => Ok(latest),
    }
}

/// Orders invitations of one address: void ones first, then by creation.
fn rank(invitation: &Invitation) -> (bool, Option<DateTime<Utc>>) {
    (!invitation.is_void(), invitation.created_at)
}
