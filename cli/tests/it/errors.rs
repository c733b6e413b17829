//! Rejected input: exit codes and messages.

use serde_json::Value;

use crate::fixture::{Fixture, empty_environment, run, with_variables};

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_options_fail_before_any_request() {
    let fixture = Fixture::start().await;
    let role = [
        "create",
        "a@example.com",
        "-p",
        "confluent",
        "--legacy-role",
        "admin",
    ];
    fixture
        .run(&role)
        .await
        .fails(1, &["not supported", "legacy role"]);
    let login = [
        "create",
        "a@example.com",
        "-p",
        "clickhouse",
        "--auth-type",
        "sso",
    ];
    fixture
        .run(&login)
        .await
        .fails(1, &["not supported", "auth types"]);
    for id in ["", ".", "..", "a/b", "a?b", "a b"] {
        fixture
            .run(&["delete", id, "-p", "clickhouse", "--yes"])
            .await
            .fails(2, &["invalid input"]);
    }
    let ledger = fixture.sandbox.ledger();
    assert!(ledger.requests.is_empty(), "{:?}", ledger.requests);
}

#[tokio::test]
async fn wrong_usage_exits_with_2_and_a_hint() {
    let none = &empty_environment();
    run(&["lst"], none).await.fails(2, &["list", "--help"]);
    run(&["list"], none).await.fails(2, &["--provider", "demo"]);
    run(&["list", "--provider", "aws"], none)
        .await
        .fails(2, &["confluent", "clickhouse"]);
    run(&["list", "--stats", "sent"], none)
        .await
        .fails(2, &["--status"]);
    run(&["delete", "-p", "confluent"], none)
        .await
        .fails(2, &["--email"]);
    run(&["renew", "-p", "confluent"], none)
        .await
        .fails(2, &["--expired"]);
    run(&["list", "-o", "markdown", "-p", "sandbox"], none)
        .await
        .fails(2, &["spec diff"]);
    let wrong = with_variables(
        empty_environment(),
        &[("ORG_INVITATIONS_PROVIDER", "conflunt")],
    );
    run(&["list"], &wrong)
        .await
        .fails(2, &["did you mean `confluent`?"]);
}

#[tokio::test]
async fn a_first_run_names_the_variables_and_the_demo() {
    for (name, variables) in [
        (
            "confluent",
            ["CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET"],
        ),
        (
            "clickhouse",
            ["CLICKHOUSE_ORG_ID", "CLICKHOUSE_CLOUD_API_SECRET"],
        ),
    ] {
        let first = run(&["list", "-p", name], &empty_environment()).await;
        first.fails(2, &variables);
        first.stderr_contains(&["config.toml", "api_secret_command", "org-invitations demo"]);
    }
    let empty = with_variables(empty_environment(), &[("CLICKHOUSE_ORG_ID", "")]);
    run(&["list", "-p", "clickhouse"], &empty)
        .await
        .fails(2, &["CLICKHOUSE_ORG_ID"]);
}

#[tokio::test]
async fn an_insecure_url_is_rejected_with_its_source() {
    let plain = with_variables(
        empty_environment(),
        &[
            ("CONFLUENT_CLOUD_API_KEY", "key"),
            ("CONFLUENT_CLOUD_API_SECRET", "hunter2"),
            ("CONFLUENT_CLOUD_ENDPOINT", "http://example.com"),
        ],
    );
    let refused = run(&["list", "-p", "confluent"], &plain).await;
    refused.fails(2, &["https", "CONFLUENT_CLOUD_ENDPOINT"]);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_exits_with_3_and_is_not_printed() {
    let fixture = Fixture::start().await;
    let wrong = [("CONFLUENT_CLOUD_API_SECRET", "canary-secret")];
    let variables = with_variables(fixture.variables(), &wrong);
    let id = "i-123456";
    for arguments in [
        &["list", "-o", "json", "-vv"][..],
        &["get", id, "-v"],
        &["create", "ann@example.com", "bob@example.com"],
        &["delete", id, "--yes"],
        &["renew", id],
        &["doctor", "-vv"],
    ] {
        let arguments = [&["-p", "confluent"], arguments].concat();
        let refused = run(&arguments, &variables).await;
        let said = refused.stdout.clone() + &refused.stderr;
        assert_eq!(refused.code, Some(3), "{arguments:?}: {said}");
        for word in ["not authenticated", "status 401", "request id"] {
            assert!(said.contains(word), "{arguments:?}: no {word:?} in {said}");
        }
        assert!(!said.contains("canary"), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verbose_logs_the_attempts() {
    let fixture = Fixture::start().await;
    let quiet = fixture
        .run(&["-p", "confluent", "list", "-o", "json"])
        .await;
    assert_eq!(quiet.stderr, "");
    let told = fixture
        .run(&["-p", "confluent", "list", "-o", "json", "-v"])
        .await;
    told.stderr_contains(&["attempt", "http.response.status_code=200"]);
    assert_eq!(told.json(), Value::Array(Vec::new()));
    let credentials = fixture.sandbox.credentials();
    let most = fixture.run(&["-p", "confluent", "list", "-vv"]).await;
    assert!(most.stderr.len() > told.stderr.len(), "{}", most.stderr);
    let secret = &credentials.confluent.api_secret;
    assert!(!most.stderr.contains(secret), "{}", most.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_address_fails_before_any_request() {
    let fixture = Fixture::start().await;
    let create = ["-p", "confluent", "create", "ann@example.com", "bob"];
    fixture
        .run(&create)
        .await
        .fails(2, &["bob", "invalid input"]);
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

/// What a new administrator types, and the hint that helps.
#[tokio::test(flavor = "multi_thread")]
async fn common_mistakes_get_a_hint_and_send_nothing() {
    let fixture = Fixture::start().await;
    let roster = |name: &str, text: &str| {
        let path = fixture.home.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let csv = roster("r.csv", "email,rolse\nann@example.com,x\n");
    let json = roster("r.json", r#"[{"emial":"ann@example.com"}]"#);
    let map = roster("m.toml", "[role]\nDeveloper = \"x\"\n");
    let number = roster("n.toml", "[roles]\nDeveloper = 7\n");
    for (words, said) in [
        (
            &["-p", "confluent", "delete", "i-1", "--max-deletes", "200%"][..],
            &["a limit is a number, such as 10, or a share from 0% to 100%"][..],
        ),
        (
            &["-p", "clickhouse", "plan", &csv],
            &["did you mean `roles`?"],
        ),
        (
            &["-p", "clickhouse", "plan", &json],
            &["did you mean `email`?"],
        ),
        (
            &["copy", "--from", "conflunt", "--to", "clickhouse", "--yes"],
            &["did you mean `confluent`?"],
        ),
        (
            &[
                "copy",
                "--from",
                "clickhouse",
                "--to",
                "confluent",
                "--yes",
                "--role-map",
                &map,
            ],
            &["line 1", "did you mean `roles`?"],
        ),
        (
            &[
                "copy",
                "--from",
                "clickhouse",
                "--to",
                "confluent",
                "--yes",
                "--role-map",
                &number,
            ],
            &["line 2", "a role, as `NAME[@SCOPE]`"],
        ),
    ] {
        fixture.run(words).await.fails(2, said);
    }
    assert!(fixture.sandbox.ledger().requests.is_empty());
    fixture.invite("confluent", &["ann@example.com"]).await;
    let copy = ["copy", "--from", "confluent", "--to", "clickhouse", "--yes"];
    fixture
        .run(&copy)
        .await
        .fails(1, &["pass `--ignore auth-type`"]);
}
