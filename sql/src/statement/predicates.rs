//! Predicates that the engine gets wrong.

use std::{collections::HashSet, ops::ControlFlow};

use datafusion::{
    error::DataFusionError,
    sql::sqlparser::ast::{
        BinaryOperator, Delete, Expr, Query, Select, Statement, UnaryOperator, Visit, Visitor,
    },
};

use super::{Check, refuse};

/// Refuses the first predicate that the engine would get wrong.
pub(super) fn check(tree: &impl Visit) -> Check {
    tree.visit(&mut Predicates::default())
}

/// Where a predicate is, from the point of view of the rows that a condition selects.
#[derive(Clone, Copy)]
enum Position {
    /// A term of a conjunction: the engine makes a join of it that knows NULL.
    Conjunct,
    /// Below `OR`: the engine takes NULL for false, which here selects the same rows.
    Disjunct,
}

/// The walk, with the addresses of the subqueries that are in a position in which the engine gets them right.
#[derive(Default)]
struct Predicates {
    allowed: HashSet<*const Expr>,
}

impl Predicates {
    /// Notes the subqueries of a condition whose position is right.
    fn condition(&mut self, condition: &Expr, position: Position) {
        match condition {
            Expr::Nested(inner) => self.condition(inner, position),
            Expr::BinaryOp {
                left,
                op: op @ (BinaryOperator::And | BinaryOperator::Or),
                right,
            } => {
                let position = match (op, position) {
                    (BinaryOperator::And, position) => position,
                    _ => Position::Disjunct,
                };
                self.condition(left, position);
                self.condition(right, position);
            }
            Expr::InSubquery { negated, .. }
                if !negated || matches!(position, Position::Conjunct) =>
            {
                self.allowed.insert(condition);
            }
            // False for null where an element is null.
            Expr::AnyOp { .. } => {
                self.allowed.insert(condition);
            }
            _ => {}
        }
    }

    fn conditions<'a>(&mut self, conditions: impl IntoIterator<Item = &'a Option<Expr>>) {
        for condition in conditions.into_iter().flatten() {
            self.condition(condition, Position::Conjunct);
        }
    }
}

impl Visitor for Predicates {
    type Break = DataFusionError;

    fn pre_visit_statement(&mut self, statement: &Statement) -> Check {
        if let Statement::Delete(Delete { selection, .. }) = statement {
            self.conditions([selection]);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, _: &Query) -> Check {
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> Check {
        self.conditions([&select.selection, &select.having]);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Check {
        match expr {
            Expr::SimilarTo { .. } => refuse(
                "SIMILAR TO is not supported, because the engine also matches parts of a text: use \
                 LIKE, or a regular expression with anchors, as in email ~ '^(ann|bob)@'",
            ),
            Expr::RLike { .. } => refuse("REGEXP and RLIKE are not supported: use ~"),
            Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => {
                check_right_side(right)
            }
            Expr::InSubquery { negated, .. }
                if !self.allowed.contains(&std::ptr::from_ref(expr)) =>
            {
                refuse(match negated {
                    true => {
                        "NOT IN (SELECT …) is supported as a term of WHERE or HAVING, alone or \
                         beside AND, because the engine takes NULL for false elsewhere: use NOT \
                         EXISTS (SELECT 1 FROM … s WHERE s.email = t.email)"
                    }
                    false => {
                        "IN (SELECT …) is supported as a term of WHERE or HAVING, beside AND and \
                         OR, because the engine takes NULL for false elsewhere: use EXISTS (SELECT \
                         1 FROM … s WHERE s.email = t.email)"
                    }
                })
            }
            Expr::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => {
                check_quantified(left, compare_op, "ANY", right)?;
                match self.allowed.contains(&std::ptr::from_ref(expr)) {
                    true => ControlFlow::Continue(()),
                    false => refuse(
                        "= ANY (array) is supported as a term of WHERE or HAVING, beside AND and \
                         OR, because the engine takes NULL for false elsewhere: use \
                         array_has(array, x), which ignores nulls among the elements",
                    ),
                }
            }
            Expr::AllOp {
                left,
                compare_op,
                right,
            } => check_quantified(left, compare_op, "ALL", right),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// The parser takes everything after `IS DISTINCT FROM` as its right side, and PostgreSQL only what binds more tightly.
fn check_right_side(right: &Expr) -> Check {
    let is_ambiguous = match right {
        Expr::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor
        ),
        Expr::UnaryOp { op, .. } => *op == UnaryOperator::Not,
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..) => true,
        _ => false,
    };
    match is_ambiguous {
        true => refuse(
            "IS DISTINCT FROM needs parentheses here, because the parser takes the rest of the \
             condition as its right side: write (a IS DISTINCT FROM b) AND c",
        ),
        false => ControlFlow::Continue(()),
    }
}

fn check_quantified(left: &Expr, op: &BinaryOperator, word: &str, right: &Expr) -> Check {
    let mut inner = right;
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    if matches!(inner, Expr::Subquery(_)) {
        let extreme = match (op, word) {
            (BinaryOperator::Gt | BinaryOperator::GtEq, "ANY")
            | (BinaryOperator::Lt | BinaryOperator::LtEq, "ALL") => "min",
            _ => "max",
        };
        return refuse(format!(
            "{left} {op} {word} (SELECT …) is not supported, because the engine compares the wrong \
             columns: use IN, NOT IN or EXISTS, or compare with one value, as in {left} {op} \
             (SELECT {extreme}(…) FROM …)"
        ));
    }
    match (op, word) {
        (BinaryOperator::Eq, "ANY") => ControlFlow::Continue(()),
        _ => refuse(format!(
            "{left} {op} {word} (…) is not supported: = ANY (array) is, and [NOT] IN (…)"
        )),
    }
}
