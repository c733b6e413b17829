//! `DELETE`: collects ids, counts them, and then deletes the rows.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::Arc,
};

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{Array, AsArray},
        datatypes::SchemaRef,
        record_batch::RecordBatch,
    },
    catalog::{Session, TableProvider},
    common::exec_err,
    datasource::sink::{DataSink, DataSinkExec},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableType, dml::InsertOp},
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan},
};
use futures::StreamExt;
use org_invitations::RemovalLimit;

use super::{RowErrors, RowResult, SelectedRow, WriteOptions, cast_to_schema, plan_error};
use crate::{
    columns::{Column, schema},
    resource::KindSpec,
    scan::provider_failure,
    table::{Source, Table, labels},
};

/// A table that deletes the rows whose ids are inserted into it.
#[derive(Clone)]
pub(super) struct DeleteSink {
    spec: &'static KindSpec,
    sources: Vec<Source>,
    options: WriteOptions,
    /// The limit of a `DELETE` with a condition.
    limit: Option<RemovalLimit>,
    /// The columns that say which row it is, and then those that say whose.
    columns: Vec<Column>,
    schema: SchemaRef,
}

/// Rows to delete, by the index of their source.
type SelectedRows = BTreeMap<usize, Vec<SelectedRow>>;

impl DeleteSink {
    pub fn new(table: &Table, has_condition: bool) -> Self {
        let spec = table.kind().spec();
        let owner = [Column::Provider, Column::Profile].into_iter();
        let owner = owner.filter(|column| table.columns().contains(column));
        let columns: Vec<Column> = spec.identity.iter().copied().chain(owner).collect();
        let options = table.options().clone();
        Self {
            spec,
            sources: table.sources().to_vec(),
            limit: has_condition.then_some(options.max_deletes),
            options,
            schema: schema(&columns),
            columns,
        }
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Collects the rows to delete.
    async fn collect(&self, mut batches: SendableRecordBatchStream) -> Result<SelectedRows> {
        let (mut number, mut rows) = (0, SelectedRows::new());
        while let Some(batch) = batches.next().await {
            let batch = cast_to_schema(&batch?, &self.schema)?;
            for index in 0..batch.num_rows() {
                number += 1;
                let (source, row) = self.selected(&batch, index, number)?;
                rows.entry(source).or_default().push(row);
            }
        }
        Ok(rows)
    }

    /// Returns the index of the source of a row, and the row.
    fn selected(
        &self,
        batch: &RecordBatch,
        index: usize,
        number: usize,
    ) -> Result<(usize, SelectedRow)> {
        let text = |position: usize| {
            let texts = batch.column(position).as_string::<i32>();
            (!texts.is_null(index)).then(|| texts.value(index))
        };
        if text(0).is_none() {
            return exec_err!("DELETE selected a row without an id; nothing was deleted");
        }
        let identities = self.spec.identity.len();
        let is_of = |source: &Source| {
            let mut owners = self.columns.iter().enumerate().skip(identities);
            owners.all(|(position, column)| match column {
                Column::Provider => text(position) == Some(source.info.label.as_str()),
                _ => text(position) == source.info.profile.as_deref(),
            })
        };
        let Some(source) = self.sources.iter().position(is_of) else {
            return exec_err!("DELETE selected a row of no provider; nothing was deleted");
        };
        let values = (0..identities).map(|position| text(position).map(str::to_owned));
        let values = values.collect();
        Ok((source, SelectedRow { number, values }))
    }

    /// Refuses to delete more than the limit, and counts existing rows only if the limit depends on them.
    async fn check_limit(&self, rows: &SelectedRows) -> Result<()> {
        let distinct = |rows: &Vec<SelectedRow>| {
            let rows: HashSet<_> = rows.iter().map(|row| &row.values).collect();
            rows.len()
        };
        let removals = rows.values().map(distinct).sum();
        let Some(limit) = self.limit.filter(|limit| limit.check(removals, 0).is_err()) else {
            return Ok(());
        };
        let mut existing = 0;
        for index in rows.keys() {
            let source = &self.sources[*index];
            let counted = source.resource.count().await;
            existing += counted.map_err(|error| provider_failure(error, &source.info))?;
        }
        let Err(exceeded) = limit.check(removals, existing) else {
            return Ok(());
        };
        let (plural, allowed) = (self.spec.plural, exceeded.allowed.to_string());
        let reason = match limit.to_string() {
            limit if limit == allowed => String::new(),
            limit => format!(" ({limit})"),
        };
        exec_err!(
            "DELETE matches {removals} {plural} of {existing}, and the limit is {allowed}{reason}; \
             nothing was deleted (`--max-deletes`, `WriteOptions::max_deletes`)"
        )
    }
}

#[async_trait]
impl TableProvider for DeleteSink {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan_error("the target of a DELETE cannot be read")
    }

    async fn insert_into(
        &self,
        _: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        _: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let sink = Arc::new(self.clone());
        Ok(Arc::new(DataSinkExec::new(input, sink, None)))
    }
}

#[async_trait]
impl DataSink for DeleteSink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        rows: SendableRecordBatchStream,
        _: &Arc<TaskContext>,
    ) -> Result<u64> {
        // All ids are collected before the first deletion, so that a failed read deletes nothing.
        let rows = self.collect(rows).await?;
        self.check_limit(&rows).await?;
        let mut results = Vec::new();
        for (index, rows) in rows {
            let source = &self.sources[index];
            let deleted = source
                .resource
                .delete(rows, self.options.bulk.clone())
                .await;
            let named = |result: RowResult| result.map_err(|error| error.of(&source.info));
            results.extend(deleted.into_iter().map(named));
        }
        RowErrors::sum("DELETE", results)
    }
}

impl DisplayAs for DeleteSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.spec.delete, labels(&self.sources))?;
        match self.limit {
            Some(limit) => write!(f, ", max_deletes={limit}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for DeleteSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}
