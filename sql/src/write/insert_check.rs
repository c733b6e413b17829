//! Refuses an `INSERT` into columns that cannot be set, before the engine plans it.

use std::sync::Arc;

use datafusion::{
    common::{ScalarValue, tree_node::Transformed},
    config::ConfigOptions,
    datasource::DefaultTableSource,
    error::Result,
    logical_expr::{Cast, Expr, LogicalPlan, Projection, TableSource, WriteOp, expr::Alias},
    optimizer::AnalyzerRule,
    prelude::SessionContext,
};

use super::{plan_error, refuse};
use crate::table::Table;

/// Refuses an `INSERT` into a column that cannot be set.
#[derive(Debug)]
pub(crate) struct InsertCheck;

impl InsertCheck {
    const NAME: &str = "insert into invitations";

    /// Adds the rule to a session that does not have it yet.
    pub fn add_to(context: &SessionContext) {
        let has_it = |rules: &[Arc<dyn AnalyzerRule + Send + Sync>]| {
            rules.iter().any(|rule| rule.name() == Self::NAME)
        };
        if !has_it(&context.state().analyzer().rules) {
            context.add_analyzer_rule(Arc::new(Self));
        }
    }
}

impl AnalyzerRule for InsertCheck {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        // The statement may be an input of `EXPLAIN`.
        let plan = plan.transform_down_with_subqueries(|plan| {
            if let LogicalPlan::Dml(statement) = &plan
                && let (WriteOp::Insert(_), Some(table)) =
                    (&statement.op, table(&*statement.target))
            {
                check_insert(&statement.input, table)?;
            }
            Ok(Transformed::no(plan))
        })?;
        Ok(plan.data)
    }
}

/// Returns the table of a source, if it is one of this crate.
pub(super) fn table(source: &dyn TableSource) -> Option<&Table> {
    let source = source.downcast_ref::<DefaultTableSource>();
    source.and_then(|source| source.table_provider.downcast_ref::<Table>())
}

/// Refuses values for columns that cannot be set, as far as the plan shows them. Rows are checked again when they are
/// read.
pub(super) fn check_insert(input: &LogicalPlan, table: &Table) -> Result<()> {
    let settable = table.kind().spec().settable;
    if settable.is_empty() {
        return refuse(table.kind(), "INSERT");
    }
    let LogicalPlan::Projection(Projection { expr, .. }) = input else {
        return Ok(());
    };
    let columns = table.columns().iter();
    let set = columns.clone().zip(expr).filter(|(_, expr)| !is_null(expr));
    let unsettable = set.filter(|(column, _)| !settable.contains(column));
    let unsettable: Vec<&str> = unsettable.map(|(column, _)| column.name()).collect();
    if unsettable.is_empty() {
        return Ok(());
    }
    let settable = columns.filter(|column| settable.contains(column));
    let settable: Vec<&str> = settable.map(|column| column.name()).collect();
    plan_error(&format!(
        "INSERT cannot set {}, which the provider does; name columns among these: {}",
        unsettable.join(", "),
        settable.join(", ")
    ))
}

/// Whether an expression is null; the planner uses null for columns that a statement omits.
fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => ScalarValue::is_null(value),
        Expr::Alias(Alias { expr, .. }) | Expr::Cast(Cast { expr, .. }) => is_null(expr),
        _ => false,
    }
}
