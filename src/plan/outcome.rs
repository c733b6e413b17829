//! The outcomes of the steps of a plan.

use serde::Serialize;

use crate::{error::Error, invitation::Invitation, plan::Step, role::RoleChange};

/// The outcome of a step.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StepOutcome {
    /// The position of the step in the plan, from 0.
    pub index: usize,
    /// The step. With [`Kept`](StepResult::Kept), `id` is the invitation that was found.
    pub step: Step,
    /// The result.
    pub result: StepResult,
}

impl StepOutcome {
    /// An outcome, for tests of what reads it.
    pub fn new(index: usize, step: Step, result: StepResult) -> Self {
        Self {
            index,
            step,
            result,
        }
    }
}

/// The result of a step.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepResult {
    /// The person was invited; with a replacement, after the old invitation was withdrawn.
    Invited(Box<Invitation>),
    /// The person is invited or a member already. If the person was invited meanwhile, `id` of the step is that
    /// invitation; a member has none.
    Kept,
    /// The roles were changed.
    Changed(Box<RoleChange>),
    /// The invitation was withdrawn or the member removed, or did not exist any more.
    Removed,
    /// Not sent: the row of the roster is invalid.
    Invalid,
    /// The step failed; the error says whether it may have been executed nevertheless
    /// ([`may_have_executed`](Error::may_have_executed)). The other steps continue.
    Failed(Error),
    /// The provider rejected the new options, and the person is invited with the old ones.
    Restored {
        /// The invitation that was created.
        invitation: Box<Invitation>,
        /// Why the provider rejected the new options.
        error: Error,
    },
    /// The old invitation was withdrawn and the new one was not created, so the person is not invited, unless the
    /// error's [`may_have_executed`](Error::may_have_executed) is set. [`Step::fallback`] recreates the old invitation
    /// if it is known; a new plan creates an invitation too.
    Lost(Error),
    /// Not sent, because withdrawing an invitation is not safe now; the text says why.
    Skipped(String),
    /// Not sent: an earlier step failed with a [fatal](Error::is_fatal) error, a person was lost before this
    /// replacement, the server was [unreachable](crate::BulkOptions::outage) for too long, or the run was
    /// [stopped](crate::BulkOptions::stop).
    NotAttempted,
}

impl StepResult {
    /// Whether it is unknown if the person is invited or a member, or the person was lost. Nothing else should be
    /// withdrawn in that case.
    pub fn is_unexplained(&self) -> bool {
        match self {
            Self::Failed(error) => error.may_have_executed() || error.is_conflict(),
            Self::Lost(_) => true,
            _ => false,
        }
    }
}
