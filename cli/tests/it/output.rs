//! The output formats: common behaviour, escaping and schemas.

use std::process::Stdio;

use httpmock::{Method::GET, MockServer};
use serde_json::{Value, json};

use crate::fixture::{Fixture, Variables, command, home_environment, new_home, run, text};

/// An organisation whose values contain control characters and formulas.
async fn hostile_fixture() -> (MockServer, Variables) {
    let server = MockServer::start_async().await;
    let item = |id: &str, email: &str, role: &str| {
        json!({
            "id": id,
            "email": email,
            "role": "developer",
            "createdAt": "2026-01-01T00:00:00Z",
            "expireAt": "2026-01-08T00:00:00Z",
            "assignedRoles": [{ "roleId": "r-1", "roleName": role, "roleType": "custom" }],
            "note": "\u{9b}2J\u{202e}",
        })
    };
    let result = json!([
        item("i-1", "=HYPERLINK(\"x\")@example.com", "a\u{1b}[2Jb"),
        item("i-2", "\u{202e}@example.com", "two\nlines"),
        item("i-3", "名前@example.com", "a,\"b\""),
    ]);
    let body = json!({ "status": 200, "requestId": "r", "result": result });
    server
        .mock_async(|when, then| {
            when.method(GET);
            then.status(200).json_body(body);
        })
        .await;
    let mut variables = home_environment(&new_home());
    for (name, value) in [
        ("CLICKHOUSE_ORG_ID", "11111111-2222-3333-4444-555555555555"),
        ("CLICKHOUSE_CLOUD_API_KEY", "key"),
        ("CLICKHOUSE_CLOUD_API_SECRET", "secret"),
        ("CLICKHOUSE_API_URL", &server.base_url()),
        ("ORG_INVITATIONS_PROVIDER", "clickhouse"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    (server, variables)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_escapes_control_characters() {
    let (_server, variables) = hostile_fixture().await;
    for format in ["table", "json", "jsonl", "csv", "yaml"] {
        let list = run(&["list", "-o", format], &variables).await;
        let raw = list.success().stdout.chars().find(|letter| {
            letter.is_control() && *letter != '\n' || matches!(letter, '\u{202a}'..='\u{202e}')
        });
        assert_eq!(raw, None, "{format}: {:?}", list.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_and_yaml_keep_the_values() {
    let (_server, variables) = hostile_fixture().await;
    let rows = run(&["list", "-o", "json"], &variables).await.json();
    assert_eq!(rows[0]["roles"][0]["name"], "a\u{1b}[2Jb");
    assert_eq!(rows[0]["extra"]["note"], "\u{9b}2J\u{202e}");
    assert_eq!(rows[1]["email"], "\u{202e}@example.com");
    let lines = run(&["list", "-o", "jsonl"], &variables).await.lines();
    assert_eq!(Value::Array(lines), rows);
    let yaml = run(&["list", "-o", "yaml"], &variables).await;
    let yaml: Value = serde_norway::from_str(&yaml.stdout).unwrap();
    assert_eq!(yaml, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_round_trips_and_escapes_formulas() {
    let (_server, variables) = hostile_fixture().await;
    let list = run(&["list", "-o", "csv"], &variables).await;
    let mut reader = csv::Reader::from_reader(list.stdout.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(&rows[0][2], "'=HYPERLINK(\"x\")@example.com");
    assert_eq!(&rows[0][5], "a\\u{1b}[2Jb");
    // A roster would have two roles of that name, so the id is in its place.
    assert_eq!(&rows[2][5], "r-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_aligned_by_display_width() {
    let (_server, variables) = hostile_fixture().await;
    let list = run(&["list", "--role", "a,\"b\""], &variables).await;
    let lines: Vec<&str> = list.stdout.lines().collect();
    // With two letters of double width, the column starts two letters earlier in the text.
    let at = |line: &str, word: &str| line[..line.find(word).unwrap()].chars().count();
    assert_eq!(
        at(lines[0], "STATUS"),
        at(lines[1], "expired") + 2,
        "{}",
        list.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_is_valid_in_every_format() {
    let fixture = Fixture::start().await;
    for (format, nothing) in [
        ("table", ""),
        ("json", "[]\n"),
        ("jsonl", ""),
        ("yaml", "[]\n"),
    ] {
        let list = fixture
            .run(&["-p", "confluent", "list", "-o", format])
            .await;
        assert_eq!(list.success().stdout, nothing, "{format}");
    }
    let csv = fixture.run(&["-p", "confluent", "list", "-o", "csv"]).await;
    assert!(
        csv.stdout.starts_with("provider,id,email,status,"),
        "{}",
        csv.stdout
    );
    assert_eq!(csv.stdout.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_matches_the_schema() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let schema = async |name: &str| {
        let schema = fixture.run(&["schema", name]).await.json();
        jsonschema::validator_for(&schema).unwrap()
    };
    for provider in ["confluent", "clickhouse"] {
        let ids = fixture
            .invite(provider, &["a@example.com", "b@example.com"])
            .await;
        for (name, arguments) in [
            ("list", &["list"][..]),
            ("get", &["get", &ids[0]]),
            ("get", &["get", &ids[0], &ids[1]]),
            ("create", &["create", "c@example.com"]),
            ("create", &["create", "c@example.com", "--if-not-exists"]),
            ("create", &["create", "d@example.com", "e@example.com"]),
            ("renew", &["renew", "--yes", &ids[1]]),
            ("renew", &["renew", "--yes", "--email", "c@example.com"]),
            ("delete", &["delete", "--yes", &ids[0]]),
            ("delete", &["delete", "--yes", "--email", "d@example.com"]),
            ("doctor", &["doctor"]),
        ] {
            let arguments = [&["-p", provider, "-o", "json"], arguments].concat();
            let printed = fixture.run(&arguments).await.json();
            let valid = schema(name).await;
            assert!(valid.is_valid(&printed), "{arguments:?}: {printed:#}");
            assert!(!valid.is_valid(&json!({ "id": 1 })), "{name}");
        }
    }
}

#[tokio::test]
async fn the_configuration_schema_has_every_key() {
    let schema = run(&["schema", "config"], &home_environment(&new_home()))
        .await
        .json();
    let valid = jsonschema::validator_for(&schema).unwrap();
    let profile = |profile: Value| json!({ "profiles": { "prod": profile } });
    let good = json!({ "provider": "confluent", "api_key": "k", "api_secret_command": "pass" });
    assert!(valid.is_valid(&profile(good)));
    let limits = json!({ "provider": "clickhouse", "connection": { "timeout_seconds": 3.5 } });
    assert!(valid.is_valid(&profile(limits)));
    assert!(!valid.is_valid(&profile(
        json!({ "provider": "confluent", "api_secrt": "x" })
    )));
    assert!(!valid.is_valid(&profile(
        json!({ "provider": "confluent", "organization_id": "x" })
    )));
    assert!(!valid.is_valid(&json!({ "profile": {} })));
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_need_a_terminal_or_a_flag() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let plain = fixture.run(&["-p", "confluent", "list"]).await;
    assert!(!plain.stdout.contains('\u{1b}'), "{:?}", plain.stdout);
    let coloured = fixture
        .run(&["-p", "confluent", "list", "--color", "always"])
        .await;
    assert!(
        coloured.stdout.contains("\u{1b}[32msent\u{1b}[0m"),
        "{:?}",
        coloured.stdout
    );
    let help = fixture.run(&["--color", "always", "list", "-h"]).await;
    assert!(help.stdout.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_no_error() {
    let fixture = Fixture::start().await;
    let emails: Vec<String> = (0..50).map(|n| format!("p{n}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    fixture.invite("confluent", &emails).await;
    for arguments in [
        &["-p", "confluent", "list", "--page-size", "1"][..],
        &["completions", "bash"],
        &["man"],
        &["schema", "list"],
    ] {
        let mut command = command(arguments, &fixture.variables());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_continue_after_a_closed_pipe() {
    let fixture = Fixture::start().await;
    let emails: Vec<String> = (0..20).map(|n| format!("p{n}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let create = [&["-p", "confluent", "-o", "jsonl", "create"][..], &emails].concat();
    let mut command = command(&create, &fixture.variables());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert_eq!(fixture.sandbox.invitations().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_messages_are_escaped() {
    let server = MockServer::start_async().await;
    let said =
        json!({ "status": 400, "error": "BAD_REQUEST: \u{1b}]0;owned\u{7} no\nerror: fake" });
    server
        .mock_async(|when, then| {
            when.method(GET);
            then.status(400).json_body(said);
        })
        .await;
    let (_server, mut variables) = hostile_fixture().await;
    variables.insert("CLICKHOUSE_API_URL".to_owned(), server.base_url());
    let refused = run(&["list"], &variables).await;
    refused.fails(1, &["\\u{1b}]0;owned"]);
    assert!(!refused.stderr.contains('\u{1b}'), "{:?}", refused.stderr);
    assert!(
        !refused.stderr.contains("\nerror: fake"),
        "{:?}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_can_be_piped_to_delete() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let rows = fixture
        .run(&["-p", "confluent", "list", "-o", "jsonl"])
        .await
        .lines();
    let id = text(&rows[0]["id"]);
    fixture
        .run(&["-p", "confluent", "delete", "--yes", &id])
        .await
        .success();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_item_hides_no_other() {
    let (server, variables) = hostile_fixture().await;
    server.reset_async().await;
    let result = json!([{ "id": 1 }, { "id": "i-2", "email": "bob@example.com" }]);
    let body = json!({ "status": 200, "requestId": "r", "result": result });
    server
        .mock_async(|when, then| {
            when.method(GET);
            then.status(200).json_body(body);
        })
        .await;
    let part = run(&["list", "-o", "jsonl"], &variables).await;
    part.fails(1, &["unreadable answer"]);
    assert_eq!(part.lines()[0]["email"], "bob@example.com");
}
