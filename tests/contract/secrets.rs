//! Secrets are in the `Authorization` header and nowhere else.

use org_invitations::{
    ClickHouse, Confluent, Credentials, Error, InvitationProvider, ListQuery, ProviderConfig,
};
use serde_json::json;

use crate::{
    backend::{BASIC, Backend, KEY, OPERATIONS, ORGANIZATION, SECRET, refused, run},
    raw_http::closed_port,
    support::{Answer, Wire},
};

const TOKEN: &str = "marker-token-91bd";

/// Fails when the text holds a secret, in the clear or as it is sent.
#[track_caller]
fn assert_clean(what: &str, text: &str) {
    let encoded = BASIC.trim_start_matches("Basic ");
    for secret in [SECRET, TOKEN, encoded] {
        assert!(!text.contains(secret), "{what} shows a secret: {text}");
    }
}

macro_rules! assert_hidden {
    ($($value:expr),+ $(,)?) => {
        $(assert_clean(stringify!($value), &format!("{:?} {:#?}", $value, $value));)+
    };
}

#[test]
fn builders_providers_and_credentials_hide_them() {
    let confluent = Confluent::builder().api_key(KEY, SECRET);
    let bearer = Confluent::builder().access_token(TOKEN);
    let clickhouse = ClickHouse::builder(ORGANIZATION).api_key(KEY, SECRET);
    assert_hidden!(confluent, bearer, clickhouse);
    assert_hidden!(
        Credentials::api_key(KEY, SECRET),
        Credentials::bearer(TOKEN)
    );
    let (confluent, bearer) = (confluent.build().unwrap(), bearer.build().unwrap());
    let clickhouse = clickhouse.build().unwrap();
    assert_hidden!(confluent, bearer, clickhouse);
    let shared: std::sync::Arc<dyn InvitationProvider> = std::sync::Arc::new(confluent);
    assert_hidden!(shared);
    assert_clean("Display", &format!("{shared} {bearer} {clickhouse}"));
}

#[test]
fn configurations_hide_them() {
    for config in [
        json!({ "provider": "confluent", "api_key": KEY, "api_secret": SECRET }),
        json!({ "provider": "confluent", "access_token": TOKEN }),
        json!({
            "provider": "clickhouse", "organization_id": ORGANIZATION, "api_key": KEY,
            "api_secret": SECRET,
        }),
    ] {
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        assert_hidden!(config);
    }
}

#[test]
fn a_configuration_that_cannot_be_read_hides_them() {
    for config in [
        json!({ "provider": "confluent", "api_secret": SECRET, "odd": SECRET }),
        json!({ "provider": "clickhouse", "api_secret": [SECRET] }),
        json!({ "provider": "confluent", "api_secret": { "value": SECRET } }),
        json!({
            "provider": "confluent",
            "sts": { "identity_pool_id": "pool-1", "subject_token": TOKEN },
        }),
        json!({
            "provider": "confluent",
            "sts": { "identity_pool_id": "pool-1", "subject_token": { "fixed": [TOKEN] } },
        }),
    ] {
        let parsed = serde_json::from_value::<ProviderConfig>(config);
        let recorded = parsed.map(drop).unwrap_err().to_string();
        assert_clean("the error", &recorded);
    }
}

#[test]
fn a_password_in_a_base_url_is_shown_by_nothing() {
    let url = format!("https://user:{SECRET}@api.example");
    let confluent = Confluent::builder().api_key(KEY, TOKEN).base_url(&url);
    let clickhouse = ClickHouse::builder(ORGANIZATION)
        .api_key(KEY, TOKEN)
        .base_url(&url);
    let config = json!({ "provider": "confluent", "access_token": TOKEN, "base_url": url });
    let error = serde_json::from_value::<ProviderConfig>(config).unwrap_err();
    assert_clean("the error", &format!("{error} {error:?}"));
    for error in [
        refused(confluent.clone().build()),
        refused(clickhouse.clone().build()),
    ] {
        assert_error_clean(&error);
    }
    assert_hidden!(confluent, clickhouse);
}

#[track_caller]
fn assert_error_clean(error: &Error) {
    assert_clean("the error", &format!("{error} {error:?} {error:#?}"));
    let mut source = error.cause();
    while let Some(cause) = source {
        assert_clean("its cause", &format!("{cause} {cause:?}"));
        source = cause.source();
    }
}

#[tokio::test]
async fn errors_hide_them() {
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            for status in [200, 307, 400, 401, 403, 404, 409, 429, 500, 503] {
                let answer = Answer::html(status).header("Location", "https://elsewhere.example/x");
                let wire = Wire::always(answer).await;
                let error = refused(run(&*backend.connect(&wire), backend, operation).await);
                assert_error_clean(&error);
            }
            let provider = backend.connect_with(closed_port(), Default::default());
            let error = refused(run(&*provider, backend, operation).await);
            assert_error_clean(&error);
        }
    }
}

#[tokio::test]
async fn the_id_of_a_request_hides_what_a_server_repeats_in_it() {
    for backend in Backend::ALL {
        let refusal = Wire::always(Answer::html(403).header("X-Request-Id", SECRET)).await;
        let error = refused(run(&*backend.connect(&refusal), backend, OPERATIONS[0]).await);
        assert_error_clean(&error);
        assert_eq!(error.request_id(), Some("[REDACTED]"), "{backend:?}");
        let page = Answer::json(200, &backend.list(&[]));
        let wire = Wire::always(page.header("X-Request-Id", SECRET)).await;
        let provider = backend.connect(&wire);
        let page = provider.list_page(&ListQuery::new(), None).await.unwrap();
        assert_clean("the page", &format!("{page:?}"));
    }
}

#[tokio::test]
async fn errors_hide_what_a_server_repeats_in_a_header() {
    let encoded = BASIC.trim_start_matches("Basic ");
    for backend in Backend::ALL {
        for (status, header) in [(401, "WWW-Authenticate"), (302, "Location")] {
            let value = format!("/sign-in?{encoded}&{SECRET}");
            let wire = Wire::always(Answer::html(status).header(header, &value)).await;
            let error = refused(run(&*backend.connect(&wire), backend, OPERATIONS[0]).await);
            assert_error_clean(&error);
            let shown = format!("{error:?}");
            assert!(shown.contains("/sign-in?[REDACTED]&[REDACTED]"), "{shown}");
        }
    }
}

#[test]
fn credentials_that_are_refused_are_hidden() {
    for credentials in [
        Credentials::bearer(format!("{TOKEN}\n")),
        Credentials::api_key("a:b", SECRET),
        Credentials::api_key(format!("{KEY}:{SECRET}"), ""),
    ] {
        let builder = Confluent::builder().credentials(credentials.clone());
        assert_error_clean(&refused(builder.build()));
        let builder = ClickHouse::builder(ORGANIZATION).credentials(credentials);
        assert_error_clean(&refused(builder.build()));
    }
}
