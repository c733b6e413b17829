//! Columns without a table in a subquery of a `DELETE`.
//!
//! `EXISTS (SELECT 1 FROM 'leavers.csv' l WHERE l.email = email)` compares a leaver with itself, because `email` is
//! the leaver's, and is true for every row to delete. So a column that the deleted table has too is written with its
//! table, except as a result of the subquery or in `GROUP BY` and `ORDER BY`, where it is the subquery's.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use datafusion::{
    catalog::TableProvider,
    common::{SchemaError, plan_err},
    error::{DataFusionError, Result},
    execution::SessionState,
    sql::sqlparser::ast::{
        Expr, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, TableFactor, Visit,
        Visitor, With,
    },
};

use crate::table::Table;

/// Refuses a `DELETE` with a column of a subquery that can be read in two ways. `row` is what a row to delete is called.
pub(super) async fn check(
    state: &SessionState,
    columns: &[SubqueryColumn],
    row: &str,
    table: &Table,
) -> Result<()> {
    let schema = table.schema();
    for SubqueryColumn {
        column,
        name,
        role,
        scopes,
    } in columns
    {
        if schema.column_with_name(name).is_none() || *role == Role::Order {
            continue;
        }
        match (owner(state, scopes).await?, role) {
            (Some(_), Role::Result) => {}
            (Some(owner), _) => {
                return plan_err!(
                    "`{column}` in a subquery of a DELETE can be read in two ways: write \
                     {owner}.{column} for the column of {owner}, or {row}.{column} for that of the \
                     row to delete"
                );
            }
            (None, _) => {
                return plan_err!(
                    "`{column}` in a subquery of a DELETE is no column of the subquery's own \
                     tables: write {row}.{column} if that of the row to delete is meant"
                );
            }
        }
    }
    Ok(())
}

/// A column without a table in a subquery.
pub(super) struct SubqueryColumn {
    /// As it is written, and its name.
    column: String,
    name: String,
    role: Role,
    /// The subqueries around it, the innermost first.
    scopes: Vec<Probe>,
}

/// Queries that can be planned only if a `SELECT` has a column.
struct Probe {
    any: String,
    /// The same for each of its tables.
    each: Vec<(String, String)>,
}

/// Returns the columns without a table in the subqueries of a condition.
pub(super) fn columns(condition: &Expr) -> Vec<SubqueryColumn> {
    let mut columns = Columns::default();
    let _ = condition.visit(&mut columns);
    let described = columns.found.into_iter().map(|found| {
        let Found {
            column,
            role,
            scopes,
        } = found;
        let name = match column.quote_style {
            Some(_) => column.value.clone(),
            None => column.value.to_lowercase(),
        };
        SubqueryColumn {
            scopes: scopes
                .iter()
                .rev()
                .map(|scope| scope.probe(&column))
                .collect(),
            column: column.to_string(),
            name,
            role,
        }
    });
    described.collect()
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// Part of a condition.
    Condition,
    /// A result of the subquery, or part of `GROUP BY`.
    Result,
    /// Part of `ORDER BY`.
    Order,
}

/// A column without a table, and the subqueries around it, the innermost last.
struct Found {
    column: Ident,
    role: Role,
    scopes: Vec<Scope>,
}

/// A `SELECT` in which a column is looked for.
#[derive(Clone)]
struct Scope {
    with: Option<With>,
    select: Box<Select>,
}

#[derive(Default)]
struct Columns {
    roles: HashMap<*const Expr, Role>,
    with: Vec<Option<With>>,
    scopes: Vec<Scope>,
    found: Vec<Found>,
}

/// Collects the addresses of an expression and its parts.
#[derive(Default)]
struct Parts(HashSet<*const Expr>);

impl Visitor for Parts {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.0.insert(expr);
        ControlFlow::Continue(())
    }
}

