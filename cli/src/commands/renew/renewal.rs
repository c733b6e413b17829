//! The renewal of one invitation: a delete and a create, of which the second must not be forgotten.

use std::{collections::BTreeSet, time::Duration};

use org_invitations::{
    Error, ErrorKind, Invitation, InvitationProviderExt, InvitationStatus, NewInvitation,
    Operation, Roles,
};

use super::{
    super::each::Tally,
    record::{Outcome, RenewedRecord},
};
use crate::{failure::Failure, interrupt::Interrupt, output::visible, provider::Connected};

/// One invitation on its way to being renewed.
pub(super) struct Renewal<'a> {
    pub provider: &'a Connected,
    pub old: Invitation,
}

/// How long to wait before the tries after the first; the library has its own retries within each.
const DELAYS: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// What became of it, and whether the others would meet the same: then they are better left alone.
pub(super) struct Renewed {
    pub record: RenewedRecord,
    pub stop: bool,
}

impl Renewal<'_> {
    pub async fn run(self, interrupt: &Interrupt, tally: &mut Tally) -> Renewed {
        let again = match self.again() {
            Ok(again) => again,
            Err(error) => return self.refused(error, tally),
        };
        // Whatever stops this process from now on, somebody can read who it was.
        let (email, id) = (visible(&self.old.email), &self.old.id);
        eprintln!("renewing {email}: deleting {id}, then creating it again");
        if let Err(error) = self.provider.delete(&self.old.id).await {
            // Not there for a second attempt is the work of the first, whose answer was lost. Not there
            // for the first is not ours: somebody withdrew it, or the person accepted.
            let is_gone = match error.kind() {
                ErrorKind::NotFound => error.attempts() > 1,
                _ => error.may_have_executed() && !self.is_still_there().await,
            };
            if !is_gone {
                return self.refused(error, tally);
            }
        }
        match self.create(&again, interrupt).await {
            Ok(new) => {
                tally.done();
                self.warn_of_differences(&new);
                Renewed {
                    record: self.record(Outcome::Renewed, Some(new), None, None),
                    stop: false,
                }
            }
            Err(error) => {
                let text = error.to_string();
                tally.failed(&Failure::Other(self.lost(&again, &error)));
                Renewed {
                    record: self.record(Outcome::Lost, None, Some(text), Some(again)),
                    stop: true,
                }
            }
        }
    }

    fn refused(self, error: Error, tally: &mut Tally) -> Renewed {
        let (text, stop) = (
            error.to_string(),
            error.kind() == ErrorKind::Unauthenticated,
        );
        tally.failed(&error.into());
        Renewed {
            record: self.record(Outcome::Refused, None, Some(text), None),
            stop,
        }
    }

    /// Somebody else may have invited the person in between, in another way.
    fn warn_of_differences(&self, new: &Invitation) {
        let ids = |one: &Invitation| -> BTreeSet<Option<String>> {
            let roles = one.assigned_roles.iter().flatten();
            roles.map(|role| role.id.clone()).collect()
        };
        if ids(new) != ids(&self.old) || new.auth_type != self.old.auth_type {
            let (email, id) = (visible(&new.email), &new.id);
            eprintln!(
                "warning: {email} is invited ({id}), but not with the roles and login of before"
            );
        }
    }

    /// What to create, once the old one is gone; refused where it would not be the same.
    fn again(&self) -> Result<NewInvitation, Error> {
        let refuse = |message: String| {
            let error = Error::new(ErrorKind::Unsupported, Operation::Create, message);
            let error = error.with_provider(self.provider.to_string());
            Err(error.with_subject(self.old.id.as_str()))
        };
        let over = match self.old.status {
            Some(InvitationStatus::Accepted) => Some((
                ErrorKind::AlreadyAccepted,
                "it was accepted, so there is nothing to renew",
            )),
            Some(InvitationStatus::Deactivated) => Some((
                ErrorKind::Unsupported,
                "it was withdrawn, so there is nothing to renew; `create` invites again",
            )),
            _ => None,
        };
        if let Some((kind, message)) = over {
            let error = Error::new(kind, Operation::Delete, message);
            let error = error.with_provider(self.provider.to_string());
            return Err(error.with_subject(self.old.id.as_str()));
        }
        let capabilities = self.provider.capabilities();
        let mut new = NewInvitation::new(&self.old.email);
        new.auth_type = self
            .old
            .auth_type
            .clone()
            .filter(|_| capabilities.auth_type);
        let roles = self.old.assigned_roles.as_deref().unwrap_or_default();
        let ids: Option<Vec<String>> = roles.iter().map(|role| role.id.clone()).collect();
        new.roles = match (ids, &self.old.role) {
            (Some(ids), _) if !ids.is_empty() && capabilities.role_ids => Some(Roles::Ids(ids)),
            (Some(ids), Some(role)) if ids.is_empty() && capabilities.legacy_role => {
                Some(Roles::Legacy(role.clone()))
            }
            (Some(ids), None) if ids.is_empty() => {
                let knows_none = self.old.assigned_roles.is_some() && capabilities.role_ids;
                knows_none.then(|| Roles::Ids(Vec::new()))
            }
            _ => {
                return refuse(
                    "its roles cannot be given again, because their ids are not known; it was not \
                     deleted"
                        .to_owned(),
                );
            }
        };
        new.validate()?;
        Ok(new)
    }

    /// Whether a delete whose answer was lost left it there, as far as can be learnt.
    async fn is_still_there(&self) -> bool {
        self.provider.get(&self.old.id).await.is_ok()
    }

    /// Creates it, with patience; a second request to stop ends that.
    async fn create(
        &self,
        again: &NewInvitation,
        interrupt: &Interrupt,
    ) -> Result<Invitation, Error> {
        let mut delays = DELAYS.into_iter();
        loop {
            let attempt = self.provider.get_or_create(again.clone());
            let outcome = tokio::select! {
                biased;
                outcome = attempt => outcome,
                () = interrupt.times(2) => return Err(self.insisted()),
            };
            // The server may not have taken in yet that the old one is gone.
            let error = match outcome {
                Ok(new) if new.id != self.old.id => return Ok(new),
                Ok(_) => Error::new(
                    ErrorKind::AlreadyExists,
                    Operation::Create,
                    "the provider still has the invitation that was deleted",
                )
                .with_provider(self.provider.to_string())
                .with_subject(&self.old.email),
                Err(error) => error,
            };
            let Some(delay) = delays.next().filter(|_| may_pass(&error)) else {
                return Err(error);
            };
            eprintln!(
                "{} is not invited yet, trying again: {}",
                visible(&self.old.email),
                visible(&error.to_string())
            );
            tokio::select! {
                () = tokio::time::sleep(delay.max(error.retry_after().unwrap_or_default())) => {}
                () = interrupt.times(2) => return Err(self.insisted()),
            }
        }
    }

    fn insisted(&self) -> Error {
        let message = "stopped before it was invited again";
        Error::new(ErrorKind::Timeout, Operation::Create, message)
            .with_provider(self.provider.to_string())
            .with_subject(&self.old.email)
            .with_may_have_executed(true)
    }

    /// Says who is not invited any more, and how to invite them.
    fn lost(&self, again: &NewInvitation, error: &Error) -> String {
        let mut command = format!(
            "org-invitations -p {} create {}",
            self.provider.label,
            quoted(&again.email)
        );
        if let Some(auth_type) = &again.auth_type {
            command += &format!(" --auth-type {}", quoted(auth_type.as_str()));
        }
        match &again.roles {
            Some(Roles::Ids(ids)) => {
                for id in ids {
                    command += &format!(" --role-id {}", quoted(id));
                }
            }
            Some(Roles::Legacy(role)) => command += &format!(" --role {}", quoted(role)),
            _ => {}
        }
        let (email, id) = (visible(&self.old.email), &self.old.id);
        let why = visible(&error.to_string()).into_owned();
        format!(
            "{email} IS NOT INVITED ANY MORE: the invitation {id} was deleted, and creating it again \
             failed\n  {why}\nto invite {email} again, run:\n  {command} --if-absent"
        )
    }

    fn record(
        self,
        outcome: Outcome,
        invitation: Option<Invitation>,
        error: Option<String>,
        invite: Option<NewInvitation>,
    ) -> RenewedRecord {
        RenewedRecord {
            provider: self.provider.label.clone(),
            email: self.old.email,
            old_id: self.old.id.into(),
            outcome,
            invitation,
            error,
            invite,
        }
    }
}

/// Whether a later try may go better.
fn may_pass(error: &Error) -> bool {
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
    )
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@._+-:".contains(letter);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", visible(word).replace('\'', "'\\''"))
}
