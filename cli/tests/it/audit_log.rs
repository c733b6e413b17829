//! `--audit-log`: one line for each change, and no change without one.

use std::{fs, path::PathBuf, time::Duration};

use org_invitations_sandbox::{Change, Fault, Faults, Operation, Provider, Rule};
use serde_json::{Value, json};

use crate::fixture::{Fixture, command, run, text, with_variables};

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";

fn log_of(fixture: &Fixture) -> PathBuf {
    fixture.home.join("audit.jsonl")
}

/// The lines of the log; none if there is no file.
fn lines(fixture: &Fixture) -> Vec<Value> {
    let text = fs::read_to_string(log_of(fixture)).unwrap_or_default();
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    text.lines().map(parse).collect()
}

/// Runs a command with the audit log of the fixture.
async fn audited(fixture: &Fixture, words: &[&str]) -> crate::fixture::CommandOutput {
    let log = log_of(fixture);
    let words = [words, &["--audit-log", log.to_str().unwrap()]].concat();
    fixture.run(&words).await
}

/// What the line of a change in the ledger says.
fn action(change: Change) -> &'static str {
    match change {
        Change::Create => "create",
        Change::Delete => "delete",
        Change::Remove => "remove-member",
        Change::Bind => "grant-role",
        Change::Unbind => "revoke-role",
        Change::Update => "set-roles",
        // The person does it.
        Change::Accept => "accept",
        other => panic!("no command makes this change: {other:?}"),
    }
}

/// Asserts that the log has one line for each change that a request made, and no other line.
#[track_caller]
fn is_the_ledger(fixture: &Fixture) {
    is_the_ledger_from(fixture, 0, 0);
}

/// The same without the first commits and lines.
#[track_caller]
fn is_the_ledger_from(fixture: &Fixture, commit: usize, line: usize) {
    let commits = fixture.sandbox.ledger().commits.split_off(commit);
    let by_request = commits.into_iter().filter_map(|commit| {
        let action = action(commit.operation);
        Some((commit.request_id?, action.to_owned()))
    });
    let mut expected: Vec<_> = by_request.collect();
    let lines = lines(fixture).split_off(line);
    let done = lines.iter().map(|line| {
        assert_eq!(line["outcome"], "done", "{line}");
        (text(&line["request_id"]), text(&line["action"]))
    });
    let mut seen: Vec<_> = done.collect();
    expected.sort();
    seen.sort();
    assert_eq!(seen, expected, "{lines:#?}");
}

