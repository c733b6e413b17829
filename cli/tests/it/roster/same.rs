//! `copy` between two profiles that are one organisation.

use org_invitations_sandbox::{Config, ConfluentKey, ConfluentOrganization};

use crate::fixture::{Fixture, run};

const PEOPLE: [&str; 2] = ["ann@example.com", "bob@example.com"];

const MOVE: [&str; 7] = [
    "copy",
    "--from",
    "a",
    "--to",
    "b",
    "--delete-source-after",
    "--yes",
];

/// Asserts that the copy is refused, also as a dry run, and that nothing is changed.
async fn is_refused(fixture: &Fixture, why: &str) {
    let before = fixture.sandbox.ledger().commits.len();
    let environment = fixture.empty_environment();
    for last in ["--yes", "--dry-run"] {
        let words = [&MOVE[..6], &[last]].concat();
        let refused = run(&words, &environment).await;
        refused.fails(2, &["--from a and --to b are the same organisation", why]);
        assert_eq!(refused.stdout, "", "{last}");
    }
    assert_eq!(fixture.sandbox.ledger().commits.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_of_one_organisation_are_not_copied() {
    let key = |id| ConfluentKey::new(id, "secret");
    let organization = || ConfluentOrganization::default();
    let mut config = Config::default();
    config.confluent = vec![
        organization().key(key("a")).key(key("b")),
        organization().key(key("other")),
    ];
    let fixture = Fixture::with(config).await;
    let url = fixture.sandbox.url();
    let profile = |(name, key): (&str, &str)| {
        format!(
            "[profiles.{name}]\nprovider = \"confluent\"\napi_key = \"{key}\"\n\
             api_secret = \"secret\"\nbase_url = \"{url}\"\n"
        )
    };
    let profiles = [("a", "a"), ("b", "b"), ("c", "other")].map(profile);
    fixture.config(&profiles.concat());
    let environment = fixture.empty_environment();
    let create = [&["--profile", "a", "create"], &PEOPLE[..]].concat();
    run(&create, &environment).await.success();
    is_refused(&fixture, "Nothing was changed").await;
    // Keys of two organisations are.
    let moved = ["copy", "--from", "a", "--to", "c", "--delete-source-after"];
    let moved = run(&[&moved[..], &["--yes"]].concat(), &environment).await;
    moved.success().stderr_contains(&["withdrew 2"]);
    assert_eq!(fixture.sandbox.invitations().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organisation_has_several_urls() {
    let fixture = Fixture::start().await;
    let credentials = fixture.sandbox.credentials();
    let (confluent, clickhouse) = (&credentials.confluent, &credentials.clickhouse);
    let url = fixture.sandbox.url();
    let renamed = url.replace("127.0.0.1", "localhost");
    assert_ne!(url, renamed);
    fixture.invite("confluent", &PEOPLE).await;
    fixture.invite("clickhouse", &PEOPLE).await;
    let sent = fixture.sandbox.ledger().requests.len();
    let id = &clickhouse.organization_id;
    for (vendor, path, key, secret, ids) in [
        (
            "confluent",
            "/iam/v2",
            &confluent.api_key,
            &confluent.api_secret,
            [String::new(), String::new()],
        ),
        (
            "clickhouse",
            "/v1",
            &clickhouse.api_key,
            &clickhouse.api_secret,
            [id.to_lowercase(), id.to_uppercase()]
                .map(|id| format!("organization_id = \"{id}\"\n")),
        ),
    ] {
        let profile = |name: &str, url: &str, id: &str| {
            format!(
                "[profiles.{name}]\nprovider = \"{vendor}\"\napi_key = \"{key}\"\n\
                 api_secret = \"{secret}\"\nbase_url = \"{url}\"\n{id}"
            )
        };
        let [one, other] = ids;
        let profiles = profile("a", url, &one) + &profile("b", &(renamed.clone() + path), &other);
        fixture.config(&profiles);
        is_refused(&fixture, "Nothing was sent").await;
    }
    assert_eq!(fixture.sandbox.ledger().requests.len(), sent);
}
