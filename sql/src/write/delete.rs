//! `DELETE`: collects ids, counts them, and then deletes the invitations.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use async_trait::async_trait;
use datafusion::{
    arrow::{array::AsArray, datatypes::SchemaRef, record_batch::RecordBatch},
    catalog::{Session, TableProvider},
    common::exec_err,
    datasource::sink::{DataSink, DataSinkExec},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableType, dml::InsertOp},
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan},
};
use futures::StreamExt;
use org_invitations::{DeleteResult, InvitationId, InvitationProviderExt, RemovalLimit};

use super::{RowError, RowErrors, WriteOptions, cast_to_schema, plan_error};
use crate::{
    columns::{Column, schema},
    table::{InvitationsTable, Source, labels},
};

/// A table that deletes the invitations whose ids are inserted into it.
#[derive(Clone, Debug)]
pub(super) struct DeleteSink {
    sources: Vec<Source>,
    options: WriteOptions,
    /// The limit of a `DELETE` with a condition.
    limit: Option<RemovalLimit>,
    columns: &'static [Column],
    schema: SchemaRef,
}

impl DeleteSink {
    pub fn new(table: &InvitationsTable, has_condition: bool) -> Self {
        let columns: &[Column] = match table.columns().contains(&Column::Provider) {
            true => &[Column::Id, Column::Provider],
            false => &[Column::Id],
        };
        let options = table.options().clone();
        Self {
            sources: table.sources().to_vec(),
            limit: has_condition.then_some(options.max_deletes),
            options,
            columns,
            schema: schema(columns),
        }
    }

    pub fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// Collects the ids to delete, by the index of their source.
    async fn collect(&self, mut rows: SendableRecordBatchStream) -> Result<SelectedIds> {
        let mut ids = SelectedIds::default();
        while let Some(batch) = rows.next().await {
            self.collect_batch(&cast_to_schema(&batch?, &self.schema)?, &mut ids)?;
        }
        Ok(ids)
    }

    /// Refuses to delete more than the limit, and counts existing invitations only if the limit depends on them.
    async fn check_limit(&self, ids: &SelectedIds) -> Result<()> {
        let removals = ids.count_distinct();
        let Some(limit) = self.limit.filter(|limit| limit.check(removals, 0).is_err()) else {
            return Ok(());
        };
        let mut existing = 0;
        for index in ids.by_source.keys() {
            let counted = self.sources[*index].provider.count_removable().await;
            existing += counted.map_err(|error| DataFusionError::External(Box::new(error)))?;
        }
        match limit.check(removals, existing) {
            Ok(()) => Ok(()),
            Err(exceeded) => exec_err!(
                "DELETE matches {removals} invitations: {exceeded}; nothing was deleted \
                 (`--max-deletes`, `WriteOptions::max_deletes`)"
            ),
        }
    }

    fn collect_batch(&self, batch: &RecordBatch, ids: &mut SelectedIds) -> Result<()> {
        let texts = batch.column(0).as_string::<i32>();
        let labels = batch
            .columns()
            .get(1)
            .map(|labels| labels.as_string::<i32>());
        for (row, id) in texts.iter().enumerate() {
            let Some(id) = id else {
                return exec_err!("DELETE selected a row without an id; nothing was deleted");
            };
            let index = match labels {
                None => Some(0),
                Some(labels) => {
                    let label = labels.value(row);
                    self.sources.iter().position(|it| it.info.label == label)
                }
            };
            let Some(index) = index.filter(|index| *index < self.sources.len()) else {
                return exec_err!("DELETE selected a row of no provider; nothing was deleted");
            };
            let id = InvitationId::new(id)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            ids.count += 1;
            ids.by_source
                .entry(index)
                .or_default()
                .push((ids.count, id));
        }
        Ok(())
    }
}

/// Ids with their positions in the statement.
#[derive(Default)]
struct SelectedIds {
    count: usize,
    by_source: HashMap<usize, Vec<(usize, InvitationId)>>,
}

impl SelectedIds {
    fn count_distinct(&self) -> usize {
        let different = self.by_source.values().map(|ids| {
            let ids: HashSet<&InvitationId> = ids.iter().map(|(_, id)| id).collect();
            ids.len()
        });
        different.sum()
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
        let ids = self.collect(rows).await?;
        self.check_limit(&ids).await?;
        let (mut succeeded, mut errors) = (0, Vec::new());
        for (index, ids) in ids.by_source {
            let provider = &self.sources[index].provider;
            let numbers: Vec<usize> = ids.iter().map(|(number, _)| *number).collect();
            let ids = ids.into_iter().map(|(_, id)| id);
            let mut outcomes = provider.delete_many(ids, self.options.bulk.clone());
            while let Some(outcome) = outcomes.next().await {
                let number = numbers[outcome.index];
                let id = outcome.id.to_string();
                match outcome.result {
                    DeleteResult::Deleted => succeeded += 1,
                    // Another client deleted the invitation, or the statement lists it twice.
                    DeleteResult::NotFound | DeleteResult::Duplicate(_) => {}
                    DeleteResult::Failed(error) => {
                        errors.push(RowError::from_error(number, id, error))
                    }
                    _ => errors.push(RowError::new(number, id, "not attempted")),
                }
            }
        }
        RowErrors::check("DELETE", succeeded, errors)
    }
}

impl DisplayAs for DeleteSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeleteInvitations: {}", labels(&self.sources))?;
        match self.limit {
            Some(limit) => write!(f, ", max_deletes={limit}"),
            None => Ok(()),
        }
    }
}
