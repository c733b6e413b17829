//! `apply`: outcomes, failed rows and journal.

use std::{fs, process::Stdio, time::Duration};

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use tokio::io::AsyncWriteExt;

use super::{created, crowd, file, path};
use crate::fixture::{Fixture, command};

#[tokio::test]
async fn applying_twice_changes_nothing_more() {
    let fixture = Fixture::start().await;
    for (vendor, provider) in [
        ("confluent", Provider::Confluent),
        ("clickhouse", Provider::ClickHouse),
    ] {
        fixture.invite(vendor, &["old@example.com"]).await;
        let roster = file(
            &fixture,
            "roster.csv",
            "email\nann@example.com\nbob@example.com\n",
        );
        let apply = ["-p", vendor, "apply", &roster, "--yes", "--prune"];
        let applied = fixture.run(&apply).await;
        applied.success().stderr_contains(&["create 2, remove 1"]);
        assert_eq!(applied.stdout, "invited 2, kept 0, removed 1\n");
        let again = fixture.run(&apply).await;
        assert_eq!(again.success().stdout, "invited 0, kept 2, removed 0\n");
        assert_eq!(created(&fixture.sandbox, provider).len(), 3);
        assert!(!path(&fixture, "roster.csv.journal").exists());
    }
}

#[tokio::test]
async fn failed_rows_form_a_roster() {
    let fixture = Fixture::start().await;
    let refuse = Rule::new(Fault::status_before(403))
        .on(Operation::Create)
        .times(1);
    fixture.sandbox.set_faults(Faults::script([refuse]));
    let text = "email,auth_type\nann@example.com,local\nnobody,\nbob@example.com,\n";
    let roster = file(&fixture, "roster.csv", text);
    let (failed, again) = (path(&fixture, "failed.csv"), path(&fixture, "again.csv"));
    let failed = failed.to_str().unwrap();
    let apply = [
        "-p",
        "confluent",
        "apply",
        &roster,
        "--yes",
        "--concurrency",
        "1",
    ];
    let applied = fixture
        .run(&[&apply[..], &["--failed", failed, "-o", "jsonl"]].concat())
        .await;
    applied.fails(
        1,
        &[
            "line 2, ann@example.com: ",
            "status 403",
            "line 3, nobody: ",
            "failed rows: 2, in ",
        ],
    );
    let results: Vec<_> = applied
        .lines()
        .iter()
        .map(|row| row["result"].clone())
        .collect();
    assert_eq!(results, ["failed", "invalid", "invited"]);
    let rows = fs::read_to_string(failed).unwrap();
    assert!(
        rows.starts_with("email,roles,auth_type,error\nann@example.com,,local,"),
        "{rows}"
    );

    let apply = ["-p", "confluent", "apply", failed, "--yes"];
    let applied = fixture
        .run(&[&apply[..], &["--failed", again.to_str().unwrap()]].concat())
        .await;
    applied.fails(1, &["an email address needs an `@`"]);
    assert_eq!(applied.stdout, "invited 1, kept 0, removed 0, invalid 1\n");
    assert_eq!(created(&fixture.sandbox, Provider::Confluent).len(), 2);
}

#[tokio::test]
async fn failed_rows_are_never_overwritten_nor_left_empty() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(2));
    let apply = ["-p", "confluent", "apply", &roster, "--yes", "--failed"];
    let refused = fixture.run(&[&apply[..], &[&roster]].concat()).await;
    refused.fails(2, &["cannot write", "existing files are never overwritten"]);
    let refused = fixture.run(&[&apply[..], &["failed.xlsx"]].concat()).await;
    refused.fails(2, &[".csv or .jsonl"]);
    assert!(fixture.sandbox.ledger().commits.is_empty());
    let failed = path(&fixture, "failed.jsonl");
    let again = [&apply[..], &[failed.to_str().unwrap(), "--resume"]].concat();
    fixture.run(&again).await.success();
    assert!(!failed.exists());
}

#[tokio::test]
async fn apply_needs_yes_without_a_terminal() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(2));
    let refused = fixture.run(&["-p", "confluent", "apply", &roster]).await;
    refused.fails(2, &["pass --yes", "Nothing was sent"]);
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

#[tokio::test]
async fn a_rejected_credential_stops_the_run_for_a_resume() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(20));
    let refuse = Rule::new(Fault::status_before(401))
        .on(Operation::Create)
        .nth(6)
        .always();
    fixture.sandbox.set_faults(Faults::script([refuse]));
    let apply = ["-p", "confluent", "apply", &roster, "--yes"];
    let refused = fixture.run(&apply).await;
    refused.stderr_contains(&["were not attempted", "--resume"]);
    assert_ne!(refused.code, Some(0));
    fixture.sandbox.set_faults(Faults::default());
    let journal = fixture.run(&apply).await;
    journal.fails(2, &["an interrupted run", "--resume"]);
    fixture
        .run(&[&apply[..], &["--resume"]].concat())
        .await
        .success();
    let created = created(&fixture.sandbox, Provider::Confluent);
    assert_eq!((created.len(), created.values().sum::<usize>()), (20, 20));
}

