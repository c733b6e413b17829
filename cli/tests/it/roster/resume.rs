//! Resuming a run: interrupted renewals, concurrent runs, rotated keys and full disks.

use std::{fs, process::Stdio, time::Duration};

use org_invitations_sandbox::{Change, Fault, Faults, Operation, Provider, Rule, Sandbox};

use super::{created, crowd, file, path};
use crate::fixture::{Fixture, command, new_home, with_variables};

const POLL: Duration = Duration::from_millis(10);

fn count(fixture: &Fixture, change: Change) -> usize {
    let commits = fixture.sandbox.ledger().commits;
    let matching = commits.iter().filter(|commit| commit.operation == change);
    matching.count()
}

/// Runs the command until the server has committed a change, and kills it.
async fn kill_after(fixture: &Fixture, words: &[&str], change: Change, commits: usize) {
    let mut child = command(words, &fixture.variables())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while count(fixture, change) < commits {
        tokio::time::sleep(POLL).await;
        assert!(child.try_wait().unwrap().is_none(), "it ended");
    }
    // The run has time to read the answer and to write its journal.
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill().await.unwrap();
}

fn hang_from(nth: u32) -> Faults {
    let hang = Rule::new(Fault::hang()).on(Operation::Create);
    Faults::script([hang.nth(nth).always()])
}

#[tokio::test(flavor = "multi_thread")]
async fn people_withdrawn_by_a_killed_run_are_invited_again() {
    let fixture = Fixture::start().await;
    let roster = |login: &str| {
        let text = format!("email,auth_type\nann@example.com,{login}\nbob@example.com,\n");
        file(&fixture, "roster.csv", &text)
    };
    let path = roster("local");
    let apply = [
        "-p",
        "confluent",
        "apply",
        &path,
        "--yes",
        "--resume",
        "--concurrency",
        "1",
    ];
    // The first run invites Ann, and is killed.
    fixture.sandbox.set_faults(hang_from(2));
    kill_after(&fixture, &apply, Change::Create, 1).await;
    // The auth type of her row changes. The second run withdraws her, and is killed before it invites her.
    roster("sso");
    fixture.sandbox.set_faults(hang_from(2));
    kill_after(&fixture, &apply, Change::Delete, 1).await;
    let emails: Vec<_> = fixture
        .sandbox
        .invitations()
        .into_iter()
        .map(|one| one.email)
        .collect();
    assert_eq!(emails, ["bob@example.com"]);
    // The third run does not count her as invited.
    fixture.sandbox.set_faults(Faults::default());
    let resumed = fixture.run(&apply).await;
    resumed
        .success()
        .stderr_contains(&["1 were withdrawn before the interruption, and are invited again"]);
    assert_eq!(resumed.stdout, "invited 1, kept 1, removed 0\n");
    let list = [
        "-p",
        "confluent",
        "list",
        "--email",
        "ann@example.com",
        "-o",
        "jsonl",
    ];
    assert_eq!(fixture.run(&list).await.lines()[0]["auth_type"], "sso");
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_people_without_a_row_are_named() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let path = file(
        &fixture,
        "roster.csv",
        "email,auth_type\nann@example.com,sso\n",
    );
    let apply = ["-p", "confluent", "apply", &path, "--yes", "--resume"];
    fixture.sandbox.set_faults(hang_from(1));
    kill_after(&fixture, &apply, Change::Delete, 1).await;
    fixture.sandbox.set_faults(Faults::default());
    file(&fixture, "roster.csv", "email\nbob@example.com\n");
    let resumed = fixture.run(&apply).await;
    resumed.success().stderr_contains(&[
        "ann@example.com was withdrawn before the interruption",
        "org-invitations -p confluent create ann@example.com --auth-type local --if-not-exists",
    ]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_ended_in_a_renewal_names_the_person() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let path = file(
        &fixture,
        "roster.csv",
        "email,auth_type\nann@example.com,sso\n",
    );
    fixture.sandbox.set_faults(hang_from(1));
    let apply = ["-p", "confluent", "apply", &path, "--yes"];
    let child = command(&apply, &fixture.variables())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while count(&fixture, Change::Delete) == 0 {
        tokio::time::sleep(POLL).await;
    }
    let id = child.id().unwrap().to_string();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let killed = tokio::process::Command::new("kill")
            .args(["-INT", &id])
            .status()
            .await;
        assert!(killed.unwrap().success());
    }
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("ann@example.com MAY NOT BE INVITED ANY MORE"),
        "{said}"
    );
    assert!(said.contains("--resume"), "{said}");
    fixture.sandbox.set_faults(Faults::default());
    let resumed = fixture.run(&[&apply[..], &["--resume"]].concat()).await;
    assert_eq!(resumed.success().stdout, "invited 1, kept 0, removed 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_concurrent_run_is_rejected_with_the_pid() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(3));
    fixture.sandbox.set_faults(hang_from(2));
    let apply = ["-p", "confluent", "apply", &roster, "--yes"];
    let resume = [&apply[..], &["--resume"]].concat();
    for first in [&apply[..], &resume] {
        let mut child = command(first, &fixture.variables())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let journal = path(&fixture, "roster.csv.journal");
        let used = format!("\"pid\":{}", child.id().unwrap());
        while !fs::read_to_string(&journal)
            .unwrap_or_default()
            .contains(&used)
        {
            tokio::time::sleep(POLL).await;
        }
        let pid = format!("in use by the process {}", child.id().unwrap());
        for second in [&apply[..], &resume] {
            let refused = fixture.run(second).await;
            refused.fails(2, &[&pid, "Nothing was changed"]);
        }
        // Long enough to have invited somebody.
        while created(&fixture.sandbox, Provider::Confluent).is_empty() {
            tokio::time::sleep(POLL).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        child.kill().await.unwrap();
    }
    fixture.sandbox.set_faults(Faults::default());
    fixture.run(&resume).await.success();
    let created = created(&fixture.sandbox, Provider::Confluent);
    assert_eq!((created.len(), created.values().sum::<usize>()), (3, 3));
}

/// Two organisations of Confluent, and two keys for the first.
async fn organisations() -> Fixture {
    let config = "{ confluent: [
        { keys: [{ api_key: OLD, api_secret: s }, { api_key: NEW, api_secret: s }] },
        { keys: [{ api_key: OTHER, api_secret: s }] } ] }";
    let config = serde_norway::from_str(config).unwrap();
    let fixture = Fixture {
        sandbox: Sandbox::builder().config(config).start().await.unwrap(),
        home: new_home(),
    };
    let roster = file(&fixture, "roster.csv", &crowd(3));
    fixture.sandbox.set_faults(hang_from(3));
    let variables = with_key(&fixture, "OLD");
    let apply = [
        "-p",
        "confluent",
        "apply",
        &roster,
        "--yes",
        "--concurrency",
        "1",
    ];
    let mut child = command(&apply, &variables)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while count(&fixture, Change::Create) < 2 {
        tokio::time::sleep(POLL).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill().await.unwrap();
    fixture.sandbox.set_faults(Faults::default());
    fixture
}

