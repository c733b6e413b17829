//! Carrying a plan out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::stream::{BoxStream, StreamExt};

use crate::{
    bulk::{BulkOptions, Done, run},
    error::{Error, ErrorKind, Result},
    invitation::Invitation,
    plan::{Action, Plan, Step},
    provider::{InvitationProvider, InvitationProviderExt},
};

/// What became of a step.
#[derive(Debug)]
#[non_exhaustive]
pub struct StepOutcome {
    /// Its position in the plan, counted from 0.
    pub index: usize,
    /// The step itself.
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
    /// Nothing was to be done, or the provider says that the person is invited or a member meanwhile.
    Kept,
    /// Withdrawn, or gone already.
    Deleted,
    /// Not sent: the plan refuses the row.
    Refused,
    /// Failed; the error says why, and whether it may have been carried out all the same
    /// ([`may_have_executed`](Error::may_have_executed)). The others go on.
    Failed(Error),
    /// The old invitation was withdrawn and the new one failed, so the person is not invited now, unless
    /// the error's [`may_have_executed`](Error::may_have_executed) leaves that open. The error says why.
    /// A new plan creates the invitation.
    Withdrawn(Error),
    /// Not sent, because an earlier step showed that the credential does not work or, for a renewal, that
    /// what is withdrawn cannot be made again; or because the run was told to
    /// [stop](BulkOptions::stop).
    NotAttempted,
}

impl Plan {
    /// Does what the plan says, a few steps at a time; one outcome for each, in the order of
    /// completion. Dropping the stream stops it.
    ///
    /// A renewal is a delete and a create, and so not atomic: see
    /// [`Withdrawn`](StepResult::Withdrawn).
    pub fn apply<'a, P>(self, provider: &'a P, options: BulkOptions) -> BoxStream<'a, StepOutcome>
    where
        P: InvitationProvider + ?Sized,
    {
        let withdrawn = Arc::new(AtomicBool::new(false));
        let carry_out = move |step: Step| {
            let withdrawn = Arc::clone(&withdrawn);
            async move {
                if step.action == Action::Renew && withdrawn.load(Ordering::Relaxed) {
                    return Ok(StepResult::NotAttempted);
                }
                let result = carry_out(provider, &step).await;
                if matches!(result, Ok(StepResult::Withdrawn(_))) {
                    withdrawn.store(true, Ordering::Relaxed);
                }
                result
            }
        };
        run(self.steps, options, |_| None, carry_out)
            .map(|(index, step, done)| {
                let result = match done {
                    Done::Attempted(Ok(result)) => result,
                    Done::Attempted(Err(error)) => StepResult::Failed(error),
                    Done::Stopped | Done::Duplicate(_) => StepResult::NotAttempted,
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

async fn carry_out<P>(provider: &P, step: &Step) -> Result<StepResult>
where
    P: InvitationProvider + ?Sized,
{
    match step.action {
        Action::Keep => Ok(StepResult::Kept),
        Action::Refuse => Ok(StepResult::Refused),
        Action::Create => create(provider, step).await,
        Action::Delete => match &step.id {
            Some(id) => {
                provider.delete_if_exists(id).await?;
                Ok(StepResult::Deleted)
            }
            None => Ok(StepResult::Kept),
        },
        Action::Renew => {
            if let Some(id) = &step.id {
                match provider.delete_if_exists(id).await {
                    Err(error) if error.kind() == ErrorKind::AlreadyAccepted => {
                        return Ok(StepResult::Kept);
                    }
                    outcome => outcome?,
                };
            }
            let created = create(provider, step).await;
            Ok(created.unwrap_or_else(StepResult::Withdrawn))
        }
    }
}

async fn create<P>(provider: &P, step: &Step) -> Result<StepResult>
where
    P: InvitationProvider + ?Sized,
{
    match provider.create(step.invitation()).await {
        Ok(invitation) => Ok(StepResult::Invited(Box::new(invitation))),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(StepResult::Kept),
        Err(error) => Err(error),
    }
}