impl Columns {
    fn note(&mut self, tree: &impl Visit, role: Role) {
        let mut parts = Parts::default();
        let _ = tree.visit(&mut parts);
        let roles = parts.0.into_iter().map(|part| (part, role));
        self.roles.extend(roles);
    }
}

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.with.push(query.with.clone());
        if let Some(order_by) = &query.order_by
            && let OrderByKind::Expressions(expressions) = &order_by.kind
        {
            self.note(expressions, Role::Order);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.with.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.note(&select.projection, Role::Result);
        if let GroupByExpr::Expressions(expressions, _) = &select.group_by {
            self.note(expressions, Role::Result);
        }
        // A subquery among the results has conditions of its own.
        for condition in [&select.selection, &select.having, &select.qualify]
            .into_iter()
            .flatten()
        {
            self.note(condition, Role::Condition);
        }
        self.note(&select.from, Role::Condition);
        let tables = self.with.iter().flatten().cloned();
        let with = tables.reduce(|mut outer, inner| {
            outer.recursive |= inner.recursive;
            outer.cte_tables.extend(inner.cte_tables);
            outer
        });
        let select = Box::new(select.clone());
        self.scopes.push(Scope { with, select });
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let column = match expr {
            Expr::Identifier(column) => Some(column),
            // A field of a column, as in `extra.name`, where the first part is no table.
            Expr::CompoundIdentifier(parts) => {
                let tables = self.scopes.iter().flat_map(Scope::tables);
                let mut names = tables.filter_map(factor_name);
                let first = parts.first();
                first.filter(|first| !names.any(|name| name.eq_ignore_ascii_case(&first.value)))
            }
            _ => None,
        };
        if let Some(column) = column
            && !self.scopes.is_empty()
        {
            let role = self.roles.get(&std::ptr::from_ref(expr));
            self.found.push(Found {
                column: column.clone(),
                role: role.copied().unwrap_or(Role::Condition),
                scopes: self.scopes.clone(),
            });
        }
        ControlFlow::Continue(())
    }
}

impl Scope {
    fn tables(&self) -> impl Iterator<Item = &TableFactor> {
        self.select.from.iter().flat_map(|table| {
            let joined = table.joins.iter().map(|join| &join.relation);
            std::iter::once(&table.relation).chain(joined)
        })
    }

    fn probe(&self, column: &Ident) -> Probe {
        let each = self.tables().filter_map(factor_name).map(|name| {
            let parts = vec![Ident::with_quote('"', &name), column.clone()];
            (name, self.query(Expr::CompoundIdentifier(parts)))
        });
        Probe {
            each: each.collect(),
            any: self.query(Expr::Identifier(column.clone())),
        }
    }

    /// Returns a query of one column of the tables of the `SELECT`.
    fn query(&self, column: Expr) -> String {
        let Self { with, select } = self;
        let mut select = select.clone();
        select.distinct = None;
        select.projection = vec![SelectItem::UnnamedExpr(column)];
        select.selection = None;
        select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
        select.having = None;
        select.qualify = None;
        select.named_window = Vec::new();
        match with {
            Some(with) => format!("{with} {select}"),
            None => select.to_string(),
        }
    }
}

/// Returns the name of the table of the subqueries that has a column, from the innermost to the outermost.
async fn owner(state: &SessionState, scopes: &[Probe]) -> Result<Option<String>> {
    for scope in scopes {
        if !can_be_planned(state, &scope.any).await? {
            continue;
        }
        for (name, query) in &scope.each {
            if can_be_planned(state, query).await? {
                return Ok(Some(name.clone()));
            }
        }
        let names = scope.each.iter().map(|(name, _)| name.as_str());
        return Ok(Some(names.collect::<Vec<_>>().join(" or ")));
    }
    Ok(None)
}

/// Whether a query can be planned, and does not lack a column.
async fn can_be_planned(state: &SessionState, query: &str) -> Result<bool> {
    match state.create_logical_plan(query).await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::SchemaError(error, _) => {
            matches!(**error, SchemaError::FieldNotFound { .. })
        }
        _ => false,
    }
}

/// Returns the name by which columns of a table are written.
pub(super) fn factor_name(factor: &TableFactor) -> Option<String> {
    let alias = match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. } => alias.as_ref(),
        _ => None,
    };
    match (alias, factor) {
        (Some(alias), _) => Some(alias.name.value.clone()),
        (None, TableFactor::Table { name, .. }) => Some(name.0.last()?.as_ident()?.value.clone()),
        _ => None,
    }
}
