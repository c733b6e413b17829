//! Configuration as data.

use std::sync::{Arc, Mutex};

use org_invitations::{
    AttemptEvent, ErrorKind, InvitationProvider, ListQuery, Operation, ProviderConfig,
    ProviderKind, bindings,
};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, KEY, ORGANIZATION, SECRET, refused, run},
    raw_http::{Behavior, RawServer},
    support::{Checks, Wire},
};

fn configuration(backend: Backend, url: &str) -> Value {
    let mut config = json!({
        "provider": backend.name(), "api_key": KEY, "api_secret": SECRET, "base_url": url,
        "connection": { "timeout_seconds": 20, "connect_timeout_seconds": 5 },
    });
    if backend == Backend::ClickHouse {
        config["organization_id"] = json!(ORGANIZATION);
    }
    config
}

#[tokio::test]
async fn one_value_switches_the_backend() {
    for backend in Backend::ALL {
        for operation in crate::backend::OPERATIONS {
            let wire = Wire::always(backend.success(operation)).await;
            let text = configuration(backend, &wire.url()).to_string();
            let config: ProviderConfig = serde_json::from_str(&text).unwrap();
            assert_eq!(config.kind().as_str(), backend.name());
            let provider = config.build().unwrap();
            assert_eq!(provider.to_string(), backend.name());
            run(&*provider, backend, operation).await.unwrap();
            let mut checks = Checks::default();
            checks.case(format!("{backend:?} {operation}"));
            backend.check_request(&mut checks, &wire.only(), operation);
        }
    }
}

#[tokio::test]
async fn confluent_takes_an_access_token_from_data() {
    let wire = Wire::always(Backend::Confluent.success(Operation::List)).await;
    let config =
        json!({ "provider": "confluent", "access_token": "abc.def", "base_url": wire.url() });
    let config: ProviderConfig = serde_json::from_value(config).unwrap();
    let provider = config.build().unwrap();
    provider.list_page(&ListQuery::new(), None).await.unwrap();
    assert_eq!(wire.only().header("authorization"), ["Bearer abc.def"]);
}

