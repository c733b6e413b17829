//! Statements: how they are parsed, what is refused before planning, and how they are planned.
//!
//! | | |
//! |---|---|
//! | `parse` | splits a text, recognises `DRY RUN`, and limits the depth of expressions |
//! | `rewrite` | forms that mean the same and that the engine gets right |
//! | `json_extract` | `JSON_EXTRACT`, by a function of the engine's |
//! | `json_operators` | `->` and `->>` beside other operators |
//! | `definitions` | `CREATE` and `DROP` of names that are tables of this crate |
//! | `clauses` | clauses that the parser accepts and the engine ignores |
//! | `predicates` | predicates that the engine gets wrong |
//! | `capture` | columns of a subquery of a `DELETE` that can be read in two ways |
//! | `delete` | `DELETE` as a selection of rows |

mod capture;
mod clauses;
mod definitions;
mod delete;
mod json_extract;
mod json_operators;
mod parse;
mod predicates;
mod rewrite;

use std::{any::Any, fmt, ops::ControlFlow};

use datafusion::{
    common::{format::ExplainFormat, internal_err, plan_err},
    error::{DataFusionError, Result},
    execution::SessionState,
    logical_expr::{LogicalPlan, LogicalPlanBuilder, WriteOp, logical_plan::ExplainOption},
    prelude::{DataFrame, SessionContext},
    sql::{
        parser::{ExplainStatement, Statement as EngineStatement},
        sqlparser::ast::Statement as SqlStatement,
    },
};

use futures::{FutureExt, future::BoxFuture};

use self::delete::{Deletion, Mode};
pub use self::parse::parse;
use crate::{
    discovery::{self, Discovery},
    table,
    write::{self, Returning},
};

const DRY_RUN_RETURNING: &str =
    "DRY RUN lists the rows already, so that RETURNING does not go with it";

/// A statement that was parsed and checked.
#[derive(Debug)]
pub struct Statement {
    inner: Inner,
    dry_run: bool,
}

#[derive(Debug)]
enum Inner {
    Engine(Erased),
    Discovery(Discovery),
}

/// A statement of the engine without its type: whether the tree of a statement may be sent to another thread takes the
/// compiler minutes to find out for every future that holds one.
struct Erased(Box<dyn Any + Send + Sync>);

impl Erased {
    fn new(statement: EngineStatement) -> Self {
        Self(Box::new(statement))
    }

    fn take(self) -> Result<EngineStatement> {
        match self.0.downcast() {
            Ok(statement) => Ok(*statement),
            Err(_) => internal_err!("a statement is held"),
        }
    }
}

impl fmt::Debug for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.downcast_ref::<EngineStatement>() {
            Some(statement) => write!(f, "{statement}"),
            None => Ok(()),
        }
    }
}

/// The outcome of a check: a refusal ends the walk.
type Check = ControlFlow<DataFusionError>;

/// Refuses a statement before it is planned.
fn refuse(message: impl std::fmt::Display) -> Check {
    ControlFlow::Break(DataFusionError::Plan(message.to_string()))
}

