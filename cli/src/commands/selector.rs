//! Selects invitations by id or address.

use clap::Args;
use futures::TryStreamExt;
use org_invitations::{
    Error, ErrorKind, Invitation, InvitationId, InvitationProvider, InvitationProviderExt,
    InvitationStatus, ListQuery, Operation, normalize_email,
};

use crate::{completion, output::Shape};

/// The invitations that a command works on.
#[derive(Args, Debug)]
pub(crate) struct InvitationSelector {
    /// The ids of invitations, as `list` shows them.
    #[arg(value_name = "ID", add = completion::invitations())]
    pub ids: Vec<String>,
    /// The invited address, in any spelling; repeat for several addresses.
    #[arg(long, value_name = "ADDRESS", add = completion::addresses())]
    pub email: Vec<String>,
}

impl InvitationSelector {
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.email.is_empty()
    }

    /// The shape of the result: one record for one id.
    pub fn shape(&self) -> Shape {
        match (self.ids.as_slice(), self.email.as_slice()) {
            ([_], []) => Shape::One,
            _ => Shape::Many,
        }
    }

    /// Parses the ids and drops duplicates.
    pub fn ids(&self) -> Result<Vec<InvitationId>, Error> {
        let mut ids: Vec<InvitationId> = Vec::new();
        for id in &self.ids {
            let id = parse_id(id, "pass it with `--email`")?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}

/// Parses an id. An address is rejected with the `alternative` in the message: no provider uses addresses as ids.
pub(super) fn parse_id(text: &str, alternative: &str) -> Result<InvitationId, Error> {
    if text.contains('@') {
        let message = format!("this is an address, not an id; {alternative}");
        let error = Error::new(ErrorKind::InvalidInput, Operation::Validate, message);
        return Err(error.with_target(text));
    }
    InvitationId::new(text)
}

/// Gets the invitation with this id, and checks that the answer is about it.
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
        .with_target(id.as_str()))
}

/// Finds the invitations of an address: those that can still be withdrawn or, if there are none, all of them.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when there are none.
pub(super) async fn find_by_email(
    provider: &dyn InvitationProvider,
    email: &str,
) -> Result<Vec<Invitation>, Error> {
    // A server may ignore the filter or match prefixes, so every address is compared. It may also compare addresses
    // case-sensitively, so an unfiltered list follows.
    let address = normalize_email(email);
    let mut found: Vec<Invitation> = Vec::new();
    for query in [ListQuery::new().email(email), ListQuery::new()] {
        let list = provider.list(query);
        let matches = |one: &Invitation| normalize_email(&one.email) == address;
        let matching = list.try_filter(|one| std::future::ready(matches(one)));
        found = matching.try_collect().await?;
        if !found.is_empty() {
            break;
        }
    }
    // Some servers keep listing withdrawn invitations, which need nothing more.
    found.retain(|invitation| invitation.status != Some(InvitationStatus::Deactivated));
    if found.is_empty() {
        let message = "no invitation for this address";
        let error = Error::new(ErrorKind::NotFound, Operation::List, message);
        return Err(error.with_provider(provider.to_string()).with_target(email));
    }
    let open = |invitation: &&Invitation| invitation.status != Some(InvitationStatus::Accepted);
    let open: Vec<Invitation> = found.iter().filter(open).cloned().collect();
    Ok(if open.is_empty() { found } else { open })
}
