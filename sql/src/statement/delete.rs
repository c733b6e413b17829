//! `DELETE` as a selection: aliases, qualified names and subqueries mean what they mean in `SELECT`.

use std::sync::Arc;

use datafusion::{
    catalog::TableProvider,
    common::{TableReference, internal_err, plan_err},
    error::Result,
    execution::SessionState,
    logical_expr::LogicalPlan,
    sql::{
        parser::{DFParser, Statement as EngineStatement},
        planner::object_name_to_table_reference,
        sqlparser::ast::{
            Delete, FromTable, LimitClause, Query, SetExpr, Statement, TableFactor, TableWithJoins,
        },
    },
};

use super::capture;
use crate::{table::Table, write};

/// The table of this crate that a `DELETE` is about.
pub(super) struct Target {
    name: TableReference,
    provider: Arc<dyn TableProvider>,
}

impl Target {
    fn table(&self) -> Option<&Table> {
        self.provider.downcast_ref()
    }

    /// Whether the table has a column.
    pub fn has_column(&self, name: &str) -> bool {
        self.provider.schema().column_with_name(name).is_some()
    }
}

fn from(delete: &Delete) -> &[TableWithJoins] {
    let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
    tables
}

/// Returns the name that a `DELETE` gives to a row: its alias, or else the last part of the table's name.
pub(super) fn row_name(delete: &Delete) -> String {
    match from(delete) {
        [only] => capture::factor_name(&only.relation).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Returns the table of a `DELETE`; `None` if it is not one of this crate.
pub(super) async fn target(state: &SessionState, delete: &Delete) -> Result<Option<Target>> {
    let [TableWithJoins { relation, joins }] = from(delete) else {
        return Ok(None);
    };
    let TableFactor::Table { name, .. } = relation else {
        return Ok(None);
    };
    let options = &state.config_options().sql_parser;
    let name = object_name_to_table_reference(name.clone(), options.enable_ident_normalization)?;
    let Ok(schema) = state.schema_for_ref(name.clone()) else {
        return Ok(None);
    };
    let Some(provider) = schema.table(name.table()).await? else {
        return Ok(None);
    };
    let target = Target { name, provider };
    match target.table() {
        Some(_) if joins.is_empty() => Ok(Some(target)),
        Some(_) => plan_err!("DELETE from a join is not supported: use WHERE EXISTS (SELECT …)"),
        None => Ok(None),
    }
}

/// Plans a `DELETE`, or the list of what it would delete.
pub(super) async fn plan(
    state: &SessionState,
    delete: Delete,
    target: Target,
    dry_run: bool,
) -> Result<LogicalPlan> {
    check_clauses(&delete)?;
    capture::check(state, &delete, &target).await?;
    let Some(table) = target.table() else {
        return internal_err!("the target of a DELETE is a table of this crate");
    };
    let has_condition = delete.selection.is_some();
    let selection = EngineStatement::Statement(Box::new(Statement::Query(select(delete)?)));
    let selected = state.statement_to_plan(selection).await?;
    write::delete(target.name.clone(), table, selected, has_condition, dry_run)
}

fn check_clauses(delete: &Delete) -> Result<()> {
    let Delete {
        delete_token: _,
        optimizer_hints: _,
        tables,
        from: _,
        using,
        selection: _,
        returning,
        output,
        order_by,
        limit: _,
    } = delete;
    let clause = match () {
        () if !tables.is_empty() => "DELETE t FROM …: use DELETE FROM t",
        () if using.is_some() => "DELETE … USING: use WHERE EXISTS (SELECT …)",
        () if returning.is_some() || output.is_some() => {
            "DELETE … RETURNING: put DRY RUN at the end to list the rows before"
        }
        () if !order_by.is_empty() => {
            "DELETE … ORDER BY: select the rows by WHERE id IN (SELECT …)"
        }
        () => return Ok(()),
    };
    plan_err!("not supported: {clause}")
}

/// `SELECT * FROM … WHERE … LIMIT …` of a `DELETE`.
fn select(delete: Delete) -> Result<Box<Query>> {
    let template = DFParser::parse_sql("SELECT * FROM t")?.pop_front();
    let Some(EngineStatement::Statement(template)) = template else {
        return internal_err!("the template is a query");
    };
    let Statement::Query(mut query) = *template else {
        return internal_err!("the template is a query");
    };
    let SetExpr::Select(select) = &mut *query.body else {
        return internal_err!("the template is a SELECT");
    };
    let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = delete.from;
    select.from = tables;
    select.selection = delete.selection;
    query.limit_clause = delete.limit.map(|limit| LimitClause::LimitOffset {
        limit: Some(limit),
        offset: None,
        limit_by: Vec::new(),
    });
    Ok(query)
}
