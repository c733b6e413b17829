//! The everyday commands: `create`, `get`, `delete` and `demo`.

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use serde_json::Value;

use crate::world::{World, nothing, run, text};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_the_main_job_on_both_providers() {
    let demo = run(&["demo"], &nothing()).await;
    assert_eq!(demo.code, Some(0), "{}", demo.stderr);
    for expected in [
        "== confluent",
        "== clickhouse",
        "created 3 invitations",
        "listed by email bob@example.com: 1 found",
        "listed all: 3 on 2 pages",
        "a duplicate is refused as AlreadyExists",
        "request id ",
        "EXPIRES",
        "left: ann@example.com, eve@example.com",
    ] {
        assert!(
            demo.stdout.contains(expected),
            "no {expected:?} in:\n{}",
            demo.stdout
        );
    }
    assert_eq!(demo.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_verbs_work_on_either_provider() {
    let world = World::start().await;
    for (name, stored) in [
        ("confluent", "Ann@example.com"),
        ("clickhouse", "ann@example.com"),
    ] {
        let created = world
            .run(&[
                "create",
                "Ann@example.com",
                "--provider",
                name,
                "-o",
                "json",
            ])
            .await
            .json();
        assert_eq!(created["email"], stored);
        assert_eq!(created["status"], "sent");
        let id = created["id"].as_str().unwrap();

        let read = world
            .run(&["--provider", name, "-o", "json", "get", id])
            .await
            .json();
        assert_eq!(read, created, "{name}");

        let listed = world.run(&["list", "-p", name, "-o", "json"]).await.json();
        assert_eq!(listed, Value::Array(vec![created.clone()]), "{name}");

        let table = world.run(&["list", "-p", name]).await;
        assert!(
            table.stdout.contains(id) && table.stdout.contains("EMAIL"),
            "{}",
            table.stdout
        );

        let again = world.run(&["create", "ann@EXAMPLE.com", "-p", name]).await;
        again.fails(1, &["already exists", "status 409", "request id", "hint:"]);

        let deleted = world.run(&["delete", id, "-p", name, "--yes"]).await;
        assert_eq!(deleted.stdout, format!("deleted {id}\n"));
        let gone = world.run(&["get", id, "-p", name]).await;
        gone.fails(4, &["not found", "status 404", "request id"]);
        let none = world.run(&["list", "-p", name, "-o", "json"]).await.json();
        assert_eq!(none, Value::Array(vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_people_are_invited_at_once_and_a_refusal_hides_none() {
    let world = World::start().await;
    world.invite("confluent", &["bob@example.com"]).await;
    let emails = [
        "ann@example.com",
        "bob@example.com",
        "eve@example.com",
        "Ann@example.com",
    ];
    let create = [&["-p", "confluent", "-o", "json", "create"][..], &emails].concat();
    let part = world.run(&create).await;
    part.fails(
        1,
        &["already exists", "Ann@example.com is given more than once"],
    );
    let rows: Value = serde_json::from_str(&part.stdout).unwrap();
    assert_eq!(rows[0]["email"], "ann@example.com");
    assert_eq!(rows[1]["email"], "eve@example.com");
    assert_eq!(world.sandbox.invitations().len(), 3);

    let again = [
        &["-p", "confluent", "-o", "json", "create", "--if-absent"][..],
        &emails[..3],
    ];
    let all = world.run(&again.concat()).await.json();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(world.sandbox.invitations().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_logins_reach_the_provider() {
    let world = World::start().await;
    if !world.offers_role_ids().await {
        return;
    }
    let role = [
        "-p",
        "clickhouse",
        "-o",
        "json",
        "create",
        "a@example.com",
        "--role",
        "admin",
    ];
    assert_eq!(world.run(&role).await.json()["role"], "admin");
    let billing = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
    let id = [
        "-p",
        "clickhouse",
        "-o",
        "json",
        "create",
        "b@example.com",
        "--role-id",
        billing,
    ];
    let created = world.run(&id).await.json();
    assert_eq!(created["assigned_roles"][0]["name"], "Billing");
    let login = [
        "-p",
        "confluent",
        "-o",
        "json",
        "create",
        "c@example.com",
        "--auth-type",
        "SSO",
    ];
    assert_eq!(world.run(&login).await.json()["auth_type"], "sso");
    let odd = [
        "-p",
        "confluent",
        "create",
        "d@example.com",
        "--auth-type",
        "ssso",
    ];
    world
        .run(&odd)
        .await
        .says(&["warning", "did you mean `sso`?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_ids_are_read_and_those_that_are_not_there_are_told() {
    let world = World::start().await;
    let ids = world
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let get = ["-p", "confluent", "-o", "json", "get", &ids[1], &ids[0]];
    let both = world.run(&get).await.json();
    assert_eq!(both[0]["id"], ids[1].as_str());
    assert_eq!(both[1]["id"], ids[0].as_str());
    let part = [
        "-p",
        "confluent",
        "-o",
        "jsonl",
        "get",
        &ids[1],
        "i-nowhere",
    ];
    let part = world.run(&part).await;
    part.fails(1, &["i-nowhere", "not found"]);
    assert_eq!(part.lines()[0]["id"], ids[1].as_str());
    let none = ["-p", "confluent", "get", "i-here", "i-there"];
    world.run(&none).await.fails(4, &["i-here", "i-there"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_needs_a_yes_where_nobody_can_be_asked() {
    let world = World::start().await;
    let ids = world.invite("confluent", &["ann@example.com"]).await;
    let refused = world.run(&["-p", "confluent", "delete", &ids[0]]).await;
    refused.fails(2, &["--yes", "not a terminal"]);
    assert_eq!(world.sandbox.ledger().requests.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_uninvited_by_address_in_any_spelling() {
    let world = World::start().await;
    for name in ["confluent", "clickhouse"] {
        world
            .invite(name, &["Ann@example.com", "bob@example.com"])
            .await;
        let delete = [
            "-p",
            name,
            "-o",
            "jsonl",
            "delete",
            "--yes",
            "--email",
            "ANN@example.com",
        ];
        let rows = world.run(&delete).await.succeeded().lines();
        assert_eq!(text(&rows[0]["email"]).to_lowercase(), "ann@example.com");
        assert_eq!(rows[0]["deleted"], true);
        world
            .run(&delete)
            .await
            .fails(4, &["not found", "ANN@example.com"]);
    }
    assert_eq!(world.sandbox.invitations().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_told_of() {
    let world = World::start().await;
    let lost = Rule::new(Fault::status_after(500))
        .on(Operation::Delete)
        .times(0);
    let ids = world.invite("confluent", &["ann@example.com"]).await;
    world.sandbox.set_faults(Faults::script([lost]));
    let delete = ["-p", "confluent", "delete", "--yes", &ids[0]];
    let unsure = world.run(&delete).await;
    // Deleted by the first attempt, and not there for the second.
    assert!(
        [Some(0), Some(1), Some(4)].contains(&unsure.code),
        "{}",
        unsure.stderr
    );
    assert!(world.sandbox.invitations().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_invitation_cannot_be_deleted() {
    let world = World::start().await;
    let create = ["create", "ann@example.com", "-p", "confluent", "-o", "json"];
    world.run(&create).await.json();
    let id = world
        .sandbox
        .accept(Provider::Confluent, "ann@example.com")
        .unwrap();
    let refused = world
        .run(&["delete", &id, "-p", "confluent", "--yes"])
        .await;
    refused.fails(1, &["already accepted", "status 400", "request id"]);
}
