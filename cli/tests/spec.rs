//! `spec` as a process: exit codes, and the three ways to print.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

fn specs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../specs")
        .join(name)
}

/// Writes the vendored document with a change to a file.
fn changed(test: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let text = fs::read_to_string(specs("clickhouse-cloud-v1.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    change(&mut document);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.json"));
    fs::write(&path, document.to_string()).unwrap();
    path
}

fn spec(arguments: &[&str], files: &[&Path]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_org-invitations"));
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .arg("spec")
        .args(arguments)
        .args(files)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn no_change_exits_with_0() {
    let document = specs("confluent-iam-v2.yaml");
    let (code, stdout, stderr) = spec(&["diff"], &[&document, &document]);
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "no changes that affect the library\n"),
        "{stderr}"
    );
    let (code, stdout, _) = spec(&["diff", "-o", "json"], &[&document, &document]);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), json!([]));
}

#[test]
fn an_addition_exits_with_0() {
    let old = specs("clickhouse-cloud-v1.json");
    let new = changed("addition", |document| {
        document["components"]["schemas"]["Invitation"]["properties"]["team"] =
            json!({ "type": "string" });
    });
    let (code, stdout, stderr) = spec(&["diff", "-o", "json"], &[&old, &new]);
    assert_eq!(code, Some(0), "{stderr}");
    let findings = serde_json::from_str::<Value>(&stdout).unwrap();
    let finding = &findings[0];
    assert_eq!(finding["class"], "additive");
    assert_eq!(
        finding["pointer"],
        "/components/schemas/Invitation/properties/team"
    );
    assert_eq!(finding["before"], Value::Null);
    assert_eq!(finding["after"], json!({ "type": "string" }));
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("`team`") && message.contains("invitationGet"),
        "{message}"
    );
    assert_eq!(findings.as_array().unwrap().len(), 2, "{findings}");
    // The new name in the bindings.
    assert_eq!(findings[1]["class"], "bindings");
    assert_eq!(findings[1]["pointer"], "types::Invitation::team");
    assert_eq!(findings[1]["after"], "Option<String>");
}

#[test]
fn a_newly_paginated_list_is_breaking() {
    let old = specs("clickhouse-cloud-v1.json");
    let path = "/v1/organizations/{organizationId}/invitations";
    let cursor = changed("cursor", |document| {
        let content = &mut document["paths"][path]["get"]["responses"]["200"]["content"];
        let schema = &mut content["application/json"]["schema"];
        let reply = schema.clone();
        *schema =
            json!({ "allOf": [reply, { "properties": { "nextCursor": { "type": "string" } } }] });
    });
    let limit = changed("limit", |document| {
        let list = &mut document["paths"][path]["get"];
        let parameter = json!({ "name": "limit", "in": "query", "schema": { "type": "integer" } });
        match list.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(parameters) => parameters.push(parameter),
            None => list["parameters"] = json!([parameter]),
        }
    });
    for new in [cursor, limit] {
        let (code, stdout, stderr) = spec(&["diff"], &[&old, &new]);
        assert_eq!(code, Some(1), "{stdout}{stderr}");
        assert!(stdout.contains("may come in pages"), "{stdout}");
    }
}

#[test]
fn a_breaking_change_exits_with_1() {
    let old = specs("clickhouse-cloud-v1.json");
    let new = changed("breaking", |document| {
        let properties = &mut document["components"]["schemas"]["Invitation"]["properties"];
        properties.as_object_mut().unwrap().remove("expireAt");
    });
    for (format, expected) in [
        (
            "table",
            "breaking  /components/schemas/Invitation/properties/expireAt",
        ),
        ("json", "\"class\":\"breaking\""),
        (
            "markdown",
            "| **breaking** | `/components/schemas/Invitation/properties/expireAt` |",
        ),
    ] {
        let (code, stdout, stderr) = spec(&["diff", "-o", format], &[&old, &new]);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stdout.contains(expected), "no {expected:?} in:\n{stdout}");
        assert_eq!(stderr, "");
    }
}

#[test]
fn a_changed_keyword_is_readable() {
    let old = specs("clickhouse-cloud-v1.json");
    let new = changed("keyword", |document| {
        let property =
            &mut document["components"]["schemas"]["Invitation"]["properties"]["expireAt"];
        property.as_object_mut().unwrap().remove("format");
    });
    let (code, stdout, _) = spec(&["diff", "-o", "markdown"], &[&old, &new]);
    assert_eq!(code, Some(1));
    let cells = "| `format: date-time` | `no format` |";
    assert!(stdout.contains(cells), "no {cells:?} in:\n{stdout}");
}

#[test]
fn incomparable_documents_exit_with_2() {
    let document = specs("clickhouse-cloud-v1.json");
    let missing = Path::new("no-such-file.json");
    let petstore = changed("petstore", |document| {
        document["paths"] = json!({ "/pets": {} })
    });
    let other = specs("confluent-iam-v2.yaml");
    let swagger = changed("swagger", |document| {
        document.as_object_mut().unwrap().remove("openapi");
        document["swagger"] = json!("2.0");
    });
    for (old, new, words) in [
        (&*document, missing, "no-such-file.json"),
        (missing, &*document, "no-such-file.json"),
        (&*document, &*swagger, "OpenAPI 3.0, 3.1 or 3.2"),
        (&*document, &*petstore, "no API in common"),
        (&*petstore, &*document, "none of the operations"),
        (&*document, &*other, "no API in common"),
    ] {
        let (code, stdout, stderr) = spec(&["diff"], &[old, new]);
        assert_eq!(code, Some(2), "{stdout}{stderr}");
        assert!(stderr.contains(words), "no {words:?} in: {stderr}");
        assert_eq!(stdout, "");
    }
}

