//! `renew`: the same person, roles and login under a new id; and what becomes of them when it fails.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, Sandbox};
use serde_json::Value;

use crate::world::{World, empty_home, text};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Nothing that a retry would mend, and quick.
fn create_fails(status: u16) -> Faults {
    Faults::script([Rule::new(Fault::status_before(status))
        .on(Operation::Create)
        .times(0)])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_renewed_with_the_same_roles_and_login() {
    let world = World::start().await;
    if !world.offers_role_ids().await {
        return;
    }
    let billing = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
    for (provider, option, value, pointer) in [
        ("confluent", "--auth-type", "sso", "/auth_type"),
        ("clickhouse", "--role-id", billing, "/assigned_roles/0/id"),
        ("clickhouse", "--role", "admin", "/role"),
    ] {
        let email = format!("{value}@example.com");
        let create = [
            "-p", provider, "-o", "json", "create", &email, option, value,
        ];
        let created = world.run(&create).await.json();
        let id = text(&created["id"]);
        let renewed = world
            .run(&["-p", provider, "-o", "json", "renew", &id])
            .await
            .json();
        assert_eq!(renewed["outcome"], "renewed");
        assert_eq!(renewed["old_id"], id.as_str());
        let new = &renewed["invitation"];
        assert_ne!(new["id"], id.as_str());
        assert_eq!(new.pointer(pointer), created.pointer(pointer), "{provider}");
        assert_eq!(
            new.pointer(pointer),
            Some(&Value::from(value)),
            "{provider}"
        );
    }
    assert_eq!(world.sandbox.invitations().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_expired_is_renewed_and_nothing_else() {
    let world = World::start().await;
    world
        .invite("confluent", &["a@example.com", "b@example.com"])
        .await;
    world.sandbox.advance(WEEK + WEEK);
    let fresh = world.invite("confluent", &["c@example.com"]).await;
    let renewed = world.run(&["-p", "confluent", "renew", "--expired"]).await;
    let said = &renewed.succeeded().stdout;
    assert_eq!(said.matches("renewed ").count(), 2, "{said}");
    assert!(
        world
            .sandbox
            .invitations()
            .iter()
            .any(|one| one.id == fresh[0])
    );
    let none = world.run(&["-p", "confluent", "renew", "--expired"]).await;
    none.succeeded().says(&["no invitation has expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_lost_is_named_with_the_command_that_invites_again() {
    let world = World::start().await;
    if !world.offers_role_ids().await {
        return;
    }
    let billing = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
    let create = [
        "-p",
        "clickhouse",
        "-o",
        "json",
        "create",
        "ann@example.com",
        "--role-id",
        billing,
    ];
    let id = text(&world.run(&create).await.json()["id"]);
    world.sandbox.set_faults(create_fails(403));
    let lost = world
        .run(&["-p", "clickhouse", "renew", &id, "-o", "jsonl"])
        .await;
    let again = format!(
        "org-invitations -p clickhouse create ann@example.com --role-id {billing} --if-absent"
    );
    lost.fails(
        1,
        &[
            "ann@example.com IS NOT INVITED ANY MORE",
            &id,
            "status 403",
            &again,
        ],
    );
    let row = &lost.lines()[0];
    assert_eq!(row["outcome"], "lost");
    assert_eq!(row["invite"]["email"], "ann@example.com");
    assert_eq!(row["invite"]["roles"]["ids"][0], billing);
    assert!(world.sandbox.invitations().is_empty());

    // The command does what it says.
    world.sandbox.set_faults(Faults::script([]));
    let words: Vec<&str> = again.split_whitespace().skip(1).collect();
    world.run(&words).await.succeeded();
    assert_eq!(world.sandbox.invitations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_roles_are_given_again_and_what_was_withdrawn_is_not() {
    let role = "33333333-0000-4000-8000-000000000003";
    let config = format!(
        "{{ confluent: [{{ keep_deleted: true }}], \
           clickhouse: [{{ custom_roles: [{{ id: {role}, name: Auditor }}] }}] }}"
    );
    let config = serde_norway::from_str(&config).unwrap();
    let world = World {
        sandbox: Sandbox::builder().config(config).start().await.unwrap(),
        home: empty_home(),
    };
    if !world.offers_role_ids().await {
        return;
    }
    let old = [
        "-p",
        "clickhouse",
        "create",
        "bob@example.com",
        "--role",
        "admin",
    ];
    world.run(&old).await.fails(1, &["--role-id"]);
    let new = [
        "-p",
        "clickhouse",
        "create",
        "bob@example.com",
        "--role-id",
        role,
    ];
    world.run(&new).await.succeeded();
    let renew = [
        "-p",
        "clickhouse",
        "-o",
        "json",
        "renew",
        "--email",
        "bob@example.com",
    ];
    let renewed = world.run(&renew).await.json();
    assert_eq!(renewed[0]["invitation"]["assigned_roles"][0]["id"], role);

    let ids = world.invite("confluent", &["ann@example.com"]).await;
    let renew = ["-p", "confluent", "renew", "--email", "Ann@example.com"];
    world.run(&renew).await.succeeded();
    let gone = world.run(&["-p", "confluent", "renew", &ids[0]]).await;
    gone.fails(1, &["withdrawn"]);
    let delete = [
        "-p",
        "confluent",
        "delete",
        "--yes",
        "--email",
        "ann@example.com",
    ];
    let deleted = world.run(&delete).await;
    assert_eq!(deleted.succeeded().stdout.lines().count(), 1);
    world
        .run(&delete)
        .await
        .fails(4, &["nobody with this address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_follows_a_person_who_was_lost() {
    let world = World::start().await;
    let people = ["ann@example.com", "bob@example.com", "eve@example.com"];
    world.invite("confluent", &people).await;
    world.sandbox.advance(WEEK + WEEK);
    world.sandbox.set_faults(create_fails(403));
    let lost = world.run(&["-p", "confluent", "renew", "--expired"]).await;
    lost.fails(
        1,
        &["IS NOT INVITED ANY MORE", "2 more not attempted", "1 lost"],
    );
    assert_eq!(world.sandbox.invitations().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_whose_answer_was_lost_is_followed_by_the_create() {
    let world = World::start().await;
    for (fault, times) in [(Fault::reset_after(), 1), (Fault::status_after(500), 0)] {
        let ids = world.invite("confluent", &["ann@example.com"]).await;
        let fault = Rule::new(fault).on(Operation::Delete).times(times);
        world.sandbox.set_faults(Faults::script([fault]));
        let renewed = world.run(&["-p", "confluent", "renew", &ids[0]]).await;
        renewed.succeeded();
        assert_eq!(world.sandbox.invitations().len(), 1);
        world.sandbox.reset();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_fails_for_a_while_is_tried_again() {
    let world = World::start().await;
    let ids = world.invite("confluent", &["ann@example.com"]).await;
    let fault = Rule::new(Fault::status_before(500))
        .on(Operation::Create)
        .times(1);
    world.sandbox.set_faults(Faults::script([fault]));
    let renewed = world.run(&["-p", "confluent", "renew", &ids[0]]).await;
    assert!(
        renewed
            .succeeded()
            .stdout
            .starts_with("renewed ann@example.com")
    );
    assert_eq!(world.sandbox.invitations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_answer_was_lost_invites_once() {
    let world = World::start().await;
    let ids = world.invite("confluent", &["ann@example.com"]).await;
    let fault = Rule::new(Fault::reset_after())
        .on(Operation::Create)
        .times(1);
    world.sandbox.set_faults(Faults::script([fault]));
    world
        .run(&["-p", "confluent", "renew", &ids[0]])
        .await
        .succeeded();
    assert_eq!(world.sandbox.invitations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deleted_stays_as_it_is() {
    let world = World::start().await;
    let ids = world
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let accepted = world
        .sandbox
        .accept(Provider::Confluent, "ann@example.com")
        .unwrap();
    let refused = world
        .run(&["-p", "confluent", "renew", &accepted, "-o", "json"])
        .await;
    refused.fails(1, &["already accepted"]);
    let row: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(row["outcome"], "refused");
    let fault = Rule::new(Fault::status_before(403))
        .on(Operation::Delete)
        .times(0);
    world.sandbox.set_faults(Faults::script([fault]));
    let refused = world
        .run(&["-p", "confluent", "renew", &ids[1], &accepted])
        .await;
    refused.fails(1, &["permission denied", "0 renewed, 2 refused, 0 lost"]);
    let left = world.sandbox.invitations();
    assert!(left.iter().any(|one| one.id == ids[1]));
    assert_eq!(left.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_told_with_4() {
    let world = World::start().await;
    let missing = world.run(&["-p", "confluent", "renew", "i-nowhere"]).await;
    missing.fails(4, &["i-nowhere", "not found"]);
}

/// A request to stop waits for the person under way.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_between_delete_and_create_finishes_the_person() {
    let world = World::start().await;
    let ids = world
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let fault = Rule::new(Fault::rate_limited(1_500))
        .on(Operation::Create)
        .nth(1)
        .times(1);
    world.sandbox.set_faults(Faults::script([fault]));
    let arguments = ["-p", "confluent", "renew", &ids[0], &ids[1]];
    let mut command = crate::world::command(&arguments, &world.variables());
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !world.sandbox.faults().script.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let id = child.id().unwrap().to_string();
    let killed = tokio::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .await;
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("1 not renewed, and as they were"), "{said}");
    let invitations = world.sandbox.invitations();
    let emails: Vec<&str> = invitations.iter().map(|one| one.email.as_str()).collect();
    assert!(emails.contains(&"ann@example.com") && emails.contains(&"bob@example.com"));
    assert!(invitations.iter().any(|one| one.id == ids[1]));
    assert!(!invitations.iter().any(|one| one.id == ids[0]));
}

/// A second one does not wait, and says who is not invited.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_it_and_names_who_is_not_invited() {
    let world = World::start().await;
    let ids = world.invite("confluent", &["ann@example.com"]).await;
    let before = world.sandbox.ledger().commits.len();
    let hang = Rule::new(Fault::hang()).on(Operation::Create).always();
    world.sandbox.set_faults(Faults::script([hang]));
    let url = world.sandbox.url().to_string();
    let arguments = ["-p", "confluent", "--base-url", &url, "renew", &ids[0]];
    let mut command = crate::world::command(&arguments, &world.variables());
    let child = command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while world.sandbox.ledger().commits.len() == before {
        tokio::time::sleep(Duration::from_millis(10)).await;
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
    // To the same server.
    let again = format!(
        "-p confluent --base-url {url} create ann@example.com --auth-type local --if-absent"
    );
    assert!(said.contains(&again), "{said}");
}
