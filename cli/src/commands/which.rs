//! Invitations by id or by address.

use clap::Args;
use futures::TryStreamExt;
use org_invitations::{
    Error, ErrorKind, Invitation, InvitationId, InvitationProvider, InvitationProviderExt,
    InvitationStatus, ListQuery, Operation,
};

/// Which invitations are meant.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Their ids, as `list` shows them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// The address that was invited, in any spelling; may be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    pub email: Vec<String>,
}

impl Which {
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.email.is_empty()
    }

    /// Checks the ids, before anything is sent.
    pub fn ids(&self) -> Result<Vec<InvitationId>, Error> {
        let mut ids: Vec<InvitationId> = Vec::new();
        for id in &self.ids {
            let id = InvitationId::new(id)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}

/// The invitations of an address that can still be withdrawn, or else all of them.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when there are none.
pub(super) async fn by_email(
    provider: &dyn InvitationProvider,
    email: &str,
) -> Result<Vec<Invitation>, Error> {
    let query = ListQuery::new().email(email);
    let mut found: Vec<Invitation> = provider.list(query).try_collect().await?;
    if found.is_empty() {
        // A server may compare addresses as they were spelt.
        let wanted = email.to_lowercase();
        let is_it = |invitation: &Invitation| invitation.email.to_lowercase() == wanted;
        let all = provider.list(ListQuery::new());
        let matching = all.try_filter(|invitation| std::future::ready(is_it(invitation)));
        found = matching.try_collect().await?;
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
