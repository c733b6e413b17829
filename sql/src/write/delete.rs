//! `DELETE`: ids are collected, counted, and then deleted.

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

use super::{RefusedRow, RefusedRows, WriteOptions, fitted, refuse};
use crate::{
    columns::{Column, schema},
    table::{InvitationsTable, Source, labels},
};

/// A table that deletes the invitations whose ids are inserted.
#[derive(Clone, Debug)]
pub(super) struct DeleteTarget {
    sources: Vec<Source>,
    options: WriteOptions,
    /// How many may be deleted.
    most: Option<RemovalLimit>,
    columns: &'static [Column],
    schema: SchemaRef,
}

impl DeleteTarget {
    pub fn new(table: &InvitationsTable, has_condition: bool) -> Self {
        let columns: &[Column] = match table.columns().contains(&Column::Provider) {
            true => &[Column::Id, Column::Provider],
            false => &[Column::Id],
        };
        let options = table.writes().clone();
        Self {
            sources: table.sources().to_vec(),
            most: has_condition.then_some(options.max_deletes),
            options,
            columns,
            schema: schema(columns),
        }
    }

    pub fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// The ids to delete, by the place of their source.
    async fn collect(&self, mut rows: SendableRecordBatchStream) -> Result<Ids> {
        let mut ids = Ids::default();
        while let Some(batch) = rows.next().await {
            self.read(&fitted(&batch?, &self.schema)?, &mut ids)?;
        }
        Ok(ids)
    }

    /// Refuses to delete more than the limit. Lists what there is only where that depends on it.
    async fn measure(&self, ids: &Ids) -> Result<()> {
        let removals = ids.count_different();
        let Some(limit) = self.most.filter(|most| most.check(removals, 0).is_err()) else {
            return Ok(());
        };
        let mut existing = 0;
        for place in ids.by_source.keys() {
            let counted = self.sources[*place].provider.count_removable().await;
            existing += counted.map_err(|error| DataFusionError::External(Box::new(error)))?;
        }
        match limit.check(removals, existing) {
            Ok(()) => Ok(()),
            Err(refused) => exec_err!(
                "DELETE matches {removals} invitations: {refused}; nothing was deleted \
                 (`--max-deletes`, `WriteOptions::max_deletes`)"
            ),
        }
    }

    fn read(&self, batch: &RecordBatch, ids: &mut Ids) -> Result<()> {
        let texts = batch.column(0).as_string::<i32>();
        let labels = batch
            .columns()
            .get(1)
            .map(|labels| labels.as_string::<i32>());
        for (row, id) in texts.iter().enumerate() {
            let Some(id) = id else {
                return exec_err!("DELETE selected a row without an id; nothing was deleted");
            };
            let place = match labels {
                None => Some(0),
                Some(labels) => {
                    let label = labels.value(row);
                    self.sources.iter().position(|it| it.origin.label == label)
                }
            };
            let Some(place) = place.filter(|place| *place < self.sources.len()) else {
                return exec_err!("DELETE selected a row of no provider; nothing was deleted");
            };
            let id = InvitationId::new(id)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            ids.count += 1;
            ids.by_source
                .entry(place)
                .or_default()
                .push((ids.count, id));
        }
        Ok(())
    }
}

/// Ids, each with its position among all.
#[derive(Default)]
struct Ids {
    count: usize,
    by_source: HashMap<usize, Vec<(usize, InvitationId)>>,
}

impl Ids {
    fn count_different(&self) -> usize {
        let different = self.by_source.values().map(|ids| {
            let ids: HashSet<&InvitationId> = ids.iter().map(|(_, id)| id).collect();
            ids.len()
        });
        different.sum()
    }
}

#[async_trait]
impl TableProvider for DeleteTarget {
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
        refuse("the target of a DELETE cannot be read")
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
impl DataSink for DeleteTarget {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        rows: SendableRecordBatchStream,
        _: &Arc<TaskContext>,
    ) -> Result<u64> {
        // All of them, before the first is deleted: what fails in between deletes nothing.
        let ids = self.collect(rows).await?;
        self.measure(&ids).await?;
        let (mut done, mut refused) = (0, Vec::new());
        for (place, ids) in ids.by_source {
            let provider = &self.sources[place].provider;
            let numbers: Vec<usize> = ids.iter().map(|(number, _)| *number).collect();
            let ids = ids.into_iter().map(|(_, id)| id);
            let mut outcomes = provider.delete_many(ids, self.options.bulk.clone());
            while let Some(outcome) = outcomes.next().await {
                let number = numbers[outcome.index];
                let id = outcome.id.to_string();
                match outcome.result {
                    DeleteResult::Deleted => done += 1,
                    // Somebody else did it, or it is in the statement twice.
                    DeleteResult::NotFound | DeleteResult::Duplicate(_) => {}
                    DeleteResult::Failed(error) => refused.push(RefusedRow::by(number, id, error)),
                    _ => refused.push(RefusedRow::new(number, id, "not attempted")),
                }
            }
        }
        RefusedRows::check("DELETE", done, refused)
    }
}

impl DisplayAs for DeleteTarget {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeleteInvitations: {}", labels(&self.sources))?;
        match self.most {
            Some(most) => write!(f, ", max_deletes={most}"),
            None => Ok(()),
        }
    }
}
