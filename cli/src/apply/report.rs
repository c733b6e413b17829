//! The report of a run for its caller, the counts for people, and the problems that stop it.

use std::{
    collections::HashSet,
    fmt, io,
    sync::atomic::{AtomicBool, Ordering},
};

use org_invitations::{Action, ErrorKind, Plan, StepOutcome, StepResult, normalize_email};

use super::record::OutcomeRecord;
use crate::{
    bulk::Uninvited,
    failure::{Exit, Failure},
    output::{Records, escape_control},
};

/// How a run ended.
#[derive(Debug)]
pub(crate) struct ApplyReport {
    /// Whether anything may have been sent.
    pub started: bool,
    /// The normalised addresses of those who were seen to be invited or members.
    pub seen_addresses: HashSet<String>,
    /// Those whose invitation was withdrawn and not created again.
    pub uninvited: Uninvited,
    /// Why nothing more may be withdrawn, if so.
    pub hold_reason: Option<String>,
    /// The failure that decides the exit code. The outcomes of the steps are printed already.
    pub outcome: Result<(), Failure>,
}

impl ApplyReport {
    pub fn add(&mut self, outcome: &StepOutcome) {
        let step = &outcome.step;
        let is_seen = match &outcome.result {
            StepResult::Invited(_) | StepResult::Restored { .. } => true,
            StepResult::Kept => step.id.is_some() || step.member.is_some(),
            StepResult::Changed(_) => true,
            _ => false,
        };
        if is_seen {
            self.seen_addresses.insert(normalize_email(&step.email));
        }
        if let StepResult::Lost(error) = &outcome.result {
            self.uninvited.push(&step.email, error.may_have_executed());
        }
        if outcome.result.is_unexplained() {
            let email = escape_control(&step.email);
            let why = format!("it is unknown whether {email} is invited");
            self.hold_reason.get_or_insert(why);
        }
    }
}

/// Problems that concern the whole run rather than one row.
#[derive(Debug)]
pub(super) struct RunProblems {
    /// The first file or stream that could not be written.
    pub write_error: Option<(&'static str, io::Error)>,
    /// Whether every record so far was printed.
    pub output_is_complete: bool,
    /// The address whose invitation was withdrawn and whose new one the provider rejects permanently.
    pub permanently_rejected: Option<String>,
    /// Whether the run gave up because the server could not be reached.
    pub gave_up: bool,
    /// The reasons that were printed.
    printed_reasons: HashSet<String>,
}

impl Default for RunProblems {
    fn default() -> Self {
        Self {
            write_error: None,
            output_is_complete: true,
            permanently_rejected: None,
            gave_up: false,
            printed_reasons: HashSet::new(),
        }
    }
}

impl RunProblems {
    /// Records a write error and stops the run.
    pub fn stop_on_write_error(&mut self, what: &'static str, error: io::Error, stop: &AtomicBool) {
        stop.store(true, Ordering::Relaxed);
        self.write_error.get_or_insert((what, error));
    }

    /// Prints a result, unless there is a table of all; where that fails, the run stops.
    pub fn print(
        &mut self,
        records: &mut Records<'_, OutcomeRecord>,
        record: &OutcomeRecord,
        stop: &AtomicBool,
    ) {
        if records.is_table() || !self.output_is_complete {
            return;
        }
        if let Err(error) = records.push(record) {
            self.output_is_complete = false;
            self.stop_on_write_error("the result", error, stop);
        }
    }

    /// Looks for a rejection that retrying does not change.
    pub fn check(&mut self, outcome: &StepOutcome) {
        if let StepResult::Lost(error) = &outcome.result
            && !matches!(
                error.kind(),
                ErrorKind::Unavailable
                    | ErrorKind::Timeout
                    | ErrorKind::Transport
                    | ErrorKind::Connect
                    | ErrorKind::RateLimited
                    | ErrorKind::Unauthenticated
            )
        {
            let email = outcome.step.email.clone();
            self.permanently_rejected.get_or_insert(email);
        }
    }

    /// Whether a reason comes up for the first time.
    pub fn is_first_mention(&mut self, why: &str) -> bool {
        self.printed_reasons.insert(why.to_owned())
    }
}

/// Whether a step succeeded; if not, its exit code.
pub(crate) fn exit_of(outcome: &StepOutcome) -> Result<(), Exit> {
    match &outcome.result {
        StepResult::Invited(_)
        | StepResult::Kept
        | StepResult::Changed(_)
        | StepResult::Removed => Ok(()),
        StepResult::Failed(error)
        | StepResult::Lost(error)
        | StepResult::Restored { error, .. } => Err(Exit::of(error)),
        _ => Err(Exit::Failed),
    }
}

/// How the run of a plan will end, as far as that is known before it: its invalid rows fail.
pub(crate) fn expected_outcome(plan: &Plan) -> Result<(), Failure> {
    match plan.count(Action::Invalid) {
        0 => Ok(()),
        _ => Err(Failure::AlreadyReported(Exit::Failed)),
    }
}

/// How many steps had each outcome.
#[derive(Default)]
pub(super) struct OutcomeCounts {
    invited: usize,
    kept: usize,
    changed: usize,
    removed: usize,
    invalid: usize,
    restored: usize,
    failed: usize,
    lost: usize,
    skipped: usize,
    pub not_attempted: usize,
}

impl OutcomeCounts {
    pub fn add(&mut self, outcome: &StepOutcome) {
        *match outcome.result {
            StepResult::Invited(_) => &mut self.invited,
            StepResult::Kept => &mut self.kept,
            StepResult::Changed(_) => &mut self.changed,
            StepResult::Removed => &mut self.removed,
            StepResult::Invalid => &mut self.invalid,
            StepResult::Restored { .. } => &mut self.restored,
            StepResult::Failed(_) => &mut self.failed,
            StepResult::Lost(_) => &mut self.lost,
            StepResult::Skipped(_) => &mut self.skipped,
            _ => &mut self.not_attempted,
        } += 1;
    }
}

impl fmt::Display for OutcomeCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invited {}, kept {}, removed {}",
            self.invited, self.kept, self.removed
        )?;
        for (word, count) in [
            ("roles changed", self.changed),
            ("invalid", self.invalid),
            ("restored", self.restored),
            ("failed", self.failed),
            ("lost", self.lost),
            ("skipped", self.skipped),
            ("not attempted", self.not_attempted),
        ] {
            if count > 0 {
                write!(f, ", {word} {count}")?;
            }
        }
        Ok(())
    }
}

/// The number of steps of each action, for people.
pub(crate) fn count_actions(plan: &Plan) -> String {
    let counts: Vec<String> = Action::ALL
        .iter()
        .map(|action| (action, plan.count(*action)))
        .filter(|(_, count)| *count > 0)
        .map(|(action, count)| format!("{action} {count}"))
        .collect();
    if counts.is_empty() {
        return "nothing to do".to_owned();
    }
    counts.join(", ")
}