fn to_result(check: Check) -> Result<()> {
    match check {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Runs one statement, and returns its rows. Nothing is sent before they are collected.
///
/// Use this function and not [`SessionContext::sql`] for statements over the tables of this crate: it refuses what the
/// engine would answer wrongly, and it is the only way to `DELETE`. The README lists what is refused.
///
/// # Errors
///
/// For anything but one statement, for a statement that is refused, and when planning fails.
///
/// ```
/// # use org_invitations_sql::{message, session, sql};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = session();
/// let rows = sql(&context, "SELECT 1 + 1").await?.collect().await?;
/// assert_eq!(rows[0].num_rows(), 1);
///
/// let refused = sql(&context, "SELECT 'ann' SIMILAR TO 'a%'").await.unwrap_err();
/// assert!(message(&refused).contains("SIMILAR TO"));
/// # Ok(())
/// # }
/// ```
pub async fn sql(context: &SessionContext, text: &str) -> Result<DataFrame> {
    let statement = match <[Statement; 1]>::try_from(parse(text)?) {
        Ok([statement]) => statement,
        Err(several) => return plan_err!("expected one statement, and got {}", several.len()),
    };
    let plan = plan(context, statement).await?;
    context.execute_logical_plan(plan).await
}

/// Plans a statement, and adds the crate's rules to a session that does not have them. Sends nothing.
///
/// # Errors
///
/// When planning fails, and for a statement that is refused because of the tables that it names.
pub fn plan(
    context: &SessionContext,
    statement: Statement,
) -> BoxFuture<'static, Result<LogicalPlan>> {
    table::add_rules(context);
    let state = context.state();
    plan_in(state, statement).boxed()
}

async fn plan_in(state: SessionState, statement: Statement) -> Result<LogicalPlan> {
    match Work::of(statement, &state)? {
        Work::Discovery(discovery) => discovery::plan(&state, discovery).await,
        Work::Delete(delete, None, dry_run) => {
            let mode = if dry_run {
                Mode::DryRun
            } else {
                Mode::CarryOut
            };
            delete::plan(&state, *delete, mode).await
        }
        Work::Delete(delete, Some(explain), _) => {
            let plan = delete::plan(&state, *delete, Mode::Explain).await?;
            LogicalPlanBuilder::from(plan)
                .explain_option_format(explain)?
                .build()
        }
        Work::Other(statement, dry_run, returning) => {
            let plan = state.statement_to_plan(statement.take()?).await?;
            definitions::check(&state, &plan).await?;
            match (dry_run, returning) {
                (true, Some(_)) => plan_err!("{DRY_RUN_RETURNING}"),
                (true, None) => write::dry_run(plan),
                (false, Some(returning)) => write::insert_returning(plan, &returning),
                (false, None) => Ok(plan),
            }
        }
    }
}

/// How a statement is planned.
enum Work {
    /// A `DELETE`, or the `EXPLAIN` of one, or its dry run.
    Delete(Box<Deletion>, Option<ExplainOption>, bool),
    Discovery(Discovery),
    /// Any other statement, whether it is a dry run, and what an `INSERT` returns.
    Other(Erased, bool, Option<Returning>),
}

impl Work {
    fn of(statement: Statement, state: &SessionState) -> Result<Self> {
        let Statement { inner, dry_run } = statement;
        let inner = match inner {
            Inner::Engine(inner) => inner,
            Inner::Discovery(discovery) => return Ok(Self::Discovery(discovery)),
        };
        let (inner, explain) = match inner.take()? {
            EngineStatement::Explain(explain) if is_delete(&explain.statement) => {
                let ExplainStatement { options, statement } = explain;
                let format = match options.format {
                    _ if options.verbose => ExplainFormat::Indent,
                    Some(format) => format,
                    None => state.config_options().explain.format.clone(),
                };
                let explain = ExplainOption::default()
                    .with_verbose(options.verbose)
                    .with_format(format);
                (*statement, Some(explain))
            }
            other => (other, None),
        };
        if !is_delete(&inner) {
            let mut inner = inner;
            let returning = take_returning(&mut inner, state)?;
            return Ok(Self::Other(Erased::new(inner), dry_run, returning));
        }
        let deletion = Deletion::new(state, inner)?;
        Ok(Self::Delete(Box::new(deletion), explain, dry_run))
    }
}

/// Takes what an `INSERT` returns, which the engine does not know. An `EXPLAIN` shows the requests of the statement without it.
fn take_returning(
    statement: &mut EngineStatement,
    state: &SessionState,
) -> Result<Option<Returning>> {
    let (statement, is_explained) = match statement {
        EngineStatement::Statement(statement) => (&mut **statement, false),
        EngineStatement::Explain(explain) => match &mut *explain.statement {
            EngineStatement::Statement(statement) => (&mut **statement, true),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let SqlStatement::Insert(insert) = statement else {
        return Ok(None);
    };
    let normalizes = state.config_options().sql_parser.enable_ident_normalization;
    let items = insert.returning.take();
    let returning = items.map(|items| Returning::new(&items, normalizes));
    Ok(returning.transpose()?.filter(|_| !is_explained))
}

fn is_delete(statement: &EngineStatement) -> bool {
    match statement {
        EngineStatement::Statement(statement) => matches!(**statement, SqlStatement::Delete(_)),
        _ => false,
    }
}

/// Whether a plan changes something at a provider or in a table.
pub fn is_write(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Dml(dml) if !matches!(dml.op, WriteOp::Ctas))
        || write::returns(plan)
}

impl Statement {
    /// Whether the statement lists the rows that it would write, and writes none.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}