#[test]
fn both_kinds_of_credentials_at_once_are_refused() {
    let config = json!({
        "provider": "confluent", "api_key": KEY, "api_secret": SECRET, "access_token": "abc",
    });
    let config: ProviderConfig = serde_json::from_value(config).unwrap();
    let error = refused(config.build());
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

#[tokio::test]
async fn a_timeout_from_data_holds() {
    let server = RawServer::start(Behavior::WriteAndHang(""));
    let mut config = configuration(Backend::Confluent, &server.url());
    config["connection"]["timeout_seconds"] = json!(1);
    let config: ProviderConfig = serde_json::from_value(config).unwrap();
    let provider = config.build().unwrap();
    let error = refused(provider.list_page(&ListQuery::new(), None).await);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn an_interceptor_can_be_given_to_what_is_built_from_data() {
    for backend in Backend::ALL {
        let wire = Wire::always(backend.success(Operation::List)).await;
        let text = configuration(backend, &wire.url()).to_string();
        let config: ProviderConfig = serde_json::from_str(&text).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let seeing = Arc::clone(&seen);
        let observe = move |event: &AttemptEvent<'_>| {
            let seen = (event.status().unwrap(), event.date());
            seeing.lock().unwrap().push(seen);
        };
        let provider = config.build_with_interceptor(observe).unwrap();
        run(&*provider, backend, Operation::List).await.unwrap();
        let seen = seen.lock().unwrap();
        let [(200, Some(date))] = seen[..] else {
            panic!("{seen:?}");
        };
        assert!((chrono::Utc::now() - date).abs() < chrono::TimeDelta::minutes(1));
    }
}

#[test]
fn every_limit_can_be_set_from_data() {
    for backend in Backend::ALL {
        let mut config = configuration(backend, "https://api.example");
        config["connection"] = json!({
            "timeout_seconds": 1.5, "connect_timeout_seconds": 2, "read_timeout_seconds": 3,
            "max_body_bytes": 4, "max_concurrency": 5,
            "rate_limit": { "requests": 6, "window_seconds": 0.7 },
            "rate_limits": [
                { "requests": 60, "window_seconds": 3600 }, { "requests": 99, "window_seconds": 86400 },
            ],
            "retry": {
                "max_attempts": 8, "initial_delay_seconds": 0.09, "max_delay_seconds": 10,
                "deadline_seconds": 11, "settle_for_seconds": 1.25,
            },
            "retry_budget": { "retries": 12 },
        });
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        let shown = format!("{:?}", config.build().unwrap());
        for part in [
            "timeout: 1.5s",
            "connect_timeout: Some(2s)",
            "read_timeout: 3s",
            "max_body_bytes: 4",
            "max_concurrency: 5",
            "Rate { requests: 6, window: 700ms }",
            "Rate { requests: 60, window: 3600s }",
            "Rate { requests: 99, window: 86400s }",
            "max_attempts: 8",
            "initial_delay: 90ms",
            "max_delay: 10s",
            "deadline: 11s",
            "settle_for: 1.25s",
            "RetryBudget { remaining: 12,",
        ] {
            assert!(shown.contains(part), "{backend:?}: no {part} in {shown}");
        }
    }
}

#[test]
fn a_limit_that_cannot_be_is_refused_and_named() {
    for backend in Backend::ALL {
        for (connection, name) in [
            (json!({ "timeout_seconds": -1 }), "timeout_seconds"),
            (
                json!({ "read_timeout_seconds": 1e300 }),
                "read_timeout_seconds",
            ),
            (
                json!({ "retry": { "deadline_seconds": -0.5 } }),
                "deadline_seconds",
            ),
            (
                json!({ "rate_limit": { "requests": 1, "window_seconds": -1 } }),
                "window_seconds",
            ),
            (
                json!({ "rate_limits": [{ "requests": 1, "window_seconds": -1 }] }),
                "window_seconds",
            ),
            (
                json!({ "retry": { "settle_for_seconds": -1 } }),
                "settle_for_seconds",
            ),
            (
                json!({ "retry_budget": { "per_success": 1.5 } }),
                "`per_success`",
            ),
            (
                json!({ "retry_budget": { "per_success": -0.1 } }),
                "`per_success`",
            ),
            // Nothing can succeed within no time.
            (json!({ "timeout_seconds": 0 }), "`timeout`"),
            (json!({ "connect_timeout_seconds": 0 }), "`connect_timeout`"),
            (json!({ "read_timeout_seconds": 0 }), "`read_timeout`"),
            (json!({ "retry": { "deadline_seconds": 0 } }), "`deadline`"),
        ] {
            let mut config = configuration(backend, "https://api.example");
            config["connection"] = connection;
            let config: ProviderConfig = serde_json::from_value(config).unwrap();
            let error = refused(config.build());
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.message().contains(name), "{error}");
        }
    }
}

#[tokio::test]
async fn a_shared_rate_limit_from_data_is_kept_where_it_says() {
    let place = std::env::temp_dir().join(format!("org-invitations-{}.limit", std::process::id()));
    for backend in Backend::ALL {
        let wire = Wire::always(backend.success(Operation::List)).await;
        let mut config = configuration(backend, &wire.url());
        config["connection"]["shared_rate_limit"] = json!({ "file": place });
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        let provider = config.build().unwrap();
        assert!(!place.exists(), "nothing is sent by building");
        run(&*provider, backend, Operation::List).await.unwrap();
        assert!(std::fs::metadata(&place).unwrap().len() > 0);
        std::fs::remove_file(&place).unwrap();
    }
}

