//! Scans in physical plans.

use std::sync::Arc;

use datafusion::{
    common::exec_err,
    error::Result,
    execution::TaskContext,
    logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF},
    physical_expr::PhysicalExpr,
    physical_expr_common::physical_expr::{
        proto_decode::PhysicalExprDecodeCtx, proto_encode::PhysicalExprEncodeCtx,
    },
    physical_plan::ExecutionPlan,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use super::{
    TableCodec,
    exec::NamedScanExec,
    wire::{self, Encoded, PlanBytes, ScanBytes},
};
use crate::{scan::ScanExec, write};

impl PhysicalExtensionCodec for TableCodec {
    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if let Some(scan) = plan.downcast_ref::<ScanExec>() {
            return wire::write(bytes, &PlanBytes::Scan(ScanBytes::of(scan)));
        }
        if let Some(scan) = plan.downcast_ref::<NamedScanExec>() {
            return wire::write(bytes, &PlanBytes::Read(scan.read.clone()));
        }
        if write::is_write_plan(&*plan) {
            return write::refuse_distributed();
        }
        wire::begin_others(bytes);
        self.physical.try_encode(plan, bytes, converter)
    }

    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match wire::split(bytes)? {
            Encoded::Ours(bytes) => {
                let organizations = self.organizations.clone();
                Ok(Arc::new(match (wire::read(bytes)?, inputs) {
                    (PlanBytes::Scan(scan), []) => NamedScanExec::of(scan, organizations)?,
                    (PlanBytes::Read(read), [names]) => {
                        NamedScanExec::new(read, Arc::clone(names), organizations)
                    }
                    _ => return exec_err!("a scan has not the inputs that it was written with"),
                }))
            }
            Encoded::Others(bytes) => self.physical.try_decode(bytes, inputs, context, converter),
        }
    }

    fn try_decode_udf(&self, name: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.physical.try_decode_udf(name, bytes)
    }

    fn try_encode_udf(&self, function: &ScalarUDF, bytes: &mut Vec<u8>) -> Result<()> {
        self.physical.try_encode_udf(function, bytes)
    }

    fn try_decode_higher_order_function(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> Result<Arc<HigherOrderUDF>> {
        self.physical.try_decode_higher_order_function(name, bytes)
    }

    fn try_encode_higher_order_function(
        &self,
        function: &HigherOrderUDF,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        self.physical
            .try_encode_higher_order_function(function, bytes)
    }

    fn try_decode_expr(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn PhysicalExpr>],
        context: &PhysicalExprDecodeCtx<'_>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        self.physical.try_decode_expr(bytes, inputs, context)
    }

    fn try_encode_expr(
        &self,
        expression: &Arc<dyn PhysicalExpr>,
        bytes: &mut Vec<u8>,
        context: &PhysicalExprEncodeCtx<'_>,
    ) -> Result<()> {
        self.physical.try_encode_expr(expression, bytes, context)
    }

    fn try_decode_udaf(&self, name: &str, bytes: &[u8]) -> Result<Arc<AggregateUDF>> {
        self.physical.try_decode_udaf(name, bytes)
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, bytes: &mut Vec<u8>) -> Result<()> {
        self.physical.try_encode_udaf(function, bytes)
    }

    fn try_decode_udwf(&self, name: &str, bytes: &[u8]) -> Result<Arc<WindowUDF>> {
        self.physical.try_decode_udwf(name, bytes)
    }

    fn try_encode_udwf(&self, function: &WindowUDF, bytes: &mut Vec<u8>) -> Result<()> {
        self.physical.try_encode_udwf(function, bytes)
    }
}
