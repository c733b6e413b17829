//! `INSERT` and `DELETE`.

mod delete;
mod insert;
mod refused;
mod rule;

use datafusion::{
    arrow::{
        compute::{CastOptions, cast_with_options},
        datatypes::SchemaRef,
        record_batch::RecordBatch,
    },
    common::plan_err,
    error::Result,
};

pub use self::refused::{RefusedRow, RefusedRows};
pub(crate) use self::{insert::insert, rule::WriteRule};

use org_invitations::{BulkOptions, RemovalLimit};

/// What `INSERT` and `DELETE` may do.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Whether a `DELETE` without `WHERE` deletes everything; otherwise it is refused. Default: false.
    pub allow_delete_all: bool,
    /// How many invitations a `DELETE` with a `WHERE` may match; of more, none is deleted. Default: a quarter of those
    /// that there are, and at least five.
    pub max_deletes: RemovalLimit,
    /// How many requests are under way at once, and what stops them between two rows.
    pub bulk: BulkOptions,
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
    pub fn max_deletes(mut self, limit: RemovalLimit) -> Self {
        self.max_deletes = limit;
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

/// The columns as the schema has them: the engine has more than one type for text, and a parameter of a
/// prepared statement keeps its own.
fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    // What cannot be converted is an error, and no null.
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let fields = schema.fields().iter();
    let arrays = batch.columns().iter().zip(fields);
    let arrays = arrays.map(|(array, field)| cast_with_options(array, field.data_type(), &options));
    let arrays: Result<Vec<_>, _> = arrays.collect();
    Ok(RecordBatch::try_new(SchemaRef::clone(schema), arrays?)?)
}
