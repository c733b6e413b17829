//! What a write has done so far, for a program that abandons it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use org_invitations::BulkOptions;

use super::{RowDone, RowError, RowResult};

/// The rows of the writes of a table so far: those that succeeded, and those whose outcome is not known yet.
///
/// A program that drops a statement before it ends asks this report what went through.
#[derive(Clone, Default)]
pub struct WriteReport(Arc<Mutex<Rows>>);

#[derive(Default)]
struct Rows {
    done: Vec<RowDone>,
    pending: Vec<RowDone>,
}

impl WriteReport {
    /// Forgets the rows of earlier statements.
    pub fn clear(&self) {
        *self.rows() = Rows::default();
    }

    /// Returns the rows that succeeded and changed something, in the order of completion.
    pub fn done(&self) -> Vec<RowDone> {
        self.rows().done.clone()
    }

    /// Returns the rows that were selected or given and of which no outcome is known, in the order of the statement. They may
    /// have been carried out, or not been sent.
    pub fn pending(&self) -> Vec<RowDone> {
        self.rows().pending.clone()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for WriteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let (done, pending) = (rows.done.len(), rows.pending.len());
        f.debug_struct("WriteReport")
            .field("done", &done)
            .field("pending", &pending)
            .finish()
    }
}

/// One run of a write: its options, and who its rows are.
#[derive(Clone, Debug)]
pub(crate) struct WriteRun {
    pub bulk: BulkOptions,
    /// Whether the outcomes have the rows that were created.
    pub keeps_rows: bool,
    report: WriteReport,
    labels: Arc<HashMap<usize, RowDone>>,
}

impl WriteRun {
    pub fn new(bulk: BulkOptions, report: &WriteReport, rows: Vec<RowDone>) -> Self {
        let mut reported = report.rows();
        reported.pending.extend(rows.iter().cloned());
        drop(reported);
        let labels = rows.into_iter().map(|row| (row.number, row)).collect();
        Self {
            bulk,
            keeps_rows: false,
            report: report.clone(),
            labels: Arc::new(labels),
        }
    }

    /// Notes the result of a row.
    pub fn note(&self, result: RowResult) -> RowResult {
        let (number, changed) = match &result {
            Ok(outcome) => (outcome.number, outcome.changed),
            Err(error) => (error.number, false),
        };
        let mut rows = self.report.rows();
        rows.pending.retain(|row| row.number != number);
        if let (true, Some(row)) = (changed, self.labels.get(&number)) {
            rows.done.push(row.clone());
        }
        drop(rows);
        result
    }

    /// Separates the rows that changed something from those that failed, and names them.
    pub fn sort(&self, results: Vec<RowResult>) -> (Vec<RowDone>, Vec<RowError>) {
        let (mut done, mut errors) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(outcome) if outcome.changed => {
                    done.extend(self.labels.get(&outcome.number).cloned());
                }
                Ok(_) => {}
                Err(mut error) => {
                    if let Some(row) = self.labels.get(&error.number) {
                        error.email.clone_from(&row.email);
                    }
                    errors.push(error);
                }
            }
        }
        (done, errors)
    }
}
