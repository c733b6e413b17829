//! Scans rows: the execution plan, and the conversion of pages to record batches.

use std::{fmt, sync::Arc};

use async_stream::try_stream;
use datafusion::{
    arrow::{
        datatypes::SchemaRef,
        record_batch::{RecordBatch, RecordBatchOptions},
    },
    common::{internal_err, tree_node::TreeNodeRecursion},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
        empty::EmptyExec,
        execution_plan::{Boundedness, EmissionType},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{FutureExt, Stream, StreamExt};
use org_invitations::Error;

use crate::{
    columns::{Column, ProviderInfo, schema, to_array},
    pushdown::PushedFilters,
    request::Request,
    resource::{BoxRow, Kind},
    table::Table,
};

/// The largest number of rows in a record batch.
const BATCH_ROWS: usize = 1_000;

/// The requests to one provider, which are one partition of the plan.
#[derive(Clone, Debug)]
pub(crate) struct ScanPartition {
    pub info: ProviderInfo,
    pub requests: Vec<Request>,
}

/// Plans the scan of matching rows with the projected columns.
pub(crate) fn plan(
    table: &Table,
    filters: PushedFilters,
    projection: Option<&Vec<usize>>,
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let all = table.columns();
    let columns: Vec<Column> = match projection {
        Some(indices) => indices.iter().map(|index| all[*index]).collect(),
        None => all.to_vec(),
    };
    if filters.matches_nothing() || limit == Some(0) {
        return Ok(Arc::new(EmptyExec::new(schema(&columns))));
    }
    let needed: Vec<Column> = columns.iter().copied().chain(filters.columns()).collect();
    let partitions = table
        .sources()
        .iter()
        .filter(|source| filters.matches_provider(&source.info))
        .map(|source| ScanPartition {
            info: source.info.clone(),
            requests: source.resource.plan_requests(&filters, &needed),
        });
    let partitions: Vec<ScanPartition> = partitions
        .filter(|partition| !partition.requests.is_empty())
        .collect();
    if partitions.is_empty() {
        return Ok(Arc::new(EmptyExec::new(schema(&columns))));
    }
    let scan = ScanExec::new(
        table.kind(),
        partitions,
        filters,
        Arc::clone(all),
        columns,
        limit,
    );
    #[cfg(feature = "ballista")]
    if table.is_elsewhere() {
        return crate::distributed::by_name(&scan);
    }
    Ok(Arc::new(scan))
}

/// Reads rows, with one partition for each provider. Nothing is sent before the plan is executed.
#[derive(Clone, Debug)]
pub(crate) struct ScanExec {
    pub kind: Kind,
    pub partitions: Arc<[ScanPartition]>,
    pub filters: PushedFilters,
    /// All columns of the table, and the projected ones.
    pub table_columns: Arc<[Column]>,
    pub columns: Arc<[Column]>,
    pub limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ScanExec {
    pub fn new(
        kind: Kind,
        partitions: Vec<ScanPartition>,
        filters: PushedFilters,
        table_columns: Arc<[Column]>,
        columns: Vec<Column>,
        limit: Option<usize>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema(&columns)),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            kind,
            partitions: partitions.into(),
            filters,
            table_columns,
            columns: columns.into(),
            limit,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// Streams the rows of one provider. The stream ends with the first error, so that a part never looks complete.
    fn batches(&self, partition: ScanPartition) -> impl Stream<Item = Result<RecordBatch>> + use<> {
        let (table_columns, columns) = (Arc::clone(&self.table_columns), Arc::clone(&self.columns));
        let (schema, limit) = (self.schema(), self.limit);
        try_stream! {
            let mut remaining = limit.unwrap_or(usize::MAX);
            for request in partition.requests {
                if remaining == 0 {
                    break;
                }
                let mut items = request.call.rows(limit);
                while remaining > 0 && let Some(mut item) = items.next().await {
                    let mut rows = Vec::new();
                    // The batch includes items that are ready, and reads no page beyond the limit.
                    for read in 1.. {
                        let row = item.map_err(|error| provider_failure(error, &partition.info))?;
                        if request.filters.matches(&*row) {
                            rows.push(row);
                        }
                        if read == BATCH_ROWS || rows.len() == remaining {
                            break;
                        }
                        match items.next().now_or_never().flatten() {
                            Some(next) => item = next,
                            None => break,
                        }
                    }
                    remaining -= rows.len();
                    if !rows.is_empty() {
                        yield batch(&schema, &columns, &partition.info, &rows, &table_columns)?;
                    }
                }
            }
        }
    }
}

/// Converts a provider's error, which names the profile where there are several.
pub(crate) fn provider_failure(error: Error, info: &ProviderInfo) -> DataFusionError {
    let error = match info.profile {
        Some(_) => error.with_provider(info.to_string()),
        None => error,
    };
    DataFusionError::External(Box::new(error))
}

fn batch(
    schema: &SchemaRef,
    columns: &[Column],
    info: &ProviderInfo,
    rows: &[BoxRow],
    table_columns: &[Column],
) -> Result<RecordBatch> {
    let arrays = columns
        .iter()
        .map(|column| to_array(*column, info, rows, table_columns));
    // `count(*)` projects no columns.
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        arrays.collect(),
        &options,
    )?)
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        for (index, partition) in self.partitions.iter().enumerate() {
            let separator = if index > 0 { " | " } else { "" };
            let requests: Vec<String> = partition
                .requests
                .iter()
                .map(|request| request.call.to_string())
                .collect();
            let info = &partition.info;
            write!(f, "{separator}{info}: {}", requests.join("; "))?;
        }
        if !self.filters.is_empty() {
            write!(f, ", rows=[{}]", self.filters)?;
        }
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
        write!(f, ", columns=[{}]", columns.join(", "))?;
        match self.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        self.kind.spec().scan
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("{} has no inputs", self.name()),
        }
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let limit = match (self.limit, limit) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Some(Arc::new(Self {
            limit,
            ..self.clone()
        }))
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(scanned) = self.partitions.get(partition) else {
            return internal_err!("{} has no partition {partition}", self.name());
        };
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = self.batches(scanned.clone()).map(move |batch| {
            let _timer = metrics.elapsed_compute().timer();
            batch.record_output(&metrics)
        });
        let stream = RecordBatchStreamAdapter::new(self.schema(), batches);
        Ok(Box::pin(stream))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
