//! Deletions: limits, dry runs, and what protects a person.

use std::{fs, process::Stdio, time::Duration};

use httpmock::{Method, MockServer};
use org_invitations_sandbox::{Change, Fault, Faults, Operation, Provider, Rule};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{crowd, file, path};
use crate::fixture::{Fixture, command, with_variables};

/// The number of invitations deleted so far.
fn deleted(fixture: &Fixture) -> usize {
    let commits = fixture.sandbox.ledger().commits;
    let deletions = commits
        .iter()
        .filter(|commit| commit.operation == Change::Delete);
    deletions.count()
}

async fn invite_crowd(fixture: &Fixture, count: usize) {
    let emails: Vec<_> = (0..count)
        .map(|number| format!("person{number}@example.com"))
        .collect();
    let emails: Vec<_> = emails.iter().map(String::as_str).collect();
    fixture.invite("confluent", &emails).await;
}

#[tokio::test]
async fn an_empty_roster_deletes_nobody() {
    let fixture = Fixture::start().await;
    fixture
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let before = fixture.sandbox.ledger().requests.len();
    for (name, text) in [
        ("zero.csv", ""),
        ("blank.csv", "\u{feff}\r\n"),
        ("header.csv", "email,roles\n"),
        ("zero.json", ""),
        ("array.json", "[]"),
        ("zero.jsonl", ""),
        ("blank.jsonl", "\n\n"),
        ("names.csv", "email\nAnn Lee\nBob\n"),
    ] {
        let roster = file(&fixture, name, text);
        let prune = ["-p", "confluent", "apply", &roster, "--prune", "--yes"];
        let words = match name {
            "names.csv" => ["no row of the roster has an address", "nothing was sent"],
            _ => ["the roster is empty", "--allow-empty"],
        };
        fixture.run(&prune).await.fails(2, &words);
        let plan = ["-p", "confluent", "plan", &roster, "--prune"];
        fixture.run(&plan).await.fails(2, &words);
        if name == "names.csv" {
            let allowed = [&prune[..], &["--allow-empty"]].concat();
            fixture.run(&allowed).await.fails(2, &words);
        }
    }
    // The input of a pipe whose first command failed.
    let apply = [
        "-p",
        "confluent",
        "apply",
        "-",
        "--format",
        "csv",
        "--prune",
    ];
    let mut child = command(&[&apply[..], &["--yes"]].concat(), &fixture.variables())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().shutdown().await.unwrap();
    assert_eq!(
        child.wait_with_output().await.unwrap().status.code(),
        Some(2)
    );
    assert_eq!(fixture.sandbox.ledger().requests.len(), before);

    let roster = file(&fixture, "none.csv", "");
    let allowed = ["apply", &roster, "--prune", "--allow-empty", "--yes"];
    let done = fixture
        .run(&[&["-p", "confluent"], &allowed[..]].concat())
        .await;
    assert_eq!(done.success().stdout, "invited 0, kept 0, removed 2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_beyond_the_limit_is_rejected() {
    let fixture = Fixture::start().await;
    invite_crowd(&fixture, 24).await;
    let roster = file(
        &fixture,
        "roster.csv",
        &format!("{}new@example.com\n", crowd(17)),
    );
    let commits = fixture.sandbox.ledger().commits.len();
    let prune = ["-p", "confluent", "apply", &roster, "--prune", "--yes"];
    let words = [
        "this would withdraw 7 of 24 invitations, and the limit is 6 (25 %, and at least 5)",
        "Nothing was changed",
        "--max-deletes 7",
    ];
    fixture.run(&prune).await.fails(2, &words);
    assert_eq!(fixture.sandbox.ledger().commits.len(), commits);
    assert!(!path(&fixture, "roster.csv.journal").exists());
    for too_few in ["6", "29%", "0"] {
        let limit = ["--max-deletes", too_few];
        let refused = fixture.run(&[&prune[..], &limit].concat()).await;
        refused.fails(2, &["--max-deletes 7"]);
    }
    let wrong = fixture
        .run(&[&prune[..], &["--max-deletes", "many"]].concat())
        .await;
    wrong.fails(2, &["a limit is a number"]);
    let plan = ["-p", "confluent", "plan", &roster, "--prune"];
    let planned = fixture.run(&plan).await;
    planned
        .success()
        .stderr_contains(&["remove 7", "would reject the plan"]);
    let agreed = fixture
        .run(&[&prune[..], &["--max-deletes", "30%"]].concat())
        .await;
    assert_eq!(agreed.success().stdout, "invited 1, kept 17, removed 7\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_and_renew_have_the_same_limit() {
    let fixture = Fixture::start().await;
    let emails: Vec<_> = (0..8)
        .map(|number| format!("p{number}@example.com"))
        .collect();
    let emails: Vec<_> = emails.iter().map(String::as_str).collect();
    let ids = fixture.invite("confluent", &emails).await;
    let six: Vec<&str> = ids.iter().take(6).map(String::as_str).collect();
    for command in ["delete", "renew"] {
        let run = [&["-p", "confluent", command, "--yes"][..], &six].concat();
        let refused = fixture.run(&run).await;
        refused.fails(2, &["withdraw 6 of 8 invitations", "--max-deletes 6"]);
        let by_email: Vec<_> = emails[..6]
            .iter()
            .flat_map(|email| ["--email", email])
            .collect();
        let run = [&["-p", "confluent", command, "--yes"][..], &by_email].concat();
        fixture.run(&run).await.fails(2, &["--max-deletes 6"]);
    }
    assert_eq!(deleted(&fixture), 0);
    let agreed = [
        &["-p", "confluent", "renew", "--yes", "--max-deletes", "6"][..],
        &six,
    ]
    .concat();
    fixture.run(&agreed).await.success();
    // Expired invitations do not count.
    fixture.sandbox.advance(Duration::from_secs(8 * 86_400));
    fixture
        .run(&["-p", "confluent", "renew", "--expired"])
        .await
        .success();
    assert_eq!(deleted(&fixture), 6 + 8);
    // Five deletions are always allowed.
    let ids = fixture.sandbox.invitations();
    let five: Vec<&str> = ids.iter().take(5).map(|one| one.id.as_str()).collect();
    let few = [&["-p", "confluent", "delete", "--yes"][..], &five].concat();
    fixture.run(&few).await.success();
}

#[tokio::test]
async fn a_dry_run_lists_deletions_and_changes_nothing() {
    let fixture = Fixture::start().await;
    fixture
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let commits = fixture.sandbox.ledger().commits.len();
    let roster = file(
        &fixture,
        "roster.csv",
        "email,auth_type\nann@example.com,sso\n",
    );
    let dry = ["-p", "confluent", "apply", &roster, "--prune", "--dry-run"];
    let shown = fixture.run(&[&dry[..], &["-o", "jsonl"]].concat()).await;
    shown
        .success()
        .stderr_contains(&["confluent: replace 1, remove 1"]);
    let rows = shown.lines();
    let schema = fixture.run(&["schema", "plan"]).await.json();
    let valid = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = valid
        .iter_errors(&rows.clone().into())
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(rows[0]["action"], "replace");
    assert_eq!(rows[0]["previous"]["invitation"]["auth_type"], "local");
    assert_eq!(rows[1]["action"], "remove");
    assert_eq!(rows[1]["email"], "bob@example.com");
    let table = fixture.run(&dry).await;
    assert!(
        table.success().stdout.contains("remove"),
        "{}",
        table.stdout
    );
    assert_eq!(fixture.sandbox.ledger().commits.len(), commits);
    assert!(!path(&fixture, "roster.csv.journal").exists());
}

#[tokio::test]
async fn a_rejected_row_protects_its_person() {
    let fixture = Fixture::start().await;
    let emails = ["ann@example.com", "b.ob@example.com"];
    fixture.invite("clickhouse", &emails).await;
    let text = "email,auth_type\nAnn@Example.com,sso\nbob+hr@example.com,sso\ncid@example.com,\n";
    let roster = file(&fixture, "roster.csv", text);
    let plan = ["-p", "clickhouse", "plan", &roster, "--prune"];
    let planned = fixture.run(&plan).await;
    planned
        .success()
        .stderr_contains(&["create 1, replace 0, keep 1, set-roles 0, remove 0, invalid 2"]);
    let why = "it resembles bob+hr@example.com, whose row is refused";
    assert!(planned.stdout.contains(why), "{}", planned.stdout);
    let apply = ["-p", "clickhouse", "apply", &roster, "--prune", "--yes"];
    let applied = fixture.run(&apply).await;
    applied.fails(1, &["auth types"]);
    assert_eq!(applied.stdout, "invited 1, kept 1, removed 0, invalid 2\n");
    assert_eq!(fixture.sandbox.invitations().len(), 3);
}

/// Every create fails as if the person were invited already.
fn conflicts() -> Faults {
    let conflict = Fault::status_before(409);
    Faults::script([Rule::new(conflict).on(Operation::Create).always()])
}

#[tokio::test]
async fn deletions_are_withheld_after_an_unknown_create() {
    let fixture = Fixture::start().await;
    let old = ["old1@example.com", "old2@example.com"];
    for (name, begins) in [
        ("failed.csv", "email,roles,auth_type,action,id,error\n"),
        ("failed.jsonl", "{\"action\":\"create\","),
    ] {
        fixture.invite("confluent", &old).await;
        fixture.sandbox.set_faults(conflicts());
        let roster = file(&fixture, "roster.csv", "email\nann@example.com\n");
        let failed = path(&fixture, name);
        let failed = failed.to_str().unwrap();
        let apply = ["-p", "confluent", "apply", &roster, "--prune", "--yes"];
        let applied = fixture
            .run(&[&apply[..], &["--failed", failed]].concat())
            .await;
        applied.fails(1, &["ann@example.com", "nothing is withdrawn in this run"]);
        assert_eq!(
            applied.stdout,
            "invited 0, kept 0, removed 0, failed 1, skipped 2\n"
        );
        assert_eq!(fixture.sandbox.invitations().len(), 2);
        let text = fs::read_to_string(failed).unwrap();
        assert!(text.starts_with(begins), "{text}");

        // Applied without --prune, the failed rows delete the rest and invite nobody.
        fixture.sandbox.set_faults(Faults::default());
        let again = fixture
            .run(&["-p", "confluent", "apply", failed, "--yes"])
            .await;
        assert_eq!(again.success().stdout, "invited 1, kept 0, removed 2\n");
        let left = fixture.sandbox.invitations();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].email, "ann@example.com");
        // A second time, nothing is left to do.
        let again = fixture
            .run(&["-p", "confluent", "apply", failed, "--yes"])
            .await;
        again.success().stderr_contains(&[
            "old1@example.com has neither an invitation nor a membership to remove",
        ]);
        assert_eq!(again.stdout, "invited 0, kept 1, removed 0\n");
        fixture.sandbox.reset();
    }
}

