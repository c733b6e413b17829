//! Lags of uniqueness and lists.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Lag, Operation, Provider, Rule};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const BOTH: [Provider; 2] = [Provider::Confluent, Provider::ClickHouse];
const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const MINUTE: Duration = Duration::from_secs(60);

async fn with(faults: Faults) -> Api {
    let api = Api::start().await;
    api.sandbox.set_faults(faults);
    api
}

async fn ask(
    api: &Api,
    provider: Provider,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let request = match provider {
        Provider::Confluent => api.confluent(method, path),
        _ => api.clickhouse(method, path),
    };
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

async fn create(api: &Api, provider: Provider, email: &str) -> u16 {
    let body = json!({ "email": email });
    ask(api, provider, Method::POST, "", Some(body))
        .await
        .status
}

/// The number of invitations in a list.
async fn listed(api: &Api, provider: Provider, query: &str) -> usize {
    let list = ask(api, provider, Method::GET, query, None).await.json();
    let items = match provider {
        Provider::Confluent => {
            let count = list["data"].as_array().unwrap().len();
            assert_eq!(list["metadata"]["total_size"], count);
            &list["data"]
        }
        _ => &list["result"],
    };
    items.as_array().unwrap().len()
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

#[tokio::test]
async fn an_address_can_be_invited_again_during_the_lag() {
    for provider in BOTH {
        let api = with(Faults::default().with_uniqueness_lag(Lag::time(MINUTE))).await;
        assert!(is_success(create(&api, provider, ADA).await));
        assert!(is_success(create(&api, provider, "ADA@example.com").await));
        assert_eq!(listed(&api, provider, "").await, 2, "the list shows both");
        api.sandbox.advance(MINUTE);
        assert_eq!(create(&api, provider, ADA).await, 409);
        assert_eq!(api.sandbox.ledger().commits.len(), 2);
        assert_eq!(api.sandbox.invitations().len(), 2);
    }
}

#[tokio::test]
async fn an_address_is_taken_until_its_last_invitation_is_deleted() {
    for provider in BOTH {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let api = with(Faults::default().with_uniqueness_lag(Lag::time(MINUTE))).await;
            for _ in 0..3 {
                assert!(is_success(create(&api, provider, ADA).await));
            }
            api.sandbox.set_faults(Faults::default());
            api.sandbox.advance(MINUTE);
            let made = api.sandbox.invitations();
            for index in order {
                assert_eq!(create(&api, provider, ADA).await, 409, "{order:?} {index}");
                let path = format!("/{}", made[index].id);
                let deleted = ask(&api, provider, Method::DELETE, &path, None).await;
                assert!(is_success(deleted.status), "{deleted:?}");
            }
            assert_eq!(listed(&api, provider, "").await, 0);
            assert!(is_success(create(&api, provider, ADA).await));
            assert_eq!(create(&api, provider, ADA).await, 409);
        }
    }
}

#[tokio::test]
async fn a_lag_does_not_release_an_address() {
    for provider in BOTH {
        let api = Api::start().await;
        create(&api, provider, ADA).await;
        let faults = Faults::default().with_uniqueness_lag(Lag::time(MINUTE));
        api.sandbox.set_faults(faults);
        assert_eq!(create(&api, provider, ADA).await, 409);
    }
}

#[tokio::test]
async fn a_list_lag_may_be_a_number_of_requests() {
    for provider in BOTH {
        let api = with(Faults::default().with_list_lag(Lag::requests(3))).await;
        assert!(is_success(create(&api, provider, ADA).await));
        assert_eq!(
            create(&api, provider, ADA).await,
            409,
            "uniqueness does not lag"
        );
        let id = api.sandbox.ledger().commits[0].id.clone();
        let get = ask(&api, provider, Method::GET, &format!("/{id}"), None).await;
        assert_eq!(get.status, 200, "a get is up to date");
        assert_eq!(listed(&api, provider, "").await, 0);
        assert_eq!(listed(&api, provider, "").await, 1);
    }
}

#[tokio::test]
async fn filtered_lists_and_pages_lag_too() {
    let provider = Provider::Confluent;
    let api = with(Faults::default().with_list_lag(Lag::time(MINUTE))).await;
    create(&api, provider, ADA).await;
    api.sandbox.advance(MINUTE / 2);
    create(&api, provider, BOB).await;
    let by_address = format!("?email={ADA}");
    assert_eq!(listed(&api, provider, &by_address).await, 0);
    assert_eq!(listed(&api, provider, "?page_size=1").await, 0);
    api.sandbox.advance(MINUTE / 2);
    assert_eq!(listed(&api, provider, &by_address).await, 1);
    assert_eq!(listed(&api, provider, "?page_size=1").await, 1);
    api.sandbox.advance(MINUTE / 2);
    assert_eq!(listed(&api, provider, "").await, 2);
}

#[tokio::test]
async fn a_lag_ends_after_both_its_time_and_its_requests() {
    let lag: Lag = serde_json::from_value(json!({ "for_ms": 60_000, "requests": 1 })).unwrap();
    let provider = Provider::ClickHouse;
    let api = with(Faults::default().with_list_lag(lag)).await;
    create(&api, provider, ADA).await;
    assert_eq!(listed(&api, provider, "").await, 0);
    assert_eq!(listed(&api, provider, "").await, 0, "the time is not over");
    api.sandbox.advance(MINUTE);
    assert_eq!(listed(&api, provider, "").await, 1);
    create(&api, provider, BOB).await;
    api.sandbox.advance(MINUTE);
    assert_eq!(
        listed(&api, provider, "").await,
        1,
        "one more request to come"
    );
    assert_eq!(listed(&api, provider, "").await, 2);
}

#[tokio::test]
async fn lags_combine_with_other_faults() {
    let api = Api::start().await;
    let faults = json!({
        "script": [{ "operation": "create", "fault": { "kind": "reset", "when": "after" } }],
        "uniqueness_lag": { "for_ms": 60_000 },
        "list_lag": { "requests": 1 },
    });
    let reply = api.admin(Method::PUT, "/_sandbox/faults", &faults).await;
    assert_eq!(reply.status, 204);
    let expected = Faults::script([Rule::new(Fault::reset_after()).on(Operation::Create)])
        .with_uniqueness_lag(Lag::time(MINUTE))
        .with_list_lag(Lag::requests(1));
    assert_eq!(api.sandbox.faults(), expected);
    let body = json!({ "email": ADA });
    let lost = api.confluent(Method::POST, "").json(&body).send().await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(listed(&api, Provider::Confluent, "").await, 0);
    assert_eq!(create(&api, Provider::Confluent, ADA).await, 201);
    assert_eq!(api.sandbox.ledger().commits.len(), 2);

    for nonsense in [json!({ "for_ms": -1 }), json!({ "seconds": 3 }), json!(3)] {
        let faults = json!({ "list_lag": nonsense });
        let reply = api.admin(Method::PUT, "/_sandbox/faults", &faults).await;
        assert_eq!(reply.status, 422, "{reply:?}");
    }
}

#[tokio::test]
async fn an_invitation_keeps_the_lags_of_its_create() {
    let provider = Provider::Confluent;
    let api = with(Faults::default().with_list_lag(Lag::time(MINUTE))).await;
    create(&api, provider, ADA).await;
    api.sandbox.set_faults(Faults::default());
    create(&api, provider, BOB).await;
    assert_eq!(listed(&api, provider, "").await, 1);
    api.sandbox.advance(MINUTE);
    assert_eq!(listed(&api, provider, "").await, 2);
}
