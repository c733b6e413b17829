//! A sandbox with a session, which records the requests and changes of a statement.

use std::{sync::Arc, time::Duration};

use datafusion::{
    arrow::record_batch::RecordBatch,
    error::{DataFusionError, Result},
    prelude::SessionContext,
};
use org_invitations::{
    ClickHouse, Confluent, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation,
    OrganizationProvider, RemovalLimit, RetryPolicy,
};
use org_invitations_sandbox::{Ledger, Provider, Sandbox, SandboxBuilder};
use org_invitations_sql::{Table, WriteOptions, session};

use crate::rows::render;

pub const CONFLUENT: &str = "confluent.iam.invitations";
pub const CLICKHOUSE: &str = "clickhouse.members.invitations";

/// A sandbox, and a session in which its invitations are the tables [`CONFLUENT`], [`CLICKHOUSE`] and
/// `invitations`, which has both.
pub struct Fixture {
    pub sandbox: Sandbox,
    pub confluent: Arc<dyn OrganizationProvider>,
    pub clickhouse: Arc<dyn OrganizationProvider>,
    pub context: SessionContext,
}

/// The result of a statement.
#[derive(Debug)]
pub struct StatementRun {
    pub result: Result<Vec<RecordBatch>>,
    /// The requests, such as `confluent list email=ann%40example.com`.
    pub requests: Vec<String>,
    /// The changes, such as `delete confluent ann@example.com`; sorted.
    pub commits: Vec<String>,
}

impl Fixture {
    /// Nobody is invited.
    pub async fn empty() -> Self {
        Self::seeded(0).await
    }

    /// `user1@seeded.example` and so on are invited on both.
    pub async fn seeded(count: u64) -> Self {
        let options = WriteOptions::default().max_deletes(RemovalLimit::none());
        Self::with(count, options).await
    }

    pub async fn with(count: u64, options: WriteOptions) -> Self {
        Self::of(Sandbox::builder().seed(count), options).await
    }

    pub async fn of(sandbox: SandboxBuilder, options: WriteOptions) -> Self {
        let sandbox = sandbox.start().await.unwrap();
        let confluent = confluent(&sandbox);
        let clickhouse = clickhouse(&sandbox);
        let context = session();
        let fixture = Self {
            sandbox,
            confluent,
            clickhouse,
            context,
        };
        fixture.register_in(&fixture.context, options);
        fixture
    }

    /// Registers the three tables.
    pub fn register_in(&self, context: &SessionContext, options: WriteOptions) {
        for (name, table) in self.tables() {
            let table = table.write_options(options.clone());
            table.register(context, name).unwrap();
        }
    }

