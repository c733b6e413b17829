//! `DRY RUN`: the rows that an `INSERT` or `DELETE` would write, after every check that changes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::{datatypes::SchemaRef, record_batch::RecordBatch},
    catalog::{Session, TableProvider, streaming::StreamingTable},
    common::{not_impl_err, plan_err},
    datasource::provider_as_source,
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType, WriteOp, dml::InsertOp},
    physical_plan::{
        ExecutionPlan, collect, stream::RecordBatchStreamAdapter, streaming::PartitionStream,
    },
};
use futures::{StreamExt, stream};

use super::{cast_to_schema, delete::DeleteSink, insert::InsertSink, insert_check};

/// The rows of a write, as a table.
#[derive(Debug)]
pub(super) struct DryRun {
    input: LogicalPlan,
    write: Write,
    /// The positions of the columns to list.
    listed: Vec<usize>,
    schema: SchemaRef,
}

/// The write that checks the rows.
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

    async fn check(&self, rows: SendableRecordBatchStream) -> Result<()> {
        match self {
            // The work is dropped, so that nothing is changed.
            Self::Insert(sink) => sink.check(rows).await.map(drop),
            Self::Delete(sink) => sink.check(rows).await,
        }
    }
}

/// Plans the list of the rows that an `INSERT` into a table of this crate would write.
pub(crate) fn dry_run(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Dml(statement) = plan else {
        return not_impl_err!("DRY RUN is for INSERT and DELETE");
    };
    let Some(table) = insert_check::table(&*statement.target) else {
        return plan_err!("DRY RUN is for the tables of invitations, members and role bindings");
    };
    if statement.op != WriteOp::Insert(InsertOp::Append) {
        return plan_err!("DRY RUN is for INSERT and DELETE");
    }
    insert_check::check_insert(&statement.input, table)?;
    let sink = InsertSink::new(table);
    let listed = sink.listed();
    let input = Arc::unwrap_or_clone(statement.input);
    DryRun::new(input, Write::Insert(Arc::new(sink)), listed).plan()
}

impl DryRun {
    fn new(input: LogicalPlan, write: Write, listed: Vec<usize>) -> Self {
        let fields = listed
            .iter()
            .map(|position| write.schema().field(*position));
        let fields: Vec<_> = fields.cloned().collect();
        Self {
            input,
            write,
            listed,
            schema: Arc::new(datafusion::arrow::datatypes::Schema::new(fields)),
        }
    }

    pub fn of_delete(input: LogicalPlan, sink: DeleteSink, listed: Vec<usize>) -> Self {
        Self::new(input, Write::Delete(Arc::new(sink)), listed)
    }

    pub fn plan(self) -> Result<LogicalPlan> {
        let source = provider_as_source(Arc::new(self));
        LogicalPlanBuilder::scan("dry_run", source, None)?.build()
    }
}

#[async_trait]
impl TableProvider for DryRun {
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
        let rows = CheckedRows {
            input: session.create_physical_plan(&self.input).await?,
            write: self.write.clone(),
            listed: self.listed.clone(),
            schema: Arc::clone(&self.schema),
        };
        let table = StreamingTable::try_new(Arc::clone(&self.schema), vec![Arc::new(rows)])?;
        table.scan(session, projection, filters, limit).await
    }
}

/// The rows, which are all read and checked before the first is listed.
#[derive(Debug)]
struct CheckedRows {
    input: Arc<dyn ExecutionPlan>,
    write: Write,
    listed: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for CheckedRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (input, write) = (Arc::clone(&self.input), self.write.clone());
        let listed = self.listed.clone();
        let rows = async move {
            let schema = Arc::clone(write.schema());
            let batches = collect(input, context).await?;
            let batches: Result<Vec<RecordBatch>> = batches
                .iter()
                .map(|batch| cast_to_schema(batch, &schema))
                .collect();
            let batches = batches?;
            let again = stream::iter(batches.clone().into_iter().map(Ok));
            let again = RecordBatchStreamAdapter::new(schema, again);
            write.check(Box::pin(again)).await?;
            let listed = batches
                .into_iter()
                .map(move |batch| Ok(batch.project(&listed)?));
            Ok(stream::iter(listed))
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
