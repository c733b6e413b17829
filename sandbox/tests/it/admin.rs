//! The admin API: faults, limits, outages, resets.

use org_invitations_sandbox::{Fault, Faults, Limit, Limits, Operation, Provider, Rule};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, send};

#[tokio::test]
async fn faults_are_set_read_and_cleared() {
    let api = Api::start().await;
    let faults = json!({
        "script": [
            { "operation": "create", "nth": 2, "fault": { "kind": "reset", "when": "after" } },
            { "operation": "invitationDelete", "times": 0, "fault": { "kind": "rate_limited" } },
        ],
        "random": {
            "seed": 7, "rate": 0.25, "operations": ["create", "get"],
            "mix": [
                { "weight": 3, "fault": { "kind": "status", "status": 503, "body": "html" } },
                { "fault": { "kind": "late_commit", "delay_ms": 50 } },
            ],
        },
        "clock_skew_seconds": -90,
    });
    let reply = api.admin(Method::PUT, "/_sandbox/faults", &faults).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    let set = api.sandbox.faults();
    let create = Rule::new(Fault::reset_after()).on(Operation::Create).nth(2);
    let delete = Rule::new(Fault::rate_limited(1000))
        .provider(Provider::ClickHouse)
        .on(Operation::Delete)
        .always();
    assert_eq!(set.script, [create, delete]);
    assert_eq!(set.random.as_ref().unwrap().mix[1].weight, 1);
    let read = send(api.http.get(api.url("/_sandbox/faults"))).await.json();
    let read: Faults = serde_json::from_value(read).unwrap();
    assert_eq!(read, set, "what is read can be set");

    let reply = send(api.http.delete(api.url("/_sandbox/faults"))).await;
    assert_eq!(reply.status, 204);
    assert_eq!(api.sandbox.faults(), Faults::default());
}

#[tokio::test]
async fn invalid_faults_are_rejected() {
    let api = Api::start().await;
    let rule = |rule: Value| json!({ "script": [rule] });
    let fault = |fault: Value| rule(json!({ "fault": fault }));
    for faults in [
        json!({ "scripts": [] }),
        rule(json!({})),
        rule(json!({ "operation": "invite", "fault": { "kind": "empty_page" } })),
        rule(json!({ "operations": "create", "fault": { "kind": "empty_page" } })),
        rule(
            json!({ "provider": "clickhouse", "operation": "getIamV2Invitation",
            "fault": { "kind": "hang" } }),
        ),
        rule(json!({ "nth": 0, "fault": { "kind": "hang" } })),
        fault(json!({ "kind": "explode" })),
        fault(json!({ "kind": "reset" })),
        fault(json!({ "kind": "hang", "for": 3 })),
        fault(json!({ "kind": "status", "status": 100 })),
        fault(json!({ "kind": "status", "status": 500, "headers": { "a b": "c" } })),
        fault(json!({ "kind": "wrong_content_type", "content_type": "a\nb" })),
        json!({ "random": { "rate": 20, "mix": [] } }),
    ] {
        let reply = api.admin(Method::PUT, "/_sandbox/faults", &faults).await;
        assert_eq!(reply.status, 422, "{faults}: {reply:?}");
        assert!(reply.json()["error"].is_string(), "{reply:?}");
    }
    assert_eq!(api.sandbox.faults(), Faults::default());
}

