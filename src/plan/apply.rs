//! Carrying a plan out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::{
    address::email_skeleton,
    bulk::{self, BulkOptions, ItemResult, for_each_concurrent},
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, NewInvitation},
    lookup::{Confirmation, SharedList, Unconfirmed, create_confirmed, find},
    outage::Contact,
    plan::{
        Action, Plan, Step,
        gate::{Permit, RenewalGate},
    },
    provider::{InvitationProvider, InvitationProviderExt},
    removal::RemovalLimit,
    renewal::{RenewalOptions, RenewalResult, has_options},
};

/// How [`Plan::apply`] goes about it. [`BulkOptions`] become it, with the default for the rest.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// How many requests are under way at once, and what stops the run.
    pub bulk: BulkOptions,
    /// How many invitations the run may withdraw. Default: a quarter of those that there are, and at least five.
    pub removals: RemovalLimit,
    /// How a renewal goes about it. A plan invites also those whose old invitation is not there any more.
    pub renewal: RenewalOptions,
}

impl From<BulkOptions> for ApplyOptions {
    fn from(bulk: BulkOptions) -> Self {
        Self {
            bulk,
            ..Self::default()
        }
    }
}

impl ApplyOptions {
    /// Sets how many requests are under way at once, and what stops the run.
    #[must_use]
    pub fn bulk(mut self, bulk: BulkOptions) -> Self {
        self.bulk = bulk;
        self
    }

    /// Sets how many invitations the run may withdraw.
    #[must_use]
    pub fn removals(mut self, limit: RemovalLimit) -> Self {
        self.removals = limit;
        self
    }

    /// Sets how a renewal goes about it.
    #[must_use]
    pub fn renewal(mut self, renewal: RenewalOptions) -> Self {
        self.renewal = renewal;
        self
    }
}

/// What became of a step.
#[derive(Debug)]
#[non_exhaustive]
pub struct StepOutcome {
    /// Its position in the plan, counted from 0.
    pub index: usize,
    /// The step itself. Of one that was [kept](StepResult::Kept), `id` is the invitation that was seen.
    pub step: Step,
    /// What became of it.
    pub result: StepResult,
}

/// What can become of a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum StepResult {
    /// Invited now; for a renewal, after the old invitation was withdrawn.
    Invited(Box<Invitation>),
    /// Nothing was to be done: the person was seen, invited or a member. Meanwhile invited, the invitation is
    /// named by the step's `id`; a member in the provider's own words has none.
    Kept,
    /// Withdrawn, or gone already.
    Deleted,
    /// Not sent: the plan refuses the row.
    Invalid,
    /// Failed; the error says why, and whether it may have been carried out all the same
    /// ([`may_have_executed`](Error::may_have_executed)). The others go on.
    Failed(Error),
    /// The provider refused the new options of a renewal, and the person is invited again with the old ones.
    Restored {
        /// The invitation that there is now.
        invitation: Box<Invitation>,
        /// Why the new options were refused.
        error: Error,
    },
    /// The old invitation was withdrawn and the new one failed, so the person is not invited now, unless
    /// the error's [`may_have_executed`](Error::may_have_executed) leaves that open. The error says why.
    /// What was withdrawn is made again by [`Step::fallback`], where there is one; a new plan creates the
    /// invitation too.
    Lost(Error),
    /// Not sent, because it would withdraw an invitation while that is not safe, and nobody would be the better for
    /// it; the text says why.
    Skipped(String),
    /// Not sent, because an earlier step showed that [every further one](Error::is_fatal) would fail alike (the
    /// credential does not work, a quota is spent) or, for a renewal, that what is withdrawn cannot be made again;
    /// because the server could not be [reached](BulkOptions::outage) for too long; or because the run was told to
    /// [stop](BulkOptions::stop).
    NotAttempted,
}

impl StepResult {
    /// Whether it leaves open if the person is invited or a member, or leaves a person without an invitation: then
    /// nothing else should be withdrawn on the strength of it.
    pub fn is_unexplained(&self) -> bool {
        match self {
            Self::Failed(error) => {
                error.may_have_executed()
                    || matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict)
            }
            Self::Lost(_) => true,
            _ => false,
        }
    }
}

