//! Providers from builders: base URLs and credentials.

use org_invitations::{
    ClickHouse, Confluent, Credentials, ErrorKind, InvitationProvider, ListQuery, Operation,
    ProviderConfig,
};
use serde_json::json;

use crate::{
    backend::{Backend, KEY, ORGANIZATION, SECRET, refused, run},
    support::{Checks, Wire},
};

/// What building with this base URL comes to, on both backends.
fn build_at(url: &str) -> [org_invitations::Result<()>; 2] {
    let confluent = Confluent::builder().api_key(KEY, SECRET).base_url(url);
    let clickhouse = ClickHouse::builder(ORGANIZATION).api_key(KEY, SECRET);
    [
        confluent.build().map(drop),
        clickhouse.base_url(url).build().map(drop),
    ]
}

#[test]
fn a_base_url_that_would_give_the_credential_away_is_refused() {
    let mut checks = Checks::default();
    for url in [
        "http://api.confluent.cloud",
        "http://192.168.0.1",
        "http://0.0.0.0:8080",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://[::ffff:8.8.8.8]",
        "https://user:password@api.confluent.cloud",
        "https://user@api.confluent.cloud",
        "http://user:password@127.0.0.1:8080",
        "https://api.confluent.cloud?x=1",
        "https://api.confluent.cloud#x",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "api.confluent.cloud",
        "127.0.0.1:8080",
        "https://",
        "",
    ] {
        checks.case(format!("{url:?}"));
        for outcome in build_at(url) {
            match outcome {
                Ok(()) => checks.that(false, "it was accepted"),
                Err(error) => {
                    checks.same("the kind", error.kind(), ErrorKind::Config);
                    checks.same("the operation", error.operation(), Operation::Configure);
                    checks.same("may_have_executed", error.may_have_executed(), false);
                    checks.that(error.provider().is_some(), "no provider is named");
                }
            }
        }
    }
}

#[test]
fn https_and_loopback_are_good_base_urls() {
    let mut checks = Checks::default();
    for url in [
        "https://api.confluent.cloud",
        "https://api.confluent.cloud/",
        "https://proxy.example:8443/prefix/",
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://localhost:1",
        "http://LOCALHOST:1",
        "http://[::1]:8080/x",
    ] {
        checks.case(url);
        for outcome in build_at(url) {
            checks.that(outcome.is_ok(), format!("{outcome:?}"));
        }
    }
}

#[tokio::test]
async fn a_base_url_may_have_a_path_of_its_own() {
    for end in ["/", "/gateway", "/gateway/"] {
        let backend = Backend::Confluent;
        let wire = Wire::always(backend.success(Operation::List)).await;
        let url = format!("{}{end}", wire.url());
        let provider = backend.connect_with(url, Default::default());
        run(&*provider, backend, Operation::List).await.unwrap();
        let expected = format!("{}{}", end.trim_end_matches('/'), backend.collection());
        assert_eq!(wire.only().path, expected, "with {end:?}");
    }
}

#[test]
fn a_missing_credential_is_named() {
    let mut checks = Checks::default();
    let without = [
        refused(Confluent::builder().build()),
        refused(ClickHouse::builder(ORGANIZATION).build()),
    ];
    for error in without {
        checks.case(error.to_string());
        checks.same("the kind", error.kind(), ErrorKind::Config);
        checks.that(error.message().contains("API key"), "it does not say what");
    }
    for (config, names) in [
        (
            json!({ "provider": "confluent" }),
            vec!["api_key", "access_token"],
        ),
        (
            json!({ "provider": "confluent", "api_key": KEY }),
            vec!["api_secret"],
        ),
        (
            json!({ "provider": "confluent", "api_secret": SECRET }),
            vec!["api_key"],
        ),
        (
            json!({ "provider": "clickhouse", "api_key": KEY, "api_secret": SECRET }),
            vec!["organization_id"],
        ),
        (
            json!({ "provider": "clickhouse", "organization_id": ORGANIZATION, "api_key": KEY }),
            vec!["api_secret"],
        ),
        (
            json!({ "provider": "clickhouse", "organization_id": ORGANIZATION, "api_secret": SECRET }),
            vec!["api_key"],
        ),
    ] {
        let parsed: ProviderConfig = serde_json::from_value(config.clone()).unwrap();
        let error = refused(parsed.build());
        checks.case(format!("{config} gives {error}"));
        checks.same("the kind", error.kind(), ErrorKind::Config);
        checks.same(
            "the provider",
            error.provider(),
            config["provider"].as_str(),
        );
        for name in names {
            checks.that(
                error.message().contains(name),
                format!("{name} is not named"),
            );
        }
    }
}

#[test]
fn credentials_that_no_header_can_hold_are_refused() {
    for credentials in [
        Credentials::bearer("a\nb"),
        Credentials::bearer("a\0b"),
        // A colon ends the id in HTTP Basic.
        Credentials::api_key("a:b", SECRET),
    ] {
        let error = refused(Confluent::builder().credentials(credentials).build());
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn a_secret_may_have_a_colon_and_any_letters() {
    let wire = Wire::always(Backend::Confluent.success(Operation::List)).await;
    let builder = Confluent::builder().api_key("k", "s:ä€");
    let provider = builder.base_url(wire.url()).build().unwrap();
    provider.list_page(&ListQuery::new(), None).await.unwrap();
    // `k:s:ä€` in UTF-8 and Base64.
    assert_eq!(wire.only().header("authorization"), ["Basic azpzOsOk4oKs"]);
}
