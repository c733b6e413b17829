//! Plans as bytes: what another process reads of them, and what is not in them.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    error::{DataFusionError, Result},
    physical_plan::{ExecutionPlan, collect, displayable},
    prelude::SessionContext,
};
use datafusion_proto::bytes::{
    logical_plan_from_bytes_with_extension_codec as logical_from_bytes,
    logical_plan_to_bytes_with_extension_codec as logical_to_bytes,
    physical_plan_from_bytes_with_extension_codec as physical_from_bytes,
    physical_plan_to_bytes_with_extension_codec as physical_to_bytes,
};
use org_invitations::{Confluent, ErrorKind, OrganizationProvider};
use org_invitations_sandbox::Sandbox;
use org_invitations_sql::{
    Organizations, Table, TableCodec, WriteOptions, message, plan, provider_error, session, sql,
};

use crate::{
    fixture::{CONFLUENT, confluent},
    rows::render,
};

/// The configuration of a process that reads rows: the organisations of Confluent, by profile.
#[derive(Debug, Default)]
struct Configuration(HashMap<String, Arc<dyn OrganizationProvider>>);

impl Organizations for Configuration {
    fn organization(
        &self,
        provider: &str,
        profile: Option<&str>,
    ) -> org_invitations::Result<Option<Arc<dyn OrganizationProvider>>> {
        assert_eq!(provider, Confluent::NAME);
        Ok(profile.and_then(|name| self.0.get(name)).cloned())
    }
}

