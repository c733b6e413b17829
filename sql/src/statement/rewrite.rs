//! Rewrites statements to forms that mean the same and that the engine gets right.

use std::{mem, ops::ControlFlow};

use datafusion::{
    error::Result,
    sql::{
        parser::DFParser,
        sqlparser::ast::{
            BinaryOperator, Expr, Query, Select, SelectFlavor, SelectItem, SetExpr, Statement,
            UnaryOperator, Value, Visit, VisitMut, Visitor, VisitorMut, WildcardAdditionalOptions,
        },
    },
};

use super::{Check, json_extract, json_operators, refuse, to_result};

/// An expression of more levels is refused. A chain of `AND` or of `OR` is balanced before levels are counted.
const MAX_DEPTH: usize = 100;
/// The largest number of `AND` and `OR` in a statement: the engine makes a chain of a balanced tree again.
const MAX_TERMS: usize = 500;
/// Chains up to this length stay as they are.
const SHORT_CHAIN: usize = 16;

const SHOW_TABLES: &str = "\
    SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables \
    WHERE table_schema <> 'information_schema' ORDER BY 1, 2, 3";

/// Rewrites a statement, and refuses one whose trees are too deep for the engine's recursion.
pub(super) fn statement(statement: &mut Statement) -> Result<()> {
    if let Statement::ShowTables {
        terse: false,
        history: false,
        extended: false,
        full: false,
        external: false,
        show_options,
    } = &*statement
        && show_options.to_string().trim().is_empty()
    {
        *statement = tables()?;
    }
    rewrite(statement)
}

/// Rewrites a query.
pub(super) fn query(query: &mut Query) -> Result<()> {
    rewrite(query)
}

fn rewrite<T: VisitMut + Visit>(tree: &mut T) -> Result<()> {
    to_result(tree.visit(&mut Rewriter))?;
    to_result(Visit::visit(tree, &mut DepthLimit::default()))
}

/// `SHOW TABLES` without the tables of `information_schema`.
fn tables() -> Result<Statement> {
    match DFParser::parse_sql(SHOW_TABLES)?.pop_front() {
        Some(datafusion::sql::parser::Statement::Statement(statement)) => Ok(*statement),
        _ => datafusion::common::internal_err!("SHOW TABLES is one statement"),
    }
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = datafusion::error::DataFusionError;

    fn pre_visit_select(&mut self, select: &mut Select) -> Check {
        // `FROM t` is `SELECT * FROM t`; the engine would return no columns.
        if select.flavor == SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
            let all = SelectItem::Wildcard(WildcardAdditionalOptions::default());
            select.projection.push(all);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> Check {
        balance(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> Check {
        rewrite_quantified(expr);
        rewrite_negated_in(expr);
        json_operators::rewrite(expr)?;
        json_extract::rewrite(expr)
    }
}

/// `x = ANY (SELECT …)` is `x IN (SELECT …)`, and `x <> ALL (SELECT …)` is `x NOT IN (SELECT …)`.
fn rewrite_quantified(expr: &mut Expr) {
    let (left, right, negated) = match expr {
        Expr::AnyOp {
            left,
            compare_op: BinaryOperator::Eq,
            right,
            ..
        } => (left, right, false),
        Expr::AllOp {
            left,
            compare_op: BinaryOperator::NotEq,
            right,
        } => (left, right, true),
        _ => return,
    };
    let mut inner = &mut **right;
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    let Expr::Subquery(subquery) = inner else {
        return;
    };
    let subquery = subquery.clone();
    let left = mem::replace(&mut **left, null());
    *expr = Expr::InSubquery {
        expr: Box::new(left),
        subquery,
        negated,
    };
}

/// `NOT (x IN (SELECT …))` is `x NOT IN (SELECT …)`.
fn rewrite_negated_in(expr: &mut Expr) {
    let Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: operand,
    } = expr
    else {
        return;
    };
    let mut inner = &mut **operand;
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    if let Expr::InSubquery { negated, .. } = inner {
        *negated = !*negated;
        let inner = mem::replace(inner, null());
        *expr = inner;
    }
}

fn null() -> Expr {
    Expr::value(Value::Null)
}

/// Makes a long chain of `AND`, or of `OR`, a tree of little depth; both are associative, with nulls too.
fn balance(expr: &mut Expr) {
    let Expr::BinaryOp { op, .. } = &*expr else {
        return;
    };
    if !matches!(op, BinaryOperator::And | BinaryOperator::Or) {
        return;
    }
    let op = op.clone();
    let (mut length, mut rest) = (1, &*expr);
    while let Expr::BinaryOp { left, op: same, .. } = rest
        && *same == op
    {
        length += 1;
        rest = left;
    }
    if length <= SHORT_CHAIN {
        return;
    }
    let (mut terms, mut rest) = (Vec::new(), mem::replace(expr, null()));
    loop {
        match rest {
            Expr::BinaryOp {
                left,
                op: same,
                right,
            } if same == op => {
                terms.push(*right);
                rest = *left;
            }
            first => {
                terms.push(first);
                break;
            }
        }
    }
    terms.reverse();
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut terms_left = terms.into_iter();
        while let Some(left) = terms_left.next() {
            pairs.push(match terms_left.next() {
                Some(right) => Expr::BinaryOp {
                    left: Box::new(left),
                    op: op.clone(),
                    right: Box::new(right),
                },
                None => left,
            });
        }
        terms = pairs;
    }
    if let Some(tree) = terms.pop() {
        *expr = tree;
    }
}

/// Refuses trees that are deeper than the engine's recursion.
#[derive(Default)]
struct DepthLimit {
    depth: usize,
    terms: usize,
}

fn too_deep(what: &str) -> Check {
    refuse(format!(
        "{what} has more than {MAX_DEPTH} levels: write a long list of values as IN (…), or put \
         the values into a file and join it"
    ))
}

impl Visitor for DepthLimit {
    type Break = datafusion::error::DataFusionError;

    fn pre_visit_query(&mut self, query: &Query) -> Check {
        let (mut operations, mut body) = (0, &*query.body);
        while let SetExpr::SetOperation { left, .. } = body {
            operations += 1;
            body = left;
        }
        match operations + query.pipe_operators.len() > MAX_DEPTH {
            true => too_deep("a chain of UNION, INTERSECT or EXCEPT"),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> Check {
        let joins = select.from.iter().map(|table| 1 + table.joins.len());
        match joins.sum::<usize>() > MAX_DEPTH {
            true => too_deep("a chain of joins"),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Check {
        if let Expr::BinaryOp {
            op: BinaryOperator::And | BinaryOperator::Or,
            ..
        } = expr
        {
            self.terms += 1;
        }
        if self.terms > MAX_TERMS {
            return refuse(format!(
                "the statement has more than {MAX_TERMS} AND and OR: write a long list of values as \
                 IN (…), or put the values into a file and join it"
            ));
        }
        self.depth += match expr {
            Expr::CompoundFieldAccess { access_chain, .. } => 1 + access_chain.len(),
            _ => 1,
        };
        match self.depth > MAX_DEPTH {
            true => too_deep("an expression"),
            false => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> Check {
        self.depth -= match expr {
            Expr::CompoundFieldAccess { access_chain, .. } => 1 + access_chain.len(),
            _ => 1,
        };
        ControlFlow::Continue(())
    }
}