#[tokio::test]
async fn a_journal_of_another_account_is_rejected() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(2));
    for (journal, words) in [
        (
            "{\"version\":1,\"target\":\"clickhouse elsewhere\"}\n",
            "it belongs to clickhouse elsewhere",
        ),
        ("{\"version\":2}\n", "this is not a journal"),
        ("email\n", "this is not a journal"),
        ("not even a line", "this is not a journal"),
    ] {
        file(&fixture, "roster.csv.journal", journal);
        let resume = ["-p", "confluent", "apply", &roster, "--yes", "--resume"];
        fixture.run(&resume).await.fails(2, &[words, "delete it"]);
    }
    assert!(fixture.sandbox.ledger().commits.is_empty());
}

#[tokio::test]
async fn resuming_skips_invited_people_who_are_not_listed() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(3));
    let hang = Rule::new(Fault::hang())
        .on(Operation::Create)
        .nth(3)
        .always();
    fixture.sandbox.set_faults(Faults::script([hang]));
    let apply = [
        "-p",
        "confluent",
        "apply",
        &roster,
        "--yes",
        "--concurrency",
        "1",
    ];
    let mut child = command(&apply, &fixture.variables()).spawn().unwrap();
    let journal = path(&fixture, "roster.csv.journal");
    let lines = || {
        fs::read_to_string(&journal)
            .unwrap_or_default()
            .lines()
            .count()
    };
    while lines() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().await.unwrap();
    fixture.sandbox.set_faults(Faults::default());
    // The first person declined meanwhile.
    let ids = fixture
        .run(&[
            "-p",
            "confluent",
            "list",
            "--email",
            "person0@example.com",
            "-o",
            "jsonl",
        ])
        .await;
    let id = ids.lines()[0]["id"].as_str().unwrap().to_owned();
    fixture
        .run(&["-p", "confluent", "delete", &id, "--yes"])
        .await
        .success();
    let resumed = fixture.run(&[&apply[..], &["--resume"]].concat()).await;
    resumed
        .success()
        .stderr_contains(&["1 were invited before the interruption"]);
    assert_eq!(resumed.stdout, "invited 1, kept 2, removed 0\n");
    assert_eq!(
        created(&fixture.sandbox, Provider::Confluent)["person0@example.com"],
        1
    );
}

#[tokio::test]
async fn a_roster_is_read_from_standard_input() {
    let fixture = Fixture::start().await;
    let apply = ["-p", "confluent", "apply", "-", "--format", "csv", "--yes"];
    let mut command = command(&apply, &fixture.variables());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(crowd(3).as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.stdout, b"invited 3, kept 0, removed 0\n");
    let refused = fixture.run(&[&apply[..], &["--resume"]].concat()).await;
    refused.fails(2, &["--journal"]);
}

#[tokio::test]
async fn every_format_has_the_outcomes() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", "email\nann@example.com\nnobody\n");
    let mut seen = Vec::new();
    for format in ["json", "jsonl", "yaml", "csv"] {
        let applied = fixture
            .run(&["-p", "confluent", "apply", &roster, "--yes", "-o", format])
            .await;
        assert_eq!(applied.code, Some(1));
        assert!(
            applied.stdout.contains("ann@example.com"),
            "{}",
            applied.stdout
        );
        assert!(applied.stdout.contains("invalid"), "{}", applied.stdout);
        seen.push(applied.stdout);
    }
    assert!(
        seen[3].starts_with("line,action,result,email,roles,role_changes,auth_type,id,error\n"),
        "{}",
        seen[3]
    );
}

#[tokio::test]
async fn output_matches_the_schema() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", "email\nann@example.com\nnobody\n");
    for words in [
        vec!["plan", &roster, "-o", "json"],
        vec!["apply", &roster, "--yes", "-o", "json"],
    ] {
        let schema = fixture.run(&["schema", words[0]]).await.json();
        let valid = jsonschema::validator_for(&schema).unwrap();
        let printed = fixture
            .run(&[&["-p", "confluent"], &words[..]].concat())
            .await;
        let printed = serde_json::from_str(&printed.stdout).unwrap();
        let wrong: Vec<_> = valid.iter_errors(&printed).collect();
        assert!(wrong.is_empty(), "{wrong:?} in {printed:#}");
    }
}
