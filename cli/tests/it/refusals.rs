//! What is refused, with which exit code, and what is said about it.

use serde_json::Value;

use crate::world::{World, nothing, run, with};

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_the_provider_lacks_is_refused_before_any_request() {
    let world = World::start().await;
    let role = [
        "create",
        "a@example.com",
        "-p",
        "confluent",
        "--role-id",
        "r",
    ];
    world.run(&role).await.fails(1, &["not supported", "roles"]);
    let login = [
        "create",
        "a@example.com",
        "-p",
        "clickhouse",
        "--auth-type",
        "sso",
    ];
    world
        .run(&login)
        .await
        .fails(1, &["not supported", "auth types"]);
    for id in ["", ".", "..", "a/b", "a?b", "a b"] {
        world
            .run(&["delete", id, "-p", "clickhouse", "--yes"])
            .await
            .fails(2, &["invalid input"]);
    }
    let ledger = world.sandbox.ledger();
    assert!(ledger.requests.is_empty(), "{:?}", ledger.requests);
}

#[tokio::test]
async fn wrong_usage_ends_with_2_and_says_what_to_do() {
    let none = &nothing();
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
    let wrong = with(nothing(), &[("ORG_INVITATIONS_PROVIDER", "conflunt")]);
    run(&["list"], &wrong)
        .await
        .fails(2, &["did you mean `confluent`?"]);
}

#[tokio::test]
async fn a_first_run_says_what_to_set_and_offers_the_demo() {
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
        let first = run(&["list", "-p", name], &nothing()).await;
        first.fails(2, &variables);
        first.says(&["config.toml", "api_secret_command", "org-invitations demo"]);
    }
    let empty = with(nothing(), &[("CLICKHOUSE_ORG_ID", "")]);
    run(&["list", "-p", "clickhouse"], &empty)
        .await
        .fails(2, &["CLICKHOUSE_ORG_ID"]);
}

#[tokio::test]
async fn a_url_that_is_not_safe_is_refused_by_its_name() {
    let plain = with(
        nothing(),
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
async fn a_wrong_secret_is_refused_with_3_and_not_printed() {
    let world = World::start().await;
    let wrong = [("CONFLUENT_CLOUD_API_SECRET", "canary-secret")];
    let variables = with(world.variables(), &wrong);
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
async fn verbose_shows_the_attempts_on_stderr() {
    let world = World::start().await;
    let quiet = world.run(&["-p", "confluent", "list", "-o", "json"]).await;
    assert_eq!(quiet.stderr, "");
    let told = world
        .run(&["-p", "confluent", "list", "-o", "json", "-v"])
        .await;
    told.says(&["attempt", "http.response.status_code=200"]);
    assert_eq!(told.json(), Value::Array(Vec::new()));
    let credentials = world.sandbox.credentials();
    let most = world.run(&["-p", "confluent", "list", "-vv"]).await;
    assert!(most.stderr.len() > told.stderr.len(), "{}", most.stderr);
    let secret = &credentials.confluent.api_secret;
    assert!(!most.stderr.contains(secret), "{}", most.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_stops_everything_before_a_request() {
    let world = World::start().await;
    let create = ["-p", "confluent", "create", "ann@example.com", "bob"];
    world.run(&create).await.fails(2, &["bob", "invalid input"]);
    assert!(world.sandbox.ledger().requests.is_empty());
}

/// What a new administrator types, and what helps.
#[tokio::test(flavor = "multi_thread")]
async fn ordinary_mistakes_are_told_what_to_do_and_send_nothing() {
    let world = World::start().await;
    let roster = |name: &str, text: &str| {
        let path = world.home.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let csv = roster("r.csv", "email,role\nann@example.com,x\n");
    let json = roster("r.json", r#"[{"emial":"ann@example.com"}]"#);
    let map = roster("m.toml", "[role]\nDeveloper = \"x\"\n");
    let number = roster("n.toml", "[roles]\nDeveloper = 7\n");
    for (words, said) in [
        (
            &["-p", "confluent", "delete", "ann@example.com", "--yes"][..],
            &["it is an address, and not an id", "`--email`"][..],
        ),
        (
            &["-p", "confluent", "renew", "ann@example.com"],
            &["it is an address, and not an id", "`--email`"],
        ),
        (
            &["-p", "confluent", "get", "ann@example.com"],
            &["it is an address, and not an id", "list --email"],
        ),
        (
            &["-p", "confluent", "delete", "i-1", "--max-deletes", "200%"],
            &["a limit is a number, such as 10, or a share from 0% to 100%"],
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
            &["line 2", "the id of a role, or a list of ids"],
        ),
    ] {
        world.run(words).await.fails(2, said);
    }
    assert!(world.sandbox.ledger().requests.is_empty());
    world.invite("confluent", &["ann@example.com"]).await;
    let copy = ["copy", "--from", "confluent", "--to", "clickhouse", "--yes"];
    world
        .run(&copy)
        .await
        .fails(1, &["`--ignore auth-type` copies"]);
}
