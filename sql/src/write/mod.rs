//! `INSERT` and `DELETE`.

mod delete;
mod insert;
mod refused;
mod rule;

use datafusion::{common::plan_err, error::Result};

pub use self::refused::{RefusedRow, RefusedRows};
pub(crate) use self::{insert::insert, rule::WriteRule};

use org_invitations::BulkOptions;

/// What `INSERT` and `DELETE` may do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Whether a `DELETE` without `WHERE` deletes everything; otherwise it is refused. Default: false.
    pub allow_delete_all: bool,
    /// How many invitations a `DELETE` with a `WHERE` may match; of more, none is deleted. Default: 100.
    pub max_deletes: usize,
    /// How many requests are under way at once, and what stops them between two rows.
    pub bulk: BulkOptions,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            allow_delete_all: false,
            max_deletes: 100,
            bulk: BulkOptions::default(),
        }
    }
}

impl WriteOptions {
    /// Sets whether a `DELETE` without `WHERE` deletes everything.
    #[must_use]
    pub fn allow_delete_all(mut self, allow: bool) -> Self {
        self.allow_delete_all = allow;
        self
    }

    /// Sets how many invitations a `DELETE` with a `WHERE` may match.
    #[must_use]
    pub fn max_deletes(mut self, most: usize) -> Self {
        self.max_deletes = most;
        self
    }

    /// Sets how many requests are under way at once, and what stops them between two rows.
    #[must_use]
    pub fn bulk(mut self, bulk: BulkOptions) -> Self {
        self.bulk = bulk;
        self
    }
}

/// A statement that is refused before anything is sent.
pub(crate) fn refuse<T>(message: &str) -> Result<T> {
    plan_err!("{message}")
}