/// The organisations `blue` and `red`, each with three invitations and three members.
struct Processes {
    sandboxes: [(&'static str, Sandbox); 2],
    /// The session of the client, which has the credentials too.
    context: SessionContext,
}

impl Processes {
    async fn start() -> Self {
        let sandbox = || Sandbox::builder().seed(3).seed_members(3).start();
        let (blue, red) = (sandbox().await.unwrap(), sandbox().await.unwrap());
        let organizations = Self {
            sandboxes: [("blue", blue), ("red", red)],
            context: session(),
        };
        organizations.register("members", Table::members);
        organizations.register("role_bindings", Table::role_bindings);
        organizations.register(CONFLUENT, |provider| Table::invitations(provider));
        organizations
    }

    fn register(&self, name: &str, table: fn(Arc<dyn OrganizationProvider>) -> Table) {
        let tables = self.sandboxes.iter();
        let tables = tables.map(|(profile, sandbox)| table(confluent(sandbox)).profile(*profile));
        let options = WriteOptions::default().allow_remove_members(true);
        let table = Table::profiles_of(tables).write_options(options);
        table.register(&self.context, name).unwrap();
    }

    /// The codec of a process that has these profiles.
    fn reader(&self, profiles: &[&str]) -> TableCodec {
        let sandboxes = self.sandboxes.iter();
        let known = sandboxes.filter(|(profile, _)| profiles.contains(profile));
        let known = known.map(|(profile, sandbox)| ((*profile).to_owned(), confluent(sandbox)));
        TableCodec::default().organizations(Arc::new(Configuration(known.collect())))
    }

    /// Plans a statement in three steps, as Ballista does: the client sends a logical plan, a process without
    /// credentials makes the physical one of it, and the bytes of that are returned.
    async fn planned(&self, statement: &str) -> Result<Vec<u8>> {
        let mut statements = org_invitations_sql::parse(statement)?;
        let statement = statements.remove(0);
        let logical = plan(&self.context, statement).await?;
        let logical = self.context.state().optimize(&logical)?;
        let sent = logical_to_bytes(&logical, &TableCodec::default())?;
        self.assert_no_secret(&sent);
        let planner = session();
        let codec = TableCodec::default();
        let logical = logical_from_bytes(&sent, &planner.task_ctx(), &codec)?;
        let physical = planner.state().create_physical_plan(&logical).await?;
        let bytes = physical_to_bytes(physical, &codec)?.to_vec();
        self.assert_no_secret(&bytes);
        Ok(bytes)
    }

    /// Reads the rows of such a plan, in a process that has these profiles.
    async fn read(&self, bytes: &[u8], profiles: &[&str]) -> Result<Vec<String>> {
        let context = session().task_ctx();
        let plan = physical_from_bytes(bytes, &context, &self.reader(profiles))?;
        let mut rows = render(&collect(plan, context).await?);
        rows.sort();
        Ok(rows)
    }

    /// The rows in one process.
    async fn local(&self, statement: &str) -> Vec<String> {
        let rows = sql(&self.context, statement).await.unwrap();
        let mut rows = render(&rows.collect().await.unwrap());
        rows.sort();
        rows
    }

    fn assert_no_secret(&self, bytes: &[u8]) {
        for (_, sandbox) in &self.sandboxes {
            let key = &sandbox.credentials().confluent;
            for secret in [key.api_key.as_str(), key.api_secret.as_str(), sandbox.url()] {
                let found = bytes
                    .windows(secret.len())
                    .any(|it| it == secret.as_bytes());
                assert!(!found, "{secret} in {}", String::from_utf8_lossy(bytes));
            }
        }
    }

    /// The queries of the lists that were sent, and how many changes were made.
    fn sent(&self) -> (Vec<String>, usize) {
        let ledgers = self.sandboxes.each_ref();
        let ledgers = ledgers.map(|(_, sandbox)| sandbox.ledger());
        let requests = ledgers.iter().flat_map(|ledger| &ledger.requests);
        let queries = requests.map(|request| request.query.clone()).collect();
        let commits = ledgers.iter().map(|ledger| ledger.commits.len()).sum();
        (queries, commits)
    }
}

fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(&**plan).indent(false).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_reads_the_same_rows() {
    let both = Processes::start().await;
    let invitations = [
        format!("SELECT * FROM {CONFLUENT}"),
        format!("SELECT count(*) FROM {CONFLUENT}"),
        format!("SELECT profile, id FROM {CONFLUENT} WHERE email = 'user2@seeded.example'"),
        format!("SELECT id FROM {CONFLUENT} WHERE profile = 'red' AND email LIKE 'user%'"),
        format!("SELECT extra FROM {CONFLUENT} WHERE id IN ('i-seed-1', 'i-seed-3', 'i-none')"),
        format!("SELECT a.id FROM {CONFLUENT} a JOIN {CONFLUENT} b ON a.email = b.email"),
        format!("SELECT profile FROM {CONFLUENT} WHERE id = 'x' AND id = 'y'"),
    ];
    let mut statements = invitations.to_vec();
    if confluent(&both.sandboxes[0].1).capabilities().members {
        statements.push("SELECT * FROM members WHERE name <> 'member2'".to_owned());
        statements.push("SELECT * FROM role_bindings WHERE email IS NOT NULL".to_owned());
    }
    for statement in statements {
        let expected = both.local(&statement).await;
        let bytes = both.planned(&statement).await.unwrap();
        let rows = both.read(&bytes, &["blue", "red"]).await;
        assert_eq!(rows.unwrap(), expected, "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_columns_and_limit_travel() {
    let both = Processes::start().await;
    let statement =
        format!("SELECT email FROM {CONFLUENT} WHERE email = 'user2@seeded.example' LIMIT 1");
    let bytes = both.planned(&statement).await.unwrap();
    assert_eq!(both.sent().0, [""; 0]);
    let context = session().task_ctx();
    let plan = physical_from_bytes(&bytes, &context, &both.reader(&["blue", "red"])).unwrap();
    let text = shown(&plan);
    let scan = "InvitationsExec: 2 by name, rows=[email = 'user2@seeded.example'], columns=[email], limit=1";
    assert!(text.contains(scan), "{text}");
    // Nothing is lost where a process hands the plan on.
    let again = physical_to_bytes(plan, &TableCodec::default()).unwrap();
    assert_eq!(again, bytes);
    let rows = both.read(&again, &["blue", "red"]).await.unwrap();
    assert_eq!(rows, ["user2@seeded.example"]);
    let (queries, _) = both.sent();
    assert!(!queries.is_empty());
    for query in queries {
        assert!(query.contains("email=user2%40seeded.example"), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_a_process_does_not_know_is_named() {
    let both = Processes::start().await;
    let statement = format!("SELECT id FROM {CONFLUENT}");
    let bytes = both.planned(&statement).await.unwrap();
    let error = both.read(&bytes, &["blue"]).await.unwrap_err();
    let cause = provider_error(&error).unwrap();
    assert_eq!(cause.kind(), ErrorKind::Config);
    let words = "the plan names confluent (profile red), which the configuration of this process \
                 does not have";
    assert!(message(&error).contains(words), "{error}");
    let only_blue = format!("{statement} WHERE profile = 'blue'");
    let bytes = both.planned(&only_blue).await.unwrap();
    assert_eq!(both.read(&bytes, &["blue"]).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_plans_reads_no_rows() {
    let both = Processes::start().await;
    let bytes = both.planned(&format!("SELECT id FROM {CONFLUENT}")).await;
    let context = session().task_ctx();
    let plan = physical_from_bytes(&bytes.unwrap(), &context, &TableCodec::default()).unwrap();
    let error = collect(plan, context).await.unwrap_err();
    let words = "has no credentials to read confluent (profile";
    assert!(message(&error).contains(words), "{error}");
    assert_eq!(both.sent().0, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_refused() {
    let both = Processes::start().await;
    let insert =
        format!("INSERT INTO {CONFLUENT} (profile, email) VALUES ('red', 'ann@example.com')");
    let delete = format!("DELETE FROM {CONFLUENT} WHERE id = 'i-seed-1'");
    let refused = |error: DataFusionError| {
        let error = error.to_string();
        assert!(
            error.contains("a distributed session only reads"),
            "{error}"
        );
    };
    for statement in [&insert, &delete] {
        refused(both.planned(statement).await.unwrap_err());
        let dry_run = format!("{statement} DRY RUN");
        refused(both.planned(&dry_run).await.unwrap_err());
        // The plan of a process that could write.
        let local = sql(&both.context, statement).await.unwrap();
        let local = local.create_physical_plan().await.unwrap();
        refused(physical_to_bytes(local, &TableCodec::default()).unwrap_err());
    }
    assert_eq!(both.sent().1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_others_are_an_error() {
    use datafusion::common::TableReference;
    use datafusion_proto::logical_plan::LogicalExtensionCodec;

    let context = session().task_ctx();
    let schema = Arc::new(datafusion::arrow::datatypes::Schema::empty());
    for (bytes, words) in [
        (&b""[..], "were not written by a `TableCodec`"),
        (&b"\x02{}"[..], "were not written by a `TableCodec`"),
        (
            &b"\x01{\"kind\":\"Members\"}"[..],
            "perhaps of another version",
        ),
        (&b"\x00"[..], "LogicalExtensionCodec is not provided"),
    ] {
        let codec = TableCodec::default();
        let name = TableReference::bare("t");
        let error = codec.try_decode_table_provider(bytes, &name, schema.clone(), &context);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
