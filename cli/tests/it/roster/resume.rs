//! Going on with a run: who is withdrawn when it is cut off, two at once, another key, a full disk.

use std::{fs, process::Stdio, time::Duration};

use org_invitations_sandbox::{Change, Fault, Faults, Operation, Provider, Rule, Sandbox};

use super::{created, crowd, file, path};
use crate::world::{World, command, empty_home, with};

const POLL: Duration = Duration::from_millis(10);

fn count(world: &World, change: Change) -> usize {
    let commits = world.sandbox.ledger().commits;
    let matching = commits.iter().filter(|commit| commit.operation == change);
    matching.count()
}

/// Runs until something was committed, and kills it.
async fn kill_after(world: &World, words: &[&str], change: Change, commits: usize) {
    let mut child = command(words, &world.variables())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while count(world, change) < commits {
        tokio::time::sleep(POLL).await;
        assert!(child.try_wait().unwrap().is_none(), "it ended");
    }
    // Its answer is to be read and written down.
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill().await.unwrap();
}

fn hang_from(nth: u32) -> Faults {
    let hang = Rule::new(Fault::hang()).on(Operation::Create);
    Faults::script([hang.nth(nth).always()])
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_withdrawn_when_a_run_was_killed_is_invited_again() {
    let world = World::start().await;
    let roster = |login: &str| {
        let text = format!("email,auth_type\nann@example.com,{login}\nbob@example.com,\n");
        file(&world, "roster.csv", &text)
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
    world.sandbox.set_faults(hang_from(2));
    kill_after(&world, &apply, Change::Create, 1).await;
    // The login of her row changes; the second run withdraws her, and is killed before it invites her.
    roster("sso");
    world.sandbox.set_faults(hang_from(2));
    kill_after(&world, &apply, Change::Delete, 1).await;
    let emails: Vec<_> = world
        .sandbox
        .invitations()
        .into_iter()
        .map(|one| one.email)
        .collect();
    assert_eq!(emails, ["bob@example.com"]);
    // The third run does not take her for invited.
    world.sandbox.set_faults(Faults::default());
    let resumed = world.run(&apply).await;
    resumed
        .succeeded()
        .says(&["1 were withdrawn before the interruption, and are invited again"]);
    assert_eq!(resumed.stdout, "invited 1, kept 1, deleted 0\n");
    let list = [
        "-p",
        "confluent",
        "list",
        "--email",
        "ann@example.com",
        "-o",
        "jsonl",
    ];
    assert_eq!(world.run(&list).await.lines()[0]["auth_type"], "sso");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_withdrawn_and_has_no_row_any_more_is_named() {
    let world = World::start().await;
    world.invite("confluent", &["ann@example.com"]).await;
    let path = file(
        &world,
        "roster.csv",
        "email,auth_type\nann@example.com,sso\n",
    );
    let apply = ["-p", "confluent", "apply", &path, "--yes", "--resume"];
    world.sandbox.set_faults(hang_from(1));
    kill_after(&world, &apply, Change::Delete, 1).await;
    world.sandbox.set_faults(Faults::default());
    file(&world, "roster.csv", "email\nbob@example.com\n");
    let resumed = world.run(&apply).await;
    resumed.succeeded().says(&[
        "ann@example.com was withdrawn before the interruption",
        "org-invitations -p confluent create ann@example.com --auth-type local --if-absent",
    ]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_ended_in_a_renewal_says_who_is_not_invited() {
    let world = World::start().await;
    world.invite("confluent", &["ann@example.com"]).await;
    let path = file(
        &world,
        "roster.csv",
        "email,auth_type\nann@example.com,sso\n",
    );
    world.sandbox.set_faults(hang_from(1));
    let apply = ["-p", "confluent", "apply", &path, "--yes"];
    let child = command(&apply, &world.variables())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while count(&world, Change::Delete) == 0 {
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
        said.contains("ann@example.com IS NOT INVITED ANY MORE"),
        "{said}"
    );
    assert!(said.contains("--resume"), "{said}");
    world.sandbox.set_faults(Faults::default());
    let resumed = world.run(&[&apply[..], &["--resume"]].concat()).await;
    assert_eq!(resumed.succeeded().stdout, "invited 1, kept 0, deleted 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runs_at_once_the_second_is_told_which_process_is_the_first() {
    let world = World::start().await;
    let roster = file(&world, "roster.csv", &crowd(3));
    world.sandbox.set_faults(hang_from(2));
    let apply = ["-p", "confluent", "apply", &roster, "--yes"];
    let resume = [&apply[..], &["--resume"]].concat();
    for first in [&apply[..], &resume] {
        let mut child = command(first, &world.variables())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let journal = path(&world, "roster.csv.journal");
        let used = format!("\"pid\":{}", child.id().unwrap());
        while !fs::read_to_string(&journal)
            .unwrap_or_default()
            .contains(&used)
        {
            tokio::time::sleep(POLL).await;
        }
        let pid = format!("in use by the process {}", child.id().unwrap());
        for second in [&apply[..], &resume] {
            let refused = world.run(second).await;
            refused.fails(2, &[&pid, "Nothing was changed"]);
        }
        // Long enough to have invited somebody.
        while created(&world.sandbox, Provider::Confluent).is_empty() {
            tokio::time::sleep(POLL).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        child.kill().await.unwrap();
    }
    world.sandbox.set_faults(Faults::default());
    world.run(&resume).await.succeeded();
    let created = created(&world.sandbox, Provider::Confluent);
    assert_eq!((created.len(), created.values().sum::<usize>()), (3, 3));
}

/// Two organisations of Confluent, and two keys for the first.
async fn organisations() -> World {
    let config = "{ confluent: [
        { keys: [{ api_key: OLD, api_secret: s }, { api_key: NEW, api_secret: s }] },
        { keys: [{ api_key: OTHER, api_secret: s }] } ] }";
    let config = serde_norway::from_str(config).unwrap();
    let world = World {
        sandbox: Sandbox::builder().config(config).start().await.unwrap(),
        home: empty_home(),
    };
    let roster = file(&world, "roster.csv", &crowd(3));
    world.sandbox.set_faults(hang_from(3));
    let variables = with_key(&world, "OLD");
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
    while count(&world, Change::Create) < 2 {
        tokio::time::sleep(POLL).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill().await.unwrap();
    world.sandbox.set_faults(Faults::default());
    world
}

fn with_key(world: &World, key: &str) -> crate::world::Variables {
    with(
        world.variables(),
        &[
            ("CONFLUENT_CLOUD_API_KEY", key),
            ("CONFLUENT_CLOUD_API_SECRET", "s"),
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_outlives_a_rotated_key_and_is_of_no_other_organisation() {
    let world = organisations().await;
    let roster = path(&world, "roster.csv");
    let roster = roster.to_str().unwrap();
    let resume = ["-p", "confluent", "apply", roster, "--yes", "--resume"];
    let other = with_key(&world, "OTHER");
    // Nobody is invited there, so that nothing tells which organisation it is.
    let refused = crate::world::run(&resume, &other).await;
    refused.fails(2, &["another key", "delete it"]);
    let invite = ["-p", "confluent", "create", "eve@example.com"];
    crate::world::run(&invite, &other).await.succeeded();
    let refused = crate::world::run(&resume, &other).await;
    refused.fails(2, &["it is about the organisation", "delete it"]);
    let resumed = crate::world::run(&resume, &with_key(&world, "NEW")).await;
    assert_eq!(resumed.succeeded().stdout, "invited 1, kept 2, deleted 0\n");
    assert!(!path(&world, "roster.csv.journal").exists());
}

/// A disk that is full after a few lines, as far as a process can tell.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_in_the_middle_says_how_many_were_done_and_how_to_go_on() {
    let world = World::start().await;
    let roster = file(&world, "roster.csv", &crowd(200));
    let line = format!(
        "trap '' XFSZ; ulimit -f 2; exec {} -p confluent apply {roster} --yes",
        crate::world::BINARY
    );
    let output = tokio::process::Command::new("bash")
        .args(["-c", &line])
        .env_clear()
        .envs(world.variables())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let done = created(&world.sandbox, Provider::Confluent).len();
    assert!((1..200).contains(&done), "{done}");
    for word in [
        "cannot write the journal",
        &format!("so far: invited {done}, kept 0, deleted 0"),
        "--resume",
    ] {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    let apply = ["-p", "confluent", "apply", &roster, "--yes", "--resume"];
    world.run(&apply).await.succeeded();
    let created = created(&world.sandbox, Provider::Confluent);
    assert_eq!((created.len(), created.values().sum::<usize>()), (200, 200));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_withdrawn_that_cannot_be_written_down() {
    let world = World::start().await;
    let emails = ["a@example.com", "b@example.com"];
    world.invite("confluent", &emails).await;
    let rows = emails.map(|email| format!("{email},sso\n")).concat();
    let roster = file(&world, "roster.csv", &format!("email,auth_type\n{rows}"));
    // The header fits, and no line after it.
    let line = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} -p confluent apply {roster} --yes --resume",
        crate::world::BINARY
    );
    let key = &world.sandbox.credentials().confluent.api_key;
    let url = world.sandbox.url();
    let mut journal = format!(
        "{{\"version\":1,\"target\":\"confluent base_url={url}\",\"credential\":\"{key}\"}}\n"
    );
    journal.push_str("{\"seen\":[\"i-1\"]}\n");
    while journal.len() < 980 {
        journal.push_str("{\"pid\":1}\n");
    }
    file(&world, "roster.csv.journal", &journal);
    let output = tokio::process::Command::new("bash")
        .args(["-c", &line])
        .env_clear()
        .envs(world.variables())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_ne!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("nothing was withdrawn"), "{said}");
    assert_eq!(count(&world, Change::Delete), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn output_that_cannot_be_written_stops_the_run_and_says_what_was_done() {
    let world = World::start().await;
    let roster = file(&world, "roster.csv", &crowd(2_000));
    let line = format!(
        "exec {} -p confluent apply {roster} --yes -o jsonl > /dev/full",
        crate::world::BINARY
    );
    let output = tokio::process::Command::new("sh")
        .args(["-c", &line])
        .env_clear()
        .envs(world.variables())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let done = created(&world.sandbox, Provider::Confluent).len();
    assert!(done < 2_000);
    assert!(said.contains(&format!("so far: invited {done},")), "{said}");
    assert!(path(&world, "roster.csv.journal").exists());
}
