//! The renewal of one invitation: a delete, and a create that must follow it.
//!
//! [`Plan::apply`](crate::Plan::apply) and the command use it too.

mod options;
mod previous;
mod replacement;
mod user_roles;

use crate::{
    capabilities::Capabilities,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, InvitationId, InvitationStatus, NewInvitation, Roles},
    provider::InvitationProvider,
    time,
};

pub use self::options::{RenewalObserver, RenewalOptions, RenewalResult};
pub(crate) use self::previous::{
    ReportedRoles, has_options, has_roles, missing_capability, previous_options,
};

/// An invitation to withdraw, and the one to create in its place. No vendor can change an invitation or send it again.
///
/// A renewal is two requests and not atomic: between them the person is not invited. Therefore everything that can be
/// checked is checked before the withdrawal, the create is retried, [`fallback`](Self::fallback) is created if the
/// provider rejects the new options, and only an invitation in a response or a list counts as success.
///
/// On Confluent, withdrawing an invitation drops the role bindings of the user that it created. Unless the new invitation
/// has roles, a renewal reads them first and gives them to the new user; if they cannot be read, nothing is withdrawn.
///
/// After the create, a third request looks whether the old invitation is gone, since a server may confirm a withdrawal that it does not
/// carry out.
///
/// [`renew`](crate::InvitationProviderExt::renew) executes it, and has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renewal {
    /// The invitation to withdraw.
    pub id: InvitationId,
    /// The invitation to create in its place.
    pub new: NewInvitation,
    /// The invitation to create if the provider rejects `new`: the old options, which it accepted before. Default: none.
    pub fallback: Option<NewInvitation>,
}

impl Renewal {
    /// Withdraws `id` and creates `new`.
    pub fn new(id: InvitationId, new: NewInvitation) -> Self {
        Self {
            id,
            new,
            fallback: None,
        }
    }

    /// Renews `old` with the same options.
    ///
    /// # Errors
    ///
    /// [`AlreadyAccepted`](ErrorKind::AlreadyAccepted), and [`Unsupported`](ErrorKind::Unsupported) if `old` was
    /// withdrawn, or if its roles cannot be assigned again because their ids are not reported.
    pub fn of(old: &Invitation, capabilities: &Capabilities) -> Result<Self> {
        let fail = |kind, operation, message: &str| {
            Err(Error::new(kind, operation, message).with_target(old.id.as_str()))
        };
        match old.status {
            Some(InvitationStatus::Accepted) => {
                let message = "the invitation was accepted, so it cannot be renewed";
                return fail(ErrorKind::AlreadyAccepted, Operation::Delete, message);
            }
            Some(InvitationStatus::Deactivated) => {
                let message = "the invitation was withdrawn, so it cannot be renewed; create an invitation instead";
                return fail(ErrorKind::Unsupported, Operation::Delete, message);
            }
            _ => {}
        }
        let roles = ReportedRoles::from(old.roles.clone());
        let auth_type = old.auth_type.as_ref();
        match previous_options(
            &old.email,
            auth_type,
            old.role.as_deref(),
            &roles,
            capabilities,
        ) {
            Ok(new) => Ok(Self::new(old.id.clone(), new)),
            Err(why) => {
                let message = format!("{why}; it was not deleted");
                fail(ErrorKind::Unsupported, Operation::Create, &message)
            }
        }
    }

    /// Sets the invitation to create if the provider rejects the new options.
    #[must_use]
    pub fn fallback(mut self, fallback: NewInvitation) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// Checks the renewal without sending anything: the address, the options against the capabilities and, if the ids of
    /// the old roles are UUIDs, that the ids of the new roles are UUIDs too.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) and [`Unsupported`](ErrorKind::Unsupported).
    pub fn check(&self, capabilities: &Capabilities) -> Result<()> {
        self.new.validate()?;
        let fail = |kind, message: String| {
            Err(Error::new(kind, Operation::Create, message).with_target(&self.new.email))
        };
        if let Some(missing) = missing_capability(&self.new, capabilities) {
            return fail(
                ErrorKind::Unsupported,
                format!("the provider has no {missing}"),
            );
        }
        // Where roles can be listed, `InvitationProvider::check` knows them.
        if capabilities.list_roles {
            return Ok(());
        }
        let ids = |new: &NewInvitation| match &new.roles {
            Some(Roles::Grants(grants)) => grants.iter().map(|grant| grant.role.clone()).collect(),
            _ => Vec::new(),
        };
        let old = self.fallback.as_ref().map(ids).unwrap_or_default();
        let invalid = ids(&self.new).into_iter().find(|id| !is_uuid(id));
        if let Some(invalid) =
            invalid.filter(|_| !old.is_empty() && old.iter().all(|id| is_uuid(id)))
        {
            let message = format!(
                "{invalid:?} does not look like the id of a role, which is a UUID here; nothing was \
                 withdrawn"
            );
            return fail(ErrorKind::InvalidInput, message);
        }
        Ok(())
    }

