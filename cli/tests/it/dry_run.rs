//! `--dry-run` and consent of create, delete and renew, and what `create` says of its outcome.

use std::time::Duration;

use org_invitations_sandbox::Provider;

use crate::{fixture::Fixture, roster::file};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing() {
    let fixture = Fixture::start().await;
    for provider in ["confluent", "clickhouse"] {
        // An older document lacks the roles that an invitation has.
        if provider == "clickhouse" && !fixture.offers_role_ids().await {
            continue;
        }
        let ids = fixture.invite(provider, &["ann@example.com"]).await;
        let before = fixture.sandbox.ledger().commits.len();
        let run = async |words: &[&str]| {
            let words = [&["-p", provider, "-o", "json"], words, &["--dry-run"]].concat();
            fixture.run(&words).await
        };
        let deleted = run(&["delete", &ids[0]]).await.one();
        assert_eq!(deleted["deleted"], false, "{deleted}");
        assert_eq!(deleted["email"], "ann@example.com", "{deleted}");
        let renewed = run(&["renew", "ann@example.com"]).await.json();
        assert_eq!(renewed[0]["outcome"], "planned", "{renewed}");
        let created = run(&["create", "bob@example.com"]).await.json();
        assert_eq!(created[0]["action"], "create", "{created}");
        let existing = run(&["create", "bob@example.com", "Ann@example.com"]).await;
        existing.fails(1, &["create 1", "keep 1"]);
        let content = run(&["create", "Ann@example.com", "--if-not-exists"]).await;
        content.success();
        assert_eq!(fixture.sandbox.ledger().commits.len(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_it_would_do() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let shown = fixture
        .run(&["-p", "confluent", "delete", &ids[0], "--dry-run"])
        .await;
    let line = format!("would delete {} (ann@example.com)\n", ids[0]);
    assert_eq!(shown.success().stdout, line);
    let shown = fixture
        .run(&["-p", "confluent", "renew", &ids[0], "--dry-run"])
        .await;
    let line = format!("would renew ann@example.com ({})\n", ids[0]);
    assert_eq!(shown.success().stdout, line);
    let missing = fixture
        .run(&["-p", "confluent", "delete", "i-nowhere", "--dry-run"])
        .await;
    missing.fails(4, &["i-nowhere"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_what_is_open_needs_consent() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let words = ["cannot prompt", "pass --yes", "Nothing was renewed"];
    for selector in [
        &["--email", "ann@example.com"][..],
        &["ann@example.com"],
        &[&ids[0]],
        &["--status", "sent"],
    ] {
        let renew = [&["-p", "confluent", "renew"], selector].concat();
        fixture.run(&renew).await.fails(2, &words);
    }
    assert_eq!(fixture.sandbox.invitations()[0].id, ids[0]);
    // Nobody loses an invitation that has expired.
    fixture.sandbox.advance(WEEK + WEEK);
    fixture
        .run(&["-p", "confluent", "renew", &ids[0]])
        .await
        .success();
}

#[tokio::test(flavor = "multi_thread")]
async fn create_tells_who_is_newly_invited() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let create = [
        "-p",
        "confluent",
        "create",
        "ann@example.com",
        "bob@example.com",
    ];
    let content = [&create[..], &["--if-not-exists", "-o", "jsonl"]].concat();
    let rows = fixture.run(&content).await.lines();
    assert_eq!(rows[0]["created"], false, "{rows:?}");
    assert_eq!(rows[1]["created"], true, "{rows:?}");
    let csv = [&create[..], &["--if-not-exists", "-o", "csv"]].concat();
    let csv = fixture.run(&csv).await;
    assert!(
        csv.success()
            .stdout
            .lines()
            .nth(1)
            .unwrap()
            .ends_with(",false")
    );
    let plain = ["-p", "confluent", "create", "eve@example.com", "-o", "json"];
    assert!(fixture.run(&plain).await.one().get("created").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_refused_run_fails() {
    let fixture = Fixture::start().await;
    let emails: Vec<_> = (0..8).map(|n| format!("p{n}@example.com")).collect();
    let emails: Vec<_> = emails.iter().map(String::as_str).collect();
    fixture.invite("confluent", &emails).await;
    let roster = file(&fixture, "one.csv", "email\np0@example.com\n");
    let before = fixture.sandbox.ledger().commits.len();
    for (run, shown) in [
        (&["delete", "--status", "sent"][..], "would delete"),
        (&["renew", "--status", "sent"], "would renew"),
        (
            &["remove", "p1@example.com", "p2@example.com"],
            "p2@example.com",
        ),
        (&["apply", &roster, "--prune"], "p7@example.com"),
    ] {
        let dry = ["--dry-run", "--max-deletes", "1"];
        let preview = [&["-p", "confluent"], run, &dry].concat();
        let preview = fixture.run(&preview).await;
        preview.fails(2, &["--max-deletes"]);
        assert!(
            preview.stdout.contains(shown),
            "{run:?}: {}",
            preview.stdout
        );
    }
    assert_eq!(fixture.sandbox.ledger().commits.len(), before);
}

/// A preview and its run have one exit code and one reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_ends_as_the_run_does() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let roster = file(&fixture, "rows.csv", "email\nbob@example.com\nnobody\n");
    let missing = fixture.home.join("missing/audit.jsonl");
    let missing = missing.to_str().unwrap();
    let copy = ["copy", "--from", "confluent", "--to", "clickhouse"];
    let auth_type = ["create", "ann@example.com", "--auth-type", "sso"];
    let mut runs: Vec<(Vec<&str>, i32, &str)> = vec![
        (copy.to_vec(), 1, ""),
        (
            vec!["-p", "confluent", "apply", &roster, "--audit-log", missing],
            2,
            "cannot open the audit log",
        ),
        (
            [&["-p", "confluent"], &auth_type[..], &["--if-not-exists"]].concat(),
            1,
            "",
        ),
    ];
    let member = "joined@example.com";
    let offers_members = fixture.offers_members() && fixture.offers_role_ids().await;
    if offers_members {
        for (name, vendor, role) in [
            ("confluent", Provider::Confluent, "Operator"),
            ("clickhouse", Provider::ClickHouse, "Developer"),
        ] {
            let create = ["-p", name, "create", member, "--role", role];
            fixture.run(&create).await.success();
            fixture.sandbox.accept(vendor, member).unwrap();
        }
        let owned = "--delete-owned";
        let prune = [
            "apply",
            &roster,
            "--prune",
            "--prune-members",
            "--min-admins",
            "0",
        ];
        let prune = [
            &["-p", "confluent"],
            &prune[..],
            &["--keep", "ann@example.com"],
        ]
        .concat();
        runs.push((prune, 2, owned));
        let remove = vec!["-p", "confluent", "remove", member, "--min-admins", "0"];
        runs.push((remove, 2, owned));
        let unknown = ["members", "set-roles", member, "--role", "Nope"];
        runs.push(([&["-p", "clickhouse"], &unknown[..]].concat(), 2, "Nope"));
        let other = ["create", member, "--role", "Billing", "--if-not-exists"];
        runs.push(([&["-p", "clickhouse"], &other[..]].concat(), 1, ""));
    }
    runs.push((vec!["-p", "confluent", "apply", &roster], 1, ""));
    for (run, code, why) in runs {
        let before = fixture.sandbox.ledger().commits.len();
        let preview = [&run[..], &["--dry-run", "-o", "jsonl"]].concat();
        fixture.run(&preview).await.fails(code, &[why]);
        assert_eq!(fixture.sandbox.ledger().commits.len(), before, "{run:?}");
        let yes: &[&str] = match run
            .iter()
            .any(|word| ["create", "set-roles"].contains(word))
        {
            true => &[],
            false => &["--yes"],
        };
        fixture
            .run(&[&run[..], yes].concat())
            .await
            .fails(code, &[why]);
    }
    assert!(!std::path::Path::new(missing).parent().unwrap().exists());
}

/// `create --if-not-exists` gives roles and takes none.
#[tokio::test(flavor = "multi_thread")]
async fn create_shows_the_roles_that_it_adds() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let create = [
        "-p",
        "confluent",
        "-o",
        "jsonl",
        "create",
        "ann@example.com",
    ];
    let first = [&create[..], &["--role", "MetricsViewer"]].concat();
    fixture.run(&first).await.success();
    let second = [&create[..], &["--role", "Operator", "--if-not-exists"]].concat();
    let preview = [&second[..], &["--dry-run"]].concat();
    let preview = fixture.run(&preview).await;
    let row = &preview.success().lines()[0];
    assert_eq!(row["action"], "set-roles", "{row}");
    assert_eq!(
        row["role_changes"],
        serde_json::json!(["+Operator"]),
        "{row}"
    );
    let real = fixture.run(&second).await;
    let row = &real.success().lines()[0];
    let roles = row["roles"].as_array().unwrap();
    let names: Vec<_> = roles.iter().map(|role| role["name"].as_str()).collect();
    assert!(
        names.contains(&Some("Operator")) && names.contains(&Some("MetricsViewer")),
        "{row}"
    );
    // Nothing is left to be added.
    let again = [&second[..], &["--dry-run"]].concat();
    let row = &fixture.run(&again).await.lines()[0];
    assert_eq!(row["action"], "keep", "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_about_a_member_does_not_advise_renew() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    fixture.invite("confluent", &["ann@example.com"]).await;
    fixture
        .sandbox
        .accept(Provider::Confluent, "ann@example.com")
        .unwrap();
    let create = ["-p", "confluent", "create", "ann@example.com"];
    let refused = fixture.run(&create).await;
    refused.fails(1, &["members set-roles"]);
    assert!(!refused.stderr.contains("`renew`"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_names_roles_that_there_are_not() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() || !fixture.offers_role_ids().await {
        return;
    }
    let roster = "email,roles\nann@example.com,Biling\n";
    let roster = file(&fixture, "roles.csv", roster);
    let preview = ["-p", "clickhouse", "apply", &roster, "--dry-run"];
    let preview = fixture.run(&preview).await;
    preview.fails(2, &["did you mean \"Billing\"?", "nothing was changed"]);
    assert!(preview.stdout.contains("invalid"), "{}", preview.stdout);
}
