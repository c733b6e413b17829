//! Invitations by id or by address.

use clap::Args;
use futures::TryStreamExt;
use org_invitations::{
    Error, ErrorKind, Invitation, InvitationId, InvitationProvider, InvitationProviderExt,
    InvitationStatus, ListQuery, Operation, normalize_email,
};

/// Which invitations are meant.
#[derive(Args, Debug)]
pub(crate) struct InvitationSelector {
    /// Their ids, as `list` shows them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// The address that was invited, in any spelling; may be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    pub email: Vec<String>,
}

impl InvitationSelector {
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.email.is_empty()
    }

    /// Checks the ids, before anything is sent.
    pub fn ids(&self) -> Result<Vec<InvitationId>, Error> {
        let mut ids: Vec<InvitationId> = Vec::new();
        for id in &self.ids {
            let id = parse_id(id, "give `--email` before it")?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}

/// An id as somebody typed it. No provider has an address for an id.
pub(super) fn parse_id(text: &str, instead: &str) -> Result<InvitationId, Error> {
    if text.contains('@') {
        let message = format!("it is an address, and not an id; {instead}");
        let error = Error::new(ErrorKind::InvalidInput, Operation::Validate, message);
        return Err(error.with_subject(text));
    }
    InvitationId::new(text)
}

/// The invitation with this id, and no other one.
pub(super) async fn find_by_id(
    provider: &dyn InvitationProvider,
    id: &InvitationId,
) -> Result<Invitation, Error> {
    let found = provider.get(id).await?;
    if found.id == *id {
        return Ok(found);
    }
    let message = format!("the answer is about another invitation, {}", found.id);
    let error = Error::new(ErrorKind::Unexpected, Operation::Get, message);
    Err(error
        .with_provider(provider.to_string())
        .with_subject(id.as_str()))
}

/// The invitations of an address that can still be withdrawn, or else all of them.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when there are none.
pub(super) async fn find_by_email(
    provider: &dyn InvitationProvider,
    email: &str,
) -> Result<Vec<Invitation>, Error> {
    // A server that ignores the filter, or matches beginnings, is not taken at its word; and one may compare
    // addresses as they were spelt.
    let wanted = normalize_email(email);
    let mut found: Vec<Invitation> = Vec::new();
    for query in [ListQuery::new().email(email), ListQuery::new()] {
        let list = provider.list(query);
        let is_it = |one: &Invitation| normalize_email(&one.email) == wanted;
        let matching = list.try_filter(|one| std::future::ready(is_it(one)));
        found = matching.try_collect().await?;
        if !found.is_empty() {
            break;
        }
    }
    // Some servers keep showing what was withdrawn; there is nothing left to do with it.
    found.retain(|invitation| invitation.status != Some(InvitationStatus::Deactivated));
    if found.is_empty() {
        let message = "nobody with this address is invited";
        let error = Error::new(ErrorKind::NotFound, Operation::List, message);
        return Err(error
            .with_provider(provider.to_string())
            .with_subject(email));
    }
    let open = |invitation: &&Invitation| invitation.status != Some(InvitationStatus::Accepted);
    let open: Vec<Invitation> = found.iter().filter(open).cloned().collect();
    Ok(if open.is_empty() { found } else { open })
}
