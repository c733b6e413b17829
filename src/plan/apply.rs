//! Applies a plan.

use std::sync::{Arc, atomic::Ordering};

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::{
    bulk::{ItemResult, RunState},
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, NewInvitation, Roles},
    lookup::{Confirmation, SharedList, Unconfirmed, create_confirmed, find},
    outage::Reachability,
    plan::{
        Action, ApplyOptions, Plan, Step, StepOutcome, StepResult,
        evidence::{
            expect_gone, expect_no_member, expect_roles, expect_roles_of_member, members_of,
            remove_member,
        },
        removal_gate::RemovalGate,
        renewal_gate::{Permit, RenewalGate},
    },
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
    renewal::{RenewalResult, has_options},
};

impl Plan {
    /// Executes the steps, several at a time; the stream has one outcome per step, in order of completion. Dropping
    /// the stream stops the run.
    ///
    /// Creates and changes of roles come first, then replacements, then removals. Withdrawals are limited:
    ///
    /// - If [`removals`](Self::removals) exceeds what [`ApplyOptions::removals`] allows, every step that would send a
    ///   request is [`Skipped`](StepResult::Skipped).
    /// - A replacement is a delete and a create, so it is not atomic. Until one with the same options succeeded, only
    ///   one runs at a time, whatever the concurrency. Options that the provider rejected once are not tried on the
    ///   next person, and after a person was [lost](StepResult::Lost) no replacement starts.
    /// - Removals are skipped if the outcome of a create of the run is unknown, since an invitation that seems to be
    ///   somebody else's may be that person's: the create may have been executed, or the provider said that the person
    ///   exists and no invitation of the address was found. The same holds after a person was lost.
    pub fn apply<'a, P>(
        self,
        provider: &'a P,
        options: impl Into<ApplyOptions>,
    ) -> BoxStream<'a, StepOutcome>
    where
        P: InvitationProvider + ?Sized,
    {
        let mut options: ApplyOptions = options.into();
        options.renewal.create_if_missing = true;
        if let Err(error) = self.check_removals(&options.removals) {
            let why = error.to_string();
            let outcomes = self
                .steps
                .into_iter()
                .enumerate()
                .map(move |(index, step)| {
                    let result = match step.action {
                        Action::Keep => StepResult::Kept,
                        Action::Invalid => StepResult::Invalid,
                        _ => StepResult::Skipped(why.clone()),
                    };
                    StepOutcome {
                        index,
                        step,
                        result,
                    }
                });
            return stream::iter(outcomes).boxed();
        }
        let mut phases = [Vec::new(), Vec::new(), Vec::new()];
        for (index, step) in self.steps.into_iter().enumerate() {
            let [first, renewals, deletions] = &mut phases;
            let phase = match step.action {
                Action::Create | Action::Keep | Action::Invalid | Action::SetRoles => first,
                Action::Replace => renewals,
                Action::Remove => deletions,
            };
            phase.push((index, step));
        }
        let bulk = RunState::new(options.bulk.clone());
        let run = Arc::new(ApplyRun {
            options,
            gate: RenewalGate::default(),
            removals: RemovalGate::default(),
            list: SharedList::default(),
        });
        stream::iter(phases)
            .flat_map(move |steps| {
                let run = Arc::clone(&run);
                let work = move |(_, step): (usize, Step)| {
                    let run = Arc::clone(&run);
                    async move { run.execute(provider, step).await }
                };
                Arc::clone(&bulk).run(provider, stream::iter(steps), |_| None, work, reachability)
            })
            .map(|outcome| {
                let (index, step) = outcome.item;
                let (step, result) = match outcome.result {
                    ItemResult::Finished(Ok(outcome)) => outcome,
                    ItemResult::Finished(Err(error)) => (step, StepResult::Failed(error)),
                    ItemResult::NotAttempted | ItemResult::Duplicate(_) => {
                        (step, StepResult::NotAttempted)
                    }
                };
                StepOutcome {
                    index,
                    step,
                    result,
                }
            })
            .boxed()
    }
}