#[test]
fn check_lists_every_problem_of_a_build() {
    let (code, stdout, _) = spec(&["check"], &[&specs("confluent-sts-v1.yaml")]);
    assert_eq!(code, Some(0));
    assert_eq!(
        stdout,
        "Confluent Cloud STS v1: the library builds from this document\n"
    );
    let new = changed("check", |document| {
        let schemas = &mut document["components"]["schemas"];
        schemas["Invitation"]["properties"]["id"]["type"] = json!("integer");
        schemas["InvitationPostRequest"]["properties"]
            .as_object_mut()
            .unwrap()
            .remove("email");
    });
    let (code, stdout, _) = spec(&["check"], &[&new]);
    assert_eq!(code, Some(1));
    for words in [
        "properties/id: expected a string",
        "expected the property `email`",
    ] {
        assert!(stdout.contains(words), "no {words:?} in:\n{stdout}");
    }
    let (code, stdout, _) = spec(&["check", "-o", "json"], &[&new]);
    assert_eq!(code, Some(1));
    let problems = serde_json::from_str::<Value>(&stdout).unwrap();
    assert_eq!(
        problems[0]["problems"].as_array().unwrap().len(),
        2,
        "{problems}"
    );
    assert_eq!(
        spec(&["check"], &[Path::new("no-such-file.json")]).0,
        Some(2)
    );
}

#[test]
fn show_prints_the_normalised_document() {
    let document = specs("clickhouse-cloud-v1.json");
    let (code, stdout, _) = spec(&["show"], &[&document]);
    assert_eq!(code, Some(0));
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(shown["openapi"], "3.0.3");
    // A property may have this name.
    assert!(!stdout.contains("\"description\": \""));
    // The output is a document with the same meaning.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shown.json");
    fs::write(&path, &stdout).unwrap();
    let (code, stdout, stderr) = spec(&["diff", "-o", "json"], &[&document, &path]);
    let compared: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    // The names in the bindings are others.
    let meaning = compared.iter().filter(|one| one["class"] != "bindings");
    assert_eq!((code, meaning.count()), (Some(0), 0), "{stderr}");
}

/// Runs `spec` with this text on stdin.
fn spec_of(arguments: &[&str], text: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_org-invitations"))
        .arg("spec")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A process that needs no stdin ends before it is written.
    let _ = child.stdin.take().unwrap().write_all(text);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_document_is_read_from_stdin() {
    let file = specs("clickhouse-cloud-v1.json");
    let (path, bytes) = (file.to_str().unwrap(), fs::read(&file).unwrap());
    let (code, stdout, stderr) = spec_of(&["check", "-"], &bytes);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("the library builds"), "{stdout}");
    let (code, stdout, stderr) = spec_of(&["diff", path, "-"], &bytes);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("no changes"), "{stdout}");
    assert_eq!(spec_of(&["show", "-"], &bytes).0, Some(0));
    let (code, _, stderr) = spec_of(&["diff", "-", "-"], &bytes);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("stdin has one document"), "{stderr}");
    let (code, _, stderr) = spec_of(&["check", "-"], b"");
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("stdin"), "{stderr}");
}

#[test]
fn a_url_gets_the_command_that_fetches_it() {
    let url = "https://api.example.com/v1?a=b";
    for arguments in [&["check", url][..], &["show", url], &["diff", url, "x"]] {
        let (code, _, stderr) = spec_of(arguments, b"");
        assert_eq!(code, Some(2), "{stderr}");
        let words = "curl -fsSL 'https://api.example.com/v1?a=b' | org-invitations spec check -";
        assert!(stderr.contains(words), "{stderr}");
    }
}

#[test]
fn an_html_page_is_called_an_html_page() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page.json");
    for page in [
        "<!DOCTYPE html>\n<html><body>Sign in</body></html>",
        "\u{feff}  <HTML lang=en>",
        "<!-- saved from a browser -->\n<html>",
    ] {
        fs::write(&path, page).unwrap();
        for (name, (code, _, stderr)) in [
            ("page.json", spec(&["check"], &[&path])),
            ("stdin", spec_of(&["check", "-"], page.as_bytes())),
        ] {
            assert_eq!(code, Some(2), "{stderr}");
            let words = format!("{name} is an HTML page");
            assert!(stderr.contains(&words), "{stderr}");
        }
    }
}

#[test]
fn markdown_is_for_diff_only() {
    let (code, _, stderr) = spec(
        &["check", "-o", "markdown"],
        &[&specs("confluent-sts-v1.yaml")],
    );
    assert_eq!(code, Some(2));
    assert!(stderr.contains("spec diff"), "{stderr}");
}
