//! Finding the invitation that is in the way of a new one.

use futures_util::StreamExt;

use crate::{
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, InvitationId, InvitationStatus},
    list::ListQuery,
    provider::{InvitationProvider, InvitationProviderExt},
};

/// The invitation that the refusal of a create names, or else the latest of the address that is not
/// over, in the spelling that was sent or in lower case.
pub(crate) async fn in_the_way<P>(
    provider: &P,
    email: &str,
    refused: &Error,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    if let Some(found) = named(provider, refused.conflicting_id()).await? {
        return Ok(Some(found));
    }
    let capabilities = provider.capabilities();
    let lower = email.to_lowercase();
    let mut queries = Vec::new();
    if !capabilities.filter_email {
        queries.push(ListQuery::new());
    } else {
        queries.push(ListQuery::new().email(email));
        // A server may compare letter by letter.
        if lower != email && capabilities.server_side_filters {
            queries.push(ListQuery::new().email(&lower));
        }
    }
    for query in queries {
        // One that is over is not in the way of a new one, nor is it the new one.
        let found = latest(provider, query, |invitation| {
            invitation.email.to_lowercase() == lower && !is_over(invitation)
        });
        if let Some(found) = found.await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The latest invitation of an address in any spelling, from the whole list; one that is not over
/// before one that is.
pub(crate) async fn in_any_spelling<P>(provider: &P, email: &str) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let lower = email.to_lowercase();
    latest(provider, ListQuery::new(), |invitation| {
        invitation.email.to_lowercase() == lower
    })
    .await
}

async fn named<P>(provider: &P, id: Option<&InvitationId>) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let Some(id) = id else { return Ok(None) };
    match provider.get(id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// The latest that matches; one that is not over before one that is. Without a match, one that cannot be
/// read is an error, because it may have been the one.
async fn latest<P>(
    provider: &P,
    query: ListQuery,
    matches: impl Fn(&Invitation) -> bool,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let rank = |invitation: &Invitation| (!is_over(invitation), invitation.created_at);
    let mut latest: Option<Invitation> = None;
    let mut unreadable = None;
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
            Err(error) => unreadable = unreadable.or(Some(error)),
        }
    }
    match (latest, unreadable) {
        (None, Some(error)) => Err(error),
        (latest, _) => Ok(latest),
    }
}

fn is_over(invitation: &Invitation) -> bool {
    matches!(
        invitation.status,
        Some(InvitationStatus::Expired | InvitationStatus::Deactivated)
    )
}
