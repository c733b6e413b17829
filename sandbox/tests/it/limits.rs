//! Rate limits.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Limit, Limits, Provider, Rule};
use reqwest::Method;
use serde_json::json;

use crate::api::{Api, Reply, send};

const MINUTE: Duration = Duration::from_secs(60);

async fn limited(limits: Limits) -> Api {
    let api = Api::start().await;
    api.sandbox.set_limits(limits);
    api
}

async fn list(api: &Api, provider: Provider) -> Reply {
    send(match provider {
        Provider::Confluent => api.confluent(Method::GET, ""),
        _ => api.clickhouse(Method::GET, ""),
    })
    .await
}

#[tokio::test]
async fn confluent_counts_down_and_answers_429_as_documented() {
    let limit = Limit::new(2, Duration::from_millis(59_500));
    let api = limited(Limits::default().confluent(limit)).await;
    for remaining in ["1", "0"] {
        let reply = list(&api, Provider::Confluent).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("x-ratelimit-limit"), "2");
        assert_eq!(reply.header("x-ratelimit-remaining"), remaining);
        assert_eq!(reply.header("x-ratelimit-reset"), "60", "rounded up");
        assert!(!reply.headers.contains_key("retry-after"), "{reply:?}");
    }
    let reply = list(&api, Provider::Confluent).await;
    assert_eq!(reply.status, 429);
    assert!(reply.documented);
    assert_eq!(reply.text, "");
    assert_eq!(reply.header("retry-after"), "60");
    assert_eq!(reply.header("x-ratelimit-remaining"), "0");
    assert_eq!(api.sandbox.ledger().count_status(429), 1);

    api.sandbox.advance(MINUTE);
    assert_eq!(list(&api, Provider::Confluent).await.status, 200);
}

#[tokio::test]
async fn clickhouse_sends_fractions_of_seconds_and_no_retry_after() {
    let limit = Limit::new(1, Duration::from_secs(10));
    let api = limited(Limits::default().clickhouse(limit)).await;
    let reply = list(&api, Provider::ClickHouse).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-ratelimit-policy"), "1;w=10");
    let reply = list(&api, Provider::ClickHouse).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.json(), json!({ "error": "TOO_MANY_REQUESTS" }));
    let reset = reply.header("x-ratelimit-reset");
    let (_, fraction) = reset.split_once('.').unwrap();
    assert_eq!(fraction.len(), 3, "{reset}");
    assert!((8.0..=10.0).contains(&reset.parse::<f64>().unwrap()));
    assert!(!reply.headers.contains_key("retry-after"), "{reply:?}");

    let other = list(&api, Provider::Confluent).await;
    assert_eq!(other.status, 200, "another provider has no limit");
    assert_eq!(other.header("x-ratelimit-limit"), "1000");
}

#[tokio::test]
async fn headers_can_be_switched_off() {
    let limit = || Limit::new(1, MINUTE).without_headers();
    let limits = Limits::default().confluent(limit()).clickhouse(limit());
    let api = limited(limits).await;
    for provider in [Provider::Confluent, Provider::ClickHouse] {
        for status in [200, 429] {
            let request = match provider {
                Provider::Confluent => api.confluent(Method::GET, ""),
                _ => api.clickhouse(Method::GET, ""),
            };
            let reply = request.send().await.unwrap();
            assert_eq!(reply.status(), status);
            let found = reply.headers().keys().find(|name| {
                name.as_str().starts_with("x-ratelimit") || name.as_str() == "retry-after"
            });
            assert_eq!(found, None);
        }
    }
}

#[tokio::test]
async fn each_valid_credential_has_its_own_window() {
    let api = limited(Limits::default().confluent(Limit::new(1, MINUTE))).await;
    let url = api.url("/iam/v2/invitations");
    for _ in 0..3 {
        let stranger = send(api.http.get(&url).bearer_auth("wrong")).await;
        assert_eq!(stranger.status, 401);
    }
    assert_eq!(list(&api, Provider::Confluent).await.status, 200);
    assert_eq!(list(&api, Provider::Confluent).await.status, 429);
    let token = api.sandbox.credentials().confluent.access_token();
    let other = send(api.http.get(&url).bearer_auth(token)).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn errors_count_and_a_limited_create_changes_nothing() {
    let api = limited(Limits::default().clickhouse(Limit::new(1, MINUTE))).await;
    let create = |body| send(api.clickhouse(Method::POST, "").json(&body));
    assert_eq!(create(json!({})).await.status, 400);
    let rejected = create(json!({ "email": "ada@example.com" })).await;
    assert_eq!(rejected.status, 429);
    assert!(api.sandbox.ledger().commits.is_empty());
}

#[tokio::test]
async fn a_fault_before_the_commit_does_not_count() {
    let api = limited(Limits::default().confluent(Limit::new(1, MINUTE))).await;
    let rule = Rule::new(Fault::status_before(503)).times(2);
    api.sandbox.set_faults(Faults::script([rule]));
    for status in [503, 503, 200, 429] {
        let reply = api.confluent(Method::GET, "").send().await.unwrap();
        assert_eq!(reply.status(), status);
    }
}

#[tokio::test]
async fn a_client_at_the_limit_never_gets_429() {
    let window = Duration::from_millis(80);
    let api = limited(Limits::default().clickhouse(Limit::new(5, window))).await;
    for _ in 0..4 {
        for _ in 0..5 {
            assert_eq!(list(&api, Provider::ClickHouse).await.status, 200);
        }
        tokio::time::sleep(window).await;
    }
    assert_eq!(api.sandbox.ledger().count_status(429), 0);
}

#[tokio::test]
async fn headers_describe_the_tightest_of_several_windows() {
    for provider in [Provider::Confluent, Provider::ClickHouse] {
        let name = match provider {
            Provider::Confluent => "confluent",
            _ => "clickhouse",
        };
        let api = Api::start().await;
        let also = json!([{ "requests": 3, "window_ms": 86_400_000 }]);
        let limits = json!({ name: { "requests": 2, "window_ms": 30_000, "also": also } });
        let reply = api.admin(Method::PUT, "/_sandbox/limits", &limits).await;
        assert_eq!(reply.status, 204);
        let read = send(api.http.get(api.url("/_sandbox/limits"))).await.json();
        assert_eq!(read[name]["also"], also);

        let observe = async || {
            let reply = list(&api, provider).await;
            if provider == Provider::ClickHouse {
                assert_eq!(reply.header("x-ratelimit-policy"), "2;w=30, 3;w=86400");
            }
            let reset: f64 = reply.header("x-ratelimit-reset").parse().unwrap();
            let limit = reply.header("x-ratelimit-limit").to_owned();
            (reply.status, limit, reset > 60.0)
        };
        let short = |status| (status, "2".to_owned(), false);
        let long = |status| (status, "3".to_owned(), true);
        assert_eq!(observe().await, short(200));
        assert_eq!(observe().await, short(200));
        assert_eq!(observe().await, short(429));
        api.sandbox.advance(Duration::from_secs(30));
        assert_eq!(observe().await, long(200), "a 429 counts in no window");
        assert_eq!(observe().await, long(429));
        api.sandbox.advance(MINUTE);
        assert_eq!(observe().await, long(429));
        api.sandbox.advance(Duration::from_secs(86_400));
        assert_eq!(observe().await, short(200));
    }
}