#[tokio::test]
async fn every_fault_round_trips_through_json() {
    for text in [
        r#"{"kind":"refuse"}"#,
        r#"{"kind":"reset","when":"before"}"#,
        r#"{"kind":"hang"}"#,
        r#"{"kind":"slow_body"}"#,
        r#"{"kind":"truncated_body"}"#,
        r#"{"kind":"truncated_body","keep":3}"#,
        r#"{"kind":"wrong_length","by":-1}"#,
        r#"{"kind":"rate_limited","headers":false,"body":"empty"}"#,
        r#"{"kind":"status","status":502,"when":"after","headers":{"retry-after":"3"}}"#,
        r#"{"kind":"html_body"}"#,
        r#"{"kind":"wrong_content_type"}"#,
        r#"{"kind":"expired_token"}"#,
        r#"{"kind":"next_repeats"}"#,
        r#"{"kind":"next_elsewhere"}"#,
        r#"{"kind":"next_empty"}"#,
        r#"{"kind":"next_null"}"#,
        r#"{"kind":"next_absent"}"#,
        r#"{"kind":"empty_page"}"#,
        r#"{"kind":"late_commit","delay_ms":5,"status":504}"#,
        r#"{"kind":"duplicate","answer":"first"}"#,
        r#"{"kind":"locked"}"#,
        r#"{"kind":"locked","when":"after"}"#,
        r#"{"kind":"filters_ignored"}"#,
        r#"{"kind":"filters_as_prefixes"}"#,
        r#"{"kind":"another_person"}"#,
        r#"{"kind":"another_person","email":"bob@example.com"}"#,
        r#"{"kind":"another_id"}"#,
        r#"{"kind":"another_id","id":"i-abc"}"#,
    ] {
        let fault: Fault = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let written = serde_json::to_string(&fault).unwrap();
        let read: Fault = serde_json::from_str(&written).unwrap();
        assert_eq!(read, fault, "{written}");
    }
}

#[tokio::test]
async fn limits_are_set_and_read() {
    let api = Api::start().await;
    let limits = json!({ "clickhouse": { "requests": 10, "window_ms": 10_000 } });
    let reply = api.admin(Method::PUT, "/_sandbox/limits", &limits).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    let read = send(api.http.get(api.url("/_sandbox/limits"))).await.json();
    assert_eq!(
        read,
        json!({
            "confluent": null,
            "clickhouse": { "requests": 10, "window_ms": 10_000, "headers": true },
        })
    );
    let limit = Limit::new(10, std::time::Duration::from_secs(10));
    let read: Limits = serde_json::from_value(read).unwrap();
    assert_eq!(read, Limits::default().clickhouse(limit));
    let nonsense = json!({ "clickhouse": { "requests": -1, "window_ms": 1 } });
    let reply = api.admin(Method::PUT, "/_sandbox/limits", &nonsense).await;
    assert_eq!(reply.status, 422);
}

#[tokio::test]
async fn connections_are_refused_for_a_while() {
    let api = Api::start().await;
    let reply = api
        .admin(Method::POST, "/_sandbox/refuse", &json!({ "for_ms": 500 }))
        .await;
    assert_eq!(reply.status, 204);
    let refused = api.http.get(api.url("/_sandbox/ledger")).send().await;
    assert!(refused.unwrap_err().is_connect());
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    send(api.http.get(api.url("/_sandbox/ledger"))).await;
}

#[tokio::test]
async fn a_reset_keeps_nothing_but_the_credentials() {
    let api = Api::start().await;
    api.invite_confluent("ada@example.com").await;
    api.invite_clickhouse("ada@example.com").await;
    let rule = Rule::new(Fault::hang()).always();
    api.sandbox.set_faults(Faults::script([rule]));
    let none = Limit::new(0, std::time::Duration::from_secs(60));
    api.sandbox.set_limits(Limits::default().confluent(none));
    api.sandbox.advance(std::time::Duration::from_secs(3600));
    let reply = api
        .admin(Method::POST, "/_sandbox/reset", &json!(null))
        .await;
    assert_eq!(reply.status, 204);

    assert!(api.sandbox.ledger().requests.is_empty());
    assert!(api.sandbox.ledger().commits.is_empty());
    api.invite_confluent("ada@example.com").await;
    let bob = api.invite_clickhouse("ada@example.com").await;
    let created = bob["createdAt"].as_str().unwrap();
    let created = chrono::DateTime::parse_from_rfc3339(created).unwrap();
    assert!((chrono::Utc::now() - created.to_utc()).num_seconds().abs() < 60);
}