fn roster(fixture: &Fixture, name: &str, rows: &str) -> String {
    let path = fixture.home.join(name);
    fs::write(&path, rows).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_has_exactly_one_line() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await || !fixture.offers_members() {
        return;
    }
    let (joined, other) = ("joined@example.com", "other@example.com");
    for (vendor, name, [first, second]) in [
        (
            Provider::Confluent,
            "confluent",
            ["EnvironmentAdmin@env-123", "MetricsViewer"],
        ),
        (Provider::ClickHouse, "clickhouse", ["Developer", "Billing"]),
    ] {
        let of = async |words: &[&str]| {
            let words = [&["-p", name], words].concat();
            let before = fixture.sandbox.ledger().commits.len();
            audited(&fixture, &words).await.success();
            is_the_ledger(&fixture);
            let commits = fixture.sandbox.ledger().commits.len();
            assert!(commits > before, "{words:?} changed nothing");
        };
        of(&["create", ANN, BOB]).await;
        of(&["create", joined, other, "--role", first, "--role", second]).await;
        of(&["delete", "--email", ANN, "--yes"]).await;
        of(&["renew", BOB, "--yes"]).await;
        fixture.sandbox.accept(vendor, joined).unwrap();
        fixture.sandbox.accept(vendor, other).unwrap();
        of(&["members", "set-roles", joined, "--role", second]).await;
        let rows = format!("email,roles\n{joined},{first}\nnew@example.com,{first}\n{BOB},\n");
        let rows = roster(&fixture, "roster.csv", &rows);
        of(&["apply", &rows, "--yes"]).await;
        of(&["remove", BOB, "--yes"]).await;
        let owned: &[&str] = match vendor {
            Provider::Confluent => &["--delete-owned"],
            _ => &[],
        };
        let remove = ["members", "remove", joined, "--yes", "--min-admins", "0"];
        of(&[&remove[..], owned].concat()).await;
        of(&[&["remove", other, "--yes", "--min-admins", "0"], owned].concat()).await;
    }
    fixture
        .invite("confluent", &["moved@example.com", "also@example.com"])
        .await;
    let copy = ["copy", "--from", "confluent", "--to", "clickhouse", "--yes"];
    let options = [
        "--ignore",
        "auth-type",
        "--ignore",
        "roles",
        "--delete-source-after",
    ];
    let (commits, before) = (
        fixture.sandbox.ledger().commits.len(),
        lines(&fixture).len(),
    );
    audited(&fixture, &[&copy[..], &options].concat())
        .await
        .success();
    is_the_ledger_from(&fixture, commits, before);
    let schema = fixture.run(&["schema", "audit-log"]).await.json();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for line in lines(&fixture) {
        assert!(schema.is_valid(&line), "{line:#}");
    }
    for (provider, action) in [("confluent", "delete"), ("clickhouse", "create")] {
        let is_it = |line: &Value| line["provider"] == provider && line["action"] == action;
        let found = lines(&fixture).split_off(before).into_iter().filter(is_it);
        assert!(found.clone().count() >= 2, "{provider} {action}");
        assert!(found.into_iter().all(|line| line["command"] == "copy"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_tells_who_changed_what() {
    let fixture = Fixture::start().await;
    let credentials = fixture.sandbox.credentials();
    let clickhouse = &credentials.clickhouse;
    let profile = format!(
        "[profiles.warehouse]\nprovider = \"clickhouse\"\norganization_id = \"{}\"\n\
         api_key = \"{}\"\napi_secret = \"{}\"\nbase_url = \"{}\"\n",
        clickhouse.organization_id,
        clickhouse.api_key,
        clickhouse.api_secret,
        fixture.sandbox.url()
    );
    fixture.config(&profile);
    let log = log_of(&fixture);
    let words = [
        "--profile",
        "warehouse",
        "create",
        ANN,
        "--audit-log",
        log.to_str().unwrap(),
    ];
    run(&words, &fixture.empty_environment()).await.success();
    let invited = &fixture.sandbox.invitations()[0];
    let commits = fixture.sandbox.ledger().commits;
    let mut line = lines(&fixture).pop().unwrap();
    let time = text(&line["time"]);
    let since = commits[0].at - time.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(
        time.ends_with('Z') && since.num_seconds().abs() < 60,
        "{time}"
    );
    let line = line.as_object_mut().unwrap();
    line.remove("time");
    // A machine may have no name for its user.
    line.remove("user");
    let expected = json!({
        "provider": "clickhouse",
        "profile": "warehouse",
        "organization_id": clickhouse.organization_id,
        "base_url": fixture.sandbox.url(),
        "key_id": clickhouse.api_key,
        "command": "create",
        "action": "create",
        "email": ANN,
        "id": invited.id,
        "outcome": "done",
        "request_id": commits[0].request_id,
    });
    assert_eq!(Value::Object(line.clone()), expected);
    let raw = fs::read_to_string(&log).unwrap();
    assert!(!raw.contains(&clickhouse.api_secret), "{raw}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_and_lost_changes_have_a_line_too() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &[ANN]).await;
    let create = ["-p", "confluent", "create"];
    audited(&fixture, &[&create[..], &[ANN]].concat())
        .await
        .fails(1, &["already exists"]);
    let failed = lines(&fixture).pop().unwrap();
    assert_eq!(failed["outcome"], "failed", "{failed}");
    assert!(
        text(&failed["error"]).contains("already exists"),
        "{failed}"
    );
    let refused = fixture.sandbox.ledger().requests;
    let refused = refused.iter().rfind(|one| one.status == Some(409)).unwrap();
    assert_eq!(failed["request_id"], refused.request_id, "{failed}");

    let lost = Rule::new(Fault::status_after(500))
        .on(Operation::Delete)
        .times(0);
    fixture.sandbox.set_faults(Faults::script([lost]));
    let delete = ["-p", "confluent", "delete", &ids[0], "--yes"];
    audited(&fixture, &delete)
        .await
        .fails(1, &["may have been carried out"]);
    let unknown = lines(&fixture).pop().unwrap();
    assert_eq!(unknown["outcome"], "unknown", "{unknown}");
    assert_eq!(unknown["id"], ids[0], "{unknown}");

    // What is refused before anything is sent is no change.
    let before = lines(&fixture).len();
    audited(&fixture, &[&create[..], &["nobody"]].concat())
        .await
        .fails(2, &["nobody"]);
    let legacy = [&create[..], &[BOB, "--legacy-role", "admin"]].concat();
    audited(&fixture, &legacy)
        .await
        .fails(1, &["not supported"]);
    assert_eq!(lines(&fixture).len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_cannot_be_bound_have_lines() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let refuse = Rule::new(Fault::status_before(403))
        .on(Operation::CreateRoleBinding)
        .nth(2);
    fixture.sandbox.set_faults(Faults::script([refuse]));
    let roles = [
        "--role",
        "MetricsViewer",
        "--role",
        "Operator",
        "--role",
        "BillingAdmin",
    ];
    let create = [&["-p", "confluent", "create", ANN], &roles[..]].concat();
    audited(&fixture, &create).await.fails(1, &["done in part"]);
    let lines = lines(&fixture);
    let seen: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                text(&line["action"]),
                text(&line["outcome"]),
                line["roles"].clone(),
            )
        })
        .collect();
    let line = |action: &str, outcome: &str, roles: &[&str]| {
        (action.to_owned(), outcome.to_owned(), json!(roles))
    };
    let expected = [
        line(
            "create",
            "done",
            &["MetricsViewer", "Operator", "BillingAdmin"],
        ),
        line("grant-role", "done", &["MetricsViewer"]),
        line("grant-role", "failed", &["Operator"]),
        line("grant-role", "done", &["BillingAdmin"]),
    ];
    assert_eq!(seen, expected);
    assert!(lines.iter().all(|line| line["email"] == ANN), "{lines:#?}");
    let commits = fixture.sandbox.ledger().commits;
    let done = lines.iter().filter(|line| line["outcome"] == "done");
    let done: Vec<_> = done.map(|line| line["request_id"].as_str()).collect();
    let made: Vec<_> = commits
        .iter()
        .map(|one| one.request_id.as_deref())
        .collect();
    assert_eq!(done, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_server_repeats_is_not_logged() {
    let fixture = Fixture::start().await;
    let server = httpmock::MockServer::start_async().await;
    let secret = fixture.sandbox.credentials().confluent.api_secret.clone();
    let echo = json!({ "errors": [{ "status": "400", "detail": format!("bad key {secret}") }] });
    let mock = |when: httpmock::When, then: httpmock::Then| {
        when.method("POST").path("/iam/v2/invitations");
        then.status(400)
            .header("x-request-id", &secret)
            .json_body(echo);
    };
    server.mock_async(mock).await;
    let url = server.base_url();
    let create = ["-p", "confluent", "--base-url", &url, "create", ANN];
    audited(&fixture, &create).await.fails(1, &["bad key"]);
    let raw = fs::read_to_string(log_of(&fixture)).unwrap();
    assert!(raw.contains("bad key [REDACTED]"), "{raw}");
    assert!(!raw.contains(&secret), "{raw}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_cut_off_is_unknown() {
    let fixture = Fixture::start().await;
    let hang = Rule::new(Fault::Hang {
        when: org_invitations_sandbox::When::After,
    });
    let hang = hang.on(Operation::Create).always();
    fixture.sandbox.set_faults(Faults::script([hang]));
    let log = log_of(&fixture);
    let words = [
        "-p",
        "confluent",
        "create",
        ANN,
        "--audit-log",
        log.to_str().unwrap(),
    ];
    let mut child = command(&words, &fixture.variables()).spawn().unwrap();
    while fixture.sandbox.ledger().commits.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let pid = child.id().unwrap().to_string();
    loop {
        let sent = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(sent.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_millis(200), child.wait()).await;
        if let Ok(ended) = ended {
            assert_eq!(ended.unwrap().code(), Some(130));
            break;
        }
    }
    let lines = lines(&fixture);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["email"], &lines[0]["outcome"]),
        (&json!(ANN), &json!("unknown"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_without_a_log() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &[ANN]).await;
    let rows = roster(&fixture, "rows.csv", "email\nnew@example.com\n");
    let before = fixture.sandbox.ledger().requests.len();
    let log = fixture.home.join("missing/audit.jsonl");
    let log = log.to_str().unwrap();
    for words in [
        &["create", BOB][..],
        &["delete", &ids[0], "--yes"],
        &["renew", &ids[0], "--yes"],
        &["remove", ANN, "--yes"],
        &["apply", &rows, "--yes"],
        &["members", "set-roles", ANN, "--role", "Operator"],
        &["members", "remove", ANN, "--yes", "--delete-owned"],
    ] {
        let words = [&["-p", "confluent", "--audit-log", log], words].concat();
        let refused = fixture.run(&words).await;
        let why = [
            "cannot open the audit log",
            log,
            "nothing is changed without it",
        ];
        refused.fails(2, &why);
    }
    assert_eq!(fixture.sandbox.ledger().requests.len(), before);
    // Reading needs no log.
    fixture
        .run(&["-p", "confluent", "list", "--audit-log", log])
        .await
        .success();
}

/// A device that has no room for a line.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_run_before_the_next_change() {
    let fixture = Fixture::start().await;
    let rows = roster(
        &fixture,
        "rows.csv",
        &format!("email\n{ANN}\n{BOB}\nc@example.com\n"),
    );
    let apply = [
        "-p",
        "confluent",
        "apply",
        &rows,
        "--yes",
        "--concurrency",
        "1",
    ];
    let full = ["--audit-log", "/dev/full"];
    let stopped = fixture.run(&[&apply[..], &full].concat()).await;
    assert_ne!(stopped.code, Some(0), "{}", stopped.stderr);
    stopped.stderr_contains(&[
        "cannot write the audit log /dev/full",
        "no further change is made",
        // The line is not lost.
        "it lacks:\n  {\"time\":",
        ANN,
    ]);
    assert_eq!(fixture.sandbox.ledger().commits.len(), 1);
    // The last change of a run has no next one.
    let last = fixture
        .run(&[&["-p", "clickhouse", "create", ANN], &full[..]].concat())
        .await;
    last.fails(1, &["cannot write the audit log /dev/full", "it lacks:"]);
}

/// Half a renewal is completed, and then the failure is reported.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_does_not_stop_half_a_renewal() {
    let fixture = Fixture::start().await;
    let people = [ANN, BOB];
    let rows = roster(
        &fixture,
        "rows.csv",
        &format!("email,auth_type\n{ANN},sso\n"),
    );
    for command in [
        &["renew", ANN, BOB, "--yes"][..],
        &["apply", &rows, "--yes", "--max-deletes", "100%"],
    ] {
        let ids = fixture.invite("confluent", &people).await;
        let full = ["-p", "confluent", "--audit-log", "/dev/full"];
        let renewed = fixture.run(&[&full[..], command].concat()).await;
        renewed.fails(1, &["cannot write the audit log /dev/full", "it lacks:"]);
        assert!(
            !renewed.stderr.contains("IS NOT INVITED"),
            "{}",
            renewed.stderr
        );
        let lacks = renewed.stderr.matches("it lacks:").count();
        assert_eq!(lacks, 1, "{}", renewed.stderr);
        let lines = renewed.stderr.matches("  {\"time\":").count();
        assert_eq!(lines, 2, "{}", renewed.stderr);
        let left = fixture.sandbox.invitations();
        let of = |email| left.iter().find(|one| one.email == email).unwrap();
        assert_ne!(of(ANN).id, ids[0]);
        // The next renewal is not begun.
        assert_eq!(of(BOB).id, ids[1]);
        fixture.sandbox.reset();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_a_log_that_only_the_owner_reads() {
    let fixture = Fixture::start().await;
    let log = log_of(&fixture);
    // A line that a process could not finish.
    fs::write(&log, "{\"time\":\"20").unwrap();
    let all = (0..6).map(|number| {
        let fixture = &fixture;
        async move {
            let emails = (0..8).map(|one| format!("p{number}-{one}@example.com"));
            let emails: Vec<String> = emails.collect();
            let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
            let words = [&["-p", "confluent", "create"], &emails[..]].concat();
            audited(fixture, &words).await.success();
        }
    });
    futures::future::join_all(all).await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&log).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    }
    let text = fs::read_to_string(&log).unwrap();
    let (partial, whole) = text.split_once('\n').unwrap();
    assert_eq!(partial, "{\"time\":\"20");
    // Processes that open the file at once may each end the partial line.
    let whole: Vec<&str> = whole.lines().filter(|line| !line.is_empty()).collect();
    fs::write(&log, whole.join("\n") + "\n").unwrap();
    is_the_ledger(&fixture);
    assert_eq!(whole.len(), 48);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_set_by_flag_variable_or_file() {
    let fixture = Fixture::start().await;
    fixture.config("audit_log = \"logs/file.jsonl\"\n");
    fs::create_dir_all(fixture.home.join("org-invitations/logs")).unwrap();
    let in_file = fixture.home.join("org-invitations/logs/file.jsonl");
    let in_variable = fixture.home.join("variable.jsonl");
    let in_flag = fixture.home.join("flag.jsonl");
    let variable = ("ORG_INVITATIONS_AUDIT_LOG", in_variable.to_str().unwrap());
    let with_variable = with_variables(fixture.variables(), &[variable]);
    let create = ["-p", "confluent", "create"];
    let flag = ["--audit-log", in_flag.to_str().unwrap()];
    fixture
        .run(&[&create[..], &["a@example.com"]].concat())
        .await
        .success();
    run(&[&create[..], &["b@example.com"]].concat(), &with_variable)
        .await
        .success();
    run(
        &[&create[..], &["c@example.com"], &flag].concat(),
        &with_variable,
    )
    .await
    .success();
    for (path, email) in [
        (in_file.clone(), "a@example.com"),
        (in_variable, "b@example.com"),
        (in_flag, "c@example.com"),
    ] {
        let line: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(line["email"], email, "{line}");
    }
    let shown = fixture.run(&["-p", "confluent", "doctor"]).await;
    let line = "audit log: ".to_owned() + in_file.to_str().unwrap();
    assert!(shown.success().stdout.contains(&line), "{}", shown.stdout);
    fixture.config("audit_log = 7\n");
    let wrong = fixture
        .run(&[&create[..], &["d@example.com"]].concat())
        .await;
    wrong.fails(
        2,
        &["config.toml:1: `audit_log` must be the path of a file"],
    );
    fixture.config("");
    let demo = fixture.run(&["demo", "--audit-log", "x"]).await;
    demo.fails(2, &["--audit-log has no effect"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_runs_and_reads_write_no_line() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &[ANN]).await;
    let rows = roster(&fixture, "rows.csv", "email\nnew@example.com\n");
    for words in [
        &["create", BOB, "--dry-run"][..],
        &["delete", &ids[0], "--dry-run"],
        &["renew", &ids[0], "--dry-run"],
        &["apply", &rows, "--dry-run"],
        &["plan", &rows],
        &["list"],
        &["who", ANN],
    ] {
        if words[0] == "who" && !fixture.offers_members() {
            continue;
        }
        let words = [&["-p", "confluent"], words].concat();
        audited(&fixture, &words).await.success();
    }
    assert!(!log_of(&fixture).exists());
}
