//! Several organisations of one vendor in one table.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use org_invitations::{
    Confluent, ErrorKind, InvitationProvider, NewInvitation, OrganizationProvider,
};
use org_invitations_sandbox::{Fault, Faults, Operation, Rule, Sandbox, SandboxBuilder};
use org_invitations_sql::{Table, WriteOptions, provider_error, session};

use crate::{
    fixture::{CONFLUENT, confluent},
    rows::render,
};

/// Two organisations, the profiles `blue` and `red`, in the tables `invitations`, `members` and [`CONFLUENT`].
struct Organizations {
    blue: Sandbox,
    red: Sandbox,
    context: SessionContext,
}

async fn start(builder: fn() -> SandboxBuilder) -> Organizations {
    let (blue, red) = (
        builder().start().await.unwrap(),
        builder().start().await.unwrap(),
    );
    let profiles = [("blue", confluent(&blue)), ("red", confluent(&red))];
    let of = |table: fn(Arc<dyn OrganizationProvider>) -> Table| {
        profiles
            .clone()
            .map(|(name, provider)| table(provider).profile(name))
    };
    let context = session();
    let options = WriteOptions::default().allow_remove_members(true);
    let invitations = of(|provider| Table::invitations(provider));
    let named = invitations.clone().map(|table| (Confluent::NAME, table));
    for (name, table) in [
        (CONFLUENT, Table::profiles_of(invitations)),
        ("invitations", Table::union_of(named)),
        ("members", Table::profiles_of(of(Table::members))),
    ] {
        let table = table.write_options(options.clone());
        table.register(&context, name).unwrap();
    }
    Organizations { blue, red, context }
}

impl Organizations {
    async fn run(&self, sql: &str) -> Result<Vec<String>, String> {
        let run = async {
            org_invitations_sql::sql(&self.context, sql)
                .await?
                .collect()
                .await
        };
        let mut rows = render(&run.await.map_err(|error| error.to_string())?);
        rows.sort();
        Ok(rows)
    }

    /// The number of requests and of changes of each.
    fn counts(&self) -> [(usize, usize); 2] {
        [&self.blue, &self.red].map(|sandbox| {
            let ledger = sandbox.ledger();
            (ledger.requests.len(), ledger.commits.len())
        })
    }
}

