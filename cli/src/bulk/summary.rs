//! The outcome of a run over several items.

use std::future::Future;

use crate::{
    config::name_some,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::escape_control,
};

/// How many items succeeded and failed, and the exit code that follows.
#[derive(Debug, Default)]
pub(crate) struct RunSummary {
    succeeded: u64,
    /// The code of the failures; [`Exit::Failed`] once they differ.
    exit: Option<Exit>,
    /// The number of organisations, and the names of those with a failure, if several profiles are selected.
    organizations: usize,
    failed: Vec<String>,
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

    /// Sets the number of organisations.
    pub fn set_organizations(&mut self, count: usize) {
        self.organizations = count;
    }

    /// As [`report_failure`](Self::report_failure); the message begins with the name of the organisation, if several
    /// profiles are selected.
    pub fn report_failure_of(&mut self, name: Option<&str>, failure: &Failure) {
        failure.report_of(name);
        if let Some(name) = name.filter(|name| self.failed.last().is_none_or(|last| last != name)) {
            self.failed.push(name.to_owned());
        }
        self.record_failure(failure.exit().unwrap_or(Exit::Failed));
    }

    /// Runs work for one item; `None` if it failed, which is reported and hides no other item.
    ///
    /// # Errors
    ///
    /// The first signal cancelled the work; `left` says in which state.
    pub async fn attempt<T>(
        &mut self,
        interrupt: &Interrupt,
        left: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Option<T>, Failure> {
        match interrupt.or_unchanged(left, work).await {
            Err(failure @ Failure::Interrupted(_)) => Err(failure),
            Err(failure) => {
                self.report_failure(&failure);
                Ok(None)
            }
            Ok(result) => Ok(Some(result)),
        }
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
        if !self.failed.is_empty() {
            let names: Vec<&str> = self.failed.iter().map(String::as_str).collect();
            let (failed, all) = (names.len(), self.organizations);
            // The messages themselves may be far above the rows.
            eprintln!(
                "{failed} of {all} failed: {}",
                escape_control(&name_some(&names))
            );
        }
        match self.exit {
            None => Ok(()),
            Some(_) if self.succeeded > 0 => Err(Failure::AlreadyReported(Exit::Failed)),
            Some(exit) => Err(Failure::AlreadyReported(exit)),
        }
    }
}