#[tokio::test]
async fn failed_deletions_are_written_as_deletions() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["old@example.com"]).await;
    let refuse = Rule::new(Fault::status_before(403)).on(Operation::Delete);
    fixture
        .sandbox
        .set_faults(Faults::script([refuse.always()]));
    let roster = file(&fixture, "roster.csv", "email\nann@example.com\n");
    let failed = path(&fixture, "failed.csv");
    let failed = failed.to_str().unwrap();
    let apply = ["-p", "confluent", "apply", &roster, "--prune", "--yes"];
    let applied = fixture
        .run(&[&apply[..], &["--failed", failed]].concat())
        .await;
    applied.fails(1, &["old@example.com: ", "status 403", "failed rows: 1"]);
    fixture.sandbox.set_faults(Faults::default());
    // A new invitation of the person has another id, which no row asks to delete.
    let again = ["-p", "confluent", "apply", failed, "--yes"];
    fixture
        .run(&[
            "-p",
            "confluent",
            "renew",
            "--yes",
            "--email",
            "old@example.com",
        ])
        .await
        .success();
    let done = fixture.run(&again).await;
    assert_eq!(done.success().stdout, "invited 0, kept 0, removed 0\n");
    assert_eq!(fixture.sandbox.invitations().len(), 2);
    // Without an id, the address selects the invitation.
    let by_hand = "email,action\nOLD@example.com,delete\n";
    let by_hand = file(&fixture, "gone.csv", by_hand);
    let done = fixture
        .run(&["-p", "confluent", "apply", &by_hand, "--yes"])
        .await;
    assert_eq!(done.success().stdout, "invited 0, kept 0, removed 1\n");
}

