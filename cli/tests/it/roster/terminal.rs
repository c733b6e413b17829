//! `apply` on a terminal: prompt, progress bar and Ctrl-C.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Limit, Limits, Operation, Provider, Rule};

use super::{created, crowd, file, path};
use crate::{fixture::Fixture, terminal::start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_prompts_and_shows_progress() {
    let fixture = Fixture::start().await;
    let limit = Limit::new(10, Duration::from_secs(2));
    fixture
        .sandbox
        .set_limits(Limits::default().confluent(limit));
    let roster = file(&fixture, "roster.csv", &crowd(25));
    let mut session = start(&fixture, &["-p", "confluent", "apply", &roster], &[]);
    session.exp_string("confluent: create 25").unwrap();
    session.exp_string("? [y/N] ").unwrap();
    session.send_line("y").unwrap();
    session.exp_regex("[0-9]+/25").unwrap();
    session.exp_string("for the rate limit").unwrap();
    session.exp_string("invited 25, kept 0").unwrap();
    session.exp_eof().unwrap();
    assert_eq!(created(&fixture.sandbox, Provider::Confluent).len(), 25);
    assert_eq!(fixture.sandbox.ledger().count_status(429), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn declining_changes_nothing_and_leaves_no_journal() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(2));
    let mut session = start(&fixture, &["-p", "confluent", "apply", &roster], &[]);
    session.exp_string("[y/N] ").unwrap();
    session.send_line("n").unwrap();
    session.exp_string("nothing was changed").unwrap();
    session.exp_eof().unwrap();
    assert!(fixture.sandbox.ledger().commits.is_empty());
    assert!(!path(&fixture, "roster.csv.journal").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_finishes_requests_and_names_the_resume_command() {
    let fixture = Fixture::start().await;
    let slow = Rule::new(Fault::slow_body(64, 20))
        .on(Operation::Create)
        .always();
    fixture.sandbox.set_faults(Faults::script([slow]));
    let roster = file(&fixture, "roster.csv", &crowd(200));
    let mut session = start(
        &fixture,
        &["-p", "confluent", "apply", &roster, "--yes"],
        &[],
    );
    while created(&fixture.sandbox, Provider::Confluent).len() < 5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    session.send_control('c').unwrap();
    session
        .exp_string("stopping after the requests in flight")
        .unwrap();
    session.exp_string("interrupted").unwrap();
    session.exp_string("--resume").unwrap();
    session.exp_eof().unwrap();
    fixture.sandbox.set_faults(Faults::default());
    let before = created(&fixture.sandbox, Provider::Confluent).len();
    assert!(before < 200, "{before}");
    assert!(path(&fixture, "roster.csv.journal").exists());
    let resumed = fixture
        .run(&["-p", "confluent", "apply", &roster, "--yes", "--resume"])
        .await;
    let expected = format!("invited {}, kept {before}, removed 0\n", 200 - before);
    assert_eq!(resumed.success().stdout, expected);
    assert!(
        created(&fixture.sandbox, Provider::Confluent)
            .values()
            .all(|times| *times == 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_prompt_names_the_deletions() {
    let fixture = Fixture::start().await;
    let ids = fixture
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let text = "email,auth_type\nann@example.com,sso\n";
    let roster = file(&fixture, "roster.csv", text);
    let apply = ["-p", "confluent", "apply", &roster, "--prune"];
    let mut session = start(&fixture, &apply, &[]);
    let said = session.exp_string("[y/N] ").unwrap();
    for words in [
        "confluent: replace 1, remove 1",
        "confluent: to be withdrawn:",
        &format!(
            "ann@example.com ({}), and invited again: other auth type",
            ids[0]
        ),
        &format!("bob@example.com ({})", ids[1]),
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    session.send_line("n").unwrap();
    session.exp_eof().unwrap();

    let copy = [
        "copy",
        "--from",
        "confluent",
        "--to",
        "clickhouse",
        "--ignore",
        "auth-type",
        "--delete-source-after",
    ];
    let mut session = start(&fixture, &copy, &[]);
    let said = session.exp_string("[y/N] ").unwrap();
    for words in [
        "clickhouse: create 2",
        "confluent: to be withdrawn once they are seen at clickhouse:",
        &format!("ann@example.com ({})", ids[0]),
        &format!("bob@example.com ({})", ids[1]),
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    session.send_line("n").unwrap();
    session.exp_string("nothing was changed").unwrap();
    session.exp_eof().unwrap();
    assert_eq!(fixture.sandbox.invitations().len(), 2);
}