fn seeded() -> SandboxBuilder {
    Sandbox::builder().seed(2).seed_members(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_say_which_profile_they_are_of() {
    let both = start(seeded).await;
    let sql = format!("SELECT profile, id FROM {CONFLUENT}");
    let expected = [
        "blue | i-seed-1",
        "blue | i-seed-2",
        "red | i-seed-1",
        "red | i-seed-2",
    ];
    assert_eq!(both.run(&sql).await.unwrap(), expected);
    let sql = "SELECT provider, profile, count(*) FROM invitations GROUP BY 1, 2";
    let expected = ["confluent | blue | 2", "confluent | red | 2"];
    assert_eq!(both.run(sql).await.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_profiles_are_not_asked() {
    let both = start(seeded).await;
    let sql = "SELECT email FROM invitations WHERE profile = 'red'";
    assert_eq!(both.run(sql).await.unwrap().len(), 2);
    assert_eq!(both.counts(), [(0, 0), (1, 0)]);
    let sql = "SELECT email FROM invitations WHERE profile = 'green'";
    assert_eq!(both.run(sql).await.unwrap(), [""; 0]);
    assert_eq!(both.counts(), [(0, 0), (1, 0)]);
}

/// Both organisations have the same ids.
#[tokio::test(flavor = "multi_thread")]
async fn a_delete_reaches_the_profile_of_its_row() {
    let both = start(seeded).await;
    let sql = format!("DELETE FROM {CONFLUENT} WHERE id = 'i-seed-1' AND profile = 'red'");
    assert_eq!(both.run(&sql).await.unwrap(), ["1"]);
    assert_eq!(both.counts().map(|(_, commits)| commits), [0, 1]);
    let sql = "DELETE FROM invitations WHERE id = 'i-seed-2'";
    assert_eq!(both.run(sql).await.unwrap(), ["2"]);
    assert_eq!(both.counts().map(|(_, commits)| commits), [1, 2]);
    if !confluent(&both.blue).capabilities().members {
        return;
    }
    let sql = "DELETE FROM members WHERE profile = 'blue' AND name = 'member1'";
    assert_eq!(both.run(sql).await.unwrap(), ["1"]);
    let left = |sandbox: &Sandbox| {
        let members = sandbox.members().into_iter();
        let members = members.filter(|it| it.email == "member1@seeded.example");
        members
            .filter(|it| it.provider == org_invitations_sandbox::Provider::Confluent)
            .count()
    };
    assert_eq!((left(&both.blue), left(&both.red)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_says_which_profile_it_is_for() {
    let both = start(Sandbox::builder).await;
    let sql = format!("INSERT INTO {CONFLUENT} (profile, email) VALUES ('red', 'ann@example.com')");
    assert_eq!(both.run(&sql).await.unwrap(), ["1"]);
    assert_eq!(both.counts().map(|(_, commits)| commits), [0, 1]);
    for (columns, values) in [
        ("email", "'bob@example.com'"),
        ("profile, email", "'green', 'bob@example.com'"),
    ] {
        let sql = format!("INSERT INTO {CONFLUENT} ({columns}) VALUES ({values})");
        let error = both.run(&sql).await.unwrap_err();
        let words = "has to be one of confluent (profile blue), confluent (profile red)";
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(both.counts().map(|(_, commits)| commits), [0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_profiles_that_are_queried() {
    let both = start(seeded).await;
    let sql = format!("EXPLAIN SELECT id FROM {CONFLUENT} WHERE id = 'i-seed-1'");
    let plan = both.run(&sql).await.unwrap().join("\n");
    let expected = "InvitationsExec: confluent (profile blue): get i-seed-1 | \
                    confluent (profile red): get i-seed-1, rows=[id = 'i-seed-1'], columns=[id]";
    assert!(plan.contains(expected), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_says_which_profile_failed() {
    let both = start(seeded).await;
    let fault = |operation| Rule::new(Fault::status_before(403)).on(operation).always();
    let rules = [Operation::List, Operation::Create].map(fault);
    both.red.set_faults(Faults::script(rules));
    let error = both
        .context
        .sql("SELECT email FROM invitations")
        .await
        .unwrap();
    let error = error.collect().await.unwrap_err();
    let error = provider_error(&error).unwrap();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error.to_string().contains("confluent (profile red) list"),
        "{error}"
    );
    let sql = format!(
        "INSERT INTO {CONFLUENT} (profile, email) VALUES ('blue', 'ann@example.com'), \
         ('red', 'ann@example.com')"
    );
    let error = both.run(&sql).await.unwrap_err();
    assert!(
        error.contains("1 row went through, 1 row was refused"),
        "{error}"
    );
    assert!(
        error.contains("row 2 ann@example.com: confluent (profile red): "),
        "{error}"
    );
}

#[tokio::test]
async fn tables_that_do_not_belong_together_are_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox);
    let other = crate::fixture::clickhouse(&sandbox);
    let invitations = || Table::invitations(Arc::clone(&provider) as Arc<dyn InvitationProvider>);
    let members = Table::members(Arc::clone(&provider));
    let clickhouse = Table::invitations(other as Arc<dyn InvitationProvider>);
    let context = session();
    for (table, words) in [
        (
            Table::union_of([("one", invitations()), ("two", members)]),
            "both invitations and members",
        ),
        (
            Table::union_of([("one", invitations()), ("one", invitations())]),
            "two tables are one",
        ),
        (
            Table::profiles_of([invitations().profile("a"), invitations().profile("a")]),
            "two tables are confluent (profile a)",
        ),
        (
            Table::profiles_of([invitations().profile("a"), clickhouse.profile("b")]),
            "has one vendor",
        ),
    ] {
        let error = table.register(&context, "t").unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    // Without a profile there is no column for it.
    invitations().register(&context, "t").unwrap();
    let schema = context.table_provider("t").await.unwrap().schema();
    assert!(schema.field_with_name("profile").is_err());
    let new = NewInvitation::new("ann@example.com");
    provider.create(new).await.unwrap();
    assert_eq!(
        context
            .sql("SELECT id FROM t")
            .await
            .unwrap()
            .count()
            .await
            .unwrap(),
        1
    );
}
