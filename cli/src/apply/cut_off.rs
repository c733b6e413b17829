//! The steps of a run that a second Ctrl-C cuts off.

use std::collections::{BTreeMap, HashSet};

use org_invitations::{Action, Error, ErrorKind, Operation, Plan, Step, StepOutcome, StepResult};

use crate::{output::escape_control, provider::ProviderContext};

/// Why the outcome of a step is unknown.
pub(crate) const CUT_OFF: &str = "the command stopped before the answer arrived";

/// The steps of a run without an outcome so far.
pub(crate) struct OpenSteps(BTreeMap<usize, Step>);

impl OpenSteps {
    pub fn of(plan: &Plan) -> Self {
        Self(plan.steps.iter().cloned().enumerate().collect())
    }

    /// Notes that a step has an outcome.
    pub fn close(&mut self, outcome: &StepOutcome) {
        self.0.remove(&outcome.index);
    }

    /// The outcomes of the open steps of a run that was cut off; stderr names those that may have been carried out. Steps
    /// of one kind begin in their order, `concurrency` at a time; of renewals, `renewing` have begun.
    pub fn cut_off(
        self,
        provider: &ProviderContext,
        concurrency: usize,
        renewing: &HashSet<String>,
    ) -> Vec<StepOutcome> {
        let current = self.0.values().map(|step| phase(step.action)).min();
        let mut begun = 0;
        let mut unknown = Vec::new();
        let mut outcomes = Vec::new();
        for (index, step) in self.0 {
            let may_be_done = match step.action {
                Action::Keep | Action::Invalid => false,
                Action::Replace => renewing.contains(&step.email),
                action if Some(phase(action)) == current => {
                    begun += 1;
                    begun <= concurrency
                }
                _ => false,
            };
            let result = match (step.action, may_be_done) {
                (Action::Replace, true) => StepResult::Lost(error(provider, &step)),
                (_, true) => {
                    unknown.push(step.email.clone());
                    StepResult::Failed(error(provider, &step))
                }
                (_, false) => StepResult::NotAttempted,
            };
            outcomes.push(StepOutcome::new(index, step, result));
        }
        if !unknown.is_empty() {
            eprintln!(
                "outcome unknown, check with `org-invitations {} list`: {}",
                provider.selection_flags(),
                escape_control(&unknown.join(", "))
            );
        }
        outcomes
    }
}

/// The order in which a run carries out its steps.
fn phase(action: Action) -> u8 {
    match action {
        Action::Replace => 1,
        Action::Remove => 2,
        _ => 0,
    }
}

fn error(provider: &ProviderContext, step: &Step) -> Error {
    let operation = match (step.action, &step.member) {
        (Action::SetRoles, _) => Operation::GrantRole,
        (Action::Remove, Some(_)) => Operation::RemoveMember,
        (Action::Remove, None) => Operation::Delete,
        _ => Operation::Create,
    };
    Error::new(ErrorKind::Timeout, operation, CUT_OFF)
        .with_provider(provider.to_string())
        .with_target(&step.email)
        .with_may_have_executed(true)
}
