//! Which statements are carried out.

use datafusion::{
    common::tree_node::TreeNodeRecursion,
    logical_expr::LogicalPlan,
    prelude::{SQLOptions, SessionContext},
    sql::{
        parser::Statement as ParsedStatement,
        sqlparser::ast::{Set, Statement},
    },
};
use datafusion_postgres::pgwire::{
    error::{ErrorInfo, PgWireError, PgWireResult},
    messages::response::TransactionStatus,
};

use crate::message;

/// What may be done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policy {
    pub allow_writes: bool,
}

/// What kind of statement it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// `BEGIN` and the like, and settings that concern the client only.
    Client,
    /// It changes something, or would.
    Write,
    /// Everything else: it has to turn out to be a query.
    Query,
}

impl Kind {
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
    /// Plans a statement and checks it. Plans are made without side effects.
    pub async fn plan(
        self,
        context: &SessionContext,
        statement: Statement,
        transaction: TransactionStatus,
    ) -> PgWireResult<LogicalPlan> {
        let kind = Kind::of(&statement);
        if kind == Kind::Write && !self.allow_writes {
            return Err(refusal(
                "this server is read-only: INSERT and DELETE have to be allowed when it is started",
            ));
        }
        if kind == Kind::Write && transaction != TransactionStatus::Idle {
            return Err(refusal(
                "INSERT and DELETE of invitations cannot be rolled back, so they are refused inside \
                 a transaction: use autocommit",
            ));
        }
        let statement = ParsedStatement::Statement(Box::new(statement));
        let plan = context
            .state()
            .statement_to_plan(statement)
            .await
            .map_err(failure)?;
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_statements(false)
            // `EXPLAIN ANALYZE` of one would carry it out.
            .with_allow_dml(kind == Kind::Write);
        options
            .verify_plan(&plan)
            .map_err(|error| refusal(&message(&error)))?;
        let mut copies = false;
        plan.apply_with_subqueries(|node| {
            copies |= matches!(node, LogicalPlan::Copy(_));
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(failure)?;
        match copies {
            true => Err(refusal("COPY is not supported")),
            false => Ok(plan),
        }
    }
}

/// A statement that is not allowed.
pub(super) fn refusal(message: &str) -> PgWireError {
    error("42501", message)
}

/// A statement that failed.
pub(super) fn failure(failed: datafusion::error::DataFusionError) -> PgWireError {
    error("XX000", &message(&failed))
}

fn error(code: &str, message: &str) -> PgWireError {
    let info = ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.to_owned());
    PgWireError::UserError(Box::new(info))
}
