//! What one connection is answered.

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
    login::Login,
    policy::{Kind, Policy, failure, refusal},
};

/// The handlers of one connection.
pub(super) struct Connection {
    login: Login,
    connections: Arc<ConnectionManager>,
    queries: Arc<Queries>,
}

impl Connection {
    pub fn new(
        context: SessionContext,
        policy: Policy,
        login: Login,
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
            login,
            connections,
            queries: Arc::new(Queries { service, parser }),
        }
    }
}

impl PgWireServerHandlers for Connection {
    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        let connections = Arc::clone(&self.connections);
        Arc::new(self.login.clone().handler(connections))
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

/// Checks statements, and has them answered.
struct Queries {
    service: DfSessionService,
    parser: Arc<CheckedParser>,
}

/// As `datafusion-postgres` keeps a statement: its text, and what was made of it.
type Prepared = (String, Option<(Statement, LogicalPlan)>);

/// Parses, plans and checks.
struct CheckedParser {
    parser: Arc<Parser>,
    rewriter: PostgresCompatibilityParser,
    context: Arc<SessionContext>,
    policy: Policy,
}

impl CheckedParser {
    /// The statements as they were sent.
    fn statements(&self, text: &str) -> PgWireResult<Vec<Statement>> {
        SqlParser::parse_sql(&PostgreSqlDialect {}, text).map_err(syntax)
    }

    /// The plan of a statement that is allowed; `None` for one that needs none.
    async fn check<C>(&self, client: &C, statement: &Statement) -> PgWireResult<Option<LogicalPlan>>
    where
        C: ClientInfo + ?Sized,
    {
        let transaction = client.transaction_status();
        let statement = match Kind::of(statement) {
            Kind::Client => return Ok(None),
            Kind::Write => statement.clone(),
            Kind::Query => {
                let text = statement.to_string();
                let rewritten = self.rewriter.parse(&text).map_err(syntax)?;
                match <[Statement; 1]>::try_from(rewritten) {
                    Ok([one]) if Kind::of(&one) == Kind::Query => one,
                    _ => return Err(refusal("this statement is not supported")),
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
        let writes = statements.iter().any(|it| Kind::of(it) == Kind::Write);
        if writes && statements.len() > 1 {
            return Err(refusal(
                "INSERT and DELETE of invitations cannot be rolled back, so each has to be sent alone",
            ));
        }
        let mut responses = Vec::new();
        for statement in statements {
            let plan = self.parser.check(client, &statement).await?;
            if let (Kind::Write, Some(plan)) = (Kind::of(&statement), plan) {
                responses.push(write(&self.parser.context, &statement, plan).await?);
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
        // It was prepared earlier, perhaps before a transaction began.
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
            Err(_) => return Err(refusal("a prepared statement is one statement")),
        };
        let plan = self.check(client, &statement).await?;
        match (Kind::of(&statement), plan) {
            (Kind::Write, Some(plan)) => Ok(Some((text.to_owned(), Some((statement, plan))))),
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

/// Carries out a statement that writes, and answers with the number of rows.
async fn write(
    context: &SessionContext,
    statement: &Statement,
    plan: LogicalPlan,
) -> PgWireResult<Response> {
    let frame = context.execute_logical_plan(plan).await.map_err(failure)?;
    let batches = frame.collect().await.map_err(failure)?;
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

/// Carries out prepared statements that write, once their parameters are there.
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
        // These were carried out before they came here.
        (Kind::of(statement) == Kind::Write).then(|| Err(refusal("not supported here")))
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
        if Kind::of(statement) != Kind::Write {
            return None;
        }
        let plan = plan.clone().replace_params_with_values(parameters);
        Some(match plan {
            Ok(plan) => write(context, statement, plan).await,
            Err(error) => Err(failure(error)),
        })
    }
}