fn with_key(fixture: &Fixture, key: &str) -> crate::fixture::Variables {
    with_variables(
        fixture.variables(),
        &[
            ("CONFLUENT_CLOUD_API_KEY", key),
            ("CONFLUENT_CLOUD_API_SECRET", "s"),
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_resumes_with_a_rotated_key() {
    let fixture = organisations().await;
    let roster = path(&fixture, "roster.csv");
    let roster = roster.to_str().unwrap();
    let resume = ["-p", "confluent", "apply", roster, "--yes", "--resume"];
    let other = with_key(&fixture, "OTHER");
    // Without an invitation, nothing identifies the organisation.
    let refused = crate::fixture::run(&resume, &other).await;
    refused.fails(2, &["another key", "delete it"]);
    let invite = ["-p", "confluent", "create", "eve@example.com"];
    crate::fixture::run(&invite, &other).await.success();
    let refused = crate::fixture::run(&resume, &other).await;
    refused.fails(2, &["it belongs to the organisation", "delete it"]);
    let resumed = crate::fixture::run(&resume, &with_key(&fixture, "NEW")).await;
    assert_eq!(resumed.success().stdout, "invited 1, kept 2, removed 0\n");
    assert!(!path(&fixture, "roster.csv.journal").exists());
}

/// A disk that is full after a few lines: a limit on the file size.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_reports_progress_and_the_resume_command() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(200));
    let line = format!(
        "trap '' XFSZ; ulimit -f 2; exec {} -p confluent apply {roster} --yes",
        crate::fixture::BINARY
    );
    let output = tokio::process::Command::new("bash")
        .args(["-c", &line])
        .env_clear()
        .envs(fixture.variables())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let done = created(&fixture.sandbox, Provider::Confluent).len();
    assert!((1..200).contains(&done), "{done}");
    for word in [
        "cannot write the journal",
        &format!("so far: invited {done}, kept 0, removed 0"),
        "--resume",
    ] {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    let apply = ["-p", "confluent", "apply", &roster, "--yes", "--resume"];
    fixture.run(&apply).await.success();
    let created = created(&fixture.sandbox, Provider::Confluent);
    assert_eq!((created.len(), created.values().sum::<usize>()), (200, 200));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_withdrawn_without_a_journal_entry() {
    let fixture = Fixture::start().await;
    let emails = ["a@example.com", "b@example.com"];
    fixture.invite("confluent", &emails).await;
    let rows = emails.map(|email| format!("{email},sso\n")).concat();
    let roster = file(&fixture, "roster.csv", &format!("email,auth_type\n{rows}"));
    // The header fits, and no line after it.
    let line = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} -p confluent apply {roster} --yes --resume",
        crate::fixture::BINARY
    );
    let key = &fixture.sandbox.credentials().confluent.api_key;
    let url = fixture.sandbox.url();
    let mut journal = format!(
        "{{\"version\":1,\"target\":\"confluent base_url={url}\",\"credential\":\"{key}\"}}\n"
    );
    journal.push_str("{\"seen\":[\"i-1\"]}\n");
    while journal.len() < 980 {
        journal.push_str("{\"pid\":1}\n");
    }
    file(&fixture, "roster.csv.journal", &journal);
    let output = tokio::process::Command::new("bash")
        .args(["-c", &line])
        .env_clear()
        .envs(fixture.variables())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_ne!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("nothing was withdrawn"), "{said}");
    assert_eq!(count(&fixture, Change::Delete), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn unwritable_output_stops_the_run_with_a_summary() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(2_000));
    let line = format!(
        "exec {} -p confluent apply {roster} --yes -o jsonl > /dev/full",
        crate::fixture::BINARY
    );
    let output = tokio::process::Command::new("sh")
        .args(["-c", &line])
        .env_clear()
        .envs(fixture.variables())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let done = created(&fixture.sandbox, Provider::Confluent).len();
    assert!(done < 2_000);
    assert!(said.contains(&format!("so far: invited {done},")), "{said}");
    assert!(path(&fixture, "roster.csv.journal").exists());
}

/// On Confluent, roles belong to the user, whom a withdrawal deletes together with the invitation.
#[tokio::test(flavor = "multi_thread")]
async fn roles_of_a_user_survive_a_killed_renewal() {
    for (hung, change, commits) in [
        (Operation::Create, Change::Delete, 1),
        (Operation::CreateRoleBinding, Change::Create, 2),
    ] {
        let fixture = Fixture::start().await;
        if !fixture.offers_members() {
            return;
        }
        let roles = [
            "--role",
            "MetricsViewer",
            "--role",
            "EnvironmentAdmin@env-1",
        ];
        let create = ["-p", "confluent", "create", "ann@example.com"];
        fixture.run(&[&create[..], &roles].concat()).await.success();
        fixture.sandbox.advance(Duration::from_secs(30 * 86_400));
        let path = file(&fixture, "roster.csv", "email\nann@example.com\n");
        let apply = ["-p", "confluent", "apply", &path, "--yes", "--resume"];
        let hang = Rule::new(Fault::hang()).on(hung).always();
        fixture.sandbox.set_faults(Faults::script([hang]));
        kill_after(&fixture, &apply, change, commits).await;
        fixture.sandbox.set_faults(Faults::default());
        fixture.run(&apply).await.success();
        let bound = fixture.sandbox.role_bindings().into_iter();
        let mut bound: Vec<_> = bound.map(|one| one.role_name).collect();
        bound.sort();
        assert_eq!(bound, ["EnvironmentAdmin", "MetricsViewer"], "{hung:?}");
    }
}