    /// The three tables and their names.
    pub fn tables(&self) -> [(&'static str, Table); 3] {
        let (confluent, clickhouse) = (&self.confluent, &self.clickhouse);
        let confluent = Table::invitations(Arc::clone(confluent) as _);
        let clickhouse = Table::invitations(Arc::clone(clickhouse) as _);
        let both = [
            ("confluent", confluent.clone()),
            ("clickhouse", clickhouse.clone()),
        ];
        [
            (CONFLUENT, confluent),
            (CLICKHOUSE, clickhouse),
            ("invitations", Table::union_of(both)),
        ]
    }

    /// `member1@seeded.example` and so on are members of both, each as Developer on ClickHouse and without roles on
    /// Confluent. The tables of members, roles and role bindings are registered too. `None` where the documents of this
    /// build have no members or roles.
    pub async fn with_members(count: u64, options: WriteOptions) -> Option<Self> {
        let sandbox = Sandbox::builder().seed_members(count);
        let fixture = Self::of(sandbox, options.clone()).await;
        let (one, other) = (
            fixture.confluent.capabilities(),
            fixture.clickhouse.capabilities(),
        );
        if !(one.members && other.members && other.roles && other.list_roles) {
            return None;
        }
        for (name, table) in fixture.organization_tables() {
            let table = table.write_options(options.clone());
            table.register(&fixture.context, name).unwrap();
        }
        Some(fixture)
    }

    /// The tables of members, roles and role bindings, and their names.
    pub fn organization_tables(&self) -> Vec<(String, Table)> {
        type Constructor = fn(Arc<dyn OrganizationProvider>) -> Table;
        let kinds: [(&str, Constructor); 2] = [
            ("members", Table::members),
            ("role_bindings", Table::role_bindings),
        ];
        let mut tables = Vec::new();
        for (kind, table) in kinds {
            let confluent = table(Arc::clone(&self.confluent));
            let clickhouse = table(Arc::clone(&self.clickhouse));
            let both = [
                ("confluent", confluent.clone()),
                ("clickhouse", clickhouse.clone()),
            ];
            tables.push((format!("confluent.iam.{kind}"), confluent));
            tables.push((format!("clickhouse.members.{kind}"), clickhouse));
            tables.push((kind.to_owned(), Table::union_of(both)));
        }
        let roles = Table::roles(Arc::clone(&self.clickhouse));
        tables.push(("clickhouse.members.roles".to_owned(), roles));
        tables
    }

    /// Invites without SQL.
    pub async fn invite(&self, provider: Provider, emails: &[&str]) {
        for email in emails {
            let new = NewInvitation::new(*email);
            self.provider(provider).create(new).await.unwrap();
        }
    }

    pub fn provider(&self, provider: Provider) -> &dyn InvitationProvider {
        match provider {
            Provider::Confluent => &*self.confluent,
            Provider::ClickHouse => &*self.clickhouse,
            other => panic!("{other:?}"),
        }
    }

    /// The id of the invitation of an address.
    pub async fn id(&self, provider: Provider, email: &str) -> String {
        let found = self.provider(provider).find_by_email(email).await.unwrap();
        found.unwrap().id.to_string()
    }

    /// All invitations, read without SQL.
    pub async fn all(&self, provider: Provider) -> Vec<org_invitations::Invitation> {
        use futures::TryStreamExt;
        let list = self.provider(provider).list(ListQuery::new());
        list.try_collect().await.unwrap()
    }

    /// The addresses of all invitations, sorted.
    pub fn left(&self, provider: Provider) -> Vec<String> {
        let there = self.sandbox.invitations().into_iter();
        let there = there.filter(|entry| entry.provider == provider);
        let mut emails: Vec<String> = there.map(|entry| entry.email).collect();
        emails.sort();
        emails
    }

    /// Runs a statement in this session.
    pub async fn run(&self, sql: &str) -> StatementRun {
        self.run_in(&self.context, sql).await
    }

    /// Runs a statement in another session.
    pub async fn run_in(&self, context: &SessionContext, sql: &str) -> StatementRun {
        self.watch(async {
            org_invitations_sql::sql(context, sql)
                .await?
                .collect()
                .await
        })
        .await
    }

    /// Records the requests and changes of `work`.
    pub async fn watch(
        &self,
        work: impl Future<Output = Result<Vec<RecordBatch>>>,
    ) -> StatementRun {
        let before = self.sandbox.ledger();
        let result = work.await;
        let after = self.sandbox.ledger();
        let (requests, commits) = news(&before, &after);
        StatementRun {
            result,
            requests,
            commits,
        }
    }

    /// The rows of a successful statement, sorted.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        self.run(sql).await.rows()
    }

    /// The error of a statement that is refused, for which nothing is sent.
    pub async fn refused(&self, sql: &str) -> String {
        let run = self.run(sql).await;
        assert_eq!(run.requests, [""; 0], "{sql}: nothing may be sent");
        run.error().to_string()
    }
}

impl StatementRun {
    /// The rows, sorted; with ` | ` between the columns.
    #[track_caller]
    pub fn rows(&self) -> Vec<String> {
        let mut rows = self.ordered();
        rows.sort();
        rows
    }

    /// The rows in their order.
    #[track_caller]
    pub fn ordered(&self) -> Vec<String> {
        match &self.result {
            Ok(batches) => render(batches),
            Err(error) => panic!("{error}\nafter {:#?}", self.requests),
        }
    }