impl Plan {
    /// Does what the plan says, a few steps at a time; one outcome for each, in the order of
    /// completion. Dropping the stream stops it.
    ///
    /// What is kept, refused and created comes first, then what is renewed, then what is deleted. What withdraws
    /// is bounded:
    ///
    /// - A plan whose [`removals`](Self::removals) are more than [`ApplyOptions::removals`] allows is not begun:
    ///   every step that would send something is [`Skipped`](StepResult::Skipped).
    /// - A renewal is a delete and a create, and so not atomic. Until one succeeded with the same options, only one
    ///   runs at a time, whatever the concurrency. Options that were refused once are not tried on the next person,
    ///   and after a person was [lost](StepResult::Lost) no renewal begins.
    /// - All deletions of a run are withheld when one of its creates ended unexplained, since an invitation that
    ///   the plan takes for somebody else's may be that person's: it may have been carried out, or the
    ///   provider said that the person is there and no invitation of the address was found. The same holds when
    ///   a person was lost.
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
        if let Err(refused) = self.check_removals(&options.removals) {
            let why = refused.to_string();
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
                Action::Create | Action::Keep | Action::Invalid => first,
                Action::Replace => renewals,
                Action::Delete => deletions,
            };
            phase.push((index, step));
        }
        let bulk = bulk::Shared::new(options.bulk.clone());
        let shared = Arc::new(Run {
            options,
            gate: RenewalGate::default(),
            unseen: Mutex::default(),
            unexplained: Mutex::default(),
            list: SharedList::default(),
        });
        stream::iter(phases)
            .flat_map(move |steps| {
                let shared = Arc::clone(&shared);
                let work = move |(_, step): (usize, Step)| {
                    let shared = Arc::clone(&shared);
                    async move { shared.carry_out(provider, step).await }
                };
                for_each_concurrent(provider, steps, Arc::clone(&bulk), |_| None, work, contact)
                    .boxed()
            })
            .map(|(_, (index, step), done)| {
                let (step, result) = match done {
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
fn contact(outcome: &Result<(Step, StepResult)>) -> Contact<'_> {
    match outcome {
        Ok((_, StepResult::Lost(error))) | Err(error) => Contact::of_error(error),
        Ok((step, _)) if matches!(step.action, Action::Keep | Action::Invalid) => Contact::None,
        Ok((_, StepResult::Skipped(_) | StepResult::NotAttempted)) => Contact::None,
        Ok(_) => Contact::Answered,
    }
}

/// What the steps of one run share.
struct Run {
    options: ApplyOptions,
    gate: RenewalGate,
    /// Who is said to be there and was not seen, by what the address resembles.
    unseen: Mutex<HashMap<String, String>>,
    /// Why no deletion may begin.
    unexplained: Mutex<Option<String>>,
    /// Who is there in another spelling.
    list: SharedList,
}

impl Run {
    async fn carry_out<P>(&self, provider: &P, step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        match step.action {
            Action::Keep => Ok((step, StepResult::Kept)),
            Action::Invalid => Ok((step, StepResult::Invalid)),
            Action::Create => self.create(provider, step).await,
            Action::Replace => self.renew(provider, step).await,
            Action::Delete => self.delete(provider, step).await,
        }
    }

    async fn create<P>(&self, provider: &P, mut step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        let unseen = match create_confirmed(provider, &step.invitation(), Some(&self.list)).await {
            Ok(Confirmation::Created(new)) => {
                return Ok((step, StepResult::Invited(Box::new(new))));
            }
            Ok(Confirmation::AlreadyInvited(found)) => {
                (step.id, step.reason) = (Some(found.id), Some("invited meanwhile".to_owned()));
                return Ok((step, StepResult::Kept));
            }
            Ok(Confirmation::Member(refused)) => {
                return Ok(self.keep_member(provider, step, &refused).await);
            }
            Err(unseen) => unseen,
        };
        let fallback = step.fallback().filter(|_| !unseen.is_unexplained);
        let Some(fallback) = fallback.filter(|_| is_refusal(&unseen.error)) else {
            return Err(self.note(&step.email, unseen));
        };
        // An earlier run withdrew it, so it is made again as it was.
        match self.create_fallback(provider, &fallback).await {
            Ok(invitation) => {
                let (invitation, error) = (Box::new(invitation), unseen.error);
                Ok((step, StepResult::Restored { invitation, error }))
            }
            Err(failed) => {
                let error = failed.error.with_source(unseen.error);
                let is_unexplained = failed.is_unexplained;
                let error = self.note(
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

    /// The provider's words say that the person is a member, and some say so of who is invited. An invitation that is
    /// seen is better evidence; without one, whoever resembles the person may be meant.
    async fn keep_member<P>(
        &self,
        provider: &P,
        mut step: Step,
        refused: &Error,
    ) -> (Step, StepResult)
    where
        P: InvitationProvider + ?Sized,
    {
        match find(provider, &step.email, refused, Some(&self.list)).await {
            Ok(Some(found)) if !found.is_void() => {
                step.id = Some(found.id);
                step.reason = Some("invited meanwhile".to_owned());
            }
            _ => {
                let skeleton = email_skeleton(&step.email);
                let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
                unseen.insert(skeleton, step.email.clone());
                drop(unseen);
                // "Exists" may be said of an invitation in a spelling that nothing resembles.
                if !refused.message().to_lowercase().contains("member") {
                    let email = &step.email;
                    self.hold(format!(
                        "the provider says that {email} is there, and nobody was seen, so nothing is \
                         withdrawn in this run"
                    ));
                }
                step.reason = Some(refused.message().to_owned());
            }
        }
        (step, StepResult::Kept)
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

    async fn renew<P>(&self, provider: &P, step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        let Some(renewal) = step.renewal() else {
            return Err(names_no_invitation(&step));
        };
        let _turn = match self.gate.enter(&renewal.new).await {
            Permit::Granted { _turn } => _turn,
            Permit::Refused(why) => return Ok((step, StepResult::Skipped(why))),
            Permit::Closed => return Ok((step, StepResult::NotAttempted)),
        };
        // It may have waited for its turn for long.
        if self.options.bulk.stop.load(Ordering::Relaxed) {
            return Ok((step, StepResult::NotAttempted));
        }
        match provider.renew(&renewal, &self.options.renewal).await {
            RenewalResult::Renewed(new) => {
                // One of somebody else's making proves nothing.
                if has_options(&new, &renewal.new) {
                    self.gate.succeeded(&renewal.new);
                }
                Ok((step, StepResult::Invited(new)))
            }
            RenewalResult::Restored { invitation, error } => {
                self.gate.refused(&renewal.new, &error);
                Ok((step, StepResult::Restored { invitation, error }))
            }
            RenewalResult::Failed(error) if error.kind() == ErrorKind::AlreadyAccepted => {
                Ok((step, StepResult::Kept))
            }
            RenewalResult::Failed(error) => Err(error),
            RenewalResult::Lost { error, .. } => {
                self.gate.lost(&step.email);
                Ok((step, StepResult::Lost(error)))
            }
        }
    }

    async fn delete<P>(&self, provider: &P, step: Step) -> Result<(Step, StepResult)>
    where
        P: InvitationProvider + ?Sized,
    {
        let unexplained = self.unexplained.lock();
        let unexplained = unexplained.unwrap_or_else(PoisonError::into_inner).clone();
        let lost = || {
            let email = self.gate.who_is_lost()?;
            Some(format!(
                "{email} is not invited any more, so nothing else is withdrawn"
            ))
        };
        let resembles = || {
            let unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
            let email = unseen.get(&email_skeleton(&step.email))?;
            Some(format!(
                "it resembles {email}, who is there, as the provider says, and was not seen"
            ))
        };
        if let Some(why) = unexplained.or_else(lost).or_else(resembles) {
            return Ok((step, StepResult::Skipped(why)));
        }
        let Some(id) = &step.id else {
            return Err(names_no_invitation(&step));
        };
        provider.delete_if_exists(id).await?;
        Ok((step, StepResult::Deleted))
    }

    /// Notes a create that showed nobody.
    fn note(&self, email: &str, unseen: Unconfirmed) -> Error {
        if unseen.is_unexplained {
            let why = match unseen.error.may_have_executed() {
                true => "may have been carried out",
                false => "was refused because the person is there, and no invitation was found",
            };
            self.hold(format!(
                "the create for {email} {why}, so nothing is withdrawn in this run"
            ));
        }
        unseen.error
    }

    /// Withholds the deletions of this run.
    fn hold(&self, why: String) {
        let mut first = self
            .unexplained
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(why);
    }
}

fn names_no_invitation(step: &Step) -> Error {
    let message = format!("the step {} names no invitation", step.action);
    Error::new(ErrorKind::InvalidInput, Operation::Validate, message).with_target(&step.email)
}

/// Whether the provider refused what was asked for, so that something else may be taken.
fn is_refusal(error: &Error) -> bool {
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
