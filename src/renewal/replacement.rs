//! The create that follows the withdrawal.

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    invitation::{InvitationStatus, NewInvitation},
    lookup::{Confirmation, Unconfirmed, create_confirmed, find},
    member::MemberProviderExt as _,
    provider::InvitationProvider,
    renewal::{Renewal, RenewalOptions, RenewalResult},
    time,
};

impl Renewal {
    /// Creates the new invitation, or the fallback; `withdrawn` says that this renewal withdrew the old one.
    pub(super) async fn create_replacement<P>(
        &self,
        provider: &P,
        options: &RenewalOptions,
        withdrawn: bool,
    ) -> RenewalResult
    where
        P: InvitationProvider + ?Sized,
    {
        let mut error = match self.create(provider, &self.new, options, withdrawn).await {
            Ok(confirmation) => return result_of(confirmation, None),
            Err(unconfirmed) => unconfirmed.error,
        };
        if error.kind() == ErrorKind::Incomplete {
            return RenewalResult::Failed(error);
        }
        // The create may have been executed, so an invitation that exists now may be its result.
        if error.may_have_executed()
            && let Ok(Some(found)) = find(provider, &self.new.email, &error, None).await
            && !found.is_void()
            && found.id != self.id
        {
            return result_of(Confirmation::AlreadyInvited(found), None);
        }
        let fallback = self.fallback.as_ref().filter(|old| **old != self.new);
        if let Some(old) = fallback.filter(|_| is_about_options(&error) && !is_ambiguous(&error)) {
            options.observer.falling_back(self, &error);
            match self.create(provider, old, options, withdrawn).await {
                Ok(confirmation) => return result_of(confirmation, Some(error)),
                Err(unconfirmed) => error = unconfirmed.error.with_source(error),
            }
        }
        // Who is a member by another invitation has lost nothing.
        if let Some(members) = provider
            .members()
            .filter(|_| provider.capabilities().members)
            && let Ok(Some(member)) = members.find_member(&self.new.email).await
        {
            let message = format!("the person is the member {} already", member.id);
            let error = Error::new(ErrorKind::AlreadyAccepted, Operation::Create, message)
                .with_provider(provider.to_string())
                .with_target(&self.new.email)
                .with_source(error);
            return RenewalResult::Failed(error);
        }
        // Only an invitation that exists counts, whatever the responses were.
        match find(provider, &self.new.email, &error, None).await {
            Ok(Some(found)) if !found.is_void() && found.id != self.id => {
                result_of(Confirmation::AlreadyInvited(found), None)
            }
            Ok(Some(found)) if !found.is_void() => RenewalResult::Failed(error),
            _ if withdrawn => RenewalResult::Lost {
                invite: Box::new(fallback.unwrap_or(&self.new).clone()),
                error,
            },
            _ => RenewalResult::Failed(error),
        }
    }

    /// Creates an invitation, with retries: a server may take a while to free the address.
    async fn create<P>(
        &self,
        provider: &P,
        new: &NewInvitation,
        options: &RenewalOptions,
        withdrawn: bool,
    ) -> Result<Confirmation, Unconfirmed>
    where
        P: InvitationProvider + ?Sized,
    {
        let mut delays = options.retry_delays.iter();
        loop {
            let unconfirmed = match create_confirmed(provider, new, None).await {
                // The person had an invitation a moment ago, so is no member, whatever the message says.
                Ok(Confirmation::Member(error)) if withdrawn => Unconfirmed::from(error),
                Ok(Confirmation::Created(found) | Confirmation::AlreadyInvited(found))
                    if found.id == self.id =>
                {
                    let message = "the provider still returns the withdrawn invitation";
                    let error = Error::new(ErrorKind::AlreadyExists, Operation::Create, message);
                    let error = error.with_provider(provider.to_string());
                    Unconfirmed::from(error.with_target(&new.email).with_conflicting_id(found.id))
                }
                Err(unconfirmed) => unconfirmed,
                confirmed => return confirmed,
            };
            let retry = is_transient(&unconfirmed.error) && !is_ambiguous(&unconfirmed.error);
            let Some(delay) = delays.next().filter(|_| retry) else {
                return Err(unconfirmed);
            };
            let delay = (*delay).max(unconfirmed.error.retry_after().unwrap_or_default());
            options.observer.retrying(self, &unconfirmed.error, delay);
            time::sleep(delay).await;
        }
    }
}

/// The result of a renewal whose person is invited or a member; `error` is set if the fallback was created.
fn result_of(confirmation: Confirmation, error: Option<Error>) -> RenewalResult {
    match (confirmation, error) {
        (Confirmation::AlreadyInvited(found), _)
            if found.status == Some(InvitationStatus::Accepted) =>
        {
            let message = format!("the person accepted another invitation, {}", found.id);
            let error = Error::new(ErrorKind::AlreadyAccepted, Operation::Create, message);
            RenewalResult::Failed(error.with_target(&found.email))
        }
        (Confirmation::Created(old), Some(error)) => RenewalResult::Restored {
            invitation: Box::new(old),
            error,
        },
        (Confirmation::Created(new) | Confirmation::AlreadyInvited(new), _) => {
            RenewalResult::Renewed(Box::new(new))
        }
        (Confirmation::Member(error), _) => {
            RenewalResult::Failed(error.with_kind(ErrorKind::AlreadyAccepted))
        }
    }
}

/// Whether a create may have been executed. The provider has looked for the invitation as long as it may, and another
/// create may make a second one. A conflict is conclusive.
fn is_ambiguous(error: &Error) -> bool {
    error.may_have_executed() && !error.is_conflict()
}

/// Whether a later attempt may succeed.
fn is_transient(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Timeout
            | ErrorKind::Transport
            | ErrorKind::Connect
            | ErrorKind::RateLimited
            | ErrorKind::Decode
            | ErrorKind::Unexpected
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
    )
}

/// Whether the provider may accept other options.
fn is_about_options(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Unauthenticated
            | ErrorKind::Config
            | ErrorKind::Connect
            | ErrorKind::RateLimited
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
    )
}
