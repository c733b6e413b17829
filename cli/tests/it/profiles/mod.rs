//! Several profiles at once: the column `profile`, failures of one among many, and commands that take only one.

mod one;

use std::{process::Stdio, time::Duration};

use org_invitations_sandbox::{
    ClickHouseKey, ClickHouseOrganization, Config, ConfluentKey, ConfluentOrganization, Fault,
    Faults, Operation, Rule,
};
use serde_json::Value;

use crate::fixture::{CommandOutput, Fixture, command, run, text};

const ORGANIZATION: &str = "22222222-0000-4000-8000-000000000002";

/// The profile of a Confluent organisation.
fn confluent(name: &str, secret: &str, url: &str) -> String {
    format!(
        "[profiles.{name}]\nprovider = \"confluent\"\napi_key = \"{name}\"\n\
         api_secret = \"{secret}\"\nbase_url = \"{url}\"\n"
    )
}

/// A sandbox with an organisation for each name, whose key has that name and the secret `s`.
async fn sandbox_of(names: &[String]) -> Fixture {
    let mut config = Config::default();
    let organization =
        |name: &String| ConfluentOrganization::default().key(ConfluentKey::new(name, "s"));
    config.confluent = names.iter().map(organization).collect();
    let mut warehouse = ClickHouseOrganization::default().key(ClickHouseKey::new("warehouse", "s"));
    warehouse.id = Some(ORGANIZATION.to_owned());
    config.clickhouse = vec![warehouse];
    Fixture::with(config).await
}

/// The profiles `kafka` and `staging` of Confluent and `warehouse` of ClickHouse, with somebody invited in each.
async fn three_organizations() -> Fixture {
    let names = ["kafka".to_owned(), "staging".to_owned()];
    let fixture = sandbox_of(&names).await;
    let url = fixture.sandbox.url().to_owned();
    fixture.config(&three_profiles(&url, "s"));
    for name in ["kafka", "staging", "warehouse"] {
        let email = format!("{name}@example.com");
        let create = ["--profile", name, "create", &email];
        on(&fixture, &create).await.success();
    }
    fixture
}

fn three_profiles(url: &str, staging_secret: &str) -> String {
    let warehouse = format!(
        "[profiles.warehouse]\nprovider = \"clickhouse\"\norganization_id = \"{ORGANIZATION}\"\n\
         api_key = \"warehouse\"\napi_secret = \"s\"\nbase_url = \"{url}\"\n"
    );
    let (kafka, staging) = (
        confluent("kafka", "s", url),
        confluent("staging", staging_secret, url),
    );
    format!("{warehouse}{staging}{kafka}")
}

async fn on(fixture: &Fixture, arguments: &[&str]) -> CommandOutput {
    run(arguments, &fixture.empty_environment()).await
}

