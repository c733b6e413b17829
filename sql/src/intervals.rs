//! Comparisons of intervals. The engine compares months, days and nanoseconds one by one, so that 25 hours are less than
//! a day; here, as in PostgreSQL, a month is 30 days and a day 24 hours.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, Decimal128Array},
        datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit},
    },
    common::{
        DFSchema, DFSchemaRef, ScalarValue, exec_err, plan_err,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    config::ConfigOptions,
    error::Result,
    logical_expr::{
        Between, BinaryExpr, Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator,
        ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        expr::{InList, ScalarFunction},
        expr_rewriter::NamePreserver,
        utils::merge_schema,
    },
    optimizer::AnalyzerRule,
    prelude::SessionContext,
};

const NANOS_PER_DAY: i128 = 86_400_000_000_000;
const DAYS_PER_MONTH: i128 = 30;
/// Nanoseconds of the longest interval have 26 digits.
const LENGTH: DataType = DataType::Decimal128(38, 0);

/// Adds the rule to a session that does not have it yet.
pub(crate) fn add_to(context: &SessionContext) {
    let state = context.state();
    let mut rules = state.analyzer().rules.iter();
    if !rules.any(|rule| rule.name() == IntervalRule::NAME) {
        context.add_analyzer_rule(Arc::new(IntervalRule));
    }
}

/// Compares intervals by their length, and refuses to sort, group or join by them.
#[derive(Debug)]
struct IntervalRule;

impl IntervalRule {
    const NAME: &str = "compare intervals by length";
}

impl AnalyzerRule for IntervalRule {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            refuse_orders(&plan)?;
            let inputs = plan.inputs();
            let mut schema = merge_schema(&inputs);
            if inputs.is_empty() {
                schema = plan.schema().as_ref().clone();
            }
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                // The name of a column of the result is that of the statement.
                let name = names.save(&expr);
                let rewritten = rewrite(expr, &schema)?;
                Ok(rewritten.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(plan.data)
    }
}

fn is_interval(expr: &Expr, schema: &DFSchema) -> bool {
    matches!(expr.get_type(schema), Ok(DataType::Interval(_)))
}

fn rewrite(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| {
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if is_comparison(op) && is_interval(&left, schema) =>
            {
                let (left, right) = (length(*left), length(*right));
                let compared = BinaryExpr::new(Box::new(left), op, Box::new(right));
                Transformed::yes(Expr::BinaryExpr(compared))
            }
            Expr::Between(between) if is_interval(&between.expr, schema) => {
                Transformed::yes(Expr::Between(Between::new(
                    Box::new(length(*between.expr)),
                    between.negated,
                    Box::new(length(*between.low)),
                    Box::new(length(*between.high)),
                )))
            }
            Expr::InList(InList {
                expr,
                list,
                negated,
            }) if is_interval(&expr, schema) => {
                let list = list.into_iter().map(length).collect();
                let expr = Box::new(length(*expr));
                Transformed::yes(Expr::InList(InList::new(expr, list, negated)))
            }
            Expr::ScalarFunction(call) if compares(call.name()) => {
                refuse_any(&call.args, schema, call.name())?;
                Transformed::no(Expr::ScalarFunction(call))
            }
            Expr::Case(case) => {
                let operand = case.expr.iter().map(|expr| (**expr).clone());
                refuse_any(&operand.collect::<Vec<_>>(), schema, "CASE x WHEN y")?;
                Transformed::no(Expr::Case(case))
            }
            Expr::AggregateFunction(call) if call.func.name() != "count" => {
                let distinct = call.params.distinct;
                if distinct || matches!(call.func.name(), "min" | "max" | "median") {
                    refuse_any(&call.params.args, schema, call.func.name())?;
                }
                Transformed::no(Expr::AggregateFunction(call))
            }
            Expr::InSubquery(membership) => {
                let expr = (*membership.expr).clone();
                refuse_any(&[expr], schema, "IN (SELECT …)")?;
                Transformed::no(Expr::InSubquery(membership))
            }
            other => Transformed::no(other),
        })
    })
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

