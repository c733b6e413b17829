//! Which provider and profile a command uses, and flags that it cannot honour.

use crate::fixture::{Fixture, Variables, run, with_variables};

/// The environment without a provider's variables.
fn only(fixture: &Fixture, prefix: &str) -> Variables {
    let is_other = |name: &str| name.starts_with("C") && !name.starts_with(prefix);
    let mut variables = fixture.variables();
    variables.retain(|name, _| !is_other(name));
    variables
}

/// Profiles of Confluent with the sandbox's key.
fn profiles(fixture: &Fixture, names: &[&str]) -> String {
    let key = &fixture.sandbox.credentials().confluent;
    let (id, secret, url) = (&key.api_key, &key.api_secret, fixture.sandbox.url());
    let profile = |name: &&str| {
        format!(
            "[profiles.{name}]\nprovider = \"confluent\"\napi_key = \"{id}\"\n\
             api_secret = \"{secret}\"\nbase_url = \"{url}\"\n"
        )
    };
    names.iter().map(profile).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_provider_that_is_set_up_is_used() {
    let fixture = Fixture::start().await;
    for prefix in ["CONFLUENT", "CLICKHOUSE"] {
        let environment = only(&fixture, prefix);
        run(&["list"], &environment).await.success();
        run(&["create", "ann@example.com"], &environment)
            .await
            .success();
    }
    assert_eq!(fixture.sandbox.invitations().len(), 2);
    let both = fixture.run(&["list"]).await;
    both.fails(
        2,
        &[
            "no provider selected, and both vendors are set up",
            "`--provider confluent`",
        ],
    );
    // A base URL sets up nothing.
    let url = [("CLICKHOUSE_API_URL", fixture.sandbox.url())];
    let environment = with_variables(only(&fixture, "CONFLUENT"), &url);
    run(&["list"], &environment).await.success();
    let part = [("CLICKHOUSE_CLOUD_API_KEY", "k")];
    let environment = with_variables(fixture.empty_environment(), &part);
    let incomplete = run(&["list"], &environment).await;
    incomplete.fails(
        2,
        &[
            "clickhouse is not configured",
            "CLICKHOUSE_CLOUD_API_SECRET",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_profiles_has_to_be_chosen() {
    let fixture = Fixture::start().await;
    let text = profiles(&fixture, &["warehouse", "kafka"]);
    fixture.config(&text);
    let none = fixture.empty_environment();
    for arguments in [
        &["list"][..],
        &["-p", "Confluent", "list"],
        &["create", "a@example.com"],
    ] {
        let refused = run(arguments, &none).await;
        refused.fails(
            2,
            &[
                "several profiles for confluent",
                "choose --profile: kafka, warehouse",
            ],
        );
    }
    let copy = ["copy", "--from", "confluent", "--to", "sandbox", "--yes"];
    run(&copy, &none)
        .await
        .fails(2, &["--from confluent: ", "kafka, warehouse"]);
    run(&["list", "--profile", "kafka"], &none).await.success();
    // The environment is complete without them.
    run(&["list", "-p", "confluent"], &fixture.variables())
        .await
        .success();
    fixture.config(&format!("default_profile = \"kafka\"\n{text}"));
    run(&["list"], &none).await.success();
    run(&["list", "-p", "CONFLUENT"], &none).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_profiles_of_nothing_is_an_error() {
    let fixture = Fixture::start().await;
    let environment = fixture.variables();
    let all = ["--all-profiles", "list"];
    let missing = run(&all, &environment).await;
    missing.fails(
        2,
        &[
            "--all-profiles selects nothing",
            "no configuration file",
            "config.toml",
        ],
    );
    let path = fixture.config("");
    let empty = run(&all, &environment).await;
    empty.fails(
        2,
        &["selects nothing", path.to_str().unwrap(), "has no profile"],
    );
    fixture.config(&profiles(&fixture, &["kafka"]));
    let other = ["--all-profiles", "-p", "clickhouse", "list"];
    run(&other, &environment)
        .await
        .fails(2, &["no profile for clickhouse", "it has kafka"]);
    run(&all, &fixture.empty_environment()).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_without_an_effect_are_rejected() {
    let fixture = Fixture::start().await;
    fixture.config(&profiles(&fixture, &["kafka"]));
    let environment = fixture.empty_environment();
    for (arguments, words) in [
        (
            &["list", "--organization-id", "o"][..],
            &["--organization-id has no effect on Confluent"][..],
        ),
        (
            &["doctor", "--profile", "kafka", "--organization-id", "o"],
            &["--organization-id has no effect on Confluent"],
        ),
        (
            &["list", "-p", "sandbox", "--base-url", "http://127.0.0.1:1"],
            &["sandbox", "--base-url has no effect"],
        ),
        (
            &["list", "-p", "sandbox", "--profile", "kafka"],
            &["sandbox", "--profile has no effect"],
        ),
        (
            &["list", "-p", "sandbox", "--all-profiles"],
            &["sandbox", "--all-profiles has no effect"],
        ),
        (
            &["list", "--profile", "kafka", "--all-profiles"],
            &["pass one of them"],
        ),
        (
            &["list", "-p", "clickhouse", "--profile", "kafka"],
            &["`kafka`", "for confluent, not for clickhouse"],
        ),
        (
            &[
                "list",
                "-p",
                "clickhouse",
                "-p",
                "sandbox",
                "--profile",
                "kafka",
            ],
            &["`kafka`", "confluent is not selected"],
        ),
        (
            &[
                "copy",
                "--from",
                "kafka",
                "--to",
                "sandbox",
                "--base-url",
                "http://127.0.0.1:1",
            ],
            &["--base-url has no effect", "--from and --to"],
        ),
        (
            &["-p", "confluent", "demo"],
            &["--provider has no effect", "does not connect"],
        ),
        (
            &["schema", "list", "--profile", "kafka"],
            &["--profile has no effect", "does not connect"],
        ),
        (
            &["man", "--organization-id", "o"],
            &["--organization-id has no effect", "does not connect"],
        ),
    ] {
        let refused = run(arguments, &environment).await;
        refused.fails(2, words);
        assert!(
            refused.stdout.is_empty(),
            "{arguments:?}: {}",
            refused.stdout
        );
    }
    assert!(fixture.sandbox.ledger().requests.is_empty());
}
