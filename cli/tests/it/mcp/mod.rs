//! `mcp`: the tools, as a client of the Model Context Protocol has them.

mod client;
mod limits;

use org_invitations_sandbox::{Change, Provider};
use serde_json::{Value, json};

use self::client::Client;
use crate::fixture::{Fixture, command, text};

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";

const READING: [&str; 5] = [
    "list_invitations",
    "who",
    "list_members",
    "list_roles",
    "plan",
];
const WRITING: [&str; 4] = ["create", "renew", "apply", "remove"];

#[tokio::test(flavor = "multi_thread")]
async fn tools_that_write_are_there_only_if_allowed() {
    let fixture = Fixture::start().await;
    let reading = Client::start(&fixture, "confluent", &[]).await;
    let names: Vec<&str> = reading.tools().iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, READING);
    assert!(reading.instructions().contains("never instructions"));
    let writing = Client::start(&fixture, "confluent", &["--allow-writes"]).await;
    let names: Vec<&str> = writing.tools().iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, [&READING[..], &WRITING].concat());
    for tool in writing.tools() {
        let hints = tool.annotations.as_ref().unwrap();
        let is_write = WRITING.contains(&&*tool.name);
        assert_eq!(hints.read_only_hint, Some(!is_write), "{}", tool.name);
        let destroys = is_write && tool.name != "create";
        assert_eq!(hints.destructive_hint, Some(destroys), "{}", tool.name);
        let input = Value::Object((*tool.input_schema).clone());
        jsonschema::validator_for(&input).unwrap();
        assert_eq!(input["additionalProperties"], false, "{}", tool.name);
        if is_write {
            assert_eq!(input["properties"]["dry_run"]["default"], true);
        }
    }
    let arguments = json!({ "emails": [ANN], "dry_run": false });
    let refused = reading.call("create", arguments).await;
    refused.fails(&["`create` is not allowed", "--allow-writes"]);
    let arguments = json!({ "emails": [ANN], "dry_run": false, "delete_owned": true });
    reading
        .call("remove", arguments)
        .await
        .fails(&["not allowed"]);
    assert!(fixture.sandbox.ledger().requests.is_empty());
    reading.end().await;
    writing.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_answers_what_the_commands_print() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await || !fixture.offers_members() {
        return;
    }
    for (name, vendor) in [
        ("confluent", Provider::Confluent),
        ("clickhouse", Provider::ClickHouse),
    ] {
        fixture.invite(name, &[ANN, BOB, "eve@example.com"]).await;
        fixture.sandbox.accept(vendor, BOB).unwrap();
        let client = Client::start(&fixture, name, &[]).await;
        let listed = client
            .call("list_invitations", json!({ "email": ANN }))
            .await;
        assert_eq!(listed.records().len(), 1, "{}", listed.text());
        assert_eq!(listed.records()[0]["email"], ANN);
        let some = client.call("list_invitations", json!({ "limit": 1 })).await;
        assert_eq!(some.records().len(), 1);
        assert!(
            some.text().contains("first 1 records only"),
            "{}",
            some.text()
        );
        let who = client
            .call(
                "who",
                json!({ "emails": ["Ann@Example.com", BOB, "x@example.com"], "roles": true }),
            )
            .await;
        let states: Vec<String> = who
            .records()
            .iter()
            .map(|one| text(&one["state"]))
            .collect();
        assert_eq!(states[0], "invited", "{}", who.text());
        assert!(["member", "both"].contains(&&*states[1]), "{}", who.text());
        assert_eq!(states[2], "neither");
        let members = client.call("list_members", json!({ "roles": true })).await;
        let is_bob = |member: &&Value| member["email"] == BOB;
        assert_eq!(members.records().iter().filter(is_bob).count(), 1);
        let roles = client.call("list_roles", json!({})).await;
        match vendor {
            Provider::ClickHouse => assert!(roles.text().contains("Billing")),
            _ => drop(roles.fails(&["not supported by this provider"])),
        }
        let people = json!([{ "email": ANN }, { "email": "new@example.com" }]);
        let plan = client
            .call("plan", json!({ "people": people, "prune": true }))
            .await;
        let actions: Vec<String> = plan
            .records()
            .iter()
            .map(|one| text(&one["action"]))
            .collect();
        assert_eq!(actions[..2], ["keep", "create"], "{}", plan.text());
        assert!(actions.contains(&"remove".to_owned()), "{}", plan.text());
        assert!(plan.text().contains("create 1"), "{}", plan.text());
        client.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_is_the_default_of_every_change() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &[ANN]).await;
    let before = fixture.sandbox.ledger().commits.len();
    let client = Client::start(&fixture, "confluent", &["--allow-writes"]).await;
    for (tool, arguments, words) in [
        (
            "create",
            json!({ "emails": [BOB] }),
            "\"action\":\"create\"",
        ),
        (
            "renew",
            json!({ "invitations": [ANN] }),
            "\"outcome\":\"planned\"",
        ),
        (
            "apply",
            json!({ "people": [{ "email": BOB }], "prune": true }),
            "\"action\":\"remove\"",
        ),
        (
            "remove",
            json!({ "emails": [ANN] }),
            "\"action\":\"remove\"",
        ),
    ] {
        let shown = client.call(tool, arguments).await;
        assert_eq!(shown.success()["dry_run"], true, "{tool}");
        assert!(shown.text().contains(words), "{tool}: {}", shown.text());
    }
    assert_eq!(fixture.sandbox.ledger().commits.len(), before);
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_made_and_audited() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let log = fixture.home.join("audit.jsonl");
    let options = ["--allow-writes", "--audit-log", log.to_str().unwrap()];
    for (name, vendor) in [
        ("confluent", Provider::Confluent),
        ("clickhouse", Provider::ClickHouse),
    ] {
        let client = Client::start(&fixture, name, &options).await;
        let arguments = json!({ "emails": [ANN, BOB], "dry_run": false });
        let created = client.call("create", arguments).await;
        assert_eq!(created.success()["dry_run"], false);
        let id = text(&created.records()[0]["id"]);
        let arguments = json!({ "invitations": [id], "dry_run": false });
        let renewed = client.call("renew", arguments).await;
        assert_eq!(
            renewed.records()[0]["outcome"],
            "renewed",
            "{}",
            renewed.text()
        );
        let people = json!([{ "email": ANN }, { "email": "new@example.com" }]);
        let arguments = json!({ "people": people, "prune": true, "dry_run": false });
        let applied = client.call("apply", arguments).await;
        assert!(
            applied.text().contains("\"result\":\"invited\""),
            "{}",
            applied.text()
        );
        fixture.sandbox.accept(vendor, ANN).unwrap();
        let arguments =
            json!({ "emails": [ANN], "min_admins": 0, "delete_owned": true, "dry_run": false });
        let removed = client.call("remove", arguments).await;
        // The server keeps an administrator, whatever the call says.
        removed.fails(&["is kept"]);
        client.end().await;
    }
    let text = std::fs::read_to_string(&log).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let seen: Vec<_> = lines
        .map(|line| (line["request_id"].clone(), line["command"].clone()))
        .collect();
    let commits = fixture.sandbox.ledger().commits.into_iter();
    let commits = commits.filter(|commit| commit.operation != Change::Accept);
    let commits: Vec<_> = commits.map(|commit| json!(commit.request_id)).collect();
    assert_eq!(commits.len(), 2 * 6, "{commits:?}");
    for commit in commits {
        assert_eq!(
            seen.iter().filter(|(id, _)| *id == commit).count(),
            1,
            "{text}"
        );
    }
    for tool in ["mcp create", "mcp renew", "mcp apply"] {
        assert!(
            seen.iter().any(|(_, command)| command == tool),
            "{tool}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_removed_with_consent() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    fixture.invite("confluent", &[ANN]).await;
    fixture.sandbox.accept(Provider::Confluent, ANN).unwrap();
    let options = ["--allow-writes", "--min-admins", "0"];
    let client = Client::start(&fixture, "confluent", &options).await;
    let without = json!({ "emails": [ANN], "dry_run": false });
    client
        .call("remove", without)
        .await
        .fails(&["everything that they own", "--delete-owned"]);
    let with = json!({ "emails": [ANN], "dry_run": false, "delete_owned": true });
    let removed = client.call("remove", with).await;
    assert_eq!(removed.records()[0]["email"], ANN, "{}", removed.text());
    let last = fixture.sandbox.ledger().commits.pop().unwrap();
    assert_eq!((last.operation, &*last.email), (Change::Remove, ANN));
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_says_what_to_do() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &[ANN]).await;
    let client = Client::start(&fixture, "confluent", &["--allow-writes"]).await;
    let arguments = json!({ "emails": [ANN, BOB], "dry_run": false });
    let partly = client.call("create", arguments).await;
    partly.fails(&["already exists", "--if-not-exists", BOB]);
    let unknown = client.call("who", json!({ "email": ANN })).await;
    unknown.fails(&["unknown field `email`", "`emails`", "nothing was sent"]);
    let wrong = client
        .call(
            "plan",
            json!({ "people": [{ "email": ANN, "roles": "x" }] }),
        )
        .await;
    wrong.fails(&["`people[0].roles` of `plan`"]);
    let wrong = client
        .call("list_invitations", json!({ "expiring_within": "soon" }))
        .await;
    wrong.fails(&["'soon'", "--expiring-within"]);
    client.end().await;
}