/// The values of a field of all lines.
fn field(output: &CommandOutput, name: &str) -> Vec<String> {
    output.lines().iter().map(|row| text(&row[name])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_several_profiles_name_their_profile() {
    let fixture = three_organizations().await;
    let all = ["--all-profiles", "list"];
    let json = on(&fixture, &[&all[..], &["-o", "json"]].concat()).await;
    let json = json.json();
    let profiles: Vec<&Value> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["profile"])
        .collect();
    assert_eq!(profiles, ["kafka", "staging", "warehouse"]);
    assert_eq!(json[2]["email"], "warehouse@example.com");
    assert_eq!(json[2]["provider"], "clickhouse");
    let yaml = on(&fixture, &[&all[..], &["-o", "yaml"]].concat()).await;
    assert!(
        yaml.success().stdout.starts_with("- profile: kafka\n"),
        "{}",
        yaml.stdout
    );

    let csv = on(&fixture, &[&all[..], &["-o", "csv"]].concat()).await;
    let lines: Vec<&str> = csv.success().stdout.lines().collect();
    assert!(
        lines[0].starts_with("profile,provider,id,email,"),
        "{}",
        csv.stdout
    );
    assert!(
        lines[3].starts_with("warehouse,clickhouse,"),
        "{}",
        csv.stdout
    );

    let table = on(&fixture, &all).await;
    let lines: Vec<&str> = table.success().stdout.lines().collect();
    assert!(
        lines[0].starts_with("PROFILE    PROVIDER    ID "),
        "{}",
        table.stdout
    );
    assert!(
        lines[1].starts_with("kafka      confluent   i-"),
        "{}",
        table.stdout
    );
    // Of one vendor, the provider says nothing; and of one profile, neither does the profile.
    let table = on(&fixture, &["-p", "confluent", "--all-profiles", "list"]).await;
    assert!(
        table.success().stdout.starts_with("PROFILE  ID "),
        "{}",
        table.stdout
    );
    let one = on(
        &fixture,
        &["--profile", "kafka", "--profile", "kafka", "list"],
    )
    .await;
    assert!(one.success().stdout.starts_with("ID "), "{}", one.stdout);
    let one = on(
        &fixture,
        &["-p", "clickhouse", "--all-profiles", "list", "-o", "json"],
    )
    .await;
    assert_eq!(one.json()[0]["profile"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn named_profiles_keep_their_order() {
    let fixture = three_organizations().await;
    // Those before and after the command count alike.
    let list = [
        "--profile",
        "warehouse",
        "list",
        "--profile",
        "kafka",
        "-o",
        "jsonl",
    ];
    let listed = on(&fixture, &list).await;
    assert_eq!(field(&listed, "profile"), ["warehouse", "kafka"]);
    let limited = on(&fixture, &[&list[..], &["--limit", "1"]].concat()).await;
    assert_eq!(field(&limited, "profile"), ["warehouse"]);
    let both = [
        "-p",
        "confluent",
        "-o",
        "jsonl",
        "list",
        "-p",
        "clickhouse",
        "--profile",
        "kafka",
    ];
    let listed = on(&fixture, &both).await;
    assert_eq!(
        field(&listed, "email"),
        ["kafka@example.com", "warehouse@example.com"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_key_hides_no_other_profile() {
    let fixture = three_organizations().await;
    let url = fixture.sandbox.url().to_owned();
    let roster = fixture.home.join("roster.csv");
    std::fs::write(&roster, "email\nnew@example.com\n").unwrap();
    let roster = roster.to_str().unwrap();
    let has_members = fixture.offers_role_ids().await;
    for (secret, words) in [
        ("wrong", "not authenticated"),
        ("s\"\napi_secret_file = \"nowhere", "sets the same value"),
    ] {
        fixture.config(&three_profiles(&url, secret));
        let mut commands = vec![vec!["list"], vec!["plan", roster]];
        if has_members {
            commands.push(vec!["members", "list"]);
            commands.push(vec!["who", "kafka@example.com"]);
        }
        for command in commands {
            let arguments = [&["--all-profiles", "-o", "jsonl"], &command[..]].concat();
            let listed = on(&fixture, &arguments).await;
            let summary = "\n1 of 3 failed: profile staging\n";
            listed.fails(1, &["error: profile staging: ", words, summary]);
            assert_eq!(
                listed.stderr.matches("error:").count(),
                1,
                "{}",
                listed.stderr
            );
            if command != ["members", "list"] {
                let profiles = field(&listed, "profile");
                assert_eq!(profiles, ["kafka", "warehouse"], "{command:?}");
            }
        }
    }
    // Without a success, the code is that of the failures.
    fixture.config(&format!(
        "{}{}",
        confluent("a", "x", &url),
        confluent("b", "x", &url)
    ));
    on(&fixture, &["--all-profiles", "list"])
        .await
        .fails(3, &["profile a:", "profile b:"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_profiles_are_read_at_once() {
    const COUNT: usize = 200;
    let names: Vec<String> = (0..COUNT)
        .map(|number| format!("org-{number:03}"))
        .collect();
    let fixture = sandbox_of(&names).await;
    let url = fixture.sandbox.url();
    let secret = |name: &str| if name == "org-077" { "wrong" } else { "s" };
    let profiles = names.iter().map(|name| confluent(name, secret(name), url));
    fixture.config(&profiles.collect::<String>());
    for name in ["org-003", "org-199"] {
        let email = format!("{name}@example.com");
        on(&fixture, &["--profile", name, "create", &email])
            .await
            .success();
    }
    let list = ["--all-profiles", "-o", "jsonl", "list"];
    let listed = on(&fixture, &list).await;
    listed.fails(1, &["error: profile org-077: "]);
    assert_eq!(
        listed.stderr.matches("error:").count(),
        1,
        "{}",
        listed.stderr
    );
    assert_eq!(field(&listed, "profile"), ["org-003", "org-199"]);
    assert_eq!(
        field(&listed, "email"),
        ["org-003@example.com", "org-199@example.com"]
    );

    // One organisation that never answers holds up none of the others.
    let before = fixture.sandbox.ledger().requests.len();
    let hang = Rule::new(Fault::hang()).on(Operation::List);
    fixture.sandbox.set_faults(Faults::script([hang]));
    let mut hanging = command(&list, &fixture.empty_environment());
    let mut hanging = hanging
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let all_are_asked = async {
        while fixture.sandbox.ledger().requests.len() < before + COUNT {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(300), all_are_asked).await;
    let running = hanging.try_wait().unwrap().is_none();
    hanging.kill().await.unwrap();
    assert!(
        asked.is_ok(),
        "{} requests",
        fixture.sandbox.ledger().requests.len() - before
    );
    assert!(running, "no request hung");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_several_profiles_names_them() {
    let fixture = three_organizations().await;
    let roster = fixture.home.join("roster.csv");
    std::fs::write(&roster, "email\nkafka@example.com\n").unwrap();
    let roster = roster.to_str().unwrap();
    let plan = ["-p", "confluent", "--all-profiles", "plan", roster];
    let table = on(&fixture, &plan).await;
    let lines: Vec<&str> = table.success().stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", table.stdout);
    assert!(
        lines[0].starts_with("PROFILE  LINE  ACTION "),
        "{}",
        table.stdout
    );
    assert!(
        lines[1].starts_with("staging  2     create "),
        "{}",
        table.stdout
    );
    table.stderr_contains(&["profile kafka: create 0, ", "profile staging: create 1, "]);
    let changes = on(&fixture, &[&plan[..], &["--detailed-exitcode"]].concat()).await;
    assert_eq!(changes.code, Some(2));
    let saved = on(&fixture, &[&plan[..], &["--out", "plan.json"]].concat()).await;
    saved.fails(2, &["--out", "one organisation", "--profile"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_checks_all_profiles() {
    let fixture = three_organizations().await;
    let url = fixture.sandbox.url().to_owned();
    fixture.config(&three_profiles(&url, "wrong"));
    let table = on(&fixture, &["--all-profiles", "doctor"]).await;
    table.fails(3, &["3 profiles: 2 passed, 1 failed"]);
    let rows: Vec<Vec<&str>> = table
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("PROFILE"))
        .map(|line| line.split_whitespace().take(4).collect())
        .collect();
    let expected = [
        ["PROFILE", "PROVIDER", "CHECK", "OUTCOME"],
        ["kafka", "confluent", "all", "ok"],
        ["staging", "confluent", "credential", "failed"],
        ["warehouse", "clickhouse", "all", "ok"],
    ];
    assert_eq!(rows, expected, "{}", table.stdout);
    let csv = on(&fixture, &["--all-profiles", "doctor", "-o", "csv"]).await;
    let lines: Vec<&str> = csv.stdout.lines().collect();
    assert_eq!(lines[0], "profile,provider,check,outcome,detail");
    assert_eq!(lines.len(), 1 + 3 * 5, "{}", csv.stdout);
    assert!(
        lines[1].starts_with("kafka,confluent,configuration,ok,"),
        "{}",
        csv.stdout
    );
    let json = on(&fixture, &["--all-profiles", "doctor", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report[1]["profile"], "staging");
    // Without a flag, every profile is shown with its values.
    let every = on(&fixture, &["doctor"]).await;
    every.fails(3, &[]);
    assert_eq!(every.stdout.matches("== ").count(), 3, "{}", every.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_not_applied_to_another_organisation() {
    let fixture = three_organizations().await;
    let roster = fixture.home.join("roster.csv");
    std::fs::write(&roster, "email\nann@example.com\n").unwrap();
    let (roster, saved) = (roster.to_str().unwrap(), fixture.home.join("plan.json"));
    let saved = saved.to_str().unwrap();
    let plan = ["--profile", "staging", "plan", roster, "--out", saved];
    on(&fixture, &plan).await.success();
    let commits = fixture.sandbox.ledger().commits.len();
    let apply = |profile| ["--profile", profile, "apply", saved, "--yes"];
    let elsewhere = on(&fixture, &apply("kafka")).await;
    elsewhere.fails(
        2,
        &["the saved plan cannot be applied", "Nothing was changed"],
    );
    assert_eq!(fixture.sandbox.ledger().commits.len(), commits);
    on(&fixture, &apply("staging")).await.success();
}
