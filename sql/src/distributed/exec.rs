//! Reads the organisations that its input names.

use std::{fmt, sync::Arc};

use async_stream::try_stream;
use datafusion::{
    arrow::{
        array::{AsArray, StringArray},
        datatypes::{DataType, Field, Schema},
        record_batch::RecordBatch,
    },
    common::{exec_datafusion_err, internal_err, tree_node::TreeNodeRecursion},
    datasource::memory::MemorySourceConfig,
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
        PlanProperties,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::StreamExt;

use super::{
    Organizations,
    wire::{self, ReadBytes, ScanBytes},
};
use crate::{
    columns::{ProviderInfo, schema},
    scan::ScanExec,
};

/// Reads organisations by name. The names are the rows of the input, a partition for each: a scheduler gives a task some
/// partitions of a plan, and knows how to take them of the engine's own rows in memory, but not of a node that it does
/// not know, which every task would read whole.
#[derive(Debug)]
pub(crate) struct NamedScanExec {
    pub(super) read: ReadBytes,
    names: Arc<dyn ExecutionPlan>,
    organizations: Option<Arc<dyn Organizations>>,
    properties: Arc<PlanProperties>,
}

/// Plans the same scan, by name.
pub(crate) fn by_name(scan: &ScanExec) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(Arc::new(NamedScanExec::of(ScanBytes::of(scan), None)?))
}

impl NamedScanExec {
    pub(super) fn new(
        read: ReadBytes,
        names: Arc<dyn ExecutionPlan>,
        organizations: Option<Arc<dyn Organizations>>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema(&read.columns)),
            Partitioning::UnknownPartitioning(names.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            read,
            names,
            organizations,
            properties: Arc::new(properties),
        }
    }

    pub(super) fn of(
        scan: ScanBytes,
        organizations: Option<Arc<dyn Organizations>>,
    ) -> Result<Self> {
        let field = Field::new("organization", DataType::Utf8, false);
        let schema = Arc::new(Schema::new(vec![field]));
        let mut partitions = Vec::new();
        for info in &scan.sources {
            let name = serde_json::to_string(info)
                .map_err(|error| exec_datafusion_err!("a name cannot be written: {error}"))?;
            let names = Arc::new(StringArray::from(vec![name]));
            partitions.push(vec![RecordBatch::try_new(
                Arc::clone(&schema),
                vec![names],
            )?]);
        }
        let names = MemorySourceConfig::try_new_exec(&partitions, schema, None)?;
        Ok(Self::new(scan.read, names, organizations))
    }
}

impl DisplayAs for NamedScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.names.output_partitioning().partition_count();
        write!(f, "{}: {count} by name", self.name())?;
        if !self.read.filters.is_empty() {
            write!(f, ", rows=[{}]", self.read.filters)?;
        }
        let columns: Vec<&str> = self.read.columns.iter().map(|it| it.name()).collect();
        write!(f, ", columns=[{}]", columns.join(", "))?;
        match self.read.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for NamedScanExec {
    fn name(&self) -> &'static str {
        self.read.kind.spec().scan
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.names]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
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
        let Ok([names]) = <[_; 1]>::try_from(children) else {
            return internal_err!("{} has one input", self.name());
        };
        let organizations = self.organizations.clone();
        Ok(Arc::new(Self::new(self.read.clone(), names, organizations)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut names = self.names.execute(partition, Arc::clone(&context))?;
        let (read, organizations) = (self.read.clone(), self.organizations.clone());
        let batches = try_stream! {
            while let Some(batch) = names.next().await {
                let batch = batch?;
                for name in batch.column(0).as_string::<i32>().iter().flatten() {
                    let info: ProviderInfo = wire::read(name.as_bytes())?;
                    let scan = read.scan(info, organizations.as_ref());
                    let mut rows = scan.execute(0, Arc::clone(&context))?;
                    while let Some(rows) = rows.next().await {
                        yield rows?;
                    }
                }
            }
        };
        let stream = RecordBatchStreamAdapter::new(self.schema(), batches);
        Ok(Box::pin(stream))
    }
}
