//! The API keys that go with removed members, and the owner of the key in use.

use std::fs;

use org_invitations_sandbox::{
    Config, ConfluentKey, ConfluentMember, ConfluentOrganization, Fault, Faults, Operation, Rule,
    Sandbox,
};
use serde_json::{Value, json};

use crate::fixture::Fixture;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const REMOVE: [&str; 6] = ["-p", "confluent", "members", "remove", "--min-admins", "0"];

/// An organisation of Ada, whose key is in use, and Bob, who has two.
async fn fixture() -> Fixture {
    let bobs = |key: &str| ConfluentKey::new(key, "s").user("u-bob");
    let organization = ConfluentOrganization::default()
        .member(ConfluentMember::new(ADA).id("u-ada"))
        .member(ConfluentMember::new(BOB).id("u-bob"))
        .key(ConfluentKey::new("ADA-1", "s").user("u-ada"))
        .key(bobs("BOB-1").display_name("Orders").resource("lkc-1"))
        .key(bobs("BOB-2"));
    let mut config = Config::default();
    config.confluent = vec![organization];
    Fixture::over(Sandbox::builder().config(config).start().await.unwrap())
}

fn members(fixture: &Fixture) -> Vec<String> {
    let members = fixture.sandbox.members().into_iter();
    members.map(|member| member.email).collect()
}

fn deny(fixture: &Fixture, operation: Operation, status: u16) {
    let denied = Rule::new(Fault::status_before(status)).on(operation);
    let denied = Faults::script([denied.always()]);
    fixture.sandbox.set_faults(denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_shows_keys_and_keeps_the_owner() {
    let fixture = fixture().await;
    if !fixture.offers_api_keys() {
        return;
    }
    let consent = ["--yes", "--delete-owned", "-o", "json"];
    let only_ada = [&REMOVE[..], &[ADA], &consent].concat();
    let refused = fixture.run(&only_ada).await;
    refused.fails(1, &["use the key of somebody else"]);
    let both = [&REMOVE[..], &[ADA, BOB], &consent].concat();
    let removed = fixture.run(&both).await;
    removed.fails(
        1,
        &[
            "ada@example.com is kept: the member owns the API key in use",
            "API keys that are deleted with their owners",
            "bob@example.com (u-bob): BOB-1 \"Orders\" for lkc-1",
            "bob@example.com (u-bob): BOB-2",
        ],
    );
    let record: Value = serde_json::from_str(&removed.stdout).unwrap();
    assert_eq!(record[1]["email"], BOB, "{record}");
    let keys = json!([
        { "id": "BOB-1", "name": "Orders", "resource_id": "lkc-1", "resource_kind": "Cluster" },
        { "id": "BOB-2" },
    ]);
    assert_eq!(record[1]["api_keys"], keys);
    assert_eq!(members(&fixture), [ADA]);
    let left = fixture.sandbox.api_keys().into_iter().map(|key| key.id);
    assert_eq!(left.collect::<Vec<_>>(), ["ADA-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_read_are_one_line() {
    for (operation, status, words) in [
        (Operation::ListApiKeys, 403, "deleted too could not be read"),
        (Operation::ListApiKeys, 404, "deleted too could not be read"),
        (
            Operation::GetApiKey,
            403,
            "the owner of the API key in use is not known",
        ),
        (
            Operation::GetApiKey,
            404,
            "the owner of the API key in use is not known",
        ),
    ] {
        let fixture = fixture().await;
        if !fixture.offers_api_keys() {
            return;
        }
        deny(&fixture, operation, status);
        let remove = [&REMOVE[..], &[BOB, "--yes", "--delete-owned"]].concat();
        let removed = fixture.run(&remove).await;
        removed.success();
        let lines = removed.stderr.lines().filter(|line| line.contains(words));
        assert_eq!(lines.count(), 1, "{status}: {}", removed.stderr);
        assert_eq!(members(&fixture), [ADA]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_removed_while_the_owner_is_uncertain() {
    let fixture = fixture().await;
    if !fixture.offers_api_keys() {
        return;
    }
    deny(&fixture, Operation::GetApiKey, 500);
    let remove = [&REMOVE[..], &[ADA, "--yes", "--delete-owned"]].concat();
    fixture.run(&remove).await.fails(1, &["500"]);
    assert_eq!(members(&fixture), [ADA, BOB]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_members_in_reach_removes_as_before() {
    let fixture = Fixture::start().await;
    if !fixture.offers_api_keys() {
        return;
    }
    fixture.invite("confluent", &[BOB]).await;
    fixture
        .sandbox
        .accept(org_invitations_sandbox::Provider::Confluent, BOB)
        .unwrap();
    let remove = [&REMOVE[..], &[BOB, "--yes", "--delete-owned"]].concat();
    let removed = fixture.run(&remove).await;
    let none = "no API key is known that would be deleted with its owner";
    removed.success().stderr_contains(&[none]);
    assert!(members(&fixture).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_shows_keys_and_keeps_the_owner() {
    let fixture = fixture().await;
    if !fixture.offers_api_keys() {
        return;
    }
    let roster = fixture.home.join("roster.csv");
    fs::write(&roster, "email\neve@example.com\n").unwrap();
    let roster = roster.to_str().unwrap();
    let prune = [
        "--prune",
        "--prune-members",
        "--min-admins",
        "0",
        "-o",
        "json",
    ];
    let apply = [&["-p", "confluent", "apply", roster], &prune[..]].concat();
    let dry = ["--dry-run", "--delete-owned"];
    let shown = fixture.run(&[&apply[..], &dry].concat()).await;
    let steps = shown.json();
    let line = "bob@example.com (u-bob): BOB-1 \"Orders\" for lkc-1";
    shown.stderr_contains(&[line]);
    let step = |email: &str| {
        let mut steps = steps.as_array().unwrap().iter();
        steps.find(|step| step["email"] == email).unwrap().clone()
    };
    assert_eq!(step(BOB)["action"], "remove");
    assert_eq!(step(BOB)["api_keys"][1]["id"], "BOB-2");
    assert_eq!(step(ADA)["action"], "keep");
    let why = step(ADA)["reason"].to_string();
    assert!(why.contains("owns the API key in use"), "{why}");
    assert_eq!(members(&fixture), [ADA, BOB]);

    let applied = [&apply[..], &["--yes", "--delete-owned"]].concat();
    let applied = fixture.run(&applied).await;
    let outcomes = applied.json();
    applied.stderr_contains(&[line]);
    let mut outcomes = outcomes.as_array().unwrap().iter();
    let bob = outcomes.find(|outcome| outcome["email"] == BOB).unwrap();
    assert_eq!(
        (&bob["result"], &bob["api_keys"][0]["id"]),
        (&json!("removed"), &json!("BOB-1"))
    );
    assert_eq!(members(&fixture), [ADA]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_key_in_use_protects_its_owner() {
    let fixture = fixture().await;
    if !fixture.offers_api_keys() {
        return;
    }
    // The key may not be read, and is in the list of its owner's keys.
    deny(&fixture, Operation::GetApiKey, 403);
    let remove = [&REMOVE[..], &[ADA, BOB, "--yes", "--delete-owned"]].concat();
    let refused = fixture.run(&remove).await;
    refused.fails(
        2,
        &[
            "ada@example.com owns the API key in use (ADA-1)",
            "nothing was changed",
        ],
    );
    assert_eq!(members(&fixture), [ADA, BOB]);
    let kept = [&remove[..], &["--keep", ADA]].concat();
    fixture
        .run(&kept)
        .await
        .fails(1, &["ada@example.com is kept"]);
    assert_eq!(members(&fixture), [ADA]);
}
