//! Rows that did not go through.

use std::{error::Error as StdError, fmt};

use org_invitations::Error;

/// Some rows of an `INSERT` or `DELETE` did not go through; the others did.
#[derive(Debug)]
#[non_exhaustive]
pub struct RefusedRows {
    /// What was to be done: `INSERT` or `DELETE`.
    pub statement: &'static str,
    /// How many rows went through.
    pub done: u64,
    /// Those that did not, in their order in the statement.
    pub refused: Vec<RefusedRow>,
}

/// A row that did not go through.
#[derive(Debug)]
#[non_exhaustive]
pub struct RefusedRow {
    /// Its position, counted from 1.
    pub number: usize,
    /// Its address, or its id for a `DELETE`; empty when it has none.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// What the provider answered, if it was asked.
    pub error: Option<Error>,
}

/// So many rows are in the message; the others are in the error.
const SHOWN: usize = 50;

impl fmt::Display for RefusedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.refused.len();
        let rows = if all == 1 { "row was" } else { "rows were" };
        let done = if self.done == 1 { "row" } else { "rows" };
        let (statement, through) = (self.statement, self.done);
        write!(
            f,
            "{statement}: {through} {done} went through, {all} {rows} refused:"
        )?;
        for row in self.refused.iter().take(SHOWN) {
            let RefusedRow {
                number,
                subject,
                reason,
                ..
            } = row;
            let space = if subject.is_empty() { "" } else { " " };
            write!(f, "\n  row {number}{space}{subject}: {reason}")?;
        }
        match all.checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(f, "\n  and {more} more"),
            _ => Ok(()),
        }
    }
}

impl StdError for RefusedRows {}

impl RefusedRows {
    /// The number of rows that went through, unless some did not.
    pub(super) fn check(
        statement: &'static str,
        done: u64,
        mut refused: Vec<RefusedRow>,
    ) -> datafusion::error::Result<u64> {
        if refused.is_empty() {
            return Ok(done);
        }
        refused.sort_by_key(|row| row.number);
        let error = Self {
            statement,
            done,
            refused,
        };
        Err(datafusion::error::DataFusionError::External(Box::new(
            error,
        )))
    }
}

impl RefusedRow {
    pub(super) fn new(
        number: usize,
        subject: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            number,
            subject: subject.into(),
            reason: reason.into(),
            error: None,
        }
    }

    pub(super) fn by(number: usize, subject: impl Into<String>, error: Error) -> Self {
        Self {
            number,
            subject: subject.into(),
            reason: error.to_string(),
            error: Some(error),
        }
    }
}
