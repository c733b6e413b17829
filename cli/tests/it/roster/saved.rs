//! Saved plans and the exit codes of `plan`.

use org_invitations_sandbox::{CustomRole, Provider};

use super::{created, file, path};
use crate::fixture::Fixture;

const ROSTER: &str = "email,auth_type\nann@example.com,\nbob@example.com,sso\n";

#[tokio::test]
async fn a_saved_plan_is_applied_as_reviewed() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["old@example.com"]).await;
    let roster = file(&fixture, "roster.csv", ROSTER);
    let saved = path(&fixture, "plan.json");
    let saved = saved.to_str().unwrap();
    let plan = [
        "-p",
        "confluent",
        "plan",
        &roster,
        "--prune",
        "--out",
        saved,
    ];
    let planned = fixture.run(&plan).await;
    planned
        .success()
        .stderr_contains(&["create 2, replace 0, keep 0, set-roles 0, remove 1"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(saved).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = fixture.run(&plan).await;
    again.fails(2, &["existing files are never overwritten"]);

    // The roster does not count any more.
    file(&fixture, "roster.csv", "email\n");
    let apply = ["-p", "confluent", "apply", saved, "--yes"];
    let applied = fixture.run(&apply).await;
    assert_eq!(applied.success().stdout, "invited 2, kept 0, removed 1\n");
    assert_eq!(
        created(&fixture.sandbox, Provider::Confluent)["bob@example.com"],
        1
    );
}

#[tokio::test]
async fn a_saved_plan_is_refused_once_the_world_has_changed() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", ROSTER);
    let saved = path(&fixture, "plan.json");
    let saved = saved.to_str().unwrap();
    let plan = ["-p", "confluent", "plan", &roster, "--out", saved];
    fixture.run(&plan).await.success();
    fixture.invite("confluent", &["ann@example.com"]).await;
    let commits = fixture.sandbox.ledger().commits.len();
    let apply = ["-p", "confluent", "apply", saved, "--yes"];
    for _ in 0..2 {
        let applied = fixture.run(&apply).await;
        applied.fails(
            1,
            &[
                "people have changed since the plan was saved",
                "ann@example.com: create was reviewed, keep i-",
            ],
        );
    }
    assert_eq!(fixture.sandbox.ledger().commits.len(), commits);
    // Somebody whom the plan does not name changes nothing.
    let other = path(&fixture, "other.json");
    let other = other.to_str().unwrap();
    fixture
        .run(&["-p", "confluent", "plan", &roster, "--out", other])
        .await
        .success();
    fixture.invite("confluent", &["zoe@example.com"]).await;
    fixture
        .run(&["-p", "confluent", "apply", other, "--yes"])
        .await
        .success();
}

#[tokio::test]
async fn a_saved_plan_is_for_one_organisation_and_one_version() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", "email\nann@example.com\n");
    let saved = path(&fixture, "plan.json");
    let saved = saved.to_str().unwrap();
    let plan = ["-p", "confluent", "plan", &roster, "--out", saved];
    fixture.run(&plan).await.success();
    let sent = fixture.sandbox.ledger().requests.len();
    let elsewhere = fixture
        .run(&["-p", "clickhouse", "apply", saved, "--yes"])
        .await;
    elsewhere.fails(2, &["the plan was made for confluent", "Nothing was sent"]);
    let pruning = fixture
        .run(&["-p", "confluent", "apply", saved, "--prune", "--yes"])
        .await;
    pruning.fails(2, &["a saved plan has its own --prune"]);
    let later = file(&fixture, "later.json", "{\"saved_plan\": 2}");
    let later = fixture
        .run(&["-p", "confluent", "apply", &later, "--yes"])
        .await;
    later.fails(2, &["a saved plan of version 2", "plan again"]);
    assert_eq!(fixture.sandbox.ledger().requests.len(), sent);
    let odd = fixture
        .run(&["-p", "confluent", "plan", &roster, "--out", "plan.txt"])
        .await;
    odd.fails(2, &[".json"]);
}

#[tokio::test]
async fn detailed_exit_codes_tell_changes_from_errors() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", "email\nann@example.com\n");
    let plan = ["-p", "confluent", "plan", &roster, "--detailed-exitcode"];
    fixture.run(&plan).await.fails(2, &["create 1"]);
    fixture.invite("confluent", &["ann@example.com"]).await;
    fixture.run(&plan).await.success();
    let odd = file(&fixture, "odd.csv", "emial\nann@example.com\n");
    let plan = ["-p", "confluent", "plan", &odd, "--detailed-exitcode"];
    fixture.run(&plan).await.fails(1, &["emial"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_another_role_now_is_refused() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let auditor = |id: &str| vec![CustomRole::new(id, "Auditor")];
    let [before, after] = [
        "33333333-0000-4000-8000-000000000001",
        "33333333-0000-4000-8000-000000000002",
    ];
    fixture.sandbox.set_custom_roles(auditor(before)).unwrap();
    let roster = "email,roles\nann@example.com,Auditor\n";
    let roster = file(&fixture, "roster.csv", roster);
    let saved = path(&fixture, "plan.json");
    let saved = saved.to_str().unwrap();
    let plan = ["-p", "clickhouse", "plan", &roster, "--out", saved];
    fixture.run(&plan).await.success();
    fixture.sandbox.set_custom_roles(auditor(after)).unwrap();
    let apply = ["-p", "clickhouse", "apply", saved, "--yes"];
    let refused = fixture.run(&apply).await;
    refused.fails(
        1,
        &[
            "\"Auditor\" is another role than when the plan was saved",
            "nothing was changed",
        ],
    );
    fixture.sandbox.set_custom_roles(auditor(before)).unwrap();
    fixture.run(&apply).await.success();
}
