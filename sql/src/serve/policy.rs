//! Which statements are allowed.

use std::future::ready;

use datafusion::{
    common::tree_node::TreeNodeRecursion,
    error::Result,
    logical_expr::LogicalPlan,
    prelude::{SQLOptions, SessionContext},
    sql::sqlparser::ast::{Set, Statement},
};
use datafusion_postgres::pgwire::{
    error::{ErrorInfo, PgWireError, PgWireResult},
    messages::response::TransactionStatus,
};

use futures::{FutureExt, future::BoxFuture};

use crate::{Statement as Checked, message};

/// The permissions of the server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policy {
    pub allow_writes: bool,
}

/// The kind of a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum StatementKind {
    /// `BEGIN` and the like, and settings that concern the client only.
    Client,
    /// A statement that changes data.
    Write,
    /// Everything else, which has to be a query.
    Query,
}

impl StatementKind {
    pub fn of(statement: &Statement) -> Self {
        match statement {
            Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::ShowVariable { .. }
            | Statement::ShowCatalogs { .. } => Self::Client,
            Statement::Set(Set::SingleAssignment { variable, .. }) if variable.0.len() == 1 => {
                Self::Client
            }
            Statement::Set(Set::SetTimeZone { .. }) => Self::Client,
            Statement::Insert(_)
            | Statement::Delete(_)
            | Statement::Update(_)
            | Statement::Merge(_)
            | Statement::Truncate(_) => Self::Write,
            _ => Self::Query,
        }
    }
}

impl Policy {
    /// Plans and checks a statement, without side effects. The future holds no tree of a statement, because the compiler
    /// would have to find out whether it may be sent to another thread.
    pub fn plan(
        self,
        context: &SessionContext,
        statement: Statement,
        transaction: TransactionStatus,
    ) -> BoxFuture<'static, PgWireResult<LogicalPlan>> {
        let kind = StatementKind::of(&statement);
        match self.check(kind, statement, transaction) {
            Ok(checked) => {
                let planned = crate::plan(context, checked);
                async move { verify(kind, planned.await) }.boxed()
            }
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn check(
        self,
        kind: StatementKind,
        statement: Statement,
        transaction: TransactionStatus,
    ) -> PgWireResult<Checked> {
        if kind == StatementKind::Write && !self.allow_writes {
            return Err(permission_error(
                "this server is read-only: INSERT and DELETE have to be allowed when it is started",
            ));
        }
        if kind == StatementKind::Write && transaction != TransactionStatus::Idle {
            return Err(permission_error(
                "INSERT and DELETE cannot be rolled back, so they are refused inside \
                 a transaction: use autocommit",
            ));
        }
        let text = statement.to_string();
        let checked = Checked::new(statement).map_err(internal_error)?;
        // Queries are planned again, from their own text.
        let is_planned_here = kind == StatementKind::Write;
        if !is_planned_here && checked.text() != text {
            let message = format!("not supported in this form: write {}", checked.text());
            return Err(error("0A000", &message));
        }
        Ok(checked)
    }
}

/// Checks a plan.
fn verify(kind: StatementKind, planned: Result<LogicalPlan>) -> PgWireResult<LogicalPlan> {
    let plan = planned.map_err(internal_error)?;
    let options = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_statements(false)
        // `EXPLAIN ANALYZE` executes its statement.
        .with_allow_dml(kind == StatementKind::Write);
    options
        .verify_plan(&plan)
        .map_err(|error| permission_error(&message(&error)))?;
    let mut copies = false;
    plan.apply_with_subqueries(|node| {
        copies |= matches!(node, LogicalPlan::Copy(_));
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(internal_error)?;
    match copies {
        true => Err(permission_error("COPY is not supported")),
        false => Ok(plan),
    }
}

/// The error of a statement that is not allowed.
pub(super) fn permission_error(message: &str) -> PgWireError {
    error("42501", message)
}

/// The error of a statement that failed.
pub(super) fn internal_error(failed: datafusion::error::DataFusionError) -> PgWireError {
    error("XX000", &message(&failed))
}

fn error(code: &str, message: &str) -> PgWireError {
    let info = ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.to_owned());
    PgWireError::UserError(Box::new(info))
}