/// What the outcome of a step shows about the server.
fn reachability(outcome: &Result<(Step, StepResult)>) -> Reachability<'_> {
    match outcome {
        Ok((_, StepResult::Lost(error))) | Err(error) => Reachability::of_error(error),
        Ok((step, _)) if matches!(step.action, Action::Keep | Action::Invalid) => {
            Reachability::Unknown
        }
        Ok((_, StepResult::Skipped(_) | StepResult::NotAttempted)) => Reachability::Unknown,
        Ok(_) => Reachability::Reached,
    }
}

/// The shared state of the steps of one run.
struct ApplyRun {
    options: ApplyOptions,
    gate: RenewalGate,
    removals: RemovalGate,
    /// Finds invitations in another spelling of the address.
    list: SharedList,
}

impl ApplyRun {
    async fn execute<P>(&self, provider: &P, step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        match step.action {
            Action::Keep => Ok((step, StepResult::Kept)),
            Action::Invalid => Ok((step, StepResult::Invalid)),
            Action::Create => self.create(provider, step).await,
            Action::Replace => self.renew(provider, step).await,
            Action::SetRoles => set_roles(provider, step).await,
            Action::Remove => self.remove(provider, step).await,
        }
    }

    async fn create<P>(&self, provider: &P, mut step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        let unconfirmed =
            match create_confirmed(provider, &step.invitation(), Some(&self.list)).await {
                Ok(Confirmation::Created(new)) => {
                    self.gate.created();
                    return Ok((step, StepResult::Invited(Box::new(new))));
                }
                Ok(Confirmation::AlreadyInvited(found)) => {
                    expect_roles(provider, &step, &found).await?;
                    (step.id, step.reason) = (Some(found.id), Some("invited meanwhile".to_owned()));
                    return Ok((step, StepResult::Kept));
                }
                Ok(Confirmation::Member(error)) => {
                    return self.keep_member(provider, step, &error).await;
                }
                Err(unconfirmed) => unconfirmed,
            };
        let fallback = step.fallback().filter(|_| !unconfirmed.is_unexplained);
        let Some(fallback) = fallback.filter(|_| is_rejection(&unconfirmed.error)) else {
            if is_about_everybody(&unconfirmed.error) {
                self.gate.refused(&step.email, &unconfirmed.error);
            }
            return Err(self.removals.record_unconfirmed(&step.email, unconfirmed));
        };
        // An earlier run withdrew the invitation, so it is restored as it was.
        match self.create_fallback(provider, &fallback).await {
            Ok(invitation) => {
                let (invitation, error) = (Box::new(invitation), unconfirmed.error);
                Ok((step, StepResult::Restored { invitation, error }))
            }
            Err(unconfirmed_fallback) => {
                let error = unconfirmed_fallback.error.with_source(unconfirmed.error);
                let is_unexplained = unconfirmed_fallback.is_unexplained;
                let error = self.removals.record_unconfirmed(
                    &step.email,
                    Unconfirmed {
                        error,
                        is_unexplained,
                    },
                );
                Ok((step, StepResult::Lost(error)))
            }
        }
    }