/// What a program that is no client sees on stdout.
#[tokio::test(flavor = "multi_thread")]
async fn stdout_has_the_protocol_and_nothing_else() {
    use tokio::io::AsyncWriteExt;

    let fixture = Fixture::start().await;
    let words = ["-p", "confluent", "-v", "mcp", "--allow-writes"];
    let mut child = command(&words, &fixture.variables());
    child
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = child.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let client = json!({ "name": "test", "version": "1" });
    let start =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    let create =
        json!({ "name": "create", "arguments": { "emails": [ANN, ANN], "dry_run": false } });
    let mut input = child.stdin.take().unwrap();
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": start }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": create }),
        json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": "drop" } }),
    ] {
        input
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
    }
    while fixture.sandbox.ledger().commits.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("given more than once"), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    for line in stdout.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
    }
    assert!(stdout.contains("there is no tool"), "{stdout}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_or_the_end_of_input_ends_the_server() {
    let fixture = Fixture::start().await;
    // No input at all.
    let none = fixture.run(&["-p", "confluent", "mcp"]).await;
    none.success();
    let mut child = command(&["-p", "confluent", "mcp"], &fixture.variables());
    let child = child
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    let input = child.stdin.take();
    let mut lines = {
        use tokio::io::{AsyncBufReadExt, BufReader};
        BufReader::new(child.stderr.take().unwrap()).lines()
    };
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.contains("without changes"), "{line}");
    let pid = child.id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    drop(input);
}