#[test]
fn a_place_of_a_shared_rate_limit_that_cannot_be_is_refused() {
    for backend in Backend::ALL {
        let read = |place: &Value| {
            let mut config = configuration(backend, "https://api.example");
            config["connection"]["shared_rate_limit"] = place.clone();
            serde_json::from_value::<ProviderConfig>(config)
        };
        for place in [
            json!({ "file": "" }),
            json!({ "redis": { "url": "the-password@nowhere", "key": "k" } }),
            json!({ "redis": { "url": { "variable": "ORG_INVITATIONS_TEST_UNSET" }, "key": "k" } }),
        ] {
            let error = refused(read(&place).unwrap().build());
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert_eq!(error.target(), Some("shared rate limit"), "{error}");
            assert_eq!(error.provider(), Some(backend.name()), "{error}");
            assert!(!format!("{error:?}").contains("the-password"), "{error:?}");
        }
        for place in [
            json!("/run/key.limit"),
            json!({ "redis": { "url": "redis://127.0.0.1" } }),
            json!({ "redis": { "url": "redis://127.0.0.1", "key": "k", "database": 1 } }),
            json!({ "memcached": "127.0.0.1" }),
        ] {
            let config = read(&place);
            assert!(config.is_err(), "{place} became {config:?}");
        }
        let redis = json!({ "redis": { "url": "redis://:the-password@127.0.0.1/0", "key": "k" } });
        let config = read(&redis).unwrap();
        assert!(
            !format!("{config:?}").contains("the-password"),
            "{config:?}"
        );
        config.build().unwrap();
    }
}

#[test]
fn an_identity_pool_from_data_is_a_credential_of_its_own() {
    let sts = |subject_token: Value| {
        json!({
            "provider": "confluent",
            "sts": { "identity_pool_id": "pool-1", "subject_token": subject_token, "expires_in_seconds": 300 },
        })
    };
    for subject_token in [
        json!({ "fixed": "a.b.c" }),
        json!({ "file": "/var/run/secrets/token" }),
        json!({ "variable": "SUBJECT_TOKEN" }),
    ] {
        let config: ProviderConfig = serde_json::from_value(sts(subject_token)).unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("a.b.c"), "{shown}");
        if bindings::confluent::offers::EXCHANGE_STS_V1_OAUTH_TOKEN {
            config.build().unwrap();
        } else {
            let error = refused(config.build());
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        }
    }
    let mut both = sts(json!({ "fixed": "a.b.c" }));
    both["access_token"] = json!("abc");
    let both: ProviderConfig = serde_json::from_value(both).unwrap();
    let error = refused(both.build());
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.message().contains("`sts`"), "{error}");
    for wrong in [json!({}), json!("a.b.c"), json!({ "files": "x" })] {
        let parsed = serde_json::from_value::<ProviderConfig>(sts(wrong.clone()));
        assert!(parsed.is_err(), "{wrong} became {parsed:?}");
    }
}

#[test]
fn a_field_that_does_not_exist_is_refused() {
    for backend in Backend::ALL {
        for field in ["api_keys", "organisation_id", "secret", "Api_Key"] {
            let mut config = configuration(backend, "https://api.example");
            config[field] = json!("x");
            let parsed = serde_json::from_value::<ProviderConfig>(config);
            let recorded = parsed.map(|_| ()).unwrap_err().to_string();
            assert!(recorded.contains(field), "{backend:?} {field}: {recorded}");
        }
    }
    let mut config = configuration(Backend::Confluent, "https://api.example");
    config["organization_id"] = json!(ORGANIZATION);
    assert!(serde_json::from_value::<ProviderConfig>(config).is_err());
    for config in [
        json!({}),
        json!({ "provider": "snowflake" }),
        json!({ "provider": "Confluent" }),
    ] {
        let parsed = serde_json::from_value::<ProviderConfig>(config.clone());
        assert!(parsed.is_err(), "{config} became {parsed:?}");
    }
}

#[test]
fn the_providers_have_names() {
    for (kind, name) in [
        (ProviderKind::Confluent, "confluent"),
        (ProviderKind::ClickHouse, "clickhouse"),
    ] {
        assert_eq!((kind.as_str(), kind.to_string()), (name, name.to_owned()));
        assert_eq!(name.parse::<ProviderKind>().unwrap(), kind);
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(name));
    }
    let error = refused("snowflake".parse::<ProviderKind>());
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert_eq!(ProviderKind::ALL.len(), 2);
}
