//! The outcome of a run over several items.

use crate::failure::{Exit, Failure};

/// How many items succeeded and failed, and the exit code that follows.
#[derive(Debug, Default)]
pub(crate) struct RunSummary {
    succeeded: u64,
    /// The code of the failures; [`Exit::Failed`] once they differ.
    exit: Option<Exit>,
}

impl RunSummary {
    /// Counts a success.
    pub fn record_success(&mut self) {
        self.succeeded += 1;
    }

    /// How many items succeeded so far.
    pub fn successes(&self) -> u64 {
        self.succeeded
    }

    /// Prints a failure on stderr and counts it.
    pub fn report_failure(&mut self, failure: &Failure) {
        failure.report();
        self.record_failure(failure.exit().unwrap_or(Exit::Failed));
    }

    /// As [`report_failure`](Self::report_failure); the message begins with the name of the organisation, if several
    /// profiles are selected.
    pub fn report_failure_of(&mut self, name: Option<&str>, failure: &Failure) {
        failure.report_of(name);
        self.record_failure(failure.exit().unwrap_or(Exit::Failed));
    }

    /// Counts a failure that was printed already.
    pub fn record_failure(&mut self, exit: Exit) {
        self.exit = Some(match self.exit {
            Some(other) if other != exit => Exit::Failed,
            _ => exit,
        });
    }

    /// The outcome of the run: the code of its failures if all of them have the same one and nothing succeeded;
    /// otherwise the run is done in part.
    pub fn finish(self) -> Result<(), Failure> {
        match self.exit {
            None => Ok(()),
            Some(_) if self.succeeded > 0 => Err(Failure::AlreadyReported(Exit::Failed)),
            Some(exit) => Err(Failure::AlreadyReported(exit)),
        }
    }
}
