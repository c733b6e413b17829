//! Runs the library's renewal of one invitation and prints its progress.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use org_invitations::{
    Error, ErrorKind, Invitation, InvitationProviderExt, NewInvitation, Operation, Outage, Renewal,
    RenewalObserver, RenewalOptions, RenewalResult, Result, RoleAssignment, RoleGrant, Roles,
};
use tokio::sync::watch;

use super::record::{Outcome, RenewedRecord};
use crate::{
    apply::{CUT_OFF, STOPPING},
    bulk::{RunSummary, recovery_message, set_roles_command},
    failure::Failure,
    interrupt::Interrupt,
    output::escape_control,
    provider::ProviderContext,
};

/// The outcome of a renewal.
pub(super) struct Renewed {
    pub record: RenewedRecord,
    /// Whether the remaining invitations would fail in the same way.
    pub stop: bool,
    /// Whether nothing was sent because the server cannot be reached.
    pub is_not_sent: bool,
    /// Whether a person who is lost may be invited nevertheless.
    pub may_be_invited: bool,
}

/// Renews an invitation. The first Ctrl-C waits for the renewal; the second one ends it and names the person who is not
/// invited.
pub(super) async fn renew(
    provider: &ProviderContext,
    old: Invitation,
    outage: &Outage,
    interrupt: &Interrupt,
    summary: &mut RunSummary,
) -> Renewed {
    let record = |outcome, invitation, error, invite| RenewedRecord {
        provider: provider.label.clone(),
        email: old.email.clone(),
        old_id: old.id.to_string(),
        outcome,
        invitation,
        error,
        invite,
    };
    let result = match Renewal::of(&old, &provider.capabilities()) {
        Ok(renewal) => run(provider, renewal, outage, interrupt).await,
        Err(error) => (
            RenewalResult::Failed(error.with_provider(provider.to_string())),
            None,
        ),
    };
    let (result, roles) = result;
    match result {
        RenewalResult::Renewed(new)
        | RenewalResult::Restored {
            invitation: new, ..
        } => {
            summary.record_success();
            warn_of_differences(&old, &new);
            Renewed {
                record: record(Outcome::Renewed, Some(*new), None, None),
                stop: false,
                is_not_sent: false,
                may_be_invited: false,
            }
        }
        RenewalResult::Lost { invite, error } => {
            let text = error.to_string();
            let may_be_invited = error.may_have_executed();
            let id = Some(&old.id);
            let message = recovery_message(provider, id, &invite, &text, may_be_invited);
            summary.report_failure(&Failure::Other(message));
            Renewed {
                record: record(Outcome::Lost, None, Some(text), Some(*invite)),
                stop: true,
                is_not_sent: false,
                may_be_invited,
            }
        }
        RenewalResult::Failed(error) if error.kind() == ErrorKind::Incomplete => {
            let new = match error.conflicting_id() {
                Some(id) => provider.get(id).await.ok(),
                None => None,
            };
            let text = error.to_string();
            summary.report_failure(&error.into());
            let user = new.as_ref().and_then(|new| new.user.as_ref());
            if let (Some(user), Some(roles)) = (user, &roles) {
                eprintln!(
                    "to give {} the roles of before, run:\n  {}",
                    escape_control(&old.email),
                    set_roles_command(provider, &user.id, roles)
                );
            }
            Renewed {
                record: record(Outcome::Incomplete, new, Some(text), None),
                stop: false,
                is_not_sent: false,
                may_be_invited: false,
            }
        }
        RenewalResult::Failed(error) => rejected(error, outage, record, summary),
        _ => {
            let message = "an outcome that this command does not know";
            let error = Error::new(ErrorKind::Unexpected, Operation::Create, message);
            rejected(error, outage, record, summary)
        }
    }
}

fn rejected(
    error: Error,
    outage: &Outage,
    record: impl FnOnce(
        Outcome,
        Option<Invitation>,
        Option<String>,
        Option<NewInvitation>,
    ) -> RenewedRecord,
    summary: &mut RunSummary,
) -> Renewed {
    let stop = error.kind() == ErrorKind::Unauthenticated || outage.gave_up();
    let is_not_sent = error.kind() == ErrorKind::Connect && !error.may_have_executed();
    let text = error.to_string();
    summary.report_failure(&error.into());
    Renewed {
        record: record(Outcome::Refused, None, Some(text), None),
        stop,
        is_not_sent,
        may_be_invited: false,
    }
}