    /// The only number of the only row.
    #[track_caller]
    pub fn count(&self) -> u64 {
        let rows = self.ordered();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows[0].parse().unwrap()
    }

    #[track_caller]
    pub fn error(&self) -> &DataFusionError {
        match &self.result {
            Ok(batches) => panic!("it went through: {:?}", render(batches)),
            Err(error) => error,
        }
    }
}

/// Short waits, and otherwise the defaults.
fn impatient() -> RetryPolicy {
    RetryPolicy::default()
        .initial_delay(Duration::from_millis(5))
        .max_delay(Duration::from_millis(50))
        .settle_for(Duration::from_millis(60))
}

pub fn confluent(sandbox: &Sandbox) -> Arc<dyn OrganizationProvider> {
    let key = &sandbox.credentials().confluent;
    let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
    let builder = builder
        .base_url(sandbox.url())
        .rate_limit(1_000, Duration::from_millis(100))
        .retry(impatient());
    Arc::new(builder.build().unwrap())
}

pub fn clickhouse(sandbox: &Sandbox) -> Arc<dyn OrganizationProvider> {
    let key = &sandbox.credentials().clickhouse;
    let builder = ClickHouse::builder(&key.organization_id);
    let builder = builder
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .rate_limit(1_000, Duration::from_millis(100))
        .retry(impatient());
    Arc::new(builder.build().unwrap())
}

/// The requests and changes that were added between two ledgers.
fn news(before: &Ledger, after: &Ledger) -> (Vec<String>, Vec<String>) {
    let requests = after.requests[before.requests.len()..].iter().map(|sent| {
        let provider = sent.provider.map_or("elsewhere", name);
        let operation = match sent.operation {
            Some("listIamV2Invitations" | "invitationGetList") => "list",
            Some("getIamV2Invitation" | "invitationGet") => "get",
            Some("createIamV2Invitation" | "invitationCreate") => "create",
            Some("deleteIamV2Invitation" | "invitationDelete") => "delete",
            Some("listIamV2Users" | "memberGetList") => "members",
            Some("getIamV2User" | "memberGet") => "member",
            Some("memberUpdate") => "update",
            Some("deleteIamV2User" | "memberDelete") => "remove",
            Some("listIamV2RoleBindings") => "bindings",
            Some("createIamV2RoleBinding") => "bind",
            Some("deleteIamV2RoleBinding") => "unbind",
            Some("listOrgV2Organizations") => "organizations",
            Some("organizationRolesGetList") => "roles",
            other => panic!("{other:?}: {} {}", sent.method, sent.path),
        };
        let mut words = vec![provider.to_owned(), operation.to_owned()];
        if matches!(
            operation,
            "get" | "delete" | "member" | "update" | "remove" | "unbind"
        ) {
            words.extend(sent.path.rsplit('/').next().map(str::to_owned));
        }
        let parameters = sent.query.split('&').filter(|it| !it.is_empty());
        // The page size of every list is omitted, and the pattern of the organisation.
        let parameters = parameters.filter(|it| *it != "page_size=99");
        let parameters = parameters.filter(|it| !it.starts_with("crn_pattern="));
        words.extend(parameters.map(|parameter| {
            let is_token = parameter.starts_with("page_token=");
            if is_token { "page_token" } else { parameter }.to_owned()
        }));
        words.join(" ")
    });
    let commits = after.commits[before.commits.len()..].iter().map(|commit| {
        let change = format!("{:?}", commit.operation).to_lowercase();
        format!("{change} {} {}", name(commit.provider), commit.email)
    });
    let mut commits: Vec<String> = commits.collect();
    commits.sort();
    (requests.collect(), commits)
}

fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Confluent => "confluent",
        Provider::ClickHouse => "clickhouse",
        other => panic!("{other:?}"),
    }
}

/// The addresses of seeded invitations, sorted as text is.
pub fn users(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    let address = |number| format!("user{number}@seeded.example");
    let mut users: Vec<String> = numbers.into_iter().map(address).collect();
    users.sort();
    users
}
