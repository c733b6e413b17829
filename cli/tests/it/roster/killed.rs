//! `apply` killed at random points and resumed: nobody is invited twice, and nobody is forgotten.

use std::time::Duration;

use org_invitations_sandbox::Provider;

use super::{created, crowd, file, path};
use crate::fixture::{Fixture, command};

const PEOPLE: usize = 2_000;
const KILLS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeatedly_killed_run_invites_each_person_once() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", &crowd(PEOPLE));
    let failed = path(&fixture, "failed.csv");
    let apply = [
        "-p",
        "confluent",
        "apply",
        &roster,
        "--yes",
        "--resume",
        "--failed",
        failed.to_str().unwrap(),
    ];
    let mut kills = 0;
    while kills < KILLS {
        let before = created(&fixture.sandbox, Provider::Confluent).len();
        let mut child = command(&apply, &fixture.variables())
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Let the run proceed to a different point each time.
        let some = before + fastrand::usize(1..PEOPLE / KILLS);
        while created(&fixture.sandbox, Provider::Confluent).len() < some {
            tokio::time::sleep(Duration::from_micros(fastrand::u64(100..3_000))).await;
            if child.try_wait().unwrap().is_some() {
                break;
            }
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended after {kills} kills"
        );
        child.kill().await.unwrap();
        kills += 1;
    }
    let end = fixture.run(&apply).await;
    end.success();
    let created = created(&fixture.sandbox, Provider::Confluent);
    let twice: Vec<_> = created.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "invited twice: {twice:?}");
    assert_eq!(created.len(), PEOPLE, "not everybody was invited");
    assert!(!path(&fixture, "roster.csv.journal").exists());
    assert!(!failed.exists());
}
