//! Errors of single rows.

use std::{error::Error as StdError, fmt};

use datafusion::error::{DataFusionError, Result};
use org_invitations::Error;

use crate::columns::ProviderInfo;

/// The error of an `INSERT` or `DELETE` of which some rows failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowErrors {
    /// The statement: `INSERT` or `DELETE`.
    pub statement: &'static str,
    /// The number of rows that succeeded.
    pub succeeded: u64,
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
    /// The reason.
    pub reason: String,
    /// The provider's error, if a request was sent.
    pub error: Option<Error>,
}

/// The result of a row: whether it changed something.
pub(crate) type RowResult = std::result::Result<bool, RowError>;

/// The number of rows that the message lists; `errors` has all.
const MAX_LISTED: usize = 50;

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
        for row in self.errors.iter().take(MAX_LISTED) {
            let RowError {
                number,
                target,
                reason,
                ..
            } = row;
            let space = if target.is_empty() { "" } else { " " };
            write!(f, "\n  row {number}{space}{target}: {reason}")?;
        }
        match all.checked_sub(MAX_LISTED) {
            Some(more) if more > 0 => write!(f, "\n  and {more} more"),
            _ => Ok(()),
        }
    }
}

impl StdError for RowErrors {}

impl RowErrors {
    /// Returns the errors, if there are any.
    pub(super) fn check(
        statement: &'static str,
        succeeded: u64,
        mut errors: Vec<RowError>,
    ) -> Result<u64> {
        if errors.is_empty() {
            return Ok(succeeded);
        }
        errors.sort_by_key(|row| row.number);
        let error = Self {
            statement,
            succeeded,
            errors,
        };
        Err(DataFusionError::External(Box::new(error)))
    }

    /// Returns the number of rows that changed something, or the errors if some failed.
    pub(super) fn sum(statement: &'static str, results: Vec<RowResult>) -> Result<u64> {
        let (mut succeeded, mut errors) = (0, Vec::new());
        for result in results {
            match result {
                Ok(changed) => succeeded += u64::from(changed),
                Err(error) => errors.push(error),
            }
        }
        Self::check(statement, succeeded, errors)
    }
}

impl RowError {
    pub(crate) fn new(number: usize, target: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            number,
            target: target.into(),
            reason: reason.into(),
            error: None,
        }
    }

    pub(crate) fn from_error(number: usize, target: impl Into<String>, error: Error) -> Self {
        Self {
            number,
            target: target.into(),
            reason: error.to_string(),
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
