//! `->` and `->>`: the parser gives them a lower precedence than PostgreSQL does, so that what stands beside them without
//! parentheses becomes their operand.
//!
//! `text->>('key' IS NULL)` and `(a = text)->>'key'`, as the parser reads them, are rewritten to what PostgreSQL reads. What
//! is left beside another operator is refused. `text->'key'` is text of JSON, with quotes around a string.

use std::{mem, ops::ControlFlow};

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, UnaryOperator, Value,
};

use super::{Check, refuse};

/// Rewrites or refuses an operator, whose operands are rewritten already.
pub(super) fn rewrite(expr: &mut Expr) -> Check {
    let Expr::BinaryOp { left, op, right } = &mut *expr else {
        return ControlFlow::Continue(());
    };
    if !matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow) {
        return ControlFlow::Continue(());
    }
    if let Expr::BinaryOp {
        op, right: text, ..
    } = &mut **left
        && is_comparison(op)
    {
        let text = mem::replace(&mut **text, null());
        let mut outer = mem::replace(&mut **left, null());
        **left = text;
        let access = mem::replace(expr, null());
        let Expr::BinaryOp { right, .. } = &mut outer else {
            return ControlFlow::Continue(());
        };
        **right = access;
        rewrite(right)?;
        *expr = outer;
        return ControlFlow::Continue(());
    }
    if first_operand(right).is_some() {
        let mut outer = mem::replace(&mut **right, null());
        if let Some(key) = first_operand(&mut outer) {
            **right = mem::replace(key, null());
        }
        let mut access = mem::replace(expr, null());
        rewrite(&mut access)?;
        if let Some(operand) = first_operand(&mut outer) {
            *operand = access;
        }
        *expr = outer;
        return ControlFlow::Continue(());
    }
    if is_operator(left) || is_operator(right) {
        return refuse(format!(
            "`{op}` beside another operator can be read in two ways: put parentheses around what it \
             reads, as in (extra{op}'name') || 'x'"
        ));
    }
    if *op == BinaryOperator::Arrow {
        let text = mem::replace(&mut **left, null());
        let key = mem::replace(&mut **right, null());
        *expr = json_text(text, key);
    }
    ControlFlow::Continue(())
}

/// `json_get_json(text, key)`: the engine has no type for what `->` returns otherwise.
fn json_text(text: Expr, key: Expr) -> Expr {
    let args = [text, key].map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("json_get_json")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The first operand of a predicate of lower precedence.
fn first_operand(predicate: &mut Expr) -> Option<&mut Expr> {
    match predicate {
        Expr::IsNull(operand)
        | Expr::IsNotNull(operand)
        | Expr::IsTrue(operand)
        | Expr::IsNotTrue(operand)
        | Expr::IsFalse(operand)
        | Expr::IsNotFalse(operand)
        | Expr::Like { expr: operand, .. }
        | Expr::ILike { expr: operand, .. }
        | Expr::InList { expr: operand, .. }
        | Expr::InSubquery { expr: operand, .. }
        | Expr::Between { expr: operand, .. } => Some(operand),
        Expr::BinaryOp { left, op, .. } if is_comparison(op) => Some(left),
        _ => None,
    }
}

/// Whether an expression has an operator outside of parentheses, other than those of JSON.
fn is_operator(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { op, .. } => {
            !matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow)
        }
        Expr::UnaryOp { op, .. } => *op != UnaryOperator::Minus,
        Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsNormalized { .. }
        | Expr::SimilarTo { .. }
        | Expr::RLike { .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::AtTimeZone { .. } => true,
        predicate => {
            let mut predicate = predicate.clone();
            first_operand(&mut predicate).is_some()
        }
    }
}

fn null() -> Expr {
    Expr::value(Value::Null)
}
