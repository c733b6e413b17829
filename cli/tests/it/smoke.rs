//! The basic commands: `create`, `get`, `delete` and `demo`.

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use serde_json::Value;

use crate::fixture::{Fixture, empty_environment, run, text};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_runs_on_both_providers() {
    let demo = run(&["demo"], &empty_environment()).await;
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
    let fixture = Fixture::start().await;
    for (name, stored) in [
        ("confluent", "Ann@example.com"),
        ("clickhouse", "ann@example.com"),
    ] {
        let created = fixture
            .run(&[
                "create",
                "Ann@example.com",
                "--provider",
                name,
                "-o",
                "json",
            ])
            .await
            .one();
        assert_eq!(created["email"], stored);
        assert_eq!(created["status"], "sent");
        let id = created["id"].as_str().unwrap();

        let read = fixture
            .run(&["--provider", name, "-o", "json", "get", id])
            .await
            .one();
        assert_eq!(read, created, "{name}");

        let listed = fixture
            .run(&["list", "-p", name, "-o", "json"])
            .await
            .json();
        assert_eq!(listed, Value::Array(vec![created.clone()]), "{name}");

        let table = fixture.run(&["list", "-p", name]).await;
        assert!(
            table.stdout.contains(id) && table.stdout.contains("EMAIL"),
            "{}",
            table.stdout
        );

        let again = fixture
            .run(&["create", "ann@EXAMPLE.com", "-p", name])
            .await;
        again.fails(1, &["already exists", "status 409", "request id", "hint:"]);

        let deleted = fixture.run(&["delete", id, "-p", name, "--yes"]).await;
        assert_eq!(deleted.stdout, format!("deleted {id}\n"));
        let gone = fixture.run(&["get", id, "-p", name]).await;
        gone.fails(4, &["not found", "status 404", "request id"]);
        let none = fixture
            .run(&["list", "-p", name, "-o", "json"])
            .await
            .json();
        assert_eq!(none, Value::Array(vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failed_create_hides_no_other() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["bob@example.com"]).await;
    let emails = [
        "ann@example.com",
        "bob@example.com",
        "eve@example.com",
        "Ann@example.com",
    ];
    let create = [&["-p", "confluent", "-o", "json", "create"][..], &emails].concat();
    let part = fixture.run(&create).await;
    part.fails(
        1,
        &["already exists", "Ann@example.com is given more than once"],
    );
    let rows: Value = serde_json::from_str(&part.stdout).unwrap();
    assert_eq!(rows[0]["email"], "ann@example.com");
    assert_eq!(rows[1]["email"], "eve@example.com");
    assert_eq!(fixture.sandbox.invitations().len(), 3);

    // The flag, and its former name.
    for flag in ["--if-not-exists", "--if-absent"] {
        let again = [
            &["-p", "confluent", "-o", "json", "create", flag][..],
            &emails[..3],
        ];
        let all = fixture.run(&again.concat()).await.json();
        assert_eq!(all.as_array().unwrap().len(), 3);
        assert_eq!(fixture.sandbox.invitations().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_auth_types_reach_the_provider() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
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
    assert_eq!(fixture.run(&role).await.one()["role"], "admin");
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
    let created = fixture.run(&id).await.one();
    assert_eq!(created["roles"][0]["name"], "Billing");
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
    assert_eq!(fixture.run(&login).await.one()["auth_type"], "sso");
    let odd = [
        "-p",
        "confluent",
        "create",
        "d@example.com",
        "--auth-type",
        "ssso",
    ];
    fixture
        .run(&odd)
        .await
        .stderr_contains(&["warning", "did you mean `sso`?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_ids_are_reported_beside_the_found_ones() {
    let fixture = Fixture::start().await;
    let ids = fixture
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let get = ["-p", "confluent", "-o", "json", "get", &ids[1], &ids[0]];
    let both = fixture.run(&get).await.json();
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
    let part = fixture.run(&part).await;
    part.fails(1, &["i-nowhere", "not found"]);
    assert_eq!(part.lines()[0]["id"], ids[1].as_str());
    let none = ["-p", "confluent", "get", "i-here", "i-there"];
    fixture.run(&none).await.fails(4, &["i-here", "i-there"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_needs_yes_without_a_terminal() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let refused = fixture.run(&["-p", "confluent", "delete", &ids[0]]).await;
    refused.fails(2, &["--yes", "not a terminal"]);
    assert_eq!(fixture.sandbox.ledger().requests.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_matches_addresses_in_any_spelling() {
    let fixture = Fixture::start().await;
    for name in ["confluent", "clickhouse"] {
        fixture
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
        let rows = fixture.run(&delete).await.success().lines();
        assert_eq!(text(&rows[0]["email"]).to_lowercase(), "ann@example.com");
        assert_eq!(rows[0]["deleted"], true);
        fixture
            .run(&delete)
            .await
            .fails(4, &["not found", "ANN@example.com"]);
    }
    assert_eq!(fixture.sandbox.invitations().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_is_reported() {
    let fixture = Fixture::start().await;
    let lost = Rule::new(Fault::status_after(500))
        .on(Operation::Delete)
        .times(0);
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    fixture.sandbox.set_faults(Faults::script([lost]));
    let delete = ["-p", "confluent", "delete", "--yes", &ids[0]];
    let unsure = fixture.run(&delete).await;
    // The first attempt deletes the invitation, and the second does not find it.
    assert!(
        [Some(0), Some(1), Some(4)].contains(&unsure.code),
        "{}",
        unsure.stderr
    );
    assert!(fixture.sandbox.invitations().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_invitation_cannot_be_deleted() {
    let fixture = Fixture::start().await;
    let create = ["create", "ann@example.com", "-p", "confluent", "-o", "json"];
    fixture.run(&create).await.json();
    let id = fixture
        .sandbox
        .accept(Provider::Confluent, "ann@example.com")
        .unwrap();
    let refused = fixture
        .run(&["delete", &id, "-p", "confluent", "--yes"])
        .await;
    refused.fails(1, &["already accepted", "status 400", "request id"]);
}