#[tokio::test]
async fn failed_rows_are_escaped_and_round_trip() {
    let fixture = Fixture::start().await;
    let refuse = Rule::new(Fault::status_before(403)).on(Operation::Create);
    fixture
        .sandbox
        .set_faults(Faults::script([refuse.always()]));
    for (email, name, written, code, why) in [
        (
            "=cmd|x@example.com",
            "failed.csv",
            "'=cmd|x@example.com,",
            3,
            "status 403",
        ),
        (
            "=cmd\u{202e}|x@example.com",
            "refused.csv",
            "'=cmd\\u{202e}|x@example.com,",
            1,
            "U+202E",
        ),
        (
            "=cmd\u{202e}|x@example.com",
            "refused.jsonl",
            "\"=cmd\\u202e|x@example.com\"",
            1,
            "U+202E",
        ),
    ] {
        let roster = serde_json::to_string(&json!([{ "email": email }])).unwrap();
        let roster = file(&fixture, &format!("{name}.json"), &roster);
        let failed = path(&fixture, name);
        let failed = failed.to_str().unwrap();
        let apply = [
            "-p",
            "confluent",
            "apply",
            &roster,
            "--yes",
            "--failed",
            failed,
        ];
        fixture.run(&apply).await.fails(code, &[why]);
        let text = fs::read_to_string(failed).unwrap();
        assert!(text.contains(written), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(failed).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let plan = ["-p", "confluent", "plan", failed, "-o", "jsonl"];
        let planned = fixture.run(&plan).await;
        assert_eq!(planned.lines()[0]["email"], email);
    }
}

#[tokio::test]
async fn an_ignored_email_filter_changes_nobody_else() {
    let fixture = Fixture::start().await;
    let server = MockServer::start_async().await;
    let all = [
        "ann@example.com",
        "ann@example.com.evil.example",
        "bob@example.com",
    ];
    let data: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(number, email)| json!({ "id": format!("i-{number}"), "email": email }))
        .collect();
    let list = json!({
        "api_version": "iam/v2", "kind": "InvitationList", "metadata": {}, "data": data,
    });
    server
        .mock_async(|when, then| {
            when.method(Method::GET).path("/iam/v2/invitations");
            then.status(200).json_body(list);
        })
        .await;
    let writes = server
        .mock_async(|when, then| {
            when.method(Method::DELETE);
            then.status(204);
        })
        .await;
    let url = server.base_url();
    let variables = with_variables(fixture.variables(), &[("CONFLUENT_CLOUD_ENDPOINT", &url)]);
    for command in ["delete", "renew"] {
        let run = [
            "-p",
            "confluent",
            command,
            "--yes",
            "--email",
            "nobody@example.com",
        ];
        let missing = crate::fixture::run(&run, &variables).await;
        missing.fails(4, &["no invitation for this address"]);
    }
    assert_eq!(writes.calls_async().await, 0);
    let run = [
        "-p",
        "confluent",
        "delete",
        "--yes",
        "--email",
        "ANN@example.com",
    ];
    let done = crate::fixture::run(&run, &variables).await;
    assert_eq!(done.success().stdout, "deleted i-0 (ann@example.com)\n");
}

