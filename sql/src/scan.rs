//! Reading invitations: what `EXPLAIN` shows, and pages into record batches.

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
        execution_plan::{Boundedness, EmissionType},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{
    FutureExt, Stream,
    stream::{self, BoxStream, StreamExt},
};
use org_invitations::{
    ErrorKind, Invitation, InvitationProvider, InvitationProviderExt, ListQuery,
};

use crate::{
    columns::{Column, Origin, array, schema},
    request::{Ask, Request},
    wanted::Wanted,
};

/// So many rows are in a record batch at most, however large a page is.
const BATCH_ROWS: usize = 1_000;
/// So many gets are under way at once.
const GETS_AT_ONCE: usize = 4;

/// The requests to one provider.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub origin: Origin,
    pub provider: Arc<dyn InvitationProvider>,
    pub requests: Vec<Request>,
}

/// Reads invitations, each provider's in a partition of its own. Nothing is sent before it is executed.
#[derive(Clone, Debug)]
pub(crate) struct ScanExec {
    parts: Arc<[Part]>,
    wanted: Wanted,
    /// All columns of the table, and those that are read.
    all: &'static [Column],
    columns: Arc<[Column]>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ScanExec {
    pub fn new(
        parts: Vec<Part>,
        wanted: Wanted,
        all: &'static [Column],
        columns: Vec<Column>,
        limit: Option<usize>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema(&columns)),
            Partitioning::UnknownPartitioning(parts.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            parts: parts.into(),
            wanted,
            all,
            columns: columns.into(),
            limit,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The rows of one provider. A failure ends them, so that a part never looks like the whole.
    fn batches(&self, part: Part) -> impl Stream<Item = Result<RecordBatch>> + use<> {
        let (all, columns) = (self.all, Arc::clone(&self.columns));
        let (schema, limit) = (self.schema(), self.limit);
        try_stream! {
            let mut left = limit.unwrap_or(usize::MAX);
            for request in part.requests {
                if left == 0 {
                    break;
                }
                let mut items = invitations(&*part.provider, request.ask, limit);
                while left > 0 && let Some(mut item) = items.next().await {
                    let mut rows = Vec::new();
                    // With what is there already, but not a page more than the limit needs.
                    for read in 1.. {
                        let invitation =
                            item.map_err(|error| DataFusionError::External(Box::new(error)))?;
                        if request.wanted.matches(&invitation) {
                            rows.push(invitation);
                        }
                        if read == BATCH_ROWS || rows.len() == left {
                            break;
                        }
                        match items.next().now_or_never().flatten() {
                            Some(next) => item = next,
                            None => break,
                        }
                    }
                    left -= rows.len();
                    if !rows.is_empty() {
                        yield batch(&schema, &columns, &part.origin, &rows, all)?;
                    }
                }
            }
        }
    }
}

/// What a provider gives for a request. With a limit, nothing is asked for before it is needed.
fn invitations<'a>(
    provider: &'a dyn InvitationProvider,
    ask: Ask,
    limit: Option<usize>,
) -> BoxStream<'a, org_invitations::Result<Invitation>> {
    match (ask, limit) {
        (Ask::Get(ids), _) => {
            let at_once = if limit.is_some() { 1 } else { GETS_AT_ONCE };
            stream::iter(ids)
                .map(move |id| async move {
                    match provider.get(&id).await {
                        Err(error) if error.kind() == ErrorKind::NotFound => None,
                        // By another spelling of its id, which is none of its own.
                        Ok(found) if found.id != id => None,
                        outcome => Some(outcome),
                    }
                })
                .buffered(at_once)
                .filter_map(std::future::ready)
                .boxed()
        }
        (Ask::List(query), None) => provider.list(query),
        (Ask::List(query), Some(limit)) => {
            provider.list_without_prefetch(with_page_size(query, provider, limit))
        }
    }
}

/// Asks for no more than is needed, where the server cuts the pages.
fn with_page_size(query: ListQuery, provider: &dyn InvitationProvider, limit: usize) -> ListQuery {
    let most = provider.capabilities().max_page_size;
    match (u32::try_from(limit), most) {
        (Ok(limit), Some(most)) if (1..most).contains(&limit) => query.page_size(limit),
        _ => query,
    }
}

fn batch(
    schema: &SchemaRef,
    columns: &[Column],
    origin: &Origin,
    rows: &[Invitation],
    all: &[Column],
) -> Result<RecordBatch> {
    let arrays = columns
        .iter()
        .map(|column| array(*column, origin, rows, all));
    // `count(*)` reads no column at all.
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        arrays.collect(),
        &options,
    )?)
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvitationsExec: ")?;
        for (place, part) in self.parts.iter().enumerate() {
            let separator = if place > 0 { " | " } else { "" };
            let requests: Vec<String> = part.requests.iter().map(Request::to_string).collect();
            let label = &part.origin.label;
            write!(f, "{separator}{label}: {}", requests.join("; "))?;
        }
        if self.wanted != Wanted::default() {
            write!(f, ", rows=[{}]", self.wanted)?;
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
        "InvitationsExec"
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
            false => internal_err!("InvitationsExec has no inputs"),
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
        let Some(part) = self.parts.get(partition) else {
            return internal_err!("InvitationsExec has no partition {partition}");
        };
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = self.batches(part.clone()).map(move |batch| {
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
