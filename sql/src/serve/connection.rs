//! The protocol handlers of one connection.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::{array::AsArray, datatypes::UInt64Type},
    common::ParamValues,
    logical_expr::LogicalPlan,
    prelude::SessionContext,
    sql::sqlparser::{ast::Statement, dialect::PostgreSqlDialect, parser::Parser as SqlParser},
};
use datafusion_postgres::{
    DfSessionService, Parser, QueryHook,
    datafusion_pg_catalog::sql::PostgresCompatibilityParser,
    hooks::{HookClient, set_show::SetShowHook, transactions::TransactionStatementHook},
    pgwire::{
        api::{
            ClientInfo, ClientPortalStore, ConnectionManager, PgWireServerHandlers, Type,
            auth::StartupHandler,
            cancel::{CancelHandler, DefaultCancelHandler},
            portal::{Format, Portal},
            query::{ExtendedQueryHandler, SimpleQueryHandler},
            results::{FieldInfo, Response, Tag},
            stmt::QueryParser,
            store::PortalStore,
        },
        error::{PgWireError, PgWireResult},
        messages::PgWireBackendMessage,
    },
};
use futures::Sink;

use super::{
    auth::PasswordAuth,
    policy::{Policy, StatementKind, internal_error, permission_error},
};

/// The handlers of one connection.
pub(super) struct Connection {
    auth: PasswordAuth,
    connections: Arc<ConnectionManager>,
    queries: Arc<Queries>,
}

impl Connection {
    pub fn new(
        context: SessionContext,
        policy: Policy,
        auth: PasswordAuth,
        connections: Arc<ConnectionManager>,
    ) -> Self {
        let context = Arc::new(context);
        let hooks: Vec<Arc<dyn QueryHook>> = vec![
            Arc::new(TransactionStatementHook),
            Arc::new(SetShowHook),
            Arc::new(WriteHook),
        ];
        let service = DfSessionService::new_with_hooks(Arc::clone(&context), hooks);
        let parser = Arc::new(CheckedParser {
            parser: service.query_parser(),
            rewriter: PostgresCompatibilityParser::new(),
            context,
            policy,
        });
        Self {
            auth,
            connections,
            queries: Arc::new(Queries { service, parser }),
        }
    }
}

impl PgWireServerHandlers for Connection {
    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        let connections = Arc::clone(&self.connections);
        Arc::new(self.auth.clone().handler(connections))
    }

    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.queries)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.queries)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::new(DefaultCancelHandler::new(Arc::clone(&self.connections)))
    }
}

/// Checks statements, and passes them to `datafusion-postgres`.
struct Queries {
    service: DfSessionService,
    parser: Arc<CheckedParser>,
}

/// A prepared statement of `datafusion-postgres`: its text, and its plan.
type Prepared = (String, Option<(Statement, LogicalPlan)>);

/// Parses, plans and checks statements.
struct CheckedParser {
    parser: Arc<Parser>,
    rewriter: PostgresCompatibilityParser,
    context: Arc<SessionContext>,
    policy: Policy,
}

impl CheckedParser {
    /// Parses statements without rewriting them.
    fn statements(&self, text: &str) -> PgWireResult<Vec<Statement>> {
        SqlParser::parse_sql(&PostgreSqlDialect {}, text).map_err(syntax)
    }

    /// Returns the plan of an allowed statement; `None` for a statement that needs no plan.
    async fn check<C>(&self, client: &C, statement: &Statement) -> PgWireResult<Option<LogicalPlan>>
    where
        C: ClientInfo + ?Sized,
    {
        let transaction = client.transaction_status();
        let statement = match StatementKind::of(statement) {
            StatementKind::Client => return Ok(None),
            StatementKind::Write => statement.clone(),
            StatementKind::Query => {
                let text = statement.to_string();
                let rewritten = self.rewriter.parse(&text).map_err(syntax)?;
                match <[Statement; 1]>::try_from(rewritten) {
                    Ok([one]) if StatementKind::of(&one) == StatementKind::Query => one,
                    _ => return Err(permission_error("this statement is not supported")),
                }
            }
        };
        let plan = self
            .policy
            .plan(&self.context, statement, transaction)
            .await;
        plan.map(Some)
    }
}

fn syntax(error: datafusion::sql::sqlparser::parser::ParserError) -> PgWireError {
    PgWireError::ApiError(Box::new(error))
}