    /// Executes the renewal. See [`InvitationProviderExt::renew`](crate::InvitationProviderExt::renew).
    pub(crate) async fn run<P>(&self, provider: &P, options: &RenewalOptions) -> RenewalResult
    where
        P: InvitationProvider + ?Sized,
    {
        if let Err(error) = self.check(&provider.capabilities()) {
            return RenewalResult::Failed(error.with_provider(provider.to_string()));
        }
        match self.clone().with_roles_of_user(provider).await {
            Ok(renewal) => renewal.run_checked(provider, options).await,
            Err(error) => RenewalResult::Failed(error),
        }
    }

    async fn run_checked<P>(&self, provider: &P, options: &RenewalOptions) -> RenewalResult
    where
        P: InvitationProvider + ?Sized,
    {
        // Roles that existed before may have been deleted.
        if let Err(error) = provider.check(&self.new).await {
            return RenewalResult::Failed(error);
        }
        if let Err(error) = options.observer.withdrawing(self) {
            return RenewalResult::Failed(error);
        }
        let withdrawn = match self.withdraw(provider, options).await {
            Ok(withdrawn) => withdrawn,
            Err(error) => return RenewalResult::Failed(error),
        };
        if withdrawn {
            options.observer.withdrawn(self);
        }
        match self.create_replacement(provider, options, withdrawn).await {
            RenewalResult::Renewed(new)
            | RenewalResult::Restored {
                invitation: new, ..
            } if withdrawn && self.stays(provider, options).await => {
                let message = format!(
                    "the provider confirmed the withdrawal of {} and still has it; {} has two invitations now, {} is the \
                     new one; delete the other",
                    self.id, new.email, new.id
                );
                let error = Error::new(ErrorKind::Unexpected, Operation::Delete, message);
                let error = error
                    .with_provider(provider.to_string())
                    .with_target(self.id.as_str());
                RenewalResult::Failed(error.with_may_have_executed(true))
            }
            result => result,
        }
    }

    /// Whether the old invitation is still there some time after its withdrawal.
    async fn stays<P>(&self, provider: &P, options: &RenewalOptions) -> bool
    where
        P: InvitationProvider + ?Sized,
    {
        let mut delays = options.retry_delays.iter();
        while self.still_exists(provider).await {
            let Some(delay) = delays.next() else {
                return true;
            };
            time::sleep(*delay).await;
        }
        false
    }

    /// Withdraws the old invitation; `false` if it did not exist and the options allow that.
    async fn withdraw<P>(&self, provider: &P, options: &RenewalOptions) -> Result<bool>
    where
        P: InvitationProvider + ?Sized,
    {
        let error = match provider.delete(&self.id).await {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        match error.kind() {
            // A retried delete finds nothing if the first attempt was executed.
            ErrorKind::NotFound if error.attempts() > 1 => Ok(true),
            // A first delete finds nothing if somebody else withdrew the invitation, or the person accepted.
            ErrorKind::NotFound if options.create_if_missing => Ok(false),
            _ if error.may_have_executed() && !self.still_exists(provider).await => Ok(true),
            _ => Err(error),
        }
    }

    /// Whether the old invitation exists after a delete without a response. If that is unknown, the create that follows
    /// shows it, without harm.
    async fn still_exists<P>(&self, provider: &P) -> bool
    where
        P: InvitationProvider + ?Sized,
    {
        let found = provider.get(&self.id).await;
        found.is_ok_and(|found| {
            found.id == self.id && found.status != Some(InvitationStatus::Deactivated)
        })
    }
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
