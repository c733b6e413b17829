//! Statements: how they are parsed, what is refused before planning, and how they are planned.
//!
//! | | |
//! |---|---|
//! | `parse` | splits a text, recognises `DRY RUN`, and limits the depth of expressions |
//! | `rewrite` | forms that mean the same and that the engine gets right |
//! | `clauses` | clauses that the parser accepts and the engine ignores |
//! | `predicates` | predicates that the engine gets wrong |
//! | `capture` | columns of a subquery of a `DELETE` that can be read in two ways |
//! | `delete` | `DELETE` as a selection of rows |

mod capture;
mod clauses;
mod delete;
mod parse;
mod predicates;
mod rewrite;

use std::ops::ControlFlow;

use datafusion::{
    common::{format::ExplainFormat, plan_err},
    error::{DataFusionError, Result},
    execution::SessionState,
    logical_expr::{LogicalPlan, LogicalPlanBuilder, WriteOp, logical_plan::ExplainOption},
    prelude::{DataFrame, SessionContext},
    sql::{
        parser::{ExplainStatement, Statement as EngineStatement},
        sqlparser::ast::{Delete, Statement as SqlStatement},
    },
};

pub use self::parse::parse;
use crate::{table, write};

/// A statement that was parsed and checked.
#[derive(Clone, Debug)]
pub struct Statement {
    inner: EngineStatement,
    dry_run: bool,
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
pub async fn plan(context: &SessionContext, statement: Statement) -> Result<LogicalPlan> {
    table::add_rules(context);
    let state = &context.state();
    let Statement { inner, dry_run } = statement;
    match inner {
        EngineStatement::Statement(statement) => {
            let statement = match *statement {
                SqlStatement::Delete(delete) => return plan_delete(state, delete, dry_run).await,
                other => EngineStatement::Statement(Box::new(other)),
            };
            let plan = state.statement_to_plan(statement).await?;
            match dry_run {
                true => write::dry_run(plan),
                false => Ok(plan),
            }
        }
        EngineStatement::Explain(ExplainStatement { options, statement }) => {
            match as_delete(*statement) {
                Ok(delete) => {
                    let plan = plan_delete(state, delete, false).await?;
                    let format = match options.format {
                        _ if options.verbose => ExplainFormat::Indent,
                        Some(format) => format,
                        None => state.config_options().explain.format.clone(),
                    };
                    let explain = ExplainOption::default()
                        .with_verbose(options.verbose)
                        .with_format(format);
                    LogicalPlanBuilder::from(plan)
                        .explain_option_format(explain)?
                        .build()
                }
                Err(statement) => {
                    let statement = Box::new(statement);
                    let explain = ExplainStatement { options, statement };
                    state
                        .statement_to_plan(EngineStatement::Explain(explain))
                        .await
                }
            }
        }
        other => state.statement_to_plan(other).await,
    }
}

fn as_delete(statement: EngineStatement) -> std::result::Result<Delete, EngineStatement> {
    match statement {
        EngineStatement::Statement(statement) => match *statement {
            SqlStatement::Delete(delete) => Ok(delete),
            other => Err(EngineStatement::Statement(Box::new(other))),
        },
        other => Err(other),
    }
}

async fn plan_delete(state: &SessionState, delete: Delete, dry_run: bool) -> Result<LogicalPlan> {
    if let Some(target) = delete::target(state, &delete).await? {
        return delete::plan(state, delete, target, dry_run).await;
    }
    let statement = SqlStatement::Delete(delete);
    let statement = EngineStatement::Statement(Box::new(statement));
    let plan = state.statement_to_plan(statement).await?;
    match dry_run {
        true => write::dry_run(plan),
        false => Ok(plan),
    }
}

/// Whether a plan changes something at a provider or in a table.
pub fn is_write(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Dml(dml) if !matches!(dml.op, WriteOp::Ctas))
}

impl Statement {
    /// Checks a statement that another parser parsed.
    #[cfg(feature = "serve")]
    pub(crate) fn new(statement: SqlStatement) -> Result<Self> {
        let inner = EngineStatement::Statement(Box::new(statement));
        let mut statement = Self {
            inner,
            dry_run: false,
        };
        parse::prepare(&mut statement)?;
        Ok(statement)
    }

    /// Returns the statement after its rewrites.
    #[cfg(feature = "serve")]
    pub(crate) fn text(&self) -> String {
        self.inner.to_string()
    }

    /// Whether the statement lists the rows that it would write, and writes none.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}