#[async_trait]
impl SimpleQueryHandler for Queries {
    async fn do_query<C>(&self, client: &mut C, text: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: fmt::Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statements = self.parser.statements(text)?;
        let writes = statements
            .iter()
            .any(|it| StatementKind::of(it) == StatementKind::Write);
        if writes && statements.len() > 1 {
            return Err(permission_error(
                "INSERT and DELETE of invitations cannot be rolled back, so each has to be sent alone",
            ));
        }
        let mut responses = Vec::new();
        for statement in statements {
            let plan = self.parser.check(client, &statement).await?;
            if let (StatementKind::Write, Some(plan)) = (StatementKind::of(&statement), plan) {
                responses.push(execute_write(&self.parser.context, &statement, plan).await?);
            } else {
                let text = statement.to_string();
                let service = &self.service;
                let answered =
                    <DfSessionService as SimpleQueryHandler>::do_query(service, client, &text);
                responses.extend(answered.await?);
            }
        }
        if responses.is_empty() {
            responses.push(Response::EmptyQuery);
        }
        Ok(responses)
    }
}

#[async_trait]
impl ExtendedQueryHandler for Queries {
    type Statement = Prepared;
    type QueryParser = CheckedParser;

    fn query_parser(&self) -> Arc<Self::QueryParser> {
        Arc::clone(&self.parser)
    }

    async fn do_query<C>(
        &self,
        client: &mut C,
        portal: &Portal<Self::Statement>,
        max_rows: usize,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: fmt::Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // The statement may have been prepared before a transaction began.
        if let (_, Some((statement, _))) = &portal.statement.statement {
            self.parser.check(client, statement).await?;
        }
        let service = &self.service;
        <DfSessionService as ExtendedQueryHandler>::do_query(service, client, portal, max_rows)
            .await
    }
}

#[async_trait]
impl QueryParser for CheckedParser {
    type Statement = Prepared;

    async fn parse_sql<C>(
        &self,
        client: &C,
        text: &str,
        types: &[Option<Type>],
    ) -> PgWireResult<Option<Self::Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let statement = match <[Statement; 1]>::try_from(self.statements(text)?) {
            Ok([one]) => one,
            Err(none) if none.is_empty() => return Ok(None),
            Err(_) => return Err(permission_error("a prepared statement is one statement")),
        };
        let plan = self.check(client, &statement).await?;
        match (StatementKind::of(&statement), plan) {
            (StatementKind::Write, Some(plan)) => {
                Ok(Some((text.to_owned(), Some((statement, plan)))))
            }
            _ => self.parser.parse_sql(client, text, types).await,
        }
    }

    fn get_parameter_types(&self, statement: &Self::Statement) -> PgWireResult<Vec<Type>> {
        self.parser.get_parameter_types(statement)
    }

    fn get_result_schema(
        &self,
        statement: &Self::Statement,
        format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        self.parser.get_result_schema(statement, format)
    }
}

/// Executes a write, and returns the number of rows.
async fn execute_write(
    context: &SessionContext,
    statement: &Statement,
    plan: LogicalPlan,
) -> PgWireResult<Response> {
    let frame = context
        .execute_logical_plan(plan)
        .await
        .map_err(internal_error)?;
    let batches = frame.collect().await.map_err(internal_error)?;
    let count: u64 = batches
        .iter()
        .filter_map(|batch| batch.column(0).as_primitive_opt::<UInt64Type>())
        .map(|counts| counts.values().iter().sum::<u64>())
        .sum();
    let tag = match statement {
        Statement::Insert(_) => Tag::new("INSERT").with_oid(0),
        _ => Tag::new("DELETE"),
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(Response::Execution(tag.with_rows(count)))
}

/// Executes prepared writes with their parameters.
#[derive(Debug)]
struct WriteHook;

#[async_trait]
impl QueryHook for WriteHook {
    async fn handle_simple_query(
        &self,
        statement: &Statement,
        _: &SessionContext,
        _: &mut dyn HookClient,
    ) -> Option<PgWireResult<Response>> {
        // Simple writes are executed before the hooks run.
        (StatementKind::of(statement) == StatementKind::Write)
            .then(|| Err(permission_error("not supported here")))
    }

    async fn handle_extended_parse_query(
        &self,
        _: &Statement,
        _: &SessionContext,
        _: &(dyn ClientInfo + Send + Sync),
    ) -> Option<PgWireResult<LogicalPlan>> {
        None
    }

    async fn handle_extended_query(
        &self,
        statement: &Statement,
        plan: &LogicalPlan,
        parameters: &ParamValues,
        context: &SessionContext,
        _: &mut dyn HookClient,
    ) -> Option<PgWireResult<Response>> {
        if StatementKind::of(statement) != StatementKind::Write {
            return None;
        }
        let plan = plan.clone().replace_params_with_values(parameters);
        Some(match plan {
            Ok(plan) => execute_write(context, statement, plan).await,
            Err(error) => Err(internal_error(error)),
        })
    }
}
