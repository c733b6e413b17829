//! `list`: filters, limits, several providers, and printing page by page.

use std::{process::Stdio, time::Duration};

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::fixture::{Fixture, command, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn filters_reach_the_list() {
    let fixture = Fixture::start().await;
    for name in ["confluent", "clickhouse"] {
        for email in ["a@example.com", "b@example.com", "c@example.com"] {
            fixture
                .run(&["create", email, "-p", name, "-o", "json"])
                .await
                .json();
        }
        let emails = async |arguments: &[&str]| {
            let arguments = [&["list", "-p", name, "-o", "json"], arguments].concat();
            let rows = fixture.run(&arguments).await.json();
            let rows = rows.as_array().unwrap().clone();
            rows.iter()
                .map(|row| row["email"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            emails(&["--email", "b@example.com"]).await,
            ["b@example.com"]
        );
        if name == "confluent" && !fixture.offers_status_filter().await {
            continue;
        }
        assert_eq!(
            emails(&["--status", "sent", "--page-size", "1"])
                .await
                .len(),
            3,
            "{name}"
        );
        assert_eq!(emails(&["--status", "expired"]).await, Vec::<String>::new());
        assert_eq!(
            emails(&["--limit", "2"]).await,
            ["a@example.com", "b@example.com"]
        );
    }
    let refused = fixture
        .run(&["list", "-p", "clickhouse", "--user", "u-1"])
        .await;
    refused.fails(1, &["not supported", "user filter"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_status_gets_a_suggestion() {
    let fixture = Fixture::start().await;
    let list = fixture
        .run(&["-p", "clickhouse", "list", "--status", "expred"])
        .await;
    list.success()
        .stderr_contains(&["warning", "did you mean `expired`?"]);
    let known = fixture
        .run(&["-p", "clickhouse", "list", "--status", "EXPIRED"])
        .await;
    assert_eq!(known.success().stderr, "no invitations\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_and_expiring_invitations_are_found() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["old@example.com"]).await;
    let emails = async |filter: &[&str]| {
        let list = [&["-p", "confluent", "-o", "jsonl", "list"], filter].concat();
        let rows = fixture.run(&list).await.success().lines();
        rows.iter()
            .map(|row| text(&row["email"]))
            .collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(emails(&["--expiring-within", "24h"]).await, none);
    assert_eq!(
        emails(&["--expiring-within", "8d"]).await,
        ["old@example.com"]
    );
    assert_eq!(emails(&["--expired"]).await, none);
    fixture.sandbox.advance(8 * DAY);
    fixture.invite("confluent", &["new@example.com"]).await;
    assert_eq!(emails(&["--expired"]).await, ["old@example.com"]);
    let wrong = fixture
        .run(&["list", "-p", "confluent", "--expiring-within", "soon"])
        .await;
    wrong.fails(2, &["--expiring-within", "soon"]);
    let both = fixture
        .run(&["list", "-p", "confluent", "--expired", "--status", "sent"])
        .await;
    both.fails(2, &["cannot be used with"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_match_by_name_and_id() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    fixture.invite("clickhouse", &["dev@example.com"]).await;
    let billing = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
    let create = [
        "-p",
        "clickhouse",
        "create",
        "bill@example.com",
        "--role-id",
        billing,
    ];
    fixture.run(&create).await.success();
    for role in ["BILLING", billing] {
        let list = ["-p", "clickhouse", "-o", "json", "list", "--role", role];
        let rows = fixture.run(&list).await.json();
        assert_eq!(rows.as_array().unwrap().len(), 1);
        assert_eq!(rows[0]["email"], "bill@example.com");
    }
    let sent = fixture.sandbox.ledger().requests.len();
    let refused = fixture
        .run(&["-p", "confluent", "list", "--role", "admin"])
        .await;
    refused.fails(1, &["not supported", "role filter"]);
    assert_eq!(fixture.sandbox.ledger().requests.len(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_providers_share_one_table() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    fixture.invite("clickhouse", &["bob@example.com"]).await;
    let both = ["-p", "confluent", "-p", "clickhouse", "list"];
    let table = fixture.run(&both).await.success().stdout.clone();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("PROVIDER "), "{table}");
    assert!(lines[1].starts_with("confluent "), "{table}");
    assert!(lines[2].starts_with("clickhouse "), "{table}");
    let column = |line: &str, word| line.find(word).unwrap();
    assert_eq!(
        column(lines[0], "EMAIL"),
        column(lines[1], "ann@"),
        "{table}"
    );
    assert_eq!(
        column(lines[0], "EMAIL"),
        column(lines[2], "bob@"),
        "{table}"
    );
    let one = fixture.run(&["-p", "confluent", "list"]).await;
    assert!(!one.stdout.contains("PROVIDER"), "{}", one.stdout);
    let json = fixture
        .run(&[&both[..], &["-o", "json"]].concat())
        .await
        .json();
    assert_eq!(json[1]["provider"], "clickhouse");
    let create = [
        "-p",
        "confluent",
        "-p",
        "clickhouse",
        "create",
        "eve@example.com",
    ];
    fixture.run(&create).await.fails(2, &["one provider"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_provider_that_fails_does_not_hide_the_other() {
    let fixture = Fixture::start().await;
    fixture.invite("clickhouse", &["bob@example.com"]).await;
    let fault = Rule::new(Fault::status_before(403))
        .provider(Provider::Confluent)
        .always();
    fixture.sandbox.set_faults(Faults::script([fault]));
    let both = ["-p", "confluent", "-p", "clickhouse", "-o", "csv", "list"];
    let part = fixture.run(&both).await;
    part.fails(1, &["confluent list", "permission denied"]);
    assert!(part.stdout.contains("bob@example.com"), "{}", part.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_printed_before_later_pages_arrive() {
    let fixture = Fixture::start().await;
    let emails: Vec<String> = (0..5).map(|n| format!("p{n}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    fixture.invite("confluent", &emails).await;
    for format in ["table", "jsonl", "csv", "yaml", "json"] {
        let hang = Rule::new(Fault::hang()).on(Operation::List).nth(2).times(0);
        fixture.sandbox.set_faults(Faults::script([hang]));
        let list = ["-p", "confluent", "-o", format, "list", "--page-size", "2"];
        let mut command = command(&list, &fixture.variables());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = String::new();
        while !seen.contains("p0@example.com") {
            let line = lines.next_line().await.unwrap();
            seen += &line.unwrap_or_else(|| panic!("{format} ended with {seen:?}"));
        }
        child.kill().await.unwrap();
        assert!(!seen.contains("p2@example.com"), "{format}: {seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_requests_no_more_than_it_prints() {
    let fixture = Fixture::start().await;
    let emails: Vec<String> = (0..12).map(|n| format!("p{n}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    fixture.invite("confluent", &emails).await;
    let before = fixture.sandbox.ledger().requests.len();
    let list = ["-p", "confluent", "-o", "json", "list", "--limit", "3"];
    assert_eq!(fixture.run(&list).await.json().as_array().unwrap().len(), 3);
    let ledger = fixture.sandbox.ledger();
    assert_eq!(ledger.requests.len(), before + 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_list_with_130() {
    let fixture = Fixture::start().await;
    let hang = Rule::new(Fault::hang()).on(Operation::List).times(0);
    fixture.sandbox.set_faults(Faults::script([hang]));
    let mut command = command(&["-p", "confluent", "list"], &fixture.variables());
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    while fixture.sandbox.ledger().requests.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let id = child.id().unwrap().to_string();
    let killed = tokio::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .await;
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(output.stderr, b"interrupted\nnothing was changed\n");
}
