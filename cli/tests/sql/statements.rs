//! Statements from the command line, a file and a pipe.

use std::{process::Stdio, time::Duration};

use org_invitations_sandbox::{Fault, Faults, Operation, Rule};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::fixture::{Fixture, command, run, text, with_variables};

const PEOPLE: [&str; 3] = ["ann@example.com", "bob@example.com", "carl@example.com"];

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_printed_in_every_format() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE[..2]).await;
    let statement =
        "SELECT email, auth_type, accepted_at FROM confluent.iam.invitations ORDER BY 1";
    let table = fixture.run(&["sql", statement]).await;
    let expected = "email            auth_type  accepted_at\n\
                  ann@example.com  local      -\n\
                  bob@example.com  local      -\n";
    assert_eq!(table.success().stdout, expected);
    let csv = fixture.run(&["sql", "-o", "csv", statement]).await;
    let expected = "email,auth_type,accepted_at\nann@example.com,local,\nbob@example.com,local,\n";
    assert_eq!(csv.success().stdout, expected);
    let rows = PEOPLE[..2]
        .iter()
        .map(|email| json!({"email": email, "auth_type": "local", "accepted_at": null}));
    let rows: Vec<_> = rows.collect();
    let whole = fixture.run(&["sql", "-o", "json", statement]).await;
    assert_eq!(whole.json(), json!(rows));
    let lines = fixture.run(&["sql", "-o", "jsonl", statement]).await;
    assert_eq!(lines.success().lines(), rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_columns_of_one_name_keep_their_values() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE[..1]).await;
    let statement = "SELECT c.status AS email_2, c.email, d.email FROM invitations c CROSS JOIN \
                     (SELECT upper(email) AS email FROM invitations) d";
    let rows = fixture.run(&["sql", "-o", "csv", statement]).await;
    let expected = "email_2,email,email_3\nsent,ann@example.com,ANN@EXAMPLE.COM\n";
    assert_eq!(rows.success().stdout, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn structs_and_lists_are_json() {
    let fixture = Fixture::start().await;
    fixture.invite("clickhouse", &PEOPLE[..1]).await;
    let statement = "SELECT role_ids, roles[1]['name'] AS role, organization_id FROM \
                     clickhouse.members.invitations";
    let rows = fixture.run(&["sql", "-o", "json", statement]).await.json();
    let organization = &fixture.sandbox.credentials().clickhouse.organization_id;
    assert_eq!(rows[0]["organization_id"], json!(organization));
    assert!(rows[0]["role_ids"].is_array(), "{rows}");
    let csv = fixture.run(&["sql", "-o", "csv", statement]).await;
    assert!(csv.success().stdout.lines().count() == 2, "{}", csv.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_is_a_table() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE[..1]).await;
    fixture.invite("clickhouse", &PEOPLE[1..2]).await;
    let roster = fixture.home.join("roster.csv");
    std::fs::write(&roster, format!("email\n{}\n", PEOPLE.join("\n"))).unwrap();
    let roster = roster.display();
    let missing =
        format!("SELECT email FROM '{roster}' WHERE email NOT IN (SELECT email FROM invitations)");
    let rows = fixture.run(&["sql", "-o", "jsonl", &missing]).await;
    assert_eq!(rows.success().lines(), [json!({"email": PEOPLE[2]})]);
    let insert = format!("INSERT INTO confluent.iam.invitations (email) {missing}");
    let inserted = fixture.run(&["sql", "-o", "jsonl", &insert]).await;
    assert_eq!(inserted.success().lines(), [json!({"count": 1})]);
    let commits = fixture.sandbox.ledger().commits;
    assert_eq!(commits.last().unwrap().email, PEOPLE[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_parsed_before_its_first_statement_runs() {
    let fixture = Fixture::start().await;
    let file = fixture.home.join("work.sql");
    let path = file.to_str().unwrap();
    let good = "CREATE VIEW open AS SELECT email FROM invitations WHERE status = 'sent';\n\
                INSERT INTO confluent.iam.invitations (email) VALUES ('ann@example.com');\n\
                SELECT * FROM open; -- the view\n";
    std::fs::write(&file, good).unwrap();
    let rows = fixture.run(&["sql", "-o", "jsonl", "-f", path]).await;
    let expected = [json!({"count": 1}), json!({"email": "ann@example.com"})];
    assert_eq!(rows.success().lines(), expected);
    let bad = "INSERT INTO confluent.iam.invitations (email) VALUES ('bob@example.com'); SELEKT 1;";
    std::fs::write(&file, bad).unwrap();
    let refused = fixture.run(&["sql", "-f", path]).await;
    refused.fails(2, &["SELEKT"]);
    assert_eq!(fixture.sandbox.ledger().commits.len(), 1);
    let missing = fixture.run(&["sql", "-f", "/nowhere/work.sql"]).await;
    missing.fails(2, &["/nowhere/work.sql"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_come_from_a_pipe() {
    let fixture = Fixture::start().await;
    for arguments in [&["sql", "-o", "csv"][..], &["sql", "-o", "csv", "-f", "-"]] {
        let mut process = command(arguments, &fixture.variables())
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
    let fixture = Fixture::start().await;
    let tables = "SELECT table_catalog FROM information_schema.tables WHERE table_name = \
                  'invitations'";
    let all = fixture.run(&["sql", "-o", "csv", tables]).await;
    let mut names: Vec<&str> = all.success().stdout.lines().skip(1).collect();
    names.sort_unstable();
    assert_eq!(names, ["clickhouse", "confluent", "datafusion"]);
    let one = fixture
        .run(&["-p", "confluent", "sql", "-o", "csv", tables])
        .await;
    let mut names: Vec<&str> = one.success().stdout.lines().skip(1).collect();
    names.sort_unstable();
    assert_eq!(names, ["confluent", "datafusion"]);
    let none = run(&["sql", "SELECT 1"], &fixture.empty_environment()).await;
    none.fails(2, &["no provider selected"]);
    let only = with_variables(
        fixture.empty_environment(),
        &[("CONFLUENT_CLOUD_API_KEY", "key")],
    );
    // An incomplete credential is a mistake, not a missing provider.
    run(&["sql", "SELECT 1"], &only)
        .await
        .fails(2, &["CONFLUENT_CLOUD_API_SECRET"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_too_much_is_refused() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE).await;
    let changes = fixture.sandbox.ledger().commits.len();
    let delete = "DELETE FROM confluent.iam.invitations";
    let refused = fixture.run(&["sql", delete]).await;
    refused.fails(2, &["DELETE without WHERE", "--allow-delete-all"]);
    let delete_some = format!("{delete} WHERE email <> 'ann@example.com'");
    let refused = fixture
        .run(&["sql", "--max-deletes", "1", &delete_some])
        .await;
    refused.fails(1, &["matches 2 invitations", "nothing was deleted"]);
    assert_eq!(fixture.sandbox.ledger().commits.len(), changes);
    let deleted = fixture.run(&["sql", "-o", "csv", &delete_some]).await;
    assert_eq!(deleted.success().stdout, "count\n2\n");
    let deleted = fixture
        .run(&["sql", "-o", "csv", "--allow-delete-all", delete])
        .await;
    assert_eq!(deleted.success().stdout, "count\n1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_are_listed() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE[..1]).await;
    let insert = "INSERT INTO confluent.iam.invitations (email) VALUES ('ann@example.com'), \
                  ('dora@example.com')";
    let refused = fixture.run(&["sql", insert]).await;
    refused.fails(
        1,
        &[
            "1 row went through, 1 row was refused",
            "row 1 ann@example.com",
        ],
    );
    let insert = "INSERT INTO confluent.iam.invitations (email, status) VALUES ('x@y.z', 'sent')";
    let refused = fixture.run(&["sql", insert]).await;
    refused.fails(2, &["cannot set status", "auth_type, email"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_failure_keeps_its_exit_code() {
    let fixture = Fixture::start().await;
    fixture
        .sandbox
        .set_faults(Faults::script([Rule::new(Fault::status_before(501))
            .on(Operation::List)
            .always()]));
    let statement = "SELECT email FROM confluent.iam.invitations";
    let failed = fixture.run(&["sql", "-o", "json", statement]).await;
    failed.fails(1, &["confluent list", "status 501", "request id"]);
    let printed: Vec<serde_json::Value> = serde_json::from_str(&failed.stdout).unwrap();
    assert!(printed.is_empty(), "{printed:?}");
    let wrong = with_variables(
        fixture.variables(),
        &[("CONFLUENT_CLOUD_API_SECRET", "wrong")],
    );
    fixture.sandbox.set_faults(Faults::default());
    let refused = run(&["sql", statement], &wrong).await;
    refused.fails(3, &["confluent list", "status 401"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explaining_sends_nothing_and_shows_what_would_be() {
    let fixture = Fixture::start().await;
    let statement =
        "EXPLAIN SELECT id FROM confluent.iam.invitations WHERE status = 'sent' LIMIT 5";
    let plan = fixture.run(&["sql", statement]).await;
    let stdout = &plan.success().stdout;
    assert!(stdout.contains("confluent: list status=sent"), "{stdout}");
    assert!(stdout.contains("limit=5"), "{stdout}");
    assert!(!stdout.contains("\\u{a}"), "{stdout}");
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_row_does_nothing_to_a_terminal() {
    let fixture = Fixture::start().await;
    let shown = fixture.run(&["sql", "SELECT '\u{1b}[2J' AS text"]).await;
    assert!(
        !shown.success().stdout.contains('\u{1b}'),
        "{}",
        shown.stdout
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_paging() {
    let fixture = Fixture::start().await;
    // The second page never arrives.
    fixture.invite("confluent", &PEOPLE).await;
    fixture
        .sandbox
        .set_faults(Faults::script([Rule::new(Fault::hang())
            .on(Operation::List)
            .always()]));
    let process = command(
        &["sql", "SELECT count(*) FROM invitations"],
        &fixture.variables(),
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let before = fixture.sandbox.ledger().requests.len();
    while fixture.sandbox.ledger().requests.len() <= before {
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
    let fixture = Fixture::start().await;
    let statement = "INSERT INTO sandbox.iam.invitations (email) VALUES ('ann@example.com'); \
                     SELECT provider, email FROM invitations";
    let arguments = ["-p", "sandbox", "sql", "-o", "jsonl", statement];
    let rows = run(&arguments, &fixture.empty_environment()).await;
    let last = rows.success().lines().pop().unwrap();
    assert_eq!(text(&last["provider"]), "sandbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_printed_as_they_are() {
    let fixture = Fixture::start().await;
    let statement = "SELECT 0.10::decimal(38, 20) AS d, [1.50::decimal(30, 2)] AS l, \
                     '99999999999999999999999999999999999.99'::decimal(38, 2) AS big, 0.1::double AS f, \
                     'NaN'::double AS n, ['Infinity'::double, '-Infinity'::double] AS i, \
                     E'a\\tb\\nc' AS t";
    let json = fixture.run(&["sql", "-o", "jsonl", statement]).await;
    assert_eq!(
        json.success().stdout.trim_end(),
        r#"{"d":0.10000000000000000000,"l":[1.50],"big":99999999999999999999999999999999999.99,"f":0.1,"n":"NaN","i":["Infinity","-Infinity"],"t":"a\tb\nc"}"#
    );
    // JSON is YAML, and keeps the digits.
    let yaml = fixture.run(&["sql", "-o", "yaml", statement]).await;
    assert_eq!(
        yaml.success().stdout,
        format!("- {}", json.success().stdout)
    );
    let csv = fixture.run(&["sql", "-o", "csv", statement]).await;
    assert_eq!(
        csv.success().stdout,
        "d,l,big,f,n,i,t\n0.10000000000000000000,[1.50],99999999999999999999999999999999999.99,0.1,NaN,\
         \"[\"\"Infinity\"\",\"\"-Infinity\"\"]\",\"a\tb\nc\"\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_lists_what_would_be_deleted() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE).await;
    let statement = "DELETE FROM confluent.iam.invitations WHERE email LIKE 'b%' DRY RUN";
    let rows = fixture.run(&["sql", "-o", "csv", statement]).await;
    let lines: Vec<&str> = rows.success().stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], "id,email,status");
    assert!(lines[1].ends_with(",bob@example.com,sent"), "{lines:?}");
    assert_eq!(fixture.sandbox.invitations().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_statement_stops_all_before_the_first() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE[..1]).await;
    let statements = "DELETE FROM confluent.iam.invitations WHERE email = 'ann@example.com'; \
                      SELECT 'a' SIMILAR TO 'b'";
    let refused = fixture.run(&["sql", statements]).await;
    refused.fails(2, &["SIMILAR TO"]);
    assert_eq!(fixture.sandbox.invitations().len(), 1);
}

/// What does not fit is spilled, what cannot be spilled fails, and a later statement runs.
#[tokio::test(flavor = "multi_thread")]
async fn memory_has_a_limit() {
    let fixture = Fixture::start().await;
    let sort = "SELECT count(*) FROM (SELECT value, row_number() OVER (ORDER BY value DESC) AS n \
                FROM generate_series(1, 2000000) AS s(value)) WHERE n = 2";
    let spilled = fixture
        .run(&["sql", "--memory-limit", "12MB", "-o", "csv", sort])
        .await;
    assert_eq!(spilled.success().stdout, "count(*)\n1\n");
    let join = "SELECT count(*) FROM generate_series(1, 3000000) AS a(x) \
                JOIN (SELECT value AS y, value % 3 AS z FROM generate_series(1, 3000000)) b ON x = y \
                JOIN (SELECT value AS w FROM generate_series(1, 3000000)) c ON w = y";
    let refused = fixture.run(&["sql", "--memory-limit", "1MiB", join]).await;
    refused.fails(1, &["Resources exhausted"]);
    let wrong = fixture
        .run(&["sql", "--memory-limit", "much", "SELECT 1"])
        .await;
    wrong.fails(2, &["500MB"]);
}

/// After the second Ctrl-C, the report names what went through and what is not known.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_stop_of_a_delete_names_the_rows() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE).await;
    let rule = Rule::new(Fault::hang()).on(Operation::Delete).nth(3);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let statement = "DELETE FROM confluent.iam.invitations WHERE email LIKE '%@example.com'";
    let mut process = command(&["sql", statement], &fixture.variables())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while fixture.sandbox.invitations().len() > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let interrupt = |id: u32| {
        let killed = std::process::Command::new("kill")
            .args(["-INT", &id.to_string()])
            .status();
        assert!(killed.unwrap().success());
    };
    let id = process.id().unwrap();
    interrupt(id);
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let stopping = lines.next_line().await.unwrap().unwrap();
    assert!(stopping.starts_with("stopping after"), "{stopping}");
    interrupt(id);
    let mut rest = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        rest.push(line);
    }
    assert_eq!(process.wait().await.unwrap().code(), Some(130));
    let at = |words: &str| {
        let found = rest.iter().position(|line| line == words);
        found.unwrap_or_else(|| panic!("{words}: {rest:#?}"))
    };
    let pending = at("not known, or not sent:");
    assert!(at("went through:") < pending, "{rest:#?}");
    for email in PEOPLE {
        let rows = rest
            .iter()
            .filter(|line| line.ends_with(&format!("({email})")));
        assert_eq!(rows.count(), 1, "{email}: {rest:#?}");
    }
    let left = fixture.sandbox.invitations().remove(0).email;
    assert!(
        rest[pending..].iter().any(|line| line.contains(&left)),
        "{rest:#?}"
    );
}
