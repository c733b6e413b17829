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
use futures::{StreamExt, future::BoxFuture};
use org_invitations::BulkOptions;

use super::{
    InsertedRow, RowErrors, WriteReport, WriteRun, cast_to_schema, refuse, refuse_distributed,
};
use crate::{
    columns::{Column, ProviderInfo},
    resource::{BoxRow, KindSpec, RowResults},
    table::{Source, Table, labels},
};

/// Plans an `INSERT` of the rows of `input`. Nothing is sent before the plan is executed.
pub(crate) fn insert(
    table: &Table,
    input: Arc<dyn ExecutionPlan>,
    operation: InsertOp,
) -> Result<Arc<dyn ExecutionPlan>> {
    let spec = table.kind().spec();
    if table.is_elsewhere() {
        return refuse_distributed();
    }
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
    let sink = InsertSink::new(table);
    Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), None)))
}

/// Creates what each row asks for.
#[derive(Clone)]
pub(super) struct InsertSink {
    spec: &'static KindSpec,
    sources: Vec<Source>,
    bulk: BulkOptions,
    report: WriteReport,
    columns: Arc<[Column]>,
    schema: SchemaRef,
}

/// The rows of one provider that were checked, and the work that creates what they ask for.
type CheckedRows<'a> = (&'a ProviderInfo, BoxFuture<'a, RowResults>);

/// What an `INSERT` has created.
#[derive(Default)]
pub(super) struct Created<'a> {
    count: u64,
    /// The rows of each provider, if they are kept.
    pub rows: Vec<(&'a ProviderInfo, Vec<BoxRow>)>,
}

impl InsertSink {
    pub fn new(table: &Table) -> Self {
        Self {
            spec: table.kind().spec(),
            sources: table.sources().to_vec(),
            bulk: table.options().bulk.clone(),
            report: table.options().report.clone(),
            columns: Arc::clone(table.columns()),
            schema: table.schema(),
        }
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the positions of the columns that `INSERT` may set.
    pub fn settable(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let columns = columns.filter(|(_, column)| self.spec.settable.contains(column));
        columns.map(|(position, _)| position).collect()
    }

    /// Reads and checks all rows; an invalid row stops all of them. Changes nothing before the work is awaited, whose results
    /// have the created rows where `keeps_rows` is set.
    pub async fn check(
        &self,
        mut batches: SendableRecordBatchStream,
        keeps_rows: bool,
    ) -> Result<(WriteRun, Vec<CheckedRows<'_>>)> {
        let (mut number, mut errors, mut labels) = (0, Vec::new(), Vec::new());
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
                labels.push(row.label());
                match self.source(&row) {
                    Ok(source) => by_source.entry(source).or_default().push(row),
                    Err(reason) => errors.push(row.error(reason)),
                }
            }
        }
        let mut run = WriteRun::new(self.bulk.clone(), &self.report, labels);
        run.keeps_rows = keeps_rows;
        let mut checked = Vec::new();
        for (index, rows) in by_source {
            let Source { info, resource } = &self.sources[index];
            match resource.insert(rows, run.clone()).await {
                Ok(work) => checked.push((info, work)),
                Err(refused) => errors.extend(refused.into_iter().map(|row| row.of(info))),
            }
        }
        RowErrors::check("INSERT", Vec::new(), errors)?;
        Ok((run, checked))
    }

    /// Creates what the rows ask for, and returns what was created, with the rows if they are to be kept.
    pub async fn carry_out(
        &self,
        batches: SendableRecordBatchStream,
        keeps_rows: bool,
    ) -> Result<Created<'_>> {
        // All rows are read and checked before the first is sent.
        let (run, checked) = self.check(batches, keeps_rows).await?;
        let (mut created, mut done, mut errors) = (Created::default(), Vec::new(), Vec::new());
        for (info, work) in checked {
            let mut results = work.await;
            let mut rows: Vec<(usize, BoxRow)> = Vec::new();
            for outcome in results.iter_mut().flatten() {
                rows.extend(outcome.row.take().map(|row| (outcome.number, row)));
            }
            rows.sort_by_key(|(number, _)| *number);
            let rows = rows.into_iter().map(|(_, row)| row).collect();
            created.rows.push((info, rows));
            let (went_through, failed) = run.sort(results);
            done.extend(went_through);
            errors.extend(failed.into_iter().map(|error| error.of(info)));
        }
        created.count = RowErrors::check("INSERT", done, errors)?.len() as u64;
        Ok(created)
    }

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
        batches: SendableRecordBatchStream,
        _: &Arc<TaskContext>,
    ) -> Result<u64> {
        Ok(self.carry_out(batches, false).await?.count)
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
