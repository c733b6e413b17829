//! Finds the invitation of an address: the one that a create conflicts with, and the one that a create made.

mod confirm;
mod shared;

use chrono::{DateTime, Utc};

pub(crate) use self::{
    confirm::{Confirmation, Unconfirmed, create_confirmed, create_if_not_exists},
    shared::{LookupResult, SharedList, SharedLookups},
};
use crate::{
    address::same_email,
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, InvitationId},
    list::{self, ListQuery},
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
        (None, None) => {
            let matches = |invitation: &Invitation| same_email(&invitation.email, email);
            latest(provider, ListQuery::new(), matches).await
        }
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

/// The error of a conflict without a conflicting invitation: `Conflict`, or `AlreadyExists` if the provider's message says
/// that the person is a member, who has no invitation.
pub(crate) fn without_conflict_found(error: Error) -> Error {
    let kind = match is_about_a_member(&error) {
        true => ErrorKind::AlreadyExists,
        false => ErrorKind::Conflict,
    };
    error.with_kind(kind)
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

/// The latest match, and of several the first; a void invitation ranks last. Without a match, an unreadable item is an
/// error, because it may be the match.
async fn latest<P>(
    provider: &P,
    query: ListQuery,
    matches: impl Fn(&Invitation) -> bool,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let found = list::all_matches(provider.list(query), matches).await?;
    Ok(found.into_iter().rev().max_by_key(rank))
}

/// Orders invitations of one address: void ones first, then by creation.
fn rank(invitation: &Invitation) -> (bool, Option<DateTime<Utc>>) {
    (!invitation.is_void(), invitation.created_at)
}
