//! `INSERT` and `DELETE`.

mod delete;
mod insert;
mod insert_check;
mod listing;
mod report;
mod returning;
mod row_errors;
mod rows;

use datafusion::{
    arrow::{
        compute::{CastOptions, cast_with_options},
        datatypes::SchemaRef,
        record_batch::RecordBatch,
    },
    common::plan_err,
    error::Result,
};

pub(crate) use self::{
    delete::{Effect, delete},
    insert::insert,
    insert_check::InsertCheck,
    listing::{dry_run, insert_returning, returns},
    report::WriteRun,
    returning::Returning,
    row_errors::{RowOutcome, RowResult},
    rows::{InsertedRow, SelectedRow},
};
pub use self::{
    report::WriteReport,
    row_errors::{RowDone, RowError, RowErrors},
};

#[cfg(feature = "ballista")]
use datafusion::{
    catalog::TableProvider, datasource::sink::DataSinkExec, physical_plan::ExecutionPlan,
};
use org_invitations::{BulkOptions, RemovalLimit};

use crate::resource::Kind;

/// What `INSERT` and `DELETE` may do.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Whether a `DELETE` without `WHERE` deletes everything; otherwise it is refused. Default: false.
    pub allow_delete_all: bool,
    /// Whether a `DELETE` from a table of members removes them; otherwise it is refused. **On Confluent everything that
    /// a removed user owns is deleted too, API keys included.** Default: false.
    pub allow_remove_members: bool,
    /// How many rows a `DELETE` may match; if it matches more, none is deleted. The default, a quarter of the existing ones and
    /// at least five, is for those with a `WHERE`; any other limit holds for those without it too.
    pub max_deletes: RemovalLimit,
    /// The number of concurrent requests, and the signal that stops between two rows.
    pub bulk: BulkOptions,
    /// Where the rows of a write are noted as they are carried out. Default: a report of its own.
    pub report: WriteReport,
}

impl WriteOptions {
    /// Sets whether a `DELETE` without `WHERE` deletes everything.
    #[must_use]
    pub fn allow_delete_all(mut self, allow: bool) -> Self {
        self.allow_delete_all = allow;
        self
    }

    /// Sets whether a `DELETE` from a table of members removes them.
    #[must_use]
    pub fn allow_remove_members(mut self, allow: bool) -> Self {
        self.allow_remove_members = allow;
        self
    }

    /// Sets how many rows a `DELETE` with a `WHERE` may match.
    #[must_use]
    pub fn max_deletes(mut self, limit: RemovalLimit) -> Self {
        self.max_deletes = limit;
        self
    }

    /// Sets the number of concurrent requests, and the signal that stops between two rows.
    #[must_use]
    pub fn bulk(mut self, bulk: BulkOptions) -> Self {
        self.bulk = bulk;
        self
    }

    /// Sets where the rows of a write are noted as they are carried out.
    #[must_use]
    pub fn report(mut self, report: WriteReport) -> Self {
        self.report = report;
        self
    }
}

/// Returns the error of a statement that is refused before anything is sent.
pub(crate) fn plan_error<T>(message: &str) -> Result<T> {
    plan_err!("{message}")
}

/// Refuses a statement that a kind of table does not have, and says what to use.
pub(crate) fn refuse<T>(kind: Kind, statement: &str) -> Result<T> {
    let (rows, hint) = (kind.spec().plural, kind.spec().hint);
    plan_err!("{statement}: {rows} cannot be changed by it; {hint}")
}

/// Refuses a write in a plan of several processes.
pub(crate) fn refuse_distributed<T>() -> Result<T> {
    plan_err!(
        "a distributed session only reads: run INSERT, DELETE and DRY RUN in a session of one process; nothing was sent"
    )
}

/// Whether a table is the target of a `DELETE`, or the list of the rows of a write.
#[cfg(feature = "ballista")]
pub(crate) fn is_write_target(table: &dyn TableProvider) -> bool {
    table.is::<delete::DeleteSink>() || table.is::<listing::Listing>()
}

/// Whether a plan writes rows to a provider.
#[cfg(feature = "ballista")]
pub(crate) fn is_write_plan(plan: &dyn ExecutionPlan) -> bool {
    plan.downcast_ref::<DataSinkExec>().is_some_and(|plan| {
        let sink = plan.sink();
        sink.is::<insert::InsertSink>() || sink.is::<delete::DeleteSink>()
    })
}

/// Casts columns to the types of the schema: the engine has several types for text, and a parameter of a prepared
/// statement keeps its own.
fn cast_to_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    // A value that cannot be cast is an error, not null.
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