    /// Keeps a person who is a member according to the provider's message. Since some providers say so of invitees, an
    /// invitation in the list is better evidence; without one, a person with a similar address may be meant.
    async fn keep_member<P>(
        &self,
        provider: &P,
        mut step: Step,
        error: &Error,
    ) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        match find(provider, &step.email, error, Some(&self.list)).await {
            Ok(Some(found)) if !found.is_void() => {
                expect_roles(provider, &step, &found).await?;
                step.id = Some(found.id);
                step.reason = Some("invited meanwhile".to_owned());
            }
            _ => {
                self.removals.protect(&step.email);
                // "Exists" may be about an invitation in a spelling with another skeleton.
                if !error.message().to_lowercase().contains("member") {
                    let email = &step.email;
                    self.removals.close(format!(
                        "the provider says that {email} exists, and no list has an invitation, so nothing is \
                         withdrawn in this run"
                    ));
                }
                expect_roles_of_member(provider, &step).await?;
                step.reason = Some(error.message().to_owned());
            }
        }
        Ok((step, StepResult::Kept))
    }

    async fn create_fallback<P>(
        &self,
        provider: &P,
        fallback: &NewInvitation,
    ) -> Result<Invitation, Unconfirmed>
    where
        P: InvitationProvider + ?Sized,
    {
        match create_confirmed(provider, fallback, Some(&self.list)).await? {
            Confirmation::Created(invitation) | Confirmation::AlreadyInvited(invitation) => {
                Ok(invitation)
            }
            Confirmation::Member(error) => Err(Unconfirmed::from(error)),
        }
    }

    async fn renew<P>(&self, provider: &P, mut step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        let Some(renewal) = step.renewal() else {
            return Err(missing_id(&step));
        };
        let requested = renewal.new.clone();
        let _turn = match self.gate.enter(&requested).await {
            Permit::Granted { _turn } => _turn,
            Permit::Rejected(why) => return Ok((step, StepResult::Skipped(why))),
            Permit::Closed => return Ok((step, StepResult::NotAttempted)),
        };
        // The wait for the permit may have been long.
        if self.options.bulk.stop.load(Ordering::Relaxed) {
            return Ok((step, StepResult::NotAttempted));
        }
        // The step keeps the roles of the user, so that a row that lacks them can be applied again.
        let renewal = renewal.with_roles_of_user(provider).await?;
        step.roles.clone_from(&renewal.new.roles);
        match provider.renew(&renewal, &self.options.renewal).await {
            RenewalResult::Renewed(new) => {
                // An invitation of another client may have other options.
                if has_options(&new, &renewal.new) {
                    self.gate.succeeded(&requested);
                }
                Ok((step, StepResult::Invited(new)))
            }
            RenewalResult::Restored { invitation, error } => {
                self.gate.rejected(&requested, &error);
                Ok((step, StepResult::Restored { invitation, error }))
            }
            RenewalResult::Failed(error) if error.kind() == ErrorKind::AlreadyAccepted => {
                Ok((step, StepResult::Kept))
            }
            RenewalResult::Failed(error) if error.kind() == ErrorKind::Incomplete => {
                Ok((step, StepResult::Failed(error)))
            }
            RenewalResult::Failed(error) => Err(error),
            RenewalResult::Lost { error, .. } => {
                self.gate.lost(&step.email);
                Ok((step, StepResult::Lost(error)))
            }
        }
    }

    async fn remove<P>(&self, provider: &P, step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        let lost = || {
            let email = self.gate.lost_person()?;
            Some(format!(
                "{email} lost the invitation in this run, so nothing else is withdrawn"
            ))
        };
        let why = self.removals.closed().or_else(lost);
        if let Some(why) = why.or_else(|| self.removals.protection(&step.email)) {
            return Ok((step, StepResult::Skipped(why)));
        }
        match (&step.id, &step.member) {
            (Some(id), _) => {
                if !provider.delete_if_exists(id).await? {
                    expect_gone(provider, id, &step.email).await?;
                    expect_no_member(provider, &step.email).await?;
                }
            }
            (None, Some(member)) => remove_member(provider, member, &step.email).await?,
            (None, None) => return Err(missing_id(&step)),
        }
        Ok((step, StepResult::Removed))
    }
}

async fn set_roles<P>(provider: &P, step: Step) -> Result<(Step, StepResult)>
where
    P: InvitationProvider + ?Sized,
{
    let (Some(member), Some(Roles::Grants(grants))) = (&step.member, &step.roles) else {
        return Err(missing_id(&step));
    };
    let members = members_of(provider, &step.email)?;
    let change = members.set_roles(member, grants).await?.complete()?;
    Ok((step, StepResult::Changed(Box::new(change))))
}

fn missing_id(step: &Step) -> Error {
    let message = format!("the step {} lacks the id of what it changes", step.action);
    Error::new(ErrorKind::InvalidInput, Operation::Validate, message).with_target(&step.email)
}

/// Whether the provider refuses creates, whoever they are for.
fn is_about_everybody(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::QuotaExceeded
    )
}

/// Whether the provider rejected the options, so that it may accept others.
fn is_rejection(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput
            | ErrorKind::Unsupported
            | ErrorKind::PermissionDenied
            | ErrorKind::QuotaExceeded
            | ErrorKind::Unexpected
            | ErrorKind::NotFound
    )
}
