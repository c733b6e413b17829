//! What is printed of a command that one or two Ctrl-C end.

use std::process::Stdio;

use org_invitations_sandbox::{Change, Fault, Faults, Operation, Provider, Rule, When};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::fixture::{CommandOutput, Fixture, command};

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";

/// Runs a command. Once `is_time` holds, it is sent a signal, and another one once it has announced to stop.
async fn interrupted(
    fixture: &Fixture,
    words: &[&str],
    signals: usize,
    is_time: impl Fn(&Fixture) -> bool,
) -> CommandOutput {
    let mut child = command(words, &fixture.variables())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !is_time(fixture) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let pid = child.id().unwrap().to_string();
    let interrupt = || {
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-INT", &pid]).status().unwrap().success());
    };
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut stderr, mut sent) = (String::new(), 1);
    interrupt();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("press Ctrl-C again") && sent < signals {
            sent += 1;
            interrupt();
        }
        stderr += &(line + "\n");
    }
    let output = child.wait_with_output().await.unwrap();
    CommandOutput {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr,
    }
}

fn hang(operation: Operation) -> Rule {
    Rule::new(Fault::hang()).on(operation)
}

/// Whether a hanging request has arrived, as the faults of the fixture do not hold any more.
fn has_met_the_fault(fixture: &Fixture) -> bool {
    fixture.sandbox.faults().script.is_empty()
}

fn array(output: &CommandOutput) -> Vec<Value> {
    serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("no array: {}", output.stdout))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_array_is_closed() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &[ANN]).await;
    let list = ["-p", "confluent", "list", "-o", "json"];
    let hangs = Faults::script([hang(Operation::List).times(1)]);
    fixture.sandbox.set_faults(hangs);
    let listed = interrupted(&fixture, &list, 1, has_met_the_fault).await;
    assert_eq!(listed.code, Some(130), "{}", listed.stderr);
    assert!(array(&listed).is_empty());
    if !fixture.offers_members() {
        return;
    }
    let joined = ["-p", "clickhouse", "create", ANN, "--role", "Developer"];
    if !fixture.offers_role_ids().await {
        return;
    }
    fixture.run(&joined).await.success();
    fixture.sandbox.accept(Provider::ClickHouse, ANN).unwrap();
    let hangs = Faults::script([hang(Operation::UpdateMember).times(1)]);
    fixture.sandbox.set_faults(hangs);
    let set = [
        "-p",
        "clickhouse",
        "-o",
        "json",
        "members",
        "set-roles",
        ANN,
    ];
    let set = [&set[..], &["--role", "Billing"]].concat();
    let changed = interrupted(&fixture, &set, 1, has_met_the_fault).await;
    assert_eq!(changed.code, Some(130), "{}", changed.stderr);
    assert!(array(&changed).is_empty());
}

/// The first Ctrl-C awaits the answers of the withdrawals in flight.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_copy_counts_what_it_withdrew() {
    let fixture = Fixture::start().await;
    let people: Vec<String> = (0..6)
        .map(|number| format!("p{number}@example.com"))
        .collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    fixture.invite("confluent", &people).await;
    // The second withdrawal is repeated after a while.
    let slow = Rule::new(Fault::rate_limited(5_000)).on(Operation::Delete);
    fixture
        .sandbox
        .set_faults(Faults::script([slow.nth(2).times(1)]));
    let log = fixture.home.join("audit.jsonl");
    let copy = [
        "copy",
        "--from",
        "confluent",
        "--to",
        "clickhouse",
        "--ignore",
        "auth-type",
    ];
    let options = [
        "--delete-source-after",
        "--max-deletes",
        "100%",
        "--yes",
        "--concurrency",
        "1",
    ];
    let logged = ["--audit-log", log.to_str().unwrap()];
    let copy = [&copy[..], &options, &logged].concat();
    let moved = interrupted(&fixture, &copy, 1, has_met_the_fault).await;
    let commits = fixture.sandbox.ledger().commits;
    let withdrawn = commits.iter().filter(|one| one.operation == Change::Delete);
    let withdrawn = withdrawn.count();
    assert!((1..6).contains(&withdrawn), "{withdrawn}: {}", moved.stderr);
    let left = format!("{} are still invited at the source", 6 - withdrawn);
    moved.fails(130, &[&format!("confluent: withdrew {withdrawn}"), &left]);
    let lines = std::fs::read_to_string(log).unwrap();
    assert!(!lines.contains("unknown"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_is_cut_off_is_named() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &[ANN, BOB]).await;
    let after = Rule::new(Fault::Hang { when: When::After });
    let after = after.on(Operation::Delete).times(1);
    fixture.sandbox.set_faults(Faults::script([after]));
    let remove = ["-p", "confluent", "-o", "json", "remove", ANN, BOB, "--yes"];
    let removed = interrupted(&fixture, &remove, 2, has_met_the_fault).await;
    let rows = array(&removed);
    removed.fails(130, &["outcome unknown", "-p confluent list`: "]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0]["result"], "failed", "{rows:?}");
    assert_eq!(rows[0]["may_have_executed"], true, "{rows:?}");
    assert_eq!(rows[1]["result"], "not_attempted", "{rows:?}");
    let first = rows[0]["email"].as_str().unwrap();
    removed.stderr_contains(&[first]);
}

/// Where no create was sent, none is logged.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_stopped_in_its_delete_logs_no_create() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &[ANN]).await;
    let slow = Rule::new(Fault::rate_limited(5_000)).on(Operation::Delete);
    fixture.sandbox.set_faults(Faults::script([slow.times(1)]));
    let log = fixture.home.join("audit.jsonl");
    let path = log.to_str().unwrap();
    let renew = [
        "-p",
        "confluent",
        "renew",
        ANN,
        "--yes",
        "--audit-log",
        path,
    ];
    let lost = interrupted(&fixture, &renew, 2, has_met_the_fault).await;
    // The command that invites the person again keeps the log.
    let again = format!("org-invitations -p confluent --audit-log {path} create {ANN}");
    lost.fails(
        130,
        &[
            "IS NOT INVITED ANY MORE",
            "stopped before the create",
            &again,
        ],
    );
    assert!(fixture.sandbox.invitations().is_empty());
    let lines = std::fs::read_to_string(log).unwrap();
    assert_eq!(lines.matches("\"action\":\"delete\"").count(), 1, "{lines}");
    assert!(!lines.contains("\"create\""), "{lines}");
}

/// A command that fails before its first result prints a list of nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_leaves_an_empty_array() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let wrong = [("CLICKHOUSE_CLOUD_API_SECRET", "wrong")];
    let variables = crate::fixture::with_variables(fixture.variables(), &wrong);
    let roster = crate::roster::file(&fixture, "one.csv", "email\nann@example.com\n");
    for words in [
        &["list"][..],
        &["renew", ANN, "--yes"],
        &["remove", ANN, "--yes"],
        &["apply", &roster, "--yes"],
        &["export"],
        &["plan", &roster],
    ] {
        let words = [&["-p", "clickhouse", "-o", "json"], words].concat();
        let failed = crate::fixture::run(&words, &variables).await;
        assert_eq!(failed.code, Some(3), "{words:?}: {}", failed.stderr);
        assert!(array(&failed).is_empty(), "{words:?}");
    }
}
