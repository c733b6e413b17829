//! `-o json` is an array everywhere, and `-o jsonl` and `-o yaml` have the same elements.

use std::fs;

use org_invitations_sandbox::Provider;
use serde_json::Value;

use crate::fixture::{Fixture, new_home, run};

/// The commands that print no result: programs, pages, a server, and documents of others.
const WITHOUT_RESULT: [&str; 7] = [
    "completions",
    "demo",
    "man",
    "mcp",
    "sandbox",
    "schema",
    "sql",
];

/// The commands of a help text.
fn commands_of(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // Further lines of a description are indented more.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_an_array() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await || !fixture.offers_members() {
        return;
    }
    let url = fixture.sandbox.url();
    let key = &fixture.sandbox.credentials().clickhouse;
    fixture.config(&format!(
        "[profiles.c]\nprovider = \"clickhouse\"\napi_key = \"{}\"\napi_secret = \"{}\"\n\
         organization_id = \"{}\"\nbase_url = \"{url}\"\n",
        key.api_key, key.api_secret, key.organization_id
    ));
    fixture
        .invite("clickhouse", &["ann@example.com", "dan@example.com"])
        .await;
    fixture
        .sandbox
        .accept(Provider::ClickHouse, "dan@example.com")
        .unwrap();
    let id = fixture
        .invite("clickhouse", &["bob@example.com"])
        .await
        .remove(0);
    let roster = fixture.home.join("roster.csv");
    fs::write(&roster, "email\ncat@example.com\n").unwrap();
    let roster = roster.to_str().unwrap();
    let document = format!(
        "{}/../specs/clickhouse-cloud-v1.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let document = document.as_str();
    let mut seen = Vec::new();
    for (command, words, count) in [
        ("list", &["-p", "clickhouse", "list"][..], Some(2)),
        ("get", &["-p", "clickhouse", "get", &id], Some(1)),
        (
            "get",
            &["-p", "clickhouse", "get", &id, "ann@example.com"],
            Some(2),
        ),
        (
            "who",
            &["-p", "clickhouse", "who", "ann@example.com"],
            Some(1),
        ),
        (
            "create",
            &["-p", "clickhouse", "create", "eve@example.com"],
            Some(1),
        ),
        (
            "create",
            &[
                "-p",
                "clickhouse",
                "create",
                "eve@example.com",
                "--if-not-exists",
            ],
            Some(1),
        ),
        (
            "create",
            &["-p", "clickhouse", "create", "fay@example.com", "--dry-run"],
            Some(1),
        ),
        (
            "renew",
            &["-p", "clickhouse", "renew", "--yes", "eve@example.com"],
            Some(1),
        ),
        (
            "renew",
            &["-p", "clickhouse", "renew", "--dry-run", &id],
            Some(1),
        ),
        (
            "delete",
            &["-p", "clickhouse", "delete", "--dry-run", &id],
            Some(1),
        ),
        (
            "delete",
            &["-p", "clickhouse", "delete", "--yes", &id],
            Some(1),
        ),
        (
            "remove",
            &["-p", "clickhouse", "remove", "--dry-run", "ann@example.com"],
            Some(1),
        ),
        ("export", &["-p", "clickhouse", "export"], None),
        (
            "members list",
            &["-p", "clickhouse", "members", "list"],
            None,
        ),
        (
            "members get",
            &["-p", "clickhouse", "members", "get", "dan@example.com"],
            Some(1),
        ),
        (
            "members set-roles",
            &[
                "-p",
                "clickhouse",
                "members",
                "set-roles",
                "dan@example.com",
                "--role",
                "Developer",
            ],
            Some(1),
        ),
        (
            "members remove",
            &[
                "-p",
                "clickhouse",
                "members",
                "remove",
                "--yes",
                "--min-admins",
                "0",
                "dan@example.com",
            ],
            Some(1),
        ),
        ("roles list", &["-p", "clickhouse", "roles", "list"], None),
        ("plan", &["-p", "clickhouse", "plan", roster], Some(1)),
        (
            "apply",
            &["-p", "clickhouse", "apply", roster, "--yes"],
            Some(1),
        ),
        (
            "copy",
            &[
                "copy",
                "--from",
                "c",
                "--to",
                "confluent",
                "--ignore",
                "roles",
                "--dry-run",
            ],
            None,
        ),
        ("config list", &["config", "list"], None),
        ("config test", &["config", "test"], Some(1)),
        ("doctor", &["-p", "clickhouse", "doctor"], Some(1)),
        ("spec check", &["spec", "check", document], Some(1)),
        ("spec diff", &["spec", "diff", document, document], Some(0)),
    ] {
        let mut variables = fixture.variables();
        if command.starts_with("config") || command == "copy" {
            let is_clickhouse = |name: &String| name.starts_with("CLICKHOUSE");
            variables.retain(|name, _| !is_clickhouse(name));
        }
        let output = run(&[words, &["-o", "json"]].concat(), &variables).await;
        let printed = serde_json::from_str::<Value>(&output.success().stdout);
        let printed =
            printed.unwrap_or_else(|error| panic!("{command}: {error}: {}", output.stdout));
        let array = printed.as_array();
        let array = array.unwrap_or_else(|| panic!("{command}: {printed}"));
        assert!(array.iter().all(Value::is_object), "{command}: {printed}");
        if let Some(count) = count {
            assert_eq!(array.len(), count, "{command}: {printed}");
        }
        // Commands that change nothing print the same in the other formats.
        if ["list", "get", "who", "config list", "spec check"].contains(&command) {
            let lines = run(&[words, &["-o", "jsonl"]].concat(), &variables)
                .await
                .lines();
            assert_eq!(&lines, array, "{command}");
            let yaml = run(&[words, &["-o", "yaml"]].concat(), &variables).await;
            let yaml: Value = serde_norway::from_str(&yaml.stdout).unwrap();
            assert_eq!(yaml, printed, "{command}");
        }
        seen.push(command.to_owned());
    }
    // What prints no list: a part of a vendor's document, and what is written instead.
    seen.extend(["spec show", "config init", "config use"].map(str::to_owned));
    let none = crate::fixture::home_environment(&new_home());
    let help = run(&["--help"], &none).await;
    for command in commands_of(&help.stdout) {
        if WITHOUT_RESULT.contains(&command.as_str()) {
            continue;
        }
        let help = run(&[&command, "--help"], &none).await;
        let inner = commands_of(&help.stdout);
        let names = match inner.is_empty() {
            true => vec![command],
            false => inner
                .iter()
                .map(|inner| format!("{command} {inner}"))
                .collect(),
        };
        for name in names {
            assert!(seen.contains(&name), "`{name}` is not checked");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_found_is_an_empty_array() {
    let fixture = Fixture::start().await;
    for words in [
        &["get", "i-1"][..],
        &["get", "i-1", "i-2"],
        &["delete", "--dry-run", "i-1"],
    ] {
        let words = [&["-p", "confluent", "-o", "json"], words].concat();
        let output = fixture.run(&words).await;
        let printed: Value = serde_json::from_str(&output.stdout).unwrap();
        let is_short = printed.as_array().is_some_and(|array| array.len() <= 1);
        assert!(is_short, "{words:?}: {printed}");
    }
}
