//! The rows of a write as a table: those that a `DRY RUN` would write, and those that `RETURNING` asks for.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::BooleanArray,
        compute::filter_record_batch,
        datatypes::{Field, Schema, SchemaRef},
        record_batch::RecordBatch,
    },
    catalog::{Session, TableProvider, streaming::StreamingTable},
    common::{not_impl_err, plan_err, tree_node::TreeNode},
    datasource::{DefaultTableSource, provider_as_source},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType, WriteOp, dml::InsertOp},
    physical_plan::{
        ExecutionPlan, collect, stream::RecordBatchStreamAdapter, streaming::PartitionStream,
    },
};
use futures::{StreamExt, stream};

use super::{Returning, cast_to_schema, delete::DeleteSink, insert::InsertSink, insert_check};
use crate::{columns::to_array, table::Table};

/// The rows of a write, as a table.
#[derive(Debug)]
pub(super) struct Listing {
    input: LogicalPlan,
    write: Write,
    /// Whether the rows are written before they are listed, and otherwise only checked.
    is_written: bool,
    /// The positions of the columns to list.
    listed: Vec<usize>,
    schema: SchemaRef,
}

/// The write that the rows are for.
#[derive(Clone, Debug)]
enum Write {
    Insert(Arc<InsertSink>),
    Delete(Arc<DeleteSink>),
}

impl Write {
    /// The schema of the rows that the write takes.
    fn schema(&self) -> &SchemaRef {
        use datafusion::datasource::sink::DataSink;
        match self {
            Self::Insert(sink) => DataSink::schema(&**sink),
            Self::Delete(sink) => DataSink::schema(&**sink),
        }
    }

    /// Makes every check that changes nothing, and returns the columns of the rows that would be written.
    async fn check(&self, batches: Vec<RecordBatch>, listed: &[usize]) -> Result<Vec<RecordBatch>> {
        let rows = self.stream(&batches);
        match self {
            // The work is dropped, so that nothing is changed.
            Self::Insert(sink) => drop(sink.check(rows, false).await?),
            Self::Delete(sink) => sink.check(rows).await?,
        }
        project(batches, listed)
    }

    /// Writes the rows, and returns the columns of those that were written.
    async fn carry_out(
        &self,
        batches: Vec<RecordBatch>,
        listed: &[usize],
    ) -> Result<Vec<RecordBatch>> {
        let rows = self.stream(&batches);
        match self {
            Self::Insert(sink) => {
                let created = sink.carry_out(rows, true).await?;
                let batches = created.rows.iter().map(|(info, rows)| {
                    let columns = listed.iter().map(|position| {
                        let column = sink.columns()[*position];
                        to_array(column, info, rows, sink.columns())
                    });
                    let schema = self.schema().project(listed)?;
                    Ok(RecordBatch::try_new(Arc::new(schema), columns.collect())?)
                });
                batches.collect()
            }
            Self::Delete(sink) => {
                let done = sink.carry_out(rows).await?;
                let done: HashSet<usize> = done.into_iter().map(|row| row.number).collect();
                let mut number = 0;
                let deleted = batches.iter().map(|batch| {
                    let is_done = (0..batch.num_rows()).map(|_| {
                        number += 1;
                        done.contains(&number)
                    });
                    let mask: BooleanArray = is_done.map(Some).collect();
                    Ok(filter_record_batch(batch, &mask)?)
                });
                project(deleted.collect::<Result<_>>()?, listed)
            }
        }
    }

