//! `apply` killed at random points and resumed: nobody is invited twice, and nobody is forgotten.

use std::time::Duration;

use org_invitations_sandbox::Provider;

use super::{created, crowd, file, path};
use crate::world::{World, command};

const PEOPLE: usize = 2_000;
const KILLS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_again_and_again_invites_each_person_once() {
    let world = World::start().await;
    let roster = file(&world, "roster.csv", &crowd(PEOPLE));
    let failed = path(&world, "failed.csv");
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
        let before = created(&world.sandbox, Provider::Confluent).len();
        let mut child = command(&apply, &world.variables())
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Let it get somewhere, to a point that is never the same.
        let some = before + fastrand::usize(1..PEOPLE / KILLS);
        while created(&world.sandbox, Provider::Confluent).len() < some {
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
    let end = world.run(&apply).await;
    end.succeeded();
    let created = created(&world.sandbox, Provider::Confluent);
    let twice: Vec<_> = created.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "invited twice: {twice:?}");
    assert_eq!(created.len(), PEOPLE, "not everybody was invited");
    assert!(!path(&world, "roster.csv.journal").exists());
    assert!(!failed.exists());
}
