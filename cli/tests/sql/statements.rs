//! Statements from the command line, a file and a pipe.

use std::{process::Stdio, time::Duration};

use org_invitations_sandbox::{Fault, Faults, Operation, Rule};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::world::{World, command, run, text, with};

const PEOPLE: [&str; 3] = ["ann@example.com", "bob@example.com", "carl@example.com"];

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_printed_in_every_format() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE[..2]).await;
    let statement =
        "SELECT email, auth_type, accepted_at FROM confluent.iam.invitations ORDER BY 1";
    let table = world.run(&["sql", statement]).await;
    let wanted = "email            auth_type  accepted_at\n\
                  ann@example.com  local      -\n\
                  bob@example.com  local      -\n";
    assert_eq!(table.succeeded().stdout, wanted);
    let csv = world.run(&["sql", "-o", "csv", statement]).await;
    let wanted = "email,auth_type,accepted_at\nann@example.com,local,\nbob@example.com,local,\n";
    assert_eq!(csv.succeeded().stdout, wanted);
    let rows = PEOPLE[..2]
        .iter()
        .map(|email| json!({"email": email, "auth_type": "local", "accepted_at": null}));
    let rows: Vec<_> = rows.collect();
    let whole = world.run(&["sql", "-o", "json", statement]).await;
    assert_eq!(whole.json(), json!(rows));
    let lines = world.run(&["sql", "-o", "jsonl", statement]).await;
    assert_eq!(lines.succeeded().lines(), rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_columns_of_one_name_keep_their_values() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE[..1]).await;
    let statement = "SELECT c.status AS email_2, c.email, d.email FROM invitations c CROSS JOIN \
                     (SELECT upper(email) AS email FROM invitations) d";
    let rows = world.run(&["sql", "-o", "csv", statement]).await;
    let wanted = "email_2,email,email_3\nsent,ann@example.com,ANN@EXAMPLE.COM\n";
    assert_eq!(rows.succeeded().stdout, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn structs_and_lists_are_json() {
    let world = World::start().await;
    world.invite("clickhouse", &PEOPLE[..1]).await;
    let statement = "SELECT role_ids, assigned_roles[1]['name'] AS role, organization_id FROM \
                     clickhouse.members.invitations";
    let rows = world.run(&["sql", "-o", "json", statement]).await.json();
    let organization = &world.sandbox.credentials().clickhouse.organization_id;
    assert_eq!(rows[0]["organization_id"], json!(organization));
    assert!(rows[0]["role_ids"].is_array(), "{rows}");
    let csv = world.run(&["sql", "-o", "csv", statement]).await;
    assert!(
        csv.succeeded().stdout.lines().count() == 2,
        "{}",
        csv.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_is_a_table() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE[..1]).await;
    world.invite("clickhouse", &PEOPLE[1..2]).await;
    let roster = world.home.join("roster.csv");
    std::fs::write(&roster, format!("email\n{}\n", PEOPLE.join("\n"))).unwrap();
    let roster = roster.display();
    let missing =
        format!("SELECT email FROM '{roster}' WHERE email NOT IN (SELECT email FROM invitations)");
    let rows = world.run(&["sql", "-o", "jsonl", &missing]).await;
    assert_eq!(rows.succeeded().lines(), [json!({"email": PEOPLE[2]})]);
    let insert = format!("INSERT INTO confluent.iam.invitations (email) {missing}");
    let inserted = world.run(&["sql", "-o", "jsonl", &insert]).await;
    assert_eq!(inserted.succeeded().lines(), [json!({"count": 1})]);
    let commits = world.sandbox.ledger().commits;
    assert_eq!(commits.last().unwrap().email, PEOPLE[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_several_statements_and_is_read_whole_before_the_first_is_run() {
    let world = World::start().await;
    let file = world.home.join("work.sql");
    let path = file.to_str().unwrap();
    let good = "CREATE VIEW open AS SELECT email FROM invitations WHERE status = 'sent';\n\
                INSERT INTO confluent.iam.invitations (email) VALUES ('ann@example.com');\n\
                SELECT * FROM open; -- the view\n";
    std::fs::write(&file, good).unwrap();
    let rows = world.run(&["sql", "-o", "jsonl", "-f", path]).await;
    let wanted = [json!({"count": 1}), json!({"email": "ann@example.com"})];
    assert_eq!(rows.succeeded().lines(), wanted);
    let bad = "INSERT INTO confluent.iam.invitations (email) VALUES ('bob@example.com'); SELEKT 1;";
    std::fs::write(&file, bad).unwrap();
    let refused = world.run(&["sql", "-f", path]).await;
    refused.fails(2, &["SELEKT"]);
    assert_eq!(world.sandbox.ledger().commits.len(), 1);
    let missing = world.run(&["sql", "-f", "/nowhere/work.sql"]).await;
    missing.fails(2, &["/nowhere/work.sql"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_come_from_a_pipe() {
    let world = World::start().await;
    for arguments in [&["sql", "-o", "csv"][..], &["sql", "-o", "csv", "-f", "-"]] {
        let mut process = command(arguments, &world.variables())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = process.stdin.take().unwrap();
        stdin.write_all(b"SELECT 1 AS one;").await.unwrap();
        drop(stdin);
        let output = process.wait_with_output().await.unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "one\n1\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_decides_which_tables_there_are() {
    let world = World::start().await;
    let tables = "SELECT table_catalog FROM information_schema.tables WHERE table_name = \
                  'invitations'";
    let all = world.run(&["sql", "-o", "csv", tables]).await;
    let mut names: Vec<&str> = all.succeeded().stdout.lines().skip(1).collect();
    names.sort_unstable();
    assert_eq!(names, ["clickhouse", "confluent", "datafusion"]);
    let one = world
        .run(&["-p", "confluent", "sql", "-o", "csv", tables])
        .await;
    let mut names: Vec<&str> = one.succeeded().stdout.lines().skip(1).collect();
    names.sort_unstable();
    assert_eq!(names, ["confluent", "datafusion"]);
    let none = run(&["sql", "SELECT 1"], &world.no_variables()).await;
    none.fails(2, &["which provider?"]);
    let only = with(world.no_variables(), &[("CONFLUENT_CLOUD_API_KEY", "key")]);
    // Half a credential is a mistake, not an absent provider.
    run(&["sql", "SELECT 1"], &only)
        .await
        .fails(2, &["CONFLUENT_CLOUD_API_SECRET"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_too_much_is_refused() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE).await;
    let changes = world.sandbox.ledger().commits.len();
    let delete = "DELETE FROM confluent.iam.invitations";
    let refused = world.run(&["sql", delete]).await;
    refused.fails(2, &["DELETE without WHERE", "--allow-delete-all"]);
    let delete_some = format!("{delete} WHERE email <> 'ann@example.com'");
    let refused = world
        .run(&["sql", "--max-deletes", "1", &delete_some])
        .await;
    refused.fails(1, &["matches 2 invitations", "nothing was deleted"]);
    assert_eq!(world.sandbox.ledger().commits.len(), changes);
    let deleted = world.run(&["sql", "-o", "csv", &delete_some]).await;
    assert_eq!(deleted.succeeded().stdout, "count\n2\n");
    let deleted = world
        .run(&["sql", "-o", "csv", "--allow-delete-all", delete])
        .await;
    assert_eq!(deleted.succeeded().stdout, "count\n1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_are_listed() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE[..1]).await;
    let insert = "INSERT INTO confluent.iam.invitations (email) VALUES ('ann@example.com'), \
                  ('dora@example.com')";
    let refused = world.run(&["sql", insert]).await;
    refused.fails(
        1,
        &[
            "1 row went through, 1 row was refused",
            "row 1 ann@example.com",
        ],
    );
    let insert = "INSERT INTO confluent.iam.invitations (email, status) VALUES ('x@y.z', 'sent')";
    let refused = world.run(&["sql", insert]).await;
    refused.fails(2, &["cannot set status", "auth_type, email"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_failure_is_what_it_is_in_other_commands_and_nothing_looks_complete() {
    let world = World::start().await;
    world
        .sandbox
        .set_faults(Faults::script([Rule::new(Fault::status_before(501))
            .on(Operation::List)
            .always()]));
    let statement = "SELECT email FROM confluent.iam.invitations";
    let failed = world.run(&["sql", "-o", "json", statement]).await;
    failed.fails(1, &["confluent list", "status 501", "request id"]);
    assert!(serde_json::from_str::<serde_json::Value>(&failed.stdout).is_err());
    let wrong = with(
        world.variables(),
        &[("CONFLUENT_CLOUD_API_SECRET", "wrong")],
    );
    world.sandbox.set_faults(Faults::default());
    let refused = run(&["sql", statement], &wrong).await;
    refused.fails(3, &["confluent list", "status 401"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explaining_sends_nothing_and_shows_what_would_be() {
    let world = World::start().await;
    let statement =
        "EXPLAIN SELECT id FROM confluent.iam.invitations WHERE status = 'sent' LIMIT 5";
    let plan = world.run(&["sql", statement]).await;
    let stdout = &plan.succeeded().stdout;
    assert!(stdout.contains("confluent: list status=sent"), "{stdout}");
    assert!(stdout.contains("limit=5"), "{stdout}");
    assert!(!stdout.contains("\\u{a}"), "{stdout}");
    assert!(world.sandbox.ledger().requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_row_does_nothing_to_a_terminal() {
    let world = World::start().await;
    let shown = world.run(&["sql", "SELECT '\u{1b}[2J' AS text"]).await;
    assert!(
        !shown.succeeded().stdout.contains('\u{1b}'),
        "{}",
        shown.stdout
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_paging() {
    let world = World::start().await;
    // The second page never comes.
    world.invite("confluent", &PEOPLE).await;
    world
        .sandbox
        .set_faults(Faults::script([Rule::new(Fault::hang())
            .on(Operation::List)
            .always()]));
    let process = command(
        &["sql", "SELECT count(*) FROM invitations"],
        &world.variables(),
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let before = world.sandbox.ledger().requests.len();
    while world.sandbox.ledger().requests.len() <= before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = process.id().unwrap().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(killed.unwrap().success());
    let output = process.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "interrupted\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_sandbox_needs_no_account() {
    let world = World::start().await;
    let statement = "INSERT INTO sandbox.iam.invitations (email) VALUES ('ann@example.com'); \
                     SELECT provider, email FROM invitations";
    let arguments = ["-p", "sandbox", "sql", "-o", "jsonl", statement];
    let rows = run(&arguments, &world.no_variables()).await;
    let last = rows.succeeded().lines().pop().unwrap();
    assert_eq!(text(&last["provider"]), "sandbox");
}
