//! Errors of single rows.

use std::{error::Error as StdError, fmt};

use datafusion::error::{DataFusionError, Result};
use org_invitations::Error;

use crate::{columns::ProviderInfo, resource::BoxRow};

/// The error of an `INSERT` or `DELETE` of which some rows failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowErrors {
    /// The statement: `INSERT` or `DELETE`.
    pub statement: &'static str,
    /// The number of rows that succeeded.
    pub succeeded: u64,
    /// The rows that succeeded, in their order in the statement.
    pub done: Vec<RowDone>,
    /// The rows that failed, in their order in the statement.
    pub errors: Vec<RowError>,
}

/// A row that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowError {
    /// The position of the row, counted from 1.
    pub number: usize,
    /// The address, or the id for a `DELETE`; empty if the row has none.
    pub target: String,
    /// The address of a row to delete, where the table knows it without a further request.
    pub email: Option<String>,
    /// The reason.
    pub reason: String,
    /// The provider's error, if a request was sent.
    pub error: Option<Error>,
}

/// A row that succeeded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RowDone {
    /// The position of the row, counted from 1.
    pub number: usize,
    /// The address, or the id for a `DELETE`.
    pub target: String,
    /// The address of a row to delete, where the table knows it without a further request.
    pub email: Option<String>,
}

/// The result of a row.
pub(crate) type RowResult = std::result::Result<RowOutcome, RowError>;

/// A row without an error.
pub(crate) struct RowOutcome {
    pub number: usize,
    /// Whether something changed.
    pub changed: bool,
    /// The row that was created, if it is kept.
    pub row: Option<BoxRow>,
}

impl RowOutcome {
    pub fn new(number: usize, changed: bool) -> Self {
        Self {
            number,
            changed,
            row: None,
        }
    }
}

/// `row 2 i-7 (ann@example.com)`
fn write_row(
    f: &mut fmt::Formatter<'_>,
    number: usize,
    target: &str,
    email: Option<&str>,
) -> fmt::Result {
    write!(f, "row {number}")?;
    if !target.is_empty() {
        write!(f, " {target}")?;
    }
    match email {
        Some(email) => write!(f, " ({email})"),
        None => Ok(()),
    }
}

impl fmt::Display for RowDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_row(f, self.number, &self.target, self.email.as_deref())
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_row(f, self.number, &self.target, self.email.as_deref())?;
        write!(f, ": {}", self.reason)
    }
}

impl fmt::Display for RowErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.errors.len();
        let rows = if all == 1 { "row was" } else { "rows were" };
        let noun = if self.succeeded == 1 { "row" } else { "rows" };
        let (statement, succeeded) = (self.statement, self.succeeded);
        write!(
            f,
            "{statement}: {succeeded} {noun} went through, {all} {rows} refused:"
        )?;
        for row in &self.errors {
            write!(f, "\n  {row}")?;
        }
        if !self.done.is_empty() {
            f.write_str("\nwent through:")?;
        }
        for row in &self.done {
            write!(f, "\n  {row}")?;
        }
        Ok(())
    }
}

impl StdError for RowErrors {}

impl RowErrors {
    /// Returns the rows that changed something, or the errors if some failed.
    pub(super) fn check(
        statement: &'static str,
        mut done: Vec<RowDone>,
        mut errors: Vec<RowError>,
    ) -> Result<Vec<RowDone>> {
        if errors.is_empty() {
            return Ok(done);
        }
        done.sort_by_key(|row| row.number);
        errors.sort_by_key(|row| row.number);
        let error = Self {
            statement,
            succeeded: done.len() as u64,
            done,
            errors,
        };
        Err(DataFusionError::External(Box::new(error)))
    }
}

impl RowError {
    pub(crate) fn new(number: usize, target: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            number,
            target: target.into(),
            reason: reason.into(),
            email: None,
            error: None,
        }
    }

    pub(crate) fn from_error(number: usize, target: impl Into<String>, error: Error) -> Self {
        Self {
            number,
            target: target.into(),
            reason: error.to_string(),
            email: None,
            error: Some(error),
        }
    }

    /// Names the profile, where there are several.
    pub(super) fn of(mut self, info: &ProviderInfo) -> Self {
        if info.profile.is_some() {
            self.reason = format!("{info}: {}", self.reason);
        }
        self
    }

    pub(crate) fn not_attempted(number: usize, target: impl Into<String>) -> Self {
        Self::new(number, target, "not attempted")
    }
}
