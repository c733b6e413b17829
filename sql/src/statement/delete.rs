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

use super::{
    DRY_RUN_RETURNING, Erased,
    capture::{self, SubqueryColumn},
};
use crate::{
    table::Table,
    write::{self, Effect, Returning},
};

/// What a `DELETE` is planned for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    CarryOut,
    DryRun,
    Explain,
}

/// A `DELETE`, taken apart before its table is looked up.
pub(super) struct Deletion {
    /// The name of the only table, if there is one.
    name: Option<TableReference>,
    /// The name that columns of a row to delete are written with.
    row: String,
    columns: Vec<SubqueryColumn>,
    /// A part that is not supported, and what to use.
    unsupported: Option<&'static str>,
    has_condition: bool,
    returning: Option<Returning>,
    /// `SELECT * FROM … WHERE … LIMIT …`
    selection: Erased,
    /// The statement, for a table of the engine's.
    original: Erased,
}

impl Deletion {
    pub fn new(state: &SessionState, statement: EngineStatement) -> Result<Self> {
        let EngineStatement::Statement(inner) = &statement else {
            return internal_err!("a DELETE is deleted");
        };
        let Statement::Delete(delete) = &**inner else {
            return internal_err!("a DELETE is deleted");
        };
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let normalize = state.config_options().sql_parser.enable_ident_normalization;
        let (mut name, mut row, mut has_joins) = (None, String::new(), false);
        if let [TableWithJoins { relation, joins }] = &tables[..] {
            has_joins = !joins.is_empty();
            row = capture::factor_name(relation).unwrap_or_default();
            if let TableFactor::Table { name: found, .. } = relation {
                name = Some(object_name_to_table_reference(found.clone(), normalize)?);
            }
        }
        let selection = Statement::Query(select(delete.clone())?);
        Ok(Self {
            name,
            row,
            columns: delete
                .selection
                .as_ref()
                .map(capture::columns)
                .unwrap_or_default(),
            unsupported: match has_joins {
                true => Some("DELETE from a join: use WHERE EXISTS (SELECT …)"),
                false => unsupported(delete),
            },
            has_condition: delete.selection.is_some(),
            returning: delete
                .returning
                .as_deref()
                .map(|items| Returning::new(items, normalize))
                .transpose()?,
            selection: Erased::new(EngineStatement::Statement(Box::new(selection))),
            original: Erased::new(statement),
        })
    }
}

/// Plans a `DELETE`, or the list of what it would delete.
pub(super) async fn plan(
    state: &SessionState,
    delete: Deletion,
    mode: Mode,
) -> Result<LogicalPlan> {
    let provider = match &delete.name {
        Some(name) => provider(state, name).await?,
        None => None,
    };
    let table = provider.as_ref().and_then(|it| it.downcast_ref::<Table>());
    let (Some(name), Some(table)) = (&delete.name, table) else {
        let plan = state.statement_to_plan(delete.original.take()?).await?;
        return match mode {
            Mode::DryRun => write::dry_run(plan),
            Mode::CarryOut | Mode::Explain => Ok(plan),
        };
    };
    if let Some(unsupported) = delete.unsupported {
        return plan_err!("not supported: {unsupported}");
    }
    capture::check(state, &delete.columns, &delete.row, table).await?;
    let selected = state.statement_to_plan(delete.selection.take()?).await?;
    let effect = match (mode, delete.returning) {
        (Mode::DryRun, Some(_)) => return plan_err!("{DRY_RUN_RETURNING}"),
        (Mode::DryRun, None) => Effect::DryRun,
        (Mode::CarryOut, Some(returning)) => Effect::Returning(returning),
        // The requests are those of the statement without RETURNING.
        (Mode::CarryOut | Mode::Explain, _) => Effect::Count,
    };
    write::delete(name.clone(), table, selected, delete.has_condition, effect)
}

pub(super) async fn provider(
    state: &SessionState,
    name: &TableReference,
) -> Result<Option<Arc<dyn TableProvider>>> {
    match state.schema_for_ref(name.clone()) {
        Ok(schema) => schema.table(name.table()).await,
        Err(_) => Ok(None),
    }
}

/// Returns a part of a `DELETE` that is not supported, and what to use.
fn unsupported(delete: &Delete) -> Option<&'static str> {
    let Delete {
        delete_token: _,
        optimizer_hints: _,
        tables,
        from: _,
        using,
        selection: _,
        returning: _,
        output,
        order_by,
        limit: _,
    } = delete;
    match () {
        () if !tables.is_empty() => Some("DELETE t FROM …: use DELETE FROM t"),
        () if using.is_some() => Some("DELETE … USING: use WHERE EXISTS (SELECT …)"),
        () if output.is_some() => Some("DELETE … OUTPUT: use RETURNING"),
        () if !order_by.is_empty() => {
            Some("DELETE … ORDER BY: select the rows by WHERE id IN (SELECT …)")
        }
        () => None,
    }
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
