//! Outages in the middle of a run.

use std::process::Stdio;

use org_invitations_sandbox::Change;

use crate::fixture::{Fixture, Variables, command, run};

/// A single attempt for each request, so that an outage is noticed soon.
fn with_short_timeouts(fixture: &Fixture) -> Variables {
    let profile = |name: &str| {
        format!(
            "[profiles.{name}]\nprovider = \"{name}\"\n[profiles.{name}.connection.retry]\n\
             max_attempts = 1\n"
        )
    };
    fixture.config(&format!(
        "{}{}",
        profile("confluent"),
        profile("clickhouse")
    ));
    fixture.variables()
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_pauses_gives_up_and_names_the_resume_command() {
    let fixture = Fixture::start().await;
    let variables = with_short_timeouts(&fixture);
    let people = (0..2_000).map(|number| format!("person{number}@example.com\n"));
    let roster = fixture.home.join("roster.csv");
    std::fs::write(&roster, format!("email\n{}", people.collect::<String>())).unwrap();
    let roster = roster.to_str().unwrap();
    let apply = [
        "-p",
        "clickhouse",
        "apply",
        roster,
        "--yes",
        "--concurrency",
        "1",
        "--give-up-after",
        "3s",
    ];
    let child = command(&apply, &variables)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let Fixture { sandbox, home: _ } = fixture;
    while sandbox.ledger().commits.len() < 5 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    drop(sandbox);
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in [
        "the server cannot be reached; pausing for up to 3s",
        "the server could not be reached for 3s; stopping",
        "so far: invited ",
        "not attempted 1",
        "continue with:\n  org-invitations -p clickhouse apply ",
        "--give-up-after 3s --resume",
    ] {
        assert!(said.contains(words), "no {words:?} in: {said}");
    }
    // Far fewer attempts than the 2000 people.
    assert!(said.matches("cannot connect").count() <= 10, "{said}");
    assert!(std::path::Path::new(&format!("{roster}.journal")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn create_and_delete_give_up_and_name_the_rest() {
    let fixture = Fixture::start().await;
    let variables = with_short_timeouts(&fixture);
    let away = ["-p", "confluent", "--base-url", "http://127.0.0.1:1"];
    let people: Vec<String> = (0..30)
        .map(|number| format!("person{number}@example.com"))
        .collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let options = ["--give-up-after", "1s"];
    let create = [&away[..], &["create"], &people, &options].concat();
    let created = run(&create, &variables).await;
    created.fails(1, &["pausing", "0 of 30 succeeded. To continue, run:"]);
    let command = created
        .stderr
        .lines()
        .find(|line| line.trim_start().starts_with("org-invitations --profile"));
    let command = command.unwrap_or_else(|| panic!("{}", created.stderr));
    for person in &people {
        assert_eq!(
            command.matches(&format!(" {person}")).count(),
            1,
            "{command}"
        );
    }
    let ids = ["i-1", "i-2", "i-3", "i-4", "i-5", "i-6", "i-7"];
    let options = ["--yes", "--max-deletes", "7", "--give-up-after", "1s"];
    let delete = [&away[..], &["delete"], &ids, &options].concat();
    let deleted = run(&delete, &variables).await;
    let words = "org-invitations --profile confluent --base-url http://127.0.0.1:1 delete i-1 i-2 i-3 i-4 i-5 i-6 i-7";
    deleted.fails(1, &["0 of 7 succeeded", words]);
    let is_delete = |change: Change| change == Change::Delete;
    let commits = fixture.sandbox.ledger().commits;
    assert!(!commits.iter().any(|commit| is_delete(commit.operation)));
}
