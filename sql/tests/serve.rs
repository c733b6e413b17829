//! The PostgreSQL protocol and its permissions, with a published client and `psql`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{net::SocketAddr, sync::Arc};

use org_invitations::{ClickHouse, Confluent, InvitationProvider, NewInvitation};
use org_invitations_sandbox::Sandbox;
use org_invitations_sql::{
    Table,
    serve::{Server, ServerBuilder},
};
use tokio::{process::Command, task::JoinHandle};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

const PASSWORD: &str = "open sesame";

/// A server over a sandbox with three invitations on each side.
struct Fixture {
    sandbox: Sandbox,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn fixture(set_up: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Fixture {
    let sandbox = Sandbox::start().await.unwrap();
    let (confluent, clickhouse) = providers(&sandbox);
    for name in ["ann", "bob", "carl"] {
        for provider in [&confluent, &clickhouse] {
            let new = NewInvitation::new(format!("{name}@example.com"));
            provider.create(new).await.unwrap();
        }
    }
    let builder = Server::builder(PASSWORD)
        .table(
            "confluent.iam.invitations",
            Table::invitations(Arc::clone(&confluent)),
        )
        .table(
            "clickhouse.members.invitations",
            Table::invitations(Arc::clone(&clickhouse)),
        )
        .table(
            "invitations",
            Table::union_of([
                ("confluent", Table::invitations(confluent)),
                ("clickhouse", Table::invitations(clickhouse)),
            ]),
        );
    let server = set_up(builder)
        .bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = server.address().unwrap();
    let server = tokio::spawn(async move {
        server.run_until(std::future::pending()).await.unwrap();
    });
    Fixture {
        sandbox,
        address,
        server,
    }
}

fn providers(sandbox: &Sandbox) -> (Arc<dyn InvitationProvider>, Arc<dyn InvitationProvider>) {
    let key = &sandbox.credentials().confluent;
    let confluent = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()
        .unwrap();
    let key = &sandbox.credentials().clickhouse;
    let clickhouse = ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()
        .unwrap();
    (Arc::new(confluent), Arc::new(clickhouse))
}

impl Fixture {
    async fn connect(&self, password: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host(self.address.ip().to_string())
            .port(self.address.port())
            .user("anybody")
            .dbname("datafusion");
        if !password.is_empty() {
            config.password(password);
        }
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn client(&self) -> Client {
        self.connect(PASSWORD).await.unwrap()
    }

    /// The number of changes since the fixture was created.
    fn changes(&self) -> usize {
        self.sandbox.ledger().commits.len() - 6
    }
}

fn database_message(error: &tokio_postgres::Error) -> String {
    error.as_db_error().unwrap().message().to_owned()
}

/// The first column of the rows.
async fn column(client: &Client, statement: &str) -> Vec<String> {
    let messages = client.simple_query(statement).await.unwrap();
    let mut values: Vec<String> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("").to_owned()),
            _ => None,
        })
        .collect();
    values.sort();
    values
}

