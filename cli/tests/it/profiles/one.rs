//! Several profiles where only one makes sense: commands of one organisation, and variables that replace a key.

use super::{field, on, three_organizations};
use crate::fixture::{run, with_variables};

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_one_organisation_refuse_several_profiles() {
    let fixture = three_organizations().await;
    let roster = fixture.home.join("roster.csv");
    std::fs::write(&roster, "email\nnew@example.com\n").unwrap();
    let roster = roster.to_str().unwrap();
    let sent = fixture.sandbox.ledger().requests.len();
    for command in [
        &["create", "new@example.com"][..],
        &["delete", "--email", "kafka@example.com"],
        &["delete", "--email", "kafka@example.com", "--yes"],
        &["renew", "--expired", "--yes"],
        &["apply", roster],
        &["members", "set-roles", "u-1", "--role", "MetricsViewer"],
        &["members", "remove", "u-1"],
        &["get", "i-1"],
    ] {
        for (profiles, names) in [
            (
                &["--all-profiles"][..],
                "3 profiles are selected: kafka, staging, warehouse",
            ),
            (
                &["--profile", "staging", "--profile", "kafka"],
                "2 profiles are selected: staging, kafka",
            ),
        ] {
            let refused = on(&fixture, &[profiles, command].concat()).await;
            refused.fails(2, &[names, "choose one of them with --profile"]);
        }
    }
    let copy = ["copy", "--from", "kafka", "--to", "staging", "--yes"];
    for (flags, word) in [
        (&["--all-profiles"][..], "--all-profiles has no effect"),
        (&["--profile", "kafka"], "--profile has no effect"),
        (&["-p", "confluent"], "--provider has no effect"),
    ] {
        let refused = on(&fixture, &[&copy[..], flags].concat()).await;
        refused.fails(2, &[word, "--from and --to"]);
    }
    assert_eq!(fixture.sandbox.ledger().requests.len(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_environment_replaces_that_of_one_profile() {
    let fixture = three_organizations().await;
    let key = [
        ("CONFLUENT_CLOUD_API_KEY", "kafka"),
        ("CONFLUENT_CLOUD_API_SECRET", "s"),
    ];
    let variables = with_variables(fixture.empty_environment(), &key);
    let refused = run(&["--all-profiles", "list"], &variables).await;
    refused.fails(
        2,
        &["CONFLUENT_CLOUD_API_KEY", "kafka, staging", "unset it"],
    );
    let each = [
        "--profile",
        "staging",
        "--profile",
        "warehouse",
        "-o",
        "jsonl",
        "list",
    ];
    let listed = run(&each, &variables).await;
    assert_eq!(
        field(&listed, "email"),
        ["kafka@example.com", "warehouse@example.com"]
    );
    // Both profiles mean the organisation of that key.
    let copy = [
        "copy",
        "--from",
        "kafka",
        "--to",
        "staging",
        "--delete-source-after",
        "--yes",
    ];
    let refused = run(&copy, &variables).await;
    refused.fails(
        2,
        &[
            "--from kafka and --to staging are the same organisation",
            "Nothing was sent",
        ],
    );
    assert_eq!(fixture.sandbox.invitations().len(), 3);
}