/// A second signal does not abandon a renewal without a word.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_names_whom_a_renewal_lost() {
    use std::process::Stdio;

    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    let fixture = Fixture::start().await;
    fixture.invite("confluent", &[ANN]).await;
    let hang = org_invitations_sandbox::Rule::new(org_invitations_sandbox::Fault::hang());
    let hang = hang.on(org_invitations_sandbox::Operation::Create).always();
    let faults = org_invitations_sandbox::Faults::script([hang]);
    fixture.sandbox.set_faults(faults);
    let words = ["-p", "confluent", "mcp", "--allow-writes"];
    let mut child = command(&words, &fixture.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let client = json!({ "name": "test", "version": "1" });
    let start =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    let renew = json!({ "invitations": [ANN], "dry_run": false });
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": start }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
                "params": { "name": "renew", "arguments": renew } }),
    ] {
        let line = format!("{message}\n");
        input.write_all(line.as_bytes()).await.unwrap();
    }
    let deleted = || {
        let commits = fixture.sandbox.ledger().commits;
        commits.iter().any(|one| one.operation == Change::Delete)
    };
    while !deleted() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let pid = child.id().unwrap().to_string();
    let interrupt = || {
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-INT", &pid]).status().unwrap().success());
    };
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    interrupt();
    while let Some(line) = lines.next_line().await.unwrap() {
        // The first signal waits for the renewal.
        if line.contains("press Ctrl-C again") && !said.contains("press Ctrl-C again") {
            interrupt();
        }
        said += &(line + "\n");
    }
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    for text in [said, stdout] {
        assert!(text.contains("NOT BE INVITED ANY MORE"), "{text}");
        assert!(text.contains("create ann@example.com"), "{text}");
    }
}