#[tokio::test]
async fn connections_need_the_password() {
    let fixture = fixture(|builder| builder).await;
    for password in ["", "wrong", "open sesame "] {
        let refused = fixture.connect(password).await;
        assert!(refused.is_err(), "{password:?} got in");
    }
    let client = fixture.client().await;
    assert_eq!(column(&client, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn a_server_needs_a_password_and_is_local_by_default() {
    let anywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let here: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let refused = Server::builder("").bind(here).await.err().unwrap();
    assert!(refused.to_string().contains("password"), "{refused}");
    let refused = Server::builder("x").bind(anywhere).await.err().unwrap();
    assert!(refused.to_string().contains("other machines"), "{refused}");
    let allowed = Server::builder("x").allow_remote(true).bind(anywhere).await;
    assert!(allowed.is_ok());
}

#[tokio::test]
async fn queries_and_their_parameters_are_answered() {
    let fixture = fixture(|builder| builder).await;
    let client = fixture.client().await;
    let all = column(&client, "SELECT email FROM confluent.iam.invitations").await;
    assert_eq!(
        all,
        ["ann@example.com", "bob@example.com", "carl@example.com"]
    );
    let statement = "SELECT email, status, created_at FROM invitations WHERE email = $1 AND \
                     provider = $2";
    let rows = client
        .query(statement, &[&"bob@example.com", &"clickhouse"])
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, &str>("email"), "bob@example.com");
    assert_eq!(rows[0].get::<_, &str>("status"), "sent");
    // A parameter is never parsed as SQL.
    let rows = client
        .query(statement, &[&"x' OR '1'='1", &"clickhouse"])
        .await
        .unwrap();
    assert!(rows.is_empty());
}

#[tokio::test]
async fn by_default_nothing_can_be_changed() {
    let fixture = fixture(|builder| builder).await;
    let client = fixture.client().await;
    for statement in [
        "INSERT INTO confluent.iam.invitations (email) VALUES ('dora@example.com')",
        "DELETE FROM confluent.iam.invitations WHERE email = 'ann@example.com'",
        "UPDATE confluent.iam.invitations SET email = 'x'",
        "TRUNCATE TABLE confluent.iam.invitations",
        "EXPLAIN ANALYZE DELETE FROM invitations WHERE email = 'ann@example.com'",
        "CREATE TABLE copied AS SELECT * FROM invitations",
        "CREATE VIEW shown AS SELECT * FROM invitations",
        "DROP TABLE invitations",
        "PREPARE p AS DELETE FROM invitations WHERE email = 'ann@example.com'",
        "DECLARE c CURSOR FOR DELETE FROM invitations WHERE email = 'ann@example.com'",
        "WITH gone AS (DELETE FROM invitations WHERE email = 'ann@example.com') SELECT 1",
        "SET datafusion.execution.batch_size = 1",
    ] {
        for refused in [
            client.simple_query(statement).await.err(),
            client.query(statement, &[]).await.err(),
        ] {
            assert!(refused.is_some(), "{statement} was carried out");
        }
    }
    assert_eq!(fixture.changes(), 0);
}

#[tokio::test]
async fn writes_are_executed_if_they_are_allowed() {
    let fixture = fixture(|builder| builder.allow_writes(true)).await;
    let client = fixture.client().await;
    let insert = "INSERT INTO confluent.iam.invitations (email) VALUES ($1)";
    assert_eq!(
        client
            .execute(insert, &[&"dora@example.com"])
            .await
            .unwrap(),
        1
    );
    let delete = "DELETE FROM confluent.iam.invitations WHERE email = $1";
    assert_eq!(
        client
            .execute(delete, &[&"dora@example.com"])
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        client
            .execute(delete, &[&"nobody@example.com"])
            .await
            .unwrap(),
        0
    );
    assert_eq!(fixture.changes(), 2);
    // The condition has a subquery in the place of a value, which a rewriter might touch.
    let delete = "DELETE FROM confluent.iam.invitations WHERE email NOT IN (SELECT (SELECT \
                  max(email) FROM clickhouse.members.invitations))";
    let messages = client.simple_query(delete).await.unwrap();
    assert!(
        matches!(messages[..], [SimpleQueryMessage::CommandComplete(2)]),
        "{messages:?}"
    );
    let left = column(&client, "SELECT email FROM confluent.iam.invitations").await;
    assert_eq!(left, ["carl@example.com"]);
    let everything = client.simple_query("DELETE FROM invitations").await;
    let refused = everything.err().unwrap();
    assert!(
        database_message(&refused).contains("DELETE without WHERE"),
        "{refused}"
    );
    assert_eq!(fixture.changes(), 4);
}

#[tokio::test]
async fn writes_are_refused_in_a_transaction() {
    let fixture = fixture(|builder| builder.allow_writes(true)).await;
    let client = fixture.client().await;
    let delete = "DELETE FROM invitations WHERE email = 'ann@example.com'";
    for together in [
        format!("BEGIN; {delete}; ROLLBACK"),
        format!("{delete}; SELECT * FROM missing"),
    ] {
        assert!(client.simple_query(&together).await.is_err());
    }
    client.simple_query("BEGIN").await.unwrap();
    let refused = client.simple_query(delete).await.err().unwrap();
    assert!(
        database_message(&refused).contains("rolled back"),
        "{refused}"
    );
    client.simple_query("ROLLBACK").await.unwrap();
    // Prepared outside, executed inside.
    let prepared = client.prepare(delete).await.unwrap();
    client.simple_query("BEGIN").await.unwrap();
    assert!(client.execute(&prepared, &[]).await.is_err());
    client.simple_query("ROLLBACK").await.unwrap();
    assert_eq!(fixture.changes(), 0);
    assert_eq!(client.execute(&prepared, &[]).await.unwrap(), 2);
    assert_eq!(fixture.changes(), 2);
}

#[tokio::test]
async fn no_file_is_read_or_written() {
    let fixture = fixture(|builder| builder.allow_writes(true)).await;
    let client = fixture.client().await;
    let folder = tempfile::tempdir().unwrap();
    let roster = folder.path().join("roster.csv");
    std::fs::write(&roster, "email\nann@example.com\n").unwrap();
    let written = folder.path().join("written.csv");
    let (roster, written) = (roster.display(), written.display());
    for statement in [
        format!("SELECT * FROM '{roster}'"),
        format!("SELECT * FROM \"{roster}\""),
        format!("CREATE EXTERNAL TABLE roster STORED AS CSV LOCATION '{roster}'"),
        format!("COPY (SELECT 1) TO '{written}'"),
        format!("COPY invitations TO '{written}'"),
        format!("COPY invitations FROM '{roster}'"),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{written}' STORED AS CSV"),
        format!("DELETE FROM invitations WHERE email IN (SELECT email FROM '{roster}')"),
    ] {
        assert!(
            client.simple_query(&statement).await.is_err(),
            "{statement} was carried out"
        );
        assert!(
            client.query(&statement, &[]).await.is_err(),
            "{statement} was carried out"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fixture.changes(), 0);
}

#[tokio::test]
async fn settings_are_per_connection() {
    let fixture = fixture(|builder| builder).await;
    let (one, other) = (fixture.client().await, fixture.client().await);
    one.simple_query("SET TIME ZONE 'Asia/Tokyo'")
        .await
        .unwrap();
    assert_eq!(column(&one, "SHOW TIME ZONE").await, ["Asia/Tokyo"]);
    assert_ne!(column(&other, "SHOW TIME ZONE").await, ["Asia/Tokyo"]);
}

#[tokio::test]
async fn a_provider_error_has_its_status_and_request_id() {
    let fixture = fixture(|builder| builder).await;
    let client = fixture.client().await;
    fixture.sandbox.set_faults(failing_lists());
    let statement = "SELECT email FROM confluent.iam.invitations";
    let error = client.simple_query(statement).await.err().unwrap();
    let message = database_message(&error);
    let id = &fixture
        .sandbox
        .ledger()
        .requests
        .last()
        .unwrap()
        .request_id
        .clone();
    assert!(message.contains("confluent list"), "{message}");
    assert!(
        message.contains("status 501") && message.contains(id),
        "{message}"
    );
}

fn failing_lists() -> org_invitations_sandbox::Faults {
    use org_invitations_sandbox::{Fault, Faults, Operation, Rule};
    Faults::script([Rule::new(Fault::status_before(501))
        .on(Operation::List)
        .always()])
}

/// What `psql` prints for these statements; `None` where there is none.
async fn psql(fixture: &Fixture, statements: &[&str]) -> Option<String> {
    let mut command = Command::new("psql");
    command
        .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .args(["-h", &fixture.address.ip().to_string()])
        .args(["-p", &fixture.address.port().to_string()])
        .args(["-U", "anybody", "-d", "datafusion"])
        .env("PGPASSWORD", PASSWORD);
    for statement in statements {
        command.args(["-c", statement]);
    }
    let output = match command.output().await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no psql (Debian's package postgresql-client)");
            return None;
        }
        output => output.unwrap(),
    };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_runs_the_same_statements() {
    let fixture = fixture(|builder| builder.allow_writes(true)).await;
    let key = "email = 'dora@example.com'";
    let statements = [
        "INSERT INTO confluent.iam.invitations (email, auth_type) VALUES ('dora@example.com', 'local')",
        &format!("SELECT email, auth_type, status FROM confluent.iam.invitations WHERE {key}"),
        "SELECT count(*) FROM invitations",
        "SELECT email FROM confluent.iam.invitations WHERE email NOT IN (SELECT email FROM \
         clickhouse.members.invitations)",
        &format!("DELETE FROM invitations WHERE {key}"),
        "SELECT provider, count(*) FROM invitations GROUP BY provider ORDER BY provider",
    ];
    let Some(printed) = psql(&fixture, &statements).await else {
        return;
    };
    let expected = "INSERT 0 1\n\
                  dora@example.com|local|sent\n\
                  7\n\
                  dora@example.com\n\
                  DELETE 1\n\
                  clickhouse|3\nconfluent|3\n";
    assert_eq!(printed, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_lists_the_tables() {
    let fixture = fixture(|builder| builder).await;
    let Some(printed) = psql(&fixture, &["\\dt"]).await else {
        return;
    };
    for table in [
        "iam|invitations",
        "members|invitations",
        "public|invitations",
    ] {
        assert!(printed.contains(table), "{printed}");
    }
}
