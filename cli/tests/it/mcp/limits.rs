//! What the tools refuse: nothing is changed, as the ledger shows.

use org_invitations_sandbox::{
    ClickHouseOrganization, Config, CustomRole, Fault, Faults, Operation, Rule,
};
use serde_json::{Value, json};

use super::{ANN, BOB, Client};
use crate::fixture::Fixture;

/// Asserts that none of the calls changes anything, and that each answer has its words.
async fn refuses(fixture: &Fixture, client: &Client, calls: &[(&'static str, Value, &[&str])]) {
    let before = fixture.sandbox.ledger().commits.len();
    for (tool, arguments, words) in calls {
        client.call(tool, arguments.clone()).await.fails(words);
        let after = fixture.sandbox.ledger().commits.len();
        assert_eq!(after, before, "{tool} {arguments}");
    }
}

/// Twenty addresses.
fn many() -> Vec<String> {
    (0..20).map(|one| format!("p{one}@example.com")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn removals_stay_within_the_limits_of_the_server() {
    let fixture = Fixture::start().await;
    let many = many();
    let all: Vec<&str> = many.iter().map(String::as_str).collect();
    fixture.invite("confluent", &all).await;
    let client = Client::start(&fixture, "confluent", &["--allow-writes"]).await;
    let six = json!({ "emails": all[..6], "dry_run": false });
    let raised = json!({ "emails": all[..6], "dry_run": false, "max_deletes": 100 });
    let two = json!({ "emails": all[..2], "dry_run": false, "max_deletes": 1 });
    let prune = json!({ "people": [{ "email": all[0] }], "prune": true, "dry_run": false });
    let nobody = json!({ "people": [], "prune": true, "dry_run": false });
    let renew = json!({ "invitations": all[..6], "dry_run": false });
    let calls: [(&str, Value, &[&str]); 6] = [
        ("remove", six, &["6 of 20", "the limit is 5"]),
        ("remove", raised, &["the limit is 5"]),
        ("remove", two, &["the limit is 1"]),
        ("apply", prune, &["19 of 20", "the limit is 5"]),
        ("apply", nobody, &["so nothing was sent"]),
        ("renew", renew, &["6 of 20", "the limit is 5"]),
    ];
    refuses(&fixture, &client, &calls).await;
    client.end().await;
    let options = ["--allow-writes", "--max-deletes", "1", "--keep", all[0]];
    let strict = Client::start(&fixture, "confluent", &options).await;
    let two = json!({ "emails": all[1..3], "dry_run": false });
    let kept = json!({ "emails": [all[0]], "dry_run": false });
    let calls: [(&str, Value, &[&str]); 2] = [
        ("remove", two, &["the limit is 1"]),
        ("remove", kept, &["is kept"]),
    ];
    refuses(&fixture, &strict, &calls).await;
    let one = json!({ "emails": [all[1]], "dry_run": false });
    strict.call("remove", one).await.success();
    strict.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_arguments_change_nothing() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &[ANN]).await;
    let client = Client::start(&fixture, "confluent", &["--allow-writes"]).await;
    let create = |emails: Value| json!({ "emails": emails, "dry_run": false });
    let typo = json!({ "emails": [BOB], "dryrun": false });
    let in_apply = json!({ "people": [{ "email": BOB }], "dry_run": false, "prun": true });
    let in_person = json!({ "people": [{ "email": BOB, "role": "x" }], "dry_run": false });
    let bad_row = json!({ "people": [{ "email": "nobody" }], "dry_run": false });
    let bad_type = json!({ "emails": [BOB], "auth_type": "--if-not-exists", "dry_run": false });
    let renew = |word: &str| json!({ "invitations": [word], "dry_run": false });
    let remove = json!({ "emails": ["i-12345"], "dry_run": false });
    let calls: [(&str, Value, &[&str]); 12] = [
        ("create", create(json!(["nobody"])), &["nobody"]),
        (
            "create",
            create(json!(["--if-not-exists"])),
            &["--if-not-exists"],
        ),
        ("create", create(json!([])), &["EMAIL"]),
        ("create", create(json!(BOB)), &["`emails` of `create`"]),
        ("create", typo, &["unknown field `dryrun`"]),
        ("create", bad_type, &["--if-not-exists"]),
        ("apply", in_apply, &["unknown field `prun`"]),
        ("apply", in_person, &["unknown field `role`"]),
        ("apply", bad_row, &["nobody"]),
        ("renew", renew("-"), &["`-` is no invitation"]),
        ("renew", renew("../members/u-1"), &["must not contain"]),
        ("remove", remove, &["is no address"]),
    ];
    refuses(&fixture, &client, &calls).await;
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_role_changes_nothing() {
    let mut organization = ClickHouseOrganization::default();
    organization.custom_roles = vec![
        CustomRole::new("11111111-0000-4000-8000-000000000001", "Reader"),
        CustomRole::new("11111111-0000-4000-8000-000000000002", "reader"),
    ];
    let mut config = Config::default();
    config.clickhouse = vec![organization];
    let fixture = Fixture::with(config).await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let client = Client::start(&fixture, "clickhouse", &["--allow-writes"]).await;
    let create = json!({ "emails": [ANN], "roles": ["Reader"], "dry_run": false });
    let unknown = json!({ "emails": [ANN], "roles": ["Raeder"], "dry_run": false });
    let calls: [(&str, Value, &[&str]); 2] = [
        ("create", create, &["2 roles are called", "000000000001"]),
        ("create", unknown, &["has no role", "did you mean"]),
    ];
    refuses(&fixture, &client, &calls).await;
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_the_tools() {
    let fixture = Fixture::start().await;
    let log = fixture.home.join("audit.jsonl");
    let options = ["--allow-writes", "--audit-log", log.to_str().unwrap()];
    let client = Client::start(&fixture, "confluent", &options).await;
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let create = json!({ "emails": [ANN], "dry_run": false });
    let calls: [(&str, Value, &[&str]); 1] = [(
        "create",
        create,
        &["cannot open the audit log", "nothing is changed without it"],
    )];
    refuses(&fixture, &client, &calls).await;
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_cancelled_stops_after_its_change() {
    let fixture = Fixture::start().await;
    let client = Client::start(&fixture, "confluent", &["--allow-writes"]).await;
    let hang = Rule::new(Fault::hang()).on(Operation::List).times(0);
    fixture.sandbox.set_faults(Faults::script([hang]));
    let requests = || fixture.sandbox.ledger().requests.len();
    let remove = json!({ "emails": [ANN], "dry_run": false });
    let is_listing = async {
        while requests() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    // The client drops the call, which cancels it.
    tokio::select! {
        answer = client.call("remove", remove) => panic!("answered: {}", answer.text()),
        () = is_listing => {}
    }
    // A change waits for the one before it, so this one shows that the other has ended, and not by listing again.
    let create = json!({ "emails": [BOB], "dry_run": false });
    client.call("create", create).await.success();
    let ledger = fixture.sandbox.ledger();
    let lists = ledger.requests.iter().filter(|one| {
        one.operation
            .is_some_and(|operation| operation.contains("listIamV2Invitations"))
    });
    assert_eq!(lists.count(), 1, "{:#?}", ledger.requests);
    client.end().await;
}

/// A log without room stops no half of a renewal, and the answer says what it lacks.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_audit_log_is_part_of_the_answer() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let options = ["--allow-writes", "--audit-log", "/dev/full"];
    let client = Client::start(&fixture, "confluent", &options).await;
    let arguments =
        json!({ "invitations": ["ann@example.com"], "dry_run": false, "max_deletes": 1 });
    let renewed = client.call("renew", arguments).await;
    renewed.fails(&["cannot write the audit log /dev/full", "it lacks:"]);
    let left = fixture.sandbox.invitations();
    assert_eq!(left.len(), 1, "{}", renewed.text());
    assert_ne!(left[0].id, ids[0]);
    // What has not begun is refused.
    let arguments = json!({ "emails": ["bob@example.com"], "dry_run": false });
    let refused = client.call("create", arguments).await;
    refused.fails(&["no further change is made"]);
    client.end().await;
    assert_eq!(fixture.sandbox.invitations().len(), 1);
}
