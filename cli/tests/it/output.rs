//! The formats: what they have in common, what is escaped, and that they are as their schemas say.

use std::process::Stdio;

use httpmock::{Method::GET, MockServer};
use serde_json::{Value, json};

use crate::world::{Variables, World, command, empty_home, home_variables, run, text};

/// An organisation whose names would like to talk to terminals and spreadsheets.
async fn hostile() -> (MockServer, Variables) {
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
    let mut variables = home_variables(&empty_home());
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
async fn nothing_that_a_terminal_obeys_comes_out_in_any_format() {
    let (_server, variables) = hostile().await;
    for format in ["table", "json", "jsonl", "csv", "yaml"] {
        let list = run(&["list", "-o", format], &variables).await;
        let raw = list.succeeded().stdout.chars().find(|letter| {
            letter.is_control() && *letter != '\n' || matches!(letter, '\u{202a}'..='\u{202e}')
        });
        assert_eq!(raw, None, "{format}: {:?}", list.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_and_yaml_have_what_the_server_said() {
    let (_server, variables) = hostile().await;
    let rows = run(&["list", "-o", "json"], &variables).await.json();
    assert_eq!(rows[0]["assigned_roles"][0]["name"], "a\u{1b}[2Jb");
    assert_eq!(rows[0]["extra"]["note"], "\u{9b}2J\u{202e}");
    assert_eq!(rows[1]["email"], "\u{202e}@example.com");
    let lines = run(&["list", "-o", "jsonl"], &variables).await.lines();
    assert_eq!(Value::Array(lines), rows);
    let yaml = run(&["list", "-o", "yaml"], &variables).await;
    let yaml: Value = serde_norway::from_str(&yaml.stdout).unwrap();
    assert_eq!(yaml, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_can_be_read_back_and_has_no_formula() {
    let (_server, variables) = hostile().await;
    let list = run(&["list", "-o", "csv"], &variables).await;
    let mut reader = csv::Reader::from_reader(list.stdout.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(&rows[0][2], "'=HYPERLINK(\"x\")@example.com");
    assert_eq!(&rows[0][5], "a\\u{1b}[2Jb");
    assert_eq!(&rows[2][5], "a,\"b\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_as_wide_as_they_look() {
    let (_server, variables) = hostile().await;
    let list = run(&["list", "--role", "a,\"b\""], &variables).await;
    let lines: Vec<&str> = list.stdout.lines().collect();
    // Two letters of double width: the column begins two letters earlier in the text.
    let at = |line: &str, word: &str| line[..line.find(word).unwrap()].chars().count();
    assert_eq!(
        at(lines[0], "STATUS"),
        at(lines[1], "expired") + 2,
        "{}",
        list.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_nobody_is_empty_in_every_format() {
    let world = World::start().await;
    for (format, nothing) in [
        ("table", ""),
        ("json", "[]\n"),
        ("jsonl", ""),
        ("yaml", "[]\n"),
    ] {
        let list = world.run(&["-p", "confluent", "list", "-o", format]).await;
        assert_eq!(list.succeeded().stdout, nothing, "{format}");
    }
    let csv = world.run(&["-p", "confluent", "list", "-o", "csv"]).await;
    assert!(
        csv.stdout.starts_with("provider,id,email,status,"),
        "{}",
        csv.stdout
    );
    assert_eq!(csv.stdout.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_is_as_the_schema_says() {
    let world = World::start().await;
    if !world.offers_role_ids().await {
        return;
    }
    let schema = async |name: &str| {
        let schema = world.run(&["schema", name]).await.json();
        jsonschema::validator_for(&schema).unwrap()
    };
    for provider in ["confluent", "clickhouse"] {
        let ids = world
            .invite(provider, &["a@example.com", "b@example.com"])
            .await;
        for (name, arguments) in [
            ("list", &["list"][..]),
            ("get", &["get", &ids[0]]),
            ("get", &["get", &ids[0], &ids[1]]),
            ("create", &["create", "c@example.com"]),
            ("create", &["create", "d@example.com", "e@example.com"]),
            ("renew", &["renew", &ids[1]]),
            ("renew", &["renew", "--email", "c@example.com"]),
            ("delete", &["delete", "--yes", &ids[0]]),
            ("delete", &["delete", "--yes", "--email", "d@example.com"]),
            ("doctor", &["doctor"]),
        ] {
            let arguments = [&["-p", provider, "-o", "json"], arguments].concat();
            let printed = world.run(&arguments).await.json();
            let valid = schema(name).await;
            assert!(valid.is_valid(&printed), "{arguments:?}: {printed:#}");
            assert!(!valid.is_valid(&json!({ "id": 1 })), "{name}");
        }
    }
}

#[tokio::test]
async fn the_schema_of_the_configuration_file_knows_its_keys() {
    let schema = run(&["schema", "config"], &home_variables(&empty_home()))
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
async fn colours_are_for_terminals_or_who_asks() {
    let world = World::start().await;
    world.invite("confluent", &["ann@example.com"]).await;
    let plain = world.run(&["-p", "confluent", "list"]).await;
    assert!(!plain.stdout.contains('\u{1b}'), "{:?}", plain.stdout);
    let coloured = world
        .run(&["-p", "confluent", "list", "--color", "always"])
        .await;
    assert!(
        coloured.stdout.contains("\u{1b}[32msent\u{1b}[0m"),
        "{:?}",
        coloured.stdout
    );
    let help = world.run(&["--color", "always", "list", "-h"]).await;
    assert!(help.stdout.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_error() {
    let world = World::start().await;
    let emails: Vec<String> = (0..50).map(|n| format!("p{n}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    world.invite("confluent", &emails).await;
    for arguments in [
        &["-p", "confluent", "list", "--page-size", "1"][..],
        &["completions", "bash"],
        &["man"],
        &["schema", "list"],
    ] {
        let mut command = command(arguments, &world.variables());
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
async fn work_goes_on_when_nobody_reads_of_it() {
    let world = World::start().await;
    let emails: Vec<String> = (0..20).map(|n| format!("p{n}@example.com")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let create = [&["-p", "confluent", "-o", "jsonl", "create"][..], &emails].concat();
    let mut command = command(&create, &world.variables());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert_eq!(world.sandbox.invitations().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_in_an_error_is_made_visible() {
    let server = MockServer::start_async().await;
    let said =
        json!({ "status": 400, "error": "BAD_REQUEST: \u{1b}]0;owned\u{7} no\nerror: fake" });
    server
        .mock_async(|when, then| {
            when.method(GET);
            then.status(400).json_body(said);
        })
        .await;
    let (_server, mut variables) = hostile().await;
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
async fn ids_can_be_handed_on() {
    let world = World::start().await;
    world.invite("confluent", &["ann@example.com"]).await;
    let rows = world
        .run(&["-p", "confluent", "list", "-o", "jsonl"])
        .await
        .lines();
    let id = text(&rows[0]["id"]);
    world
        .run(&["-p", "confluent", "delete", "--yes", &id])
        .await
        .succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_cannot_be_read_hides_no_other() {
    let (server, variables) = hostile().await;
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