async fn run(
    provider: &ProviderContext,
    renewal: Renewal,
    outage: &Outage,
    interrupt: &Interrupt,
) -> (RenewalResult, Option<Roles>) {
    let (withdrawn, mut is_withdrawn) = watch::channel(false);
    let announcer = Arc::new(Announcer {
        withdrawn,
        roles: OnceLock::new(),
    });
    let options = RenewalOptions::default().observer(Arc::clone(&announcer) as Arc<_>);
    let work = || async {
        match provider.renew(&renewal, &options).await {
            RenewalResult::Failed(error) => Err(error),
            result => Ok(result),
        }
    };
    let work = async {
        match outage.call(&**provider, work).await {
            Some(Ok(result)) => result,
            Some(Err(error)) => RenewalResult::Failed(error),
            None => {
                let message = "not attempted, because the server cannot be reached";
                let error = Error::new(ErrorKind::Connect, Operation::Delete, message);
                RenewalResult::Failed(error.with_provider(provider.to_string()))
            }
        }
    };
    // While the old invitation may still exist, nobody has lost theirs.
    let forced = async {
        interrupt.signalled(2).await;
        // The create follows the withdrawal at once.
        let may_be_created = *is_withdrawn.borrow();
        if is_withdrawn.wait_for(|withdrawn| *withdrawn).await.is_err() {
            std::future::pending().await
        }
        may_be_created
    };
    let mut work = std::pin::pin!(work);
    let announced = async {
        interrupt.signalled(1).await;
        eprintln!("{STOPPING}");
        std::future::pending::<RenewalResult>().await
    };
    let result = tokio::select! {
        biased;
        result = &mut work => result,
        result = announced => result,
        may_be_created = forced => {
            let message = match may_be_created {
                true => CUT_OFF,
                false => "the command stopped before the create",
            };
            let error = Error::new(ErrorKind::Timeout, Operation::Create, message)
                .with_provider(provider.to_string())
                .with_target(&renewal.new.email)
                .with_may_have_executed(may_be_created);
            let mut invite = renewal.new.clone();
            // With the roles of the user, which the renewal was to give again.
            if let Some(roles) = announcer.roles.get() {
                invite.roles.clone_from(roles);
            }
            RenewalResult::Lost { invite: Box::new(invite), error }
        }
    };
    (result, announcer.roles.get().cloned().flatten())
}

/// Prints the steps of a renewal on stderr.
struct Announcer {
    withdrawn: watch::Sender<bool>,
    /// The roles that the new invitation is to have, those of the user included.
    roles: OnceLock<Option<Roles>>,
}

impl RenewalObserver for Announcer {
    fn withdrawing(&self, renewal: &Renewal) -> Result<()> {
        let _ = self.roles.set(renewal.new.roles.clone());
        // If the process dies from here on, stderr names the person.
        let (email, id) = (escape_control(&renewal.new.email), &renewal.id);
        eprintln!("renewing {email}: deleting {id}, then creating it again");
        Ok(())
    }

    fn withdrawn(&self, _: &Renewal) {
        self.withdrawn.send_replace(true);
    }

    fn retrying(&self, renewal: &Renewal, error: &Error, _: Duration) {
        eprintln!(
            "{} is not invited yet, retrying: {}",
            escape_control(&renewal.new.email),
            escape_control(&error.to_string())
        );
    }
}

/// Warns if somebody else invited the person meanwhile with other options. What one of the two does not report is not
/// compared.
fn warn_of_differences(old: &Invitation, new: &Invitation) {
    let roles = |invitation: &Invitation| -> Option<BTreeSet<RoleGrant>> {
        let roles = invitation.roles.as_ref()?.iter();
        Some(roles.filter_map(RoleAssignment::grant).collect())
    };
    let differ = match (roles(old), roles(new)) {
        (Some(old), Some(new)) => old != new,
        _ => false,
    };
    let login_differs = match (&old.auth_type, &new.auth_type) {
        (Some(old), Some(new)) => old != new,
        _ => false,
    };
    if differ || login_differs {
        let (email, id) = (escape_control(&new.email), &new.id);
        eprintln!("warning: {email} is invited ({id}), but not with the roles and login of before");
    }
}
