//! Observes the renewals of a run: journals each one before it starts, and tracks who may lose an invitation.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::ProgressBar;
use org_invitations::{Error, ErrorKind, Operation, Renewal, RenewalObserver, Result};

use super::journal::Journal;
use crate::output::escape_control;

/// The journal of a run, if it has one, and the renewals in progress.
#[derive(Debug)]
pub(super) struct RunObserver {
    journal: Option<Mutex<Journal>>,
    at_risk: Mutex<HashMap<String, Renewal>>,
    /// Messages are printed above the bar.
    bar: ProgressBar,
}

impl RunObserver {
    pub fn new(journal: Option<Journal>, bar: ProgressBar) -> Arc<Self> {
        Arc::new(Self {
            journal: journal.map(Mutex::new),
            at_risk: Mutex::default(),
            bar,
        })
    }

    /// Prints a line on stderr, above the progress bar.
    pub fn println(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    pub fn journal(&self) -> Option<MutexGuard<'_, Journal>> {
        let journal = self.journal.as_ref()?;
        Some(journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The renewals that started and did not finish.
    pub fn at_risk(&self) -> Vec<Renewal> {
        self.renewals().values().cloned().collect()
    }

    /// Marks the renewal of this address as finished.
    pub fn finished(&self, email: &str) {
        self.renewals().remove(email);
    }

    fn renewals(&self) -> MutexGuard<'_, HashMap<String, Renewal>> {
        self.at_risk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RenewalObserver for RunObserver {
    fn withdrawing(&self, renewal: &Renewal) -> Result<()> {
        if let Some(mut journal) = self.journal() {
            journal.record_withdrawing(renewal).map_err(|error| {
                let path = journal.path().display();
                let message =
                    format!("cannot write the journal {path}, so nothing was withdrawn: {error}");
                Error::new(ErrorKind::Config, Operation::Delete, message)
                    .with_target(&renewal.new.email)
                    .with_source(error)
            })?;
        }
        let email = renewal.new.email.clone();
        self.renewals().insert(email, renewal.clone());
        Ok(())
    }

    fn retrying(&self, renewal: &Renewal, error: &Error, _: Duration) {
        self.println(&format!(
            "{} is not invited yet, retrying: {}",
            escape_control(&renewal.new.email),
            escape_control(&error.to_string())
        ));
    }

    fn falling_back(&self, renewal: &Renewal, error: &Error) {
        self.println(&format!(
            "{}: the new options were rejected; inviting again with the old ones: {}",
            escape_control(&renewal.new.email),
            escape_control(&error.to_string())
        ));
    }
}