/// Whether a function compares its arguments.
fn compares(function: &str) -> bool {
    matches!(
        function,
        "greatest" | "least" | "nullif" | "array_has" | "array_position" | "array_sort"
    )
}

fn refuse_any(expressions: &[Expr], schema: &DFSchema, what: &str) -> Result<()> {
    match expressions.iter().any(|expr| is_interval(expr, schema)) {
        true => plan_err!(
            "{what} of intervals is not supported, because the engine compares them field by \
             field: use the times themselves, or extract(epoch FROM …)"
        ),
        false => Ok(()),
    }
}

/// Refuses to sort, group, join or number by intervals.
fn refuse_orders(plan: &LogicalPlan) -> Result<()> {
    let inputs = plan.inputs();
    let schema = merge_schema(&inputs);
    match plan {
        LogicalPlan::Sort(sort) => {
            let keys: Vec<Expr> = sort.expr.iter().map(|key| key.expr.clone()).collect();
            refuse_any(&keys, &schema, "ORDER BY")
        }
        LogicalPlan::Aggregate(aggregate) => refuse_any(&aggregate.group_expr, &schema, "GROUP BY"),
        LogicalPlan::Distinct(_) => refuse_columns(plan.schema(), "DISTINCT"),
        LogicalPlan::Join(join) => {
            let keys: Vec<Expr> = join.on.iter().map(|(left, _)| left.clone()).collect();
            refuse_any(&keys, &schema, "a join")
        }
        LogicalPlan::Window(window) => {
            for expr in &window.window_expr {
                expr.apply(|expr| {
                    if let Expr::WindowFunction(call) = expr {
                        refuse_any(&call.params.partition_by, &schema, "PARTITION BY")?;
                        let keys = call.params.order_by.iter().map(|key| key.expr.clone());
                        refuse_any(&keys.collect::<Vec<_>>(), &schema, "ORDER BY")?;
                    }
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn refuse_columns(schema: &DFSchemaRef, what: &str) -> Result<()> {
    let mut fields = schema.fields().iter();
    match fields.any(|field| matches!(field.data_type(), DataType::Interval(_))) {
        true => plan_err!("{what} of intervals is not supported: use extract(epoch FROM …)"),
        false => Ok(()),
    }
}

fn length(interval: Expr) -> Expr {
    let month_day_nano = DataType::Interval(IntervalUnit::MonthDayNano);
    let interval = Expr::Cast(Cast::new(Box::new(interval), month_day_nano));
    let function = Arc::new(ScalarUDF::new_from_impl(IntervalLength::new()));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![interval]))
}

/// The nanoseconds of an interval.
#[derive(Debug, PartialEq, Eq, Hash)]
struct IntervalLength {
    signature: Signature,
}

impl IntervalLength {
    fn new() -> Self {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        Self {
            signature: Signature::exact(vec![interval], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for IntervalLength {
    fn name(&self) -> &str {
        "interval_length"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(LENGTH)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &args.args[..] {
            [ColumnarValue::Array(intervals)] => Ok(ColumnarValue::Array(lengths(intervals)?)),
            [ColumnarValue::Scalar(interval)] => {
                let lengths = lengths(&interval.to_array()?)?;
                let length = ScalarValue::try_from_array(&lengths, 0)?;
                Ok(ColumnarValue::Scalar(length))
            }
            _ => exec_err!("interval_length has one argument"),
        }
    }
}

fn lengths(intervals: &ArrayRef) -> Result<ArrayRef> {
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>().iter();
    let lengths = intervals.map(|interval| {
        interval.map(|interval| {
            let days = i128::from(interval.months) * DAYS_PER_MONTH + i128::from(interval.days);
            days * NANOS_PER_DAY + i128::from(interval.nanoseconds)
        })
    });
    let lengths: Decimal128Array = lengths.collect();
    Ok(Arc::new(lengths.with_data_type(LENGTH)))
}
