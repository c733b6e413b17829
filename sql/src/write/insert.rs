//! `INSERT`: reads and checks all rows, and then sends them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::TableProvider,
    common::plan_err,
    datasource::sink::{DataSink, DataSinkExec},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::dml::InsertOp,
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan},
};
use futures::StreamExt;
use org_invitations::BulkOptions;

use super::{InsertedRow, RowErrors, RowResult, cast_to_schema, refuse};
use crate::{
    columns::Column,
    resource::KindSpec,
    table::{Source, Table, labels},
};

/// Plans an `INSERT` of the rows of `input`. Nothing is sent before the plan is executed.
pub(crate) fn insert(
    table: &Table,
    input: Arc<dyn ExecutionPlan>,
    operation: InsertOp,
) -> Result<Arc<dyn ExecutionPlan>> {
    let spec = table.kind().spec();
    if spec.settable.is_empty() {
        return refuse(table.kind(), "INSERT");
    }
    if operation != InsertOp::Append {
        return plan_err!("{} cannot be overwritten: use INSERT INTO", spec.plural);
    }
    let (actual, expected) = (input.schema().fields().len(), table.columns().len());
    if actual != expected {
        return plan_err!("INSERT has {actual} columns, and the table has {expected}");
    }
    let sink = InsertSink {
        spec,
        sources: table.sources().to_vec(),
        bulk: table.options().bulk.clone(),
        columns: Arc::clone(table.columns()),
        schema: table.schema(),
    };
    Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), None)))
}

/// Creates what each row asks for.
struct InsertSink {
    spec: &'static KindSpec,
    sources: Vec<Source>,
    bulk: BulkOptions,
    columns: Arc<[Column]>,
    schema: SchemaRef,
}

impl InsertSink {
    /// Returns the index of the source that a row is for, or why there is none.
    fn source(&self, row: &InsertedRow) -> Result<usize, String> {
        let settable = self.spec.settable;
        for column in self.columns.iter() {
            if !settable.contains(column) && row.has(*column) {
                return Err(format!("`{}` cannot be set", column.name()));
            }
        }
        let mut candidates: Vec<usize> = (0..self.sources.len()).collect();
        for column in [Column::Provider, Column::Profile] {
            if !self.columns.contains(&column) {
                continue;
            }
            let value = row.text(column);
            // Of one provider, the profile need not be given.
            if value.is_none() && (column == Column::Profile && candidates.len() == 1) {
                continue;
            }
            candidates.retain(|index| {
                let info = &self.sources[*index].info;
                match column {
                    Column::Provider => value == Some(info.label.as_str()),
                    _ => value == info.profile.as_deref(),
                }
            });
            if candidates.is_empty() {
                let (name, known) = (column.name(), labels(&self.sources));
                return Err(match value {
                    Some(value) => format!("`{name}` is {value:?}, and has to be one of {known}"),
                    None => format!("`{name}` has to be one of {known}"),
                });
            }
        }
        candidates
            .first()
            .copied()
            .ok_or_else(|| "the table has no provider".to_owned())
    }
}

#[async_trait]
impl DataSink for InsertSink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        mut batches: SendableRecordBatchStream,
        _: &Arc<TaskContext>,
    ) -> Result<u64> {
        // All rows are read and checked before the first is sent, and an invalid row stops all of them.
        let (mut number, mut errors) = (0, Vec::new());
        let mut by_source: BTreeMap<usize, Vec<InsertedRow>> = BTreeMap::new();
        while let Some(batch) = batches.next().await {
            let batch = Arc::new(cast_to_schema(&batch?, &self.schema)?);
            for index in 0..batch.num_rows() {
                number += 1;
                let row = InsertedRow {
                    number,
                    batch: Arc::clone(&batch),
                    index,
                    columns: Arc::clone(&self.columns),
                };
                match self.source(&row) {
                    Ok(source) => by_source.entry(source).or_default().push(row),
                    Err(reason) => errors.push(row.error(reason)),
                }
            }
        }
        let mut checked = Vec::new();
        for (index, rows) in by_source {
            let Source { info, resource } = &self.sources[index];
            match resource.insert(rows, self.bulk.clone()).await {
                Ok(work) => checked.push((info, work)),
                Err(refused) => errors.extend(refused.into_iter().map(|row| row.of(info))),
            }
        }
        RowErrors::check("INSERT", 0, errors)?;
        let mut results = Vec::new();
        for (info, work) in checked {
            let named = |result: RowResult| result.map_err(|error| error.of(info));
            results.extend(work.await.into_iter().map(named));
        }
        RowErrors::sum("INSERT", results)
    }
}

impl DisplayAs for InsertSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.spec.insert, labels(&self.sources))
    }
}

impl fmt::Debug for InsertSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}
