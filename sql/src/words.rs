//! The vendors' own words for values that have a shorter one here: `INVITE_STATUS_SENT` is `sent`.

use std::sync::Arc;

use datafusion::{
    common::{
        DFSchema, ScalarValue, plan_err,
        tree_node::{Transformed, TreeNode},
    },
    config::ConfigOptions,
    datasource::DefaultTableSource,
    error::Result,
    logical_expr::{
        BinaryExpr, Expr, LogicalPlan, Operator, expr::InList, expr_rewriter::NamePreserver,
        utils::merge_schema,
    },
    optimizer::AnalyzerRule,
    prelude::SessionContext,
};
use org_invitations::{AuthType, InvitationStatus};

use crate::{columns::Column, table::Table};

/// Returns the word of this crate for a vendor's.
pub(crate) fn own(column: Column, text: &str) -> Option<&'static str> {
    match column {
        Column::Status => match InvitationStatus::from(text.strip_prefix("INVITE_STATUS_")?) {
            InvitationStatus::Sent => Some("sent"),
            InvitationStatus::Staged => Some("staged"),
            InvitationStatus::Accepted => Some("accepted"),
            InvitationStatus::Expired => Some("expired"),
            InvitationStatus::Deactivated => Some("deactivated"),
            _ => None,
        },
        Column::AuthType => match AuthType::from(text.strip_prefix("AUTH_TYPE_")?) {
            AuthType::Local => Some("local"),
            AuthType::Sso => Some("sso"),
            _ => None,
        },
        _ => None,
    }
}

/// Adds the rule to a session that does not have it yet.
pub(crate) fn add_to(context: &SessionContext) {
    let state = context.state();
    let mut rules = state.analyzer().rules.iter();
    if !rules.any(|rule| rule.name() == WordsRule::NAME) {
        context.add_analyzer_rule(Arc::new(WordsRule));
    }
}

/// Replaces a vendor's word that a column of these tables is compared with. The column has never that value.
#[derive(Debug)]
struct WordsRule;

impl WordsRule {
    const NAME: &str = "words of vendors";
}

impl AnalyzerRule for WordsRule {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let inputs: Vec<LogicalPlan> = plan.inputs().into_iter().cloned().collect();
            let inputs: Vec<&LogicalPlan> = inputs.iter().collect();
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let rewritten = expr.transform_up(|expr| rewrite(expr, &inputs))?;
                Ok(rewritten.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(plan.data)
    }
}

fn rewrite(expr: Expr, inputs: &[&LogicalPlan]) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_equality(op) => {
            let (of_left, of_right) = (origin(&left, inputs), origin(&right, inputs));
            let left = replaced(*left, of_right);
            let right = replaced(*right, of_left);
            let changed = left.transformed || right.transformed;
            let compared = BinaryExpr::new(Box::new(left.data), op, Box::new(right.data));
            Transformed::new_transformed(Expr::BinaryExpr(compared), changed)
        }
        Expr::InList(InList {
            expr,
            list,
            negated,
        }) => {
            let column = origin(&expr, inputs);
            let list: Vec<_> = list
                .into_iter()
                .map(|item| replaced(item, column))
                .collect();
            let changed = list.iter().any(|item| item.transformed);
            let list = list.into_iter().map(|item| item.data).collect();
            let list = Expr::InList(InList::new(expr, list, negated));
            Transformed::new_transformed(list, changed)
        }
        Expr::Like(like) => {
            let column = origin(&like.expr, inputs);
            let prefix = column.and_then(prefix);
            let pattern = match &*like.pattern {
                Expr::Literal(value, _) => value.try_as_str().flatten(),
                _ => None,
            };
            if let (Some((prefix, words)), Some(pattern)) = (prefix, pattern)
                && pattern.starts_with(prefix.trim_end_matches('_'))
            {
                return plan_err!(
                    "a pattern of a vendor's words matches nothing: here they are {words}"
                );
            }
            Transformed::no(Expr::Like(like))
        }
        other => Transformed::no(other),
    })
}

/// Returns how a vendor's words for a column begin, and the words of this crate.
fn prefix(column: Column) -> Option<(&'static str, &'static str)> {
    match column {
        Column::Status => Some((
            "INVITE_STATUS_",
            "sent, staged, accepted, expired and deactivated",
        )),
        Column::AuthType => Some(("AUTH_TYPE_", "local and sso")),
        _ => None,
    }
}

fn is_equality(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom
    )
}

/// Replaces a literal that is compared with a column.
fn replaced(expr: Expr, column: Option<Column>) -> Transformed<Expr> {
    let Some(column) = column else {
        return Transformed::no(expr);
    };
    expr.clone()
        .transform_up(|expr| {
            let Expr::Literal(value, metadata) = &expr else {
                return Ok(Transformed::no(expr));
            };
            let text = value.try_as_str().flatten();
            Ok(match text.and_then(|text| own(column, text)) {
                Some(word) => {
                    let word = ScalarValue::from(word).cast_to(&value.data_type())?;
                    Transformed::yes(Expr::Literal(word, metadata.clone()))
                }
                None => Transformed::no(expr),
            })
        })
        .unwrap_or_else(|_| Transformed::no(expr))
}

/// Returns the column of a table of this crate whose values an expression has.
fn origin(expr: &Expr, inputs: &[&LogicalPlan]) -> Option<Column> {
    match expr {
        Expr::Alias(alias) => origin(&alias.expr, inputs),
        Expr::Cast(cast) => origin(&cast.expr, inputs),
        Expr::Column(column) => {
            let schema: DFSchema = merge_schema(inputs);
            let index = schema.maybe_index_of_column(column)?;
            let (input, index) = input_of(inputs, index)?;
            origin_of_field(input, index)
        }
        _ => None,
    }
}

/// Returns the input that has a field of several inputs side by side.
fn input_of<'a>(inputs: &[&'a LogicalPlan], index: usize) -> Option<(&'a LogicalPlan, usize)> {
    let mut index = index;
    for input in inputs {
        let fields = input.schema().fields().len();
        match index.checked_sub(fields) {
            Some(rest) => index = rest,
            None => return Some((input, index)),
        }
    }
    None
}

/// Follows a field to the table that it is read from.
fn origin_of_field(plan: &LogicalPlan, index: usize) -> Option<Column> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let source = scan.source.downcast_ref::<DefaultTableSource>()?;
            let table = source.table_provider.downcast_ref::<Table>()?;
            let name = plan.schema().field(index).name().clone();
            let mut columns = table.columns().iter().copied();
            columns.find(|column| column.name() == name)
        }
        LogicalPlan::Projection(projection) => {
            origin(projection.expr.get(index)?, &[&projection.input])
        }
        LogicalPlan::SubqueryAlias(alias) => origin_of_field(&alias.input, index),
        LogicalPlan::Filter(filter) => origin_of_field(&filter.input, index),
        LogicalPlan::Sort(sort) => origin_of_field(&sort.input, index),
        LogicalPlan::Limit(limit) => origin_of_field(&limit.input, index),
        LogicalPlan::Join(join) => {
            let (input, index) = input_of(&[&join.left, &join.right], index)?;
            origin_of_field(input, index)
        }
        // The groups are the first columns.
        LogicalPlan::Aggregate(aggregate) => {
            origin(aggregate.group_expr.get(index)?, &[&aggregate.input])
        }
        LogicalPlan::Union(union) => {
            let mut origins = union
                .inputs
                .iter()
                .map(|input| origin_of_field(input, index));
            let first = origins.next()??;
            origins.all(|origin| origin == Some(first)).then_some(first)
        }
        _ => None,
    }
}