    fn stream(&self, batches: &[RecordBatch]) -> SendableRecordBatchStream {
        let rows = batches.to_vec();
        let rows = stream::iter(rows.into_iter().map(Ok));
        let schema = Arc::clone(self.schema());
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

fn project(batches: Vec<RecordBatch>, columns: &[usize]) -> Result<Vec<RecordBatch>> {
    let batches = batches.iter().map(|batch| Ok(batch.project(columns)?));
    batches.collect()
}

/// Plans the list of the rows that an `INSERT` into a table of this crate would write.
pub(crate) fn dry_run(plan: LogicalPlan) -> Result<LogicalPlan> {
    let (input, table) = checked(plan, "DRY RUN")?;
    let sink = InsertSink::new(&table);
    let listed = sink.settable();
    Listing::new(input, Write::Insert(Arc::new(sink)), listed).plan()
}

/// Plans an `INSERT` into a table of this crate that returns columns of what was created.
pub(crate) fn insert_returning(plan: LogicalPlan, returning: &Returning) -> Result<LogicalPlan> {
    let (input, table) = checked(plan, "RETURNING")?;
    let sink = InsertSink::new(&table);
    returning.check_insert(&table)?;
    let columns = returning.columns(&table)?;
    let position = |(column, _): &(_, _)| table.columns().iter().position(|it| it == column);
    let listed = columns.iter().filter_map(position).collect();
    let names = columns.into_iter().map(|(_, name)| name).collect();
    Listing::new(input, Write::Insert(Arc::new(sink)), listed)
        .written(names)
        .plan()
}

/// Returns the rows of an `INSERT`, and its table.
fn checked(plan: LogicalPlan, clause: &str) -> Result<(LogicalPlan, Table)> {
    let LogicalPlan::Dml(statement) = plan else {
        return not_impl_err!("{clause} is for INSERT and DELETE");
    };
    let Some(table) = insert_check::table(&*statement.target) else {
        return plan_err!("{clause} is for the tables of invitations, members and role bindings");
    };
    if statement.op != WriteOp::Insert(InsertOp::Append) {
        return plan_err!("{clause} is for INSERT and DELETE");
    }
    insert_check::check_insert(&statement.input, table)?;
    let table = table.clone();
    Ok((Arc::unwrap_or_clone(statement.input), table))
}

/// Whether executing a plan writes rows, and then lists them.
pub(crate) fn returns(plan: &LogicalPlan) -> bool {
    let is_written = plan.exists(|node| {
        let LogicalPlan::TableScan(scan) = node else {
            return Ok(false);
        };
        let source = scan.source.downcast_ref::<DefaultTableSource>();
        let listing = source.and_then(|source| source.table_provider.downcast_ref::<Listing>());
        Ok(listing.is_some_and(|listing| listing.is_written))
    });
    is_written.unwrap_or(false)
}

impl Listing {
    fn new(input: LogicalPlan, write: Write, listed: Vec<usize>) -> Self {
        let fields = listed
            .iter()
            .map(|position| write.schema().field(*position));
        let fields: Vec<_> = fields.cloned().collect();
        Self {
            input,
            write,
            is_written: false,
            listed,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    pub fn of_delete(input: LogicalPlan, sink: DeleteSink, listed: Vec<usize>) -> Self {
        Self::new(input, Write::Delete(Arc::new(sink)), listed)
    }

    /// Writes the rows, and gives the columns these names.
    pub fn written(mut self, names: Vec<String>) -> Self {
        let fields = self.schema.fields().iter().zip(names);
        let fields = fields.map(|(field, name)| Field::clone(field).with_name(name));
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        self.is_written = true;
        self
    }

    pub fn plan(self) -> Result<LogicalPlan> {
        let name = match self.is_written {
            true => "returning",
            false => "dry_run",
        };
        let source = provider_as_source(Arc::new(self));
        LogicalPlanBuilder::scan(name, source, None)?.build()
    }
}

#[async_trait]
impl TableProvider for Listing {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = ListedRows {
            input: session.create_physical_plan(&self.input).await?,
            write: self.write.clone(),
            is_written: self.is_written,
            listed: self.listed.clone(),
            schema: Arc::clone(&self.schema),
        };
        let table = StreamingTable::try_new(Arc::clone(&self.schema), vec![Arc::new(rows)])?;
        table.scan(session, projection, filters, limit).await
    }
}

/// The rows, which are all read, and checked or written, before the first is listed.
#[derive(Debug)]
struct ListedRows {
    input: Arc<dyn ExecutionPlan>,
    write: Write,
    is_written: bool,
    listed: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for ListedRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (input, write) = (Arc::clone(&self.input), self.write.clone());
        let (listed, is_written) = (self.listed.clone(), self.is_written);
        let schema = Arc::clone(&self.schema);
        let rows = async move {
            let batches = collect(input, context).await?;
            let batches: Result<Vec<RecordBatch>> = batches
                .iter()
                .map(|batch| cast_to_schema(batch, write.schema()))
                .collect();
            let listed = match is_written {
                true => write.carry_out(batches?, &listed).await?,
                false => write.check(batches?, &listed).await?,
            };
            // The columns have the names that the statement gives them.
            let named = listed.into_iter().map(move |batch| {
                let columns = batch.columns().to_vec();
                Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
            });
            Ok(stream::iter(named))
        };
        let rows = stream::once(rows).flat_map(|rows: Result<_>| match rows {
            Ok(rows) => rows.boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            rows,
        ))
    }
}
