//! Golden files of help texts and tables. `UPDATE_GOLDEN=1 cargo test` rewrites them.

use std::{fs, path::Path};

use serde_json::Value;

use crate::fixture::{Fixture, home_environment, new_home, run, text};

#[track_caller]
fn compare(name: &str, seen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, seen).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        seen == expected,
        "{} is not what was seen:\n{seen}",
        path.display()
    );
}

#[tokio::test]
async fn help_texts_match_the_golden_files() {
    let none = home_environment(&new_home());
    for command in [
        "",
        "list",
        "get",
        "create",
        "delete",
        "renew",
        "remove",
        "export",
        "who",
        "members",
        "members list",
        "members get",
        "members set-roles",
        "members remove",
        "roles",
        "roles list",
        "plan",
        "apply",
        "copy",
        "config",
        "config init",
        "config list",
        "config use",
        "config test",
        "doctor",
        "demo",
        "mcp",
        "sandbox",
        "sandbox accept",
        "sandbox clock",
        "sandbox reset",
        "sandbox faults",
        "sandbox faults add",
        "sandbox faults clear",
        "sandbox stop",
        "spec",
        "spec diff",
        "spec check",
        "spec show",
        "schema",
        "completions",
        "man",
    ] {
        let mut words: Vec<&str> = command.split_whitespace().collect();
        words.push("--help");
        let help = run(&words, &none).await;
        let name = match command {
            "" => "help.txt".to_owned(),
            command => format!("help-{}.txt", command.replace(' ', "-")),
        };
        compare(&name, &help.success().stdout);
        let widest = help.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{command}");
        let has_example = help.stdout.contains("Example");
        let has_example = has_example || ["spec", "members", "roles", "config"].contains(&command);
        assert!(has_example, "{command} has no example");
    }
    compare(
        "help-short.txt",
        &run(&["-h"], &none).await.success().stdout,
    );
    compare("first-run.txt", &run(&["list"], &none).await.stderr);
}

/// Programs rely on these properties: new ones may be added, and none may be removed.
#[tokio::test]
async fn schemas_match_the_golden_file() {
    let none = home_environment(&new_home());
    let mut shapes = String::new();
    for of in [
        "list",
        "get",
        "create",
        "delete",
        "renew",
        "export",
        "who",
        "members",
        "set-roles",
        "roles",
        "doctor",
        "config-list",
        "audit-log",
        "config",
    ] {
        let schema = run(&["schema", of], &none).await.json();
        let mut properties = Vec::new();
        collect(&schema, of, &mut properties);
        properties.sort();
        properties.dedup();
        shapes += &properties.join("\n");
        shapes += "\n\n";
    }
    compare("shapes.txt", shapes.trim_end());
}

/// `path: type` of every property, required ones with a star.
fn collect(schema: &Value, path: &str, properties: &mut Vec<String>) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let star = if required.contains(&Value::from(name.as_str())) {
            "*"
        } else {
            ""
        };
        let kind = ["type", "$ref", "enum", "const", "anyOf"]
            .iter()
            .find_map(|key| property.get(key))
            .map_or_else(String::new, |kind| {
                format!(": {}", without_descriptions(kind))
            });
        properties.push(format!("{path}.{name}{star}{kind}"));
        collect(property, &format!("{path}.{name}"), properties);
    }
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        collect(definition, &format!("{path}#{name}"), properties);
    }
    for key in ["anyOf", "oneOf"] {
        for option in schema[key].as_array().into_iter().flatten() {
            collect(option, path, properties);
        }
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            collect(&schema[key], &format!("{path}[]"), properties);
        }
    }
}

fn without_descriptions(kind: &Value) -> Value {
    let mut kind = kind.clone();
    for option in kind.as_array_mut().into_iter().flatten() {
        if let Some(option) = option.as_object_mut() {
            option.remove("description");
        }
    }
    kind
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_match_the_golden_files() {
    let fixture = Fixture::start().await;
    let mut found = Vec::new();
    let people: &[(&str, &[&str])] = &[
        ("confluent", &["ann@example.com"]),
        ("confluent", &["somebody.with.a.long.name@example.com"]),
        ("clickhouse", &["bob@example.com", "--legacy-role", "admin"]),
    ];
    for (provider, arguments) in people {
        let create = [&["-p", provider, "-o", "json", "create"], *arguments].concat();
        found.push(fixture.run(&create).await.one());
    }
    // Ids and times differ between runs; the replacements have the same width.
    let masked = |seen: &str| {
        let mut seen = seen.to_owned();
        for (number, row) in found.iter().enumerate() {
            let id = text(&row["id"]);
            let zeros: String = id
                .chars()
                .map(|c| if c.is_alphanumeric() { '0' } else { c })
                .collect();
            let mask = format!("{}{number}", &zeros[..zeros.len() - 1]);
            seen = seen.replace(&id, &mask);
            for (time, mask) in [("created_at", "2026-01-01"), ("expires_at", "2026-01-08")] {
                let at = text(&row[time]);
                let shown = format!("{} {} UTC", &at[..10], &at[11..16]);
                seen = seen.replace(&shown, &format!("{mask} 00:00 UTC"));
            }
        }
        seen
    };
    let list = fixture.run(&["-p", "confluent", "list"]).await;
    compare("list.txt", &masked(&list.stdout));
    let list = fixture
        .run(&["-p", "clickhouse", "list", "--color", "always"])
        .await;
    compare("list-colours.txt", &masked(&list.stdout));
    let list = fixture
        .run(&["-p", "confluent", "-p", "clickhouse", "list"])
        .await;
    compare("list-both.txt", &masked(&list.stdout));
    let id = text(&found[0]["id"]);
    let get = fixture.run(&["-p", "confluent", "get", &id]).await;
    compare("get.txt", &masked(&get.stdout));
    let missing = fixture.run(&["-p", "confluent", "delete", &id]).await;
    compare("delete-without-yes.txt", &missing.stderr);
    let delete = fixture
        .run(&["-p", "confluent", "delete", &id, "--yes"])
        .await;
    compare("delete.txt", &masked(&delete.stdout));
}
