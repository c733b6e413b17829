//! Setting a provider up from the vendors' own environment variables.
//!
//! A process cannot change its own environment safely while other tests run, so each case is a second
//! process: this test binary again, told to run the one test that reads the environment.

use std::process::Command;

use org_invitations::{ClickHouse, Confluent, ListQuery, ProviderConfig, ProviderKind};

use crate::{
    backend::{BASIC, Backend, KEY, ORGANIZATION, SECRET},
    support::Wire,
};

const KIND: &str = "CONTRACT_PROVIDER";
const MARK: &str = "outcome: ";

#[tokio::test]
#[ignore = "the second process of the other tests here"]
async fn reads_the_environment() {
    let Ok(kind) = std::env::var(KIND) else {
        return;
    };
    let kind: ProviderKind = kind.parse().unwrap();
    let direct = match kind {
        ProviderKind::Confluent => Confluent::from_env().map(drop),
        _ => ClickHouse::from_env().map(drop),
    };
    let built = ProviderConfig::from_env(kind).and_then(ProviderConfig::build);
    let outcome = match built {
        Ok(provider) => match provider.list_page(&ListQuery::new(), None).await {
            Ok(page) => format!("{} listed {}", provider, page.items.len()),
            Err(error) => format!("{:?} {error}", error.kind()),
        },
        Err(error) => format!("{:?} {error} {}", error.kind(), error.message()),
    };
    println!(
        "{MARK}direct {} {outcome}",
        if direct.is_ok() { "ok" } else { "refused" }
    );
}

/// What comes of an environment that has these variables and no other of the vendors'.
fn outcome(backend: Backend, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "environment::reads_the_environment",
        "--ignored",
        "--nocapture",
    ]);
    for name in CONFLUENT.iter().chain(&CLICKHOUSE) {
        command.env_remove(name);
    }
    command
        .env(KIND, backend.name())
        .envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text
        .split_once(MARK)
        .and_then(|(_, rest)| rest.lines().next());
    found.unwrap_or_else(|| panic!("{output:?}")).to_owned()
}

const CONFLUENT: [&str; 3] = [
    "CONFLUENT_CLOUD_API_KEY",
    "CONFLUENT_CLOUD_API_SECRET",
    "CONFLUENT_CLOUD_ENDPOINT",
];
const CLICKHOUSE: [&str; 4] = [
    "CLICKHOUSE_ORG_ID",
    "CLICKHOUSE_CLOUD_API_KEY",
    "CLICKHOUSE_CLOUD_API_SECRET",
    "CLICKHOUSE_API_URL",
];

#[tokio::test]
async fn the_vendors_variables_set_a_provider_up() {
    for backend in Backend::ALL {
        for end in ["", "/v1"] {
            if backend == Backend::Confluent && !end.is_empty() {
                continue;
            }
            let wire = Wire::always(backend.success(org_invitations::Operation::List)).await;
            let url = format!("{}{end}", wire.url());
            let variables = match backend {
                Backend::Confluent => vec![
                    (CONFLUENT[0], KEY),
                    (CONFLUENT[1], SECRET),
                    (CONFLUENT[2], &url),
                ],
                Backend::ClickHouse => vec![
                    (CLICKHOUSE[0], ORGANIZATION),
                    (CLICKHOUSE[1], KEY),
                    (CLICKHOUSE[2], SECRET),
                    (CLICKHOUSE[3], &url),
                ],
            };
            let recorded = outcome(backend, &variables);
            assert_eq!(recorded, format!("direct ok {} listed 1", backend.name()));
            let sent = wire.only();
            assert_eq!(sent.path, backend.collection());
            assert_eq!(sent.header("authorization"), [BASIC]);
        }
    }
}

#[test]
fn a_variable_that_is_missing_or_empty_is_named() {
    for (backend, required) in [
        (Backend::Confluent, &CONFLUENT[..2]),
        (Backend::ClickHouse, &CLICKHOUSE[..3]),
    ] {
        let value = |name: &str| {
            if name.ends_with("ORG_ID") {
                ORGANIZATION
            } else {
                SECRET
            }
        };
        for missing in required {
            for empty in [false, true] {
                let mut variables = Vec::new();
                for name in required {
                    if name != missing {
                        variables.push((*name, value(name)));
                    } else if empty {
                        variables.push((*name, ""));
                    }
                }
                let recorded = outcome(backend, &variables);
                let case = format!("without {missing}, empty: {empty}: {recorded}");
                assert!(recorded.starts_with("direct refused Config "), "{case}");
                assert!(recorded.contains(missing), "{case}");
                assert!(!recorded.contains(SECRET), "{case}");
            }
        }
    }
}

#[test]
fn an_insecure_endpoint_is_refused_naming_its_variable() {
    for url in ["http://api.example.com", "api.example.com"] {
        let confluent = [
            (CONFLUENT[0], KEY),
            (CONFLUENT[1], SECRET),
            (CONFLUENT[2], url),
        ];
        let clickhouse = [
            (CLICKHOUSE[0], ORGANIZATION),
            (CLICKHOUSE[1], KEY),
            (CLICKHOUSE[2], SECRET),
            (CLICKHOUSE[3], url),
        ];
        for (backend, variables) in [
            (Backend::Confluent, &confluent[..]),
            (Backend::ClickHouse, &clickhouse[..]),
        ] {
            let recorded = outcome(backend, variables);
            assert!(recorded.starts_with("direct refused Config "), "{recorded}");
            let (variable, _) = variables.last().unwrap();
            assert!(recorded.contains(variable), "{recorded}");
        }
    }
}
