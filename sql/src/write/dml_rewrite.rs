//! Rewrites `INSERT` and `DELETE` before the engine plans them.

use std::sync::Arc;

use datafusion::{
    common::{
        Column as QualifiedColumn, ScalarValue,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    config::ConfigOptions,
    datasource::{DefaultTableSource, provider_as_source},
    error::Result,
    logical_expr::{
        Cast, DmlStatement, Expr, LogicalPlan, LogicalPlanBuilder, Projection, WriteOp,
        dml::InsertOp, expr::Alias,
    },
    optimizer::AnalyzerRule,
    prelude::SessionContext,
};

use super::{delete::DeleteSink, plan_error, refuse};
use crate::{columns::Column, resource::Kind, table::Table};

/// Rewrites a `DELETE` to a selection of ids with the whole condition, whose rows are then deleted, and refuses an
/// `INSERT` into a column that cannot be set.
#[derive(Debug)]
pub(crate) struct DmlRewriteRule;

impl DmlRewriteRule {
    const NAME: &str = "write to invitations";

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

impl AnalyzerRule for DmlRewriteRule {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        // The statement may be an input of `EXPLAIN`.
        let plan = plan.transform_down_with_subqueries(|plan| {
            let LogicalPlan::Dml(statement) = &plan else {
                return Ok(Transformed::no(plan));
            };
            let source = statement.target.downcast_ref::<DefaultTableSource>();
            let table = source.and_then(|source| source.table_provider.downcast_ref::<Table>());
            let Some(table) = table else {
                return Ok(Transformed::no(plan));
            };
            match &statement.op {
                WriteOp::Delete => Ok(Transformed::yes(delete(statement, table)?)),
                WriteOp::Insert(_) => {
                    check_insert(&statement.input, table)?;
                    Ok(Transformed::no(plan))
                }
                _ => Ok(Transformed::no(plan)),
            }
        })?;
        Ok(plan.data)
    }
}

/// Rewrites a `DELETE` to an `INSERT` of ids into a [`DeleteSink`].
fn delete(statement: &DmlStatement, table: &Table) -> Result<LogicalPlan> {
    let (kind, options) = (table.kind(), table.options());
    if kind.spec().identity.is_empty() {
        return refuse(kind, "DELETE");
    }
    if kind == Kind::Members && !options.allow_remove_members {
        return plan_error(
            "DELETE removes members from the organisation, and on Confluent everything that they \
             own is deleted too, API keys included; allow it (`--allow-remove-members`, \
             `WriteOptions::allow_remove_members`)",
        );
    }
    let has_condition = has_condition(&statement.input)?;
    if !has_condition && !options.allow_delete_all {
        return plan_error(&format!(
            "DELETE without WHERE would delete all {}; say which, or allow it \
             (`--allow-delete-all`, `WriteOptions::allow_delete_all`)",
            kind.spec().plural
        ));
    }
    let target = DeleteSink::new(table, has_condition);
    let column = |column: &Column| -> Result<Expr> {
        let schema = statement.input.schema();
        let found = schema.qualified_field_with_unqualified_name(column.name())?;
        Ok(Expr::Column(QualifiedColumn::from(found)))
    };
    let columns: Result<Vec<Expr>> = target.columns().iter().map(column).collect();
    let ids = LogicalPlanBuilder::from(statement.input.as_ref().clone())
        .project(columns?)?
        .build()?;
    Ok(LogicalPlan::Dml(DmlStatement::new(
        statement.table_name.clone(),
        provider_as_source(Arc::new(target)),
        WriteOp::Insert(InsertOp::Append),
        Arc::new(ids),
    )))
}

/// Whether the statement has a `WHERE`, which the engine may have moved to the table.
fn has_condition(input: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    input.apply(|node| {
        found |= match node {
            LogicalPlan::Filter(_) | LogicalPlan::EmptyRelation(_) | LogicalPlan::Join(_) => true,
            LogicalPlan::TableScan(scan) => !scan.filters.is_empty(),
            _ => false,
        };
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Refuses values for columns that cannot be set, as far as the plan shows them. Rows are checked again when they are
/// read.
fn check_insert(input: &LogicalPlan, table: &Table) -> Result<()> {
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