#[tokio::test]
async fn an_answer_about_another_invitation_is_rejected() {
    let fixture = Fixture::start().await;
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.method(Method::GET);
            then.status(200)
                .json_body(json!({ "id": "i-14", "email": "bob@example.com" }));
        })
        .await;
    let writes = server
        .mock_async(|when, then| {
            when.method(Method::DELETE);
            then.status(204);
        })
        .await;
    let url = server.base_url();
    let variables = with_variables(fixture.variables(), &[("CONFLUENT_CLOUD_ENDPOINT", &url)]);
    let renewed =
        crate::fixture::run(&["-p", "confluent", "renew", "--yes", "i-1"], &variables).await;
    assert_ne!(renewed.code, Some(0));
    assert_eq!(writes.calls_async().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_roles_are_rejected_without_a_loss() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let billing = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
    let unknown = "99999999-3f0d-4c1b-9a57-0d2f4f1c6a99";
    let emails = ["a@example.com", "b@example.com", "c@example.com"];
    let invite = ["-p", "clickhouse", "create", "--role-id", billing];
    fixture
        .run(&[&invite[..], &emails].concat())
        .await
        .success();
    let roster = |role: &str| {
        let rows = emails.map(|email| format!("{email},{role}\n"));
        file(
            &fixture,
            "roster.csv",
            &format!("email,roles\n{}", rows.concat()),
        )
    };
    let apply = |roster: &str| {
        let words = [
            "-p",
            "clickhouse",
            "apply",
            roster,
            "--yes",
            "--concurrency",
            "8",
        ];
        words.map(str::to_owned)
    };
    let run = |roster: String| {
        let words = apply(&roster);
        let fixture = &fixture;
        async move {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            fixture.run(&words).await
        }
    };
    // The name of the role that they have.
    let named = run(roster("billing")).await;
    assert_eq!(named.success().stdout, "invited 0, kept 3, removed 0\n");
    // A name that no role has.
    let odd = run(roster("Biling")).await;
    let words = [
        "nothing was changed",
        "line 2, a@example.com",
        "no role \"Biling\" (did you mean \"Billing\"?)",
    ];
    odd.fails(2, &words);
    assert_eq!(deleted(&fixture), 0);
    // An unknown id, while the roles of the organisation can be read.
    let unknown_role = run(roster(unknown)).await;
    let of_each = format!("the organisation has no role \"{unknown}\"; it has");
    unknown_role.fails(2, &[&of_each, &format!("Billing ({billing})")]);
    assert_eq!(deleted(&fixture), 0);
    // If they cannot be read, one person is restored and the others are left alone.
    let unreadable = Rule::new(Fault::status_before(403)).on(Operation::Roles);
    fixture
        .sandbox
        .set_faults(Faults::script([unreadable.always()]));
    let refused = run(roster(unknown)).await;
    refused.fails(
        1,
        &[
            "the new options were rejected; inviting again with the old ones",
            "the provider refused the same for a@example.com",
        ],
    );
    assert_eq!(
        refused.stdout,
        "invited 0, kept 0, removed 0, restored 1, skipped 2\n"
    );
    assert!(!refused.stderr.contains("--resume"), "{}", refused.stderr);
    assert_eq!(deleted(&fixture), 1);
    let list = ["-p", "clickhouse", "list", "-o", "jsonl"];
    let listed = fixture.run(&list).await;
    for row in listed.lines() {
        assert_eq!(row["roles"][0]["id"], billing);
    }
    assert_eq!(listed.lines().len(), 3);
    assert!(!path(&fixture, "roster.csv.journal").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_loss_is_named_and_not_resumed() {
    let fixture = Fixture::start().await;
    let emails = ["a@example.com", "b@example.com", "c@example.com"];
    fixture.invite("confluent", &emails).await;
    let refuse = Rule::new(Fault::status_before(403)).on(Operation::Create);
    fixture
        .sandbox
        .set_faults(Faults::script([refuse.always()]));
    let rows = emails.map(|email| format!("{email},sso\n")).concat();
    let roster = file(&fixture, "roster.csv", &format!("email,auth_type\n{rows}"));
    let apply = ["-p", "confluent", "apply", &roster, "--yes", "-o", "jsonl"];
    let lost = fixture.run(&apply).await;
    let again =
        "org-invitations -p confluent create a@example.com --auth-type local --if-not-exists";
    lost.stderr_contains(&[
        "a@example.com IS NOT INVITED ANY MORE",
        again,
        "2 were not attempted, because they would be rejected like a@example.com",
    ]);
    assert_ne!(lost.code, Some(0));
    assert!(!lost.stderr.contains("--resume"), "{}", lost.stderr);
    let schema = fixture.run(&["schema", "apply"]).await.json();
    let valid = jsonschema::validator_for(&schema).unwrap();
    assert!(valid.is_valid(&lost.lines().into()), "{}", lost.stdout);
    let row = &lost.lines()[0];
    assert_eq!(row["result"], "lost");
    assert_eq!(row["invite"]["auth_type"], "local");
    assert_eq!(fixture.sandbox.invitations().len(), 2);
    assert!(!path(&fixture, "roster.csv.journal").exists());

    fixture.sandbox.set_faults(Faults::default());
    let words: Vec<_> = again.split_whitespace().skip(1).collect();
    fixture.run(&words).await.success();
    assert_eq!(fixture.sandbox.invitations().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_seen_people_count_as_kept() {
    let fixture = Fixture::start().await;
    // After the delete, the create fails as if the invitation existed: temporarily or permanently.
    for (times, result, left) in [(1, "invited", 1), (0, "lost", 0)] {
        fixture.invite("confluent", &["ann@example.com"]).await;
        let conflict = Rule::new(Fault::status_before(409)).on(Operation::Create);
        fixture
            .sandbox
            .set_faults(Faults::script([conflict.times(times)]));
        let text = "email,auth_type\nann@example.com,sso\n";
        let roster = file(&fixture, "roster.csv", text);
        let apply = ["-p", "confluent", "apply", &roster, "--yes", "-o", "jsonl"];
        let applied = fixture.run(&apply).await;
        assert_eq!(applied.lines()[0]["result"], result, "{}", applied.stderr);
        assert_eq!(fixture.sandbox.invitations().len(), left);
        fixture.sandbox.reset();
    }
    // ClickHouse does not list a member; its error message names them.
    fixture.invite("clickhouse", &["ann@example.com"]).await;
    fixture
        .sandbox
        .accept(Provider::ClickHouse, "ann@example.com")
        .unwrap();
    let roster = file(&fixture, "roster.csv", "email\nann@example.com\n");
    let apply = ["-p", "clickhouse", "apply", &roster, "--yes"];
    let applied = fixture.run(&apply).await;
    assert_eq!(applied.success().stdout, "invited 0, kept 1, removed 0\n");
}
