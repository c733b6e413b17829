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
    common::{Column as QualifiedColumn, TableReference, exec_err},
    datasource::{
        provider_as_source,
        sink::{DataSink, DataSinkExec},
    },
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{
        DmlStatement, Expr, LogicalPlan, LogicalPlanBuilder, TableType, WriteOp, dml::InsertOp,
    },
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan},
};
use futures::StreamExt;
use org_invitations::RemovalLimit;

use super::{
    Returning, RowDone, RowErrors, SelectedRow, WriteOptions, WriteRun, cast_to_schema,
    listing::Listing, plan_error, refuse,
};
use crate::{
    columns::{Column, schema},
    resource::{Kind, KindSpec},
    scan::provider_failure,
    table::{Source, Table, labels},
};

/// A table that deletes the rows whose ids are inserted into it.
#[derive(Clone)]
pub(super) struct DeleteSink {
    spec: &'static KindSpec,
    sources: Vec<Source>,
    options: WriteOptions,
    /// The largest number of rows.
    limit: Option<RemovalLimit>,
    /// The columns that say which row it is, those that say whose, the address, and those that are listed.
    columns: Vec<Column>,
    owners: usize,
    schema: SchemaRef,
}

/// What a `DELETE` does with the rows that it selects.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Deletes them, and returns their number.
    Count,
    /// Deletes them, and returns columns of them.
    Returning(Returning),
    /// Lists them.
    DryRun,
}

/// Plans a `DELETE` of the selected rows, as an `INSERT` of their ids into a [`DeleteSink`], or a list of these rows.
pub(crate) fn delete(
    name: TableReference,
    table: &Table,
    selected: LogicalPlan,
    has_condition: bool,
    effect: Effect,
) -> Result<LogicalPlan> {
    let is_dry_run = matches!(effect, Effect::DryRun);
    let (kind, options) = (table.kind(), table.options());
    if kind.spec().identity.is_empty() {
        return refuse(kind, "DELETE");
    }
    if kind == Kind::Members && !options.allow_remove_members && !is_dry_run {
        return plan_error(
            "DELETE removes members from the organisation, and on Confluent everything that they \
             own is deleted too, API keys included; allow it (`--allow-remove-members`, \
             `WriteOptions::allow_remove_members`)",
        );
    }
    if !has_condition && !options.allow_delete_all && !is_dry_run {
        return plan_error(&format!(
            "DELETE without WHERE would delete all {}; say which, or allow it \
             (`--allow-delete-all`, `WriteOptions::allow_delete_all`)",
            kind.spec().plural
        ));
    }
    let mut target = DeleteSink::new(table, has_condition);
    let listed = match &effect {
        Effect::Count => None,
        Effect::Returning(returning) => Some(returning.columns(table)?),
        Effect::DryRun => Some(target.dry_run_columns()),
    };
    if let Some(listed) = &listed {
        target.add_columns(listed.iter().map(|(column, _)| *column));
    }
    let column = |column: &Column| -> Result<Expr> {
        let schema = selected.schema();
        let found = schema.qualified_field_with_unqualified_name(column.name())?;
        Ok(Expr::Column(QualifiedColumn::from(found)))
    };
    let columns: Result<Vec<Expr>> = target.columns.iter().map(column).collect();
    let ids = LogicalPlanBuilder::from(selected)
        .project(columns?)?
        .build()?;
    if let Some(listed) = listed {
        let position = |(column, _): &(Column, String)| {
            let mut columns = target.columns.iter();
            columns.position(|it| it == column)
        };
        let positions = listed.iter().filter_map(position).collect();
        let listing = Listing::of_delete(ids, target, positions);
        return match is_dry_run {
            true => listing.plan(),
            false => {
                let names = listed.into_iter().map(|(_, name)| name);
                listing.written(names.collect()).plan()
            }
        };
    }
    Ok(LogicalPlan::Dml(DmlStatement::new(
        name,
        provider_as_source(Arc::new(target)),
        WriteOp::Insert(InsertOp::Append),
        Arc::new(ids),
    )))
}

/// Rows to delete, by the index of their source.
type SelectedRows = BTreeMap<usize, Vec<SelectedRow>>;

impl DeleteSink {
    pub fn new(table: &Table, has_condition: bool) -> Self {
        let spec = table.kind().spec();
        let owner = [Column::Provider, Column::Profile].into_iter();
        let owner = owner.filter(|column| table.columns().contains(column));
        let mut columns: Vec<Column> = spec.identity.iter().copied().chain(owner).collect();
        let owners = columns.len();
        columns.extend(spec.address);
        let options = table.options().clone();
        Self {
            spec,
            sources: table.sources().to_vec(),
            // Without a condition, only a limit that was set holds.
            limit: (has_condition || options.max_deletes != RemovalLimit::default())
                .then_some(options.max_deletes),
            options,
            schema: schema(&columns),
            columns,
            owners,
        }
    }

    /// Adds columns to those that are read.
    fn add_columns(&mut self, columns: impl Iterator<Item = Column>) {
        for column in columns {
            if !self.columns.contains(&column) {
                self.columns.push(column);
            }
        }
        self.schema = schema(&self.columns);
    }

    /// Returns the columns that a dry run lists: whose row it is, and then what it is.
    fn dry_run_columns(&self) -> Vec<(Column, String)> {
        let owners = &self.columns[self.spec.identity.len()..self.owners];
        let listed = owners.iter().chain(self.spec.listed);
        listed.map(|it| (*it, it.name().to_owned())).collect()
    }

    /// Reads the rows that would be deleted, and checks their number.
    pub(super) async fn check(&self, rows: SendableRecordBatchStream) -> Result<()> {
        let rows = self.collect(rows).await?;
        self.check_limit(&rows).await
    }

    /// Deletes the rows, and returns those that were there to be deleted.
    pub(super) async fn carry_out(&self, rows: SendableRecordBatchStream) -> Result<Vec<RowDone>> {
        // All ids are collected before the first deletion, so that a failed read deletes nothing.
        let rows = self.collect(rows).await?;
        self.check_limit(&rows).await?;
        let labels = rows.values().flatten().map(SelectedRow::label).collect();
        let run = WriteRun::new(self.options.bulk.clone(), &self.options.report, labels);
        let (mut done, mut errors) = (Vec::new(), Vec::new());
        for (index, rows) in rows {
            let source = &self.sources[index];
            let results = source.resource.delete(rows, run.clone()).await;
            let (went_through, failed) = run.sort(results);
            done.extend(went_through);
            errors.extend(failed.into_iter().map(|error| error.of(&source.info)));
        }
        RowErrors::check("DELETE", done, errors)
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
            let owners = self.columns.iter().enumerate().take(self.owners);
            let mut owners = owners.skip(identities);
            owners.all(|(position, column)| match column {
                Column::Provider => text(position) == Some(source.info.label.as_str()),
                _ => text(position) == source.info.profile.as_deref(),
            })
        };
        let Some(source) = self.sources.iter().position(is_of) else {
            return exec_err!("DELETE selected a row of no provider; nothing was deleted");
        };
        let values = (0..identities).map(|position| text(position).map(str::to_owned));
        let row = SelectedRow {
            number,
            values: values.collect(),
            email: self
                .spec
                .address
                .and_then(|_| text(self.owners))
                .map(str::to_owned),
        };
        Ok((source, row))
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
        Ok(self.carry_out(rows).await?.len() as u64)
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
