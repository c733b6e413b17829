//! Creates an invitation, and confirms that the person is invited or a member.

use crate::{
    address::same_email,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, NewInvitation},
    lookup::{SharedList, find, is_about_a_member, without_conflict_found},
    provider::InvitationProvider,
};

/// Evidence that a person is invited or a member.
#[derive(Debug)]
pub(crate) enum Confirmation {
    /// This call created the invitation; the response has the address.
    Created(Invitation),
    /// The invitation existed before and was found.
    AlreadyInvited(Invitation),
    /// The provider's error says that the person is a member.
    Member(Error),
}

/// A create without a [`Confirmation`].
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    pub error: Error,
    /// Whether the person may be invited or a member nevertheless.
    pub is_unexplained: bool,
}

impl From<Error> for Unconfirmed {
    fn from(error: Error) -> Self {
        let is_unexplained = error.may_have_executed();
        Self {
            error,
            is_unexplained,
        }
    }
}

/// Creates an invitation. If the provider says that the person is invited, looks for the invitation: a status code
/// alone is no evidence.
///
/// `list` is read if no other lookup finds the invitation; without it, the whole list is read again.
pub(crate) async fn create_confirmed<P>(
    provider: &P,
    new: &NewInvitation,
    list: Option<&SharedList>,
) -> Result<Confirmation, Unconfirmed>
where
    P: InvitationProvider + ?Sized,
{
    let error = match provider.create(new.clone()).await {
        Ok(created) if same_email(&created.email, &new.email) => {
            return Ok(Confirmation::Created(created));
        }
        Ok(created) => {
            let message = format!("the response is about another address: {:?}", created.email);
            let error = Error::new(ErrorKind::Unexpected, Operation::Create, message)
                .with_provider(provider.to_string())
                .with_target(&new.email)
                .with_may_have_executed(true);
            return Err(Unconfirmed::from(error));
        }
        Err(error) if error.is_conflict() => error,
        Err(error) => return Err(Unconfirmed::from(error)),
    };
    if is_about_a_member(&error) {
        return Ok(Confirmation::Member(error));
    }
    let (error, is_unexplained) = match find(provider, &new.email, &error, list).await {
        Ok(Some(found)) if !found.is_void() => return Ok(Confirmation::AlreadyInvited(found)),
        Ok(Some(void)) => (error.with_conflicting_id(void.id), false),
        Ok(None) => (error, true),
        Err(lookup) => (error.with_source(lookup), true),
    };
    Err(Unconfirmed {
        error,
        is_unexplained,
    })
}

/// Creates an invitation, or finds the one that is there; whether this call created it.
pub(crate) async fn create_if_not_exists<P>(
    provider: &P,
    new: NewInvitation,
) -> Result<(Invitation, bool)>
where
    P: InvitationProvider + ?Sized,
{
    let email = new.email.clone();
    let refused = match provider.create(new).await {
        Err(error) if error.is_conflict() => error,
        created => return created.map(|created| (created, true)),
    };
    match find(provider, &email, &refused, None).await {
        Ok(Some(found)) => Ok((found, false)),
        Ok(None) => Err(without_conflict_found(refused)),
        // Nobody was seen, and what the create did is still open.
        Err(lookup) => Err(refused
            .with_kind(ErrorKind::Conflict)
            .with_may_have_executed(true)
            .with_source(lookup)),
    }
}
