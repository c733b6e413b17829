//! Faults of the answer.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use org_invitations_sandbox::{
    DuplicateAnswer, ErrorBody, Fault, Faults, Operation, Provider, RandomFaults, Rule, When,
};
use reqwest::Method;
use serde_json::json;

use crate::api::{Api, Reply, send};

const BOTH: [Provider; 2] = [Provider::Confluent, Provider::ClickHouse];

/// Creates an invitation with a fault. The reply is not validated against any document.
async fn create(api: &Api, provider: Provider, fault: &Fault) -> Reply {
    api.sandbox
        .set_faults(Faults::script([Rule::new(fault.clone())]));
    let request = match provider {
        Provider::Confluent => api.confluent(Method::POST, ""),
        _ => api.clickhouse(Method::POST, ""),
    };
    let reply = request.json(&json!({ "email": "ada@example.com" })).send();
    let reply = reply.await.unwrap();
    let ledger = api.sandbox.ledger();
    let recorded = &ledger.requests[0];
    assert_eq!(recorded.fault.as_ref(), Some(fault));
    Reply {
        status: reply.status().as_u16(),
        headers: reply.headers().clone(),
        text: reply.text().await.unwrap(),
        documented: false,
    }
}

fn commits(api: &Api) -> usize {
    api.sandbox.ledger().commits.len()
}

#[tokio::test]
async fn server_errors_come_before_or_after_the_commit() {
    for provider in BOTH {
        for status in [500, 502, 503, 504] {
            for (fault, made) in [
                (Fault::status_before(status), 0),
                (Fault::status_after(status), 1),
            ] {
                let api = Api::start().await;
                let reply = create(&api, provider, &fault).await;
                assert_eq!(reply.status, status, "{reply:?}");
                match provider {
                    Provider::Confluent => drop(reply.confluent_error()),
                    _ => drop(reply.clickhouse_error()),
                }
                assert_eq!(commits(&api), made, "{fault:?}");
                assert_eq!(api.sandbox.ledger().count_status(status), 1);
            }
        }
    }
}

#[tokio::test]
async fn a_status_may_have_a_page_no_body_and_other_headers() {
    let fault = |body| Fault::Status {
        status: 503,
        when: When::Before,
        body,
        headers: BTreeMap::from([
            (
                "Retry-After".to_owned(),
                "Wed, 21 Oct 2015 07:28:00 GMT".to_owned(),
            ),
            ("x-ratelimit-limit".to_owned(), "many".to_owned()),
        ]),
    };
    for provider in BOTH {
        let api = Api::start().await;
        let reply = create(&api, provider, &fault(ErrorBody::Html)).await;
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert!(reply.text.contains("503 Service Unavailable"), "{reply:?}");
        assert_eq!(reply.header("retry-after"), "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(reply.header("x-ratelimit-limit"), "many");

        api.sandbox.reset();
        let reply = create(&api, provider, &fault(ErrorBody::Empty)).await;
        assert_eq!((reply.status, &*reply.text), (503, ""));
        assert_eq!(commits(&api), 0);
    }
}

#[tokio::test]
async fn a_429_has_headers_and_a_body_or_not() {
    let api = Api::start().await;
    let vendors = Fault::rate_limited(1500);
    let reply = create(&api, Provider::Confluent, &vendors).await;
    assert_eq!((reply.status, &*reply.text), (429, ""));
    assert_eq!(reply.header("retry-after"), "2");
    assert_eq!(reply.header("x-ratelimit-reset"), "2");
    assert_eq!(reply.header("x-ratelimit-remaining"), "0");
    reply.header("x-request-id");

    api.sandbox.reset();
    let reply = create(&api, Provider::ClickHouse, &vendors).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.json(), json!({ "error": "TOO_MANY_REQUESTS" }));
    assert_eq!(reply.header("x-ratelimit-reset"), "1.500");
    assert_eq!(reply.header("x-ratelimit-policy"), "10;w=10");
    assert!(!reply.headers.contains_key("retry-after"), "{reply:?}");

    for provider in BOTH {
        for body in [ErrorBody::Json, ErrorBody::Html, ErrorBody::Empty] {
            api.sandbox.reset();
            let fault = Fault::RateLimited {
                headers: false,
                body,
                wait_ms: 1,
            };
            let reply = create(&api, provider, &fault).await;
            assert_eq!(reply.status, 429);
            for name in ["retry-after", "x-ratelimit-limit", "x-ratelimit-reset"] {
                assert!(!reply.headers.contains_key(name), "{name}: {reply:?}");
            }
            match body {
                ErrorBody::Json if provider == Provider::Confluent => {
                    reply.confluent_error();
                }
                ErrorBody::Json => drop(reply.clickhouse_error()),
                ErrorBody::Html => assert!(reply.text.starts_with("<html>"), "{reply:?}"),
                _ => assert_eq!(reply.text, ""),
            }
            assert_eq!(commits(&api), 0);
        }
    }
}

#[tokio::test]
async fn an_html_page_comes_before_or_after_the_commit() {
    for provider in BOTH {
        for (when, made) in [(When::Before, 0), (When::After, 1)] {
            let api = Api::start().await;
            let reply = create(&api, provider, &Fault::HtmlBody { when }).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
            assert!(reply.text.starts_with("<html>"), "{reply:?}");
            assert_eq!(commits(&api), made);
        }
    }
}

#[tokio::test]
async fn a_gateway_page_may_come_after_the_commit() {
    for provider in BOTH {
        for status in [403, 408, 502, 504] {
            let api = Api::start().await;
            let reply = create(&api, provider, &Fault::page_after(status)).await;
            assert_eq!(reply.status, status);
            assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
            assert!(reply.text.starts_with("<html>"), "{reply:?}");
            assert_eq!(commits(&api), 1, "{status}");
        }
    }
}

#[tokio::test]
async fn a_lock_is_a_conflict_without_another_invitation() {
    for provider in BOTH {
        for (when, made) in [(When::Before, 0), (When::After, 1)] {
            let api = Api::start().await;
            let reply = create(&api, provider, &Fault::Locked { when }).await;
            assert_eq!(reply.status, 409);
            assert!(!reply.headers.contains_key("location"), "{reply:?}");
            let words = match provider {
                Provider::Confluent => {
                    let error = reply.confluent_error();
                    assert_eq!(error["code"], "resource_locked");
                    error["detail"].as_str().unwrap().to_owned()
                }
                _ => reply.clickhouse_error(),
            };
            let expected = "The organization is being modified by another request";
            assert!(words.ends_with(expected), "{words}");
            assert_eq!(commits(&api), made, "{when:?}");
        }
    }
}

#[tokio::test]
async fn a_lock_applies_to_creates_and_deletes() {
    let api = Api::start().await;
    let ada = api.invite_confluent("ada@example.com").await;
    let rule = Rule::new(Fault::locked());
    api.sandbox.set_faults(Faults::script([rule]));
    let path = format!("/{}", ada["id"].as_str().unwrap());
    let get = send(api.confluent(Method::GET, &path)).await;
    assert_eq!(
        (
            get.status,
            send(api.confluent(Method::GET, "")).await.status
        ),
        (200, 200)
    );
    assert_eq!(send(api.confluent(Method::DELETE, &path)).await.status, 409);
    assert_eq!(send(api.confluent(Method::DELETE, &path)).await.status, 204);
}

/// The invitation in an answer.
fn invitation(provider: Provider, reply: &Reply) -> serde_json::Value {
    match provider {
        Provider::Confluent => reply.json(),
        _ => reply.json()["result"].clone(),
    }
}

#[tokio::test]
async fn an_answer_may_have_another_address_or_id() {
    for provider in BOTH {
        let api = Api::start().await;
        let created = create(&api, provider, &Fault::another_person()).await;
        let answered = invitation(provider, &created);
        assert_eq!(answered["email"], "someone.else@example.com");
        let made = api.sandbox.ledger().commits[0].clone();
        assert_eq!(
            made.email, "ada@example.com",
            "the ledger has the address of the request"
        );
        assert_eq!(answered["id"], made.id);

        let get = async |fault: Fault| {
            api.sandbox.set_faults(Faults::script([Rule::new(fault)]));
            let path = format!("/{}", made.id);
            let reply = send(match provider {
                Provider::Confluent => api.confluent(Method::GET, &path),
                _ => api.clickhouse(Method::GET, &path),
            });
            invitation(provider, &reply.await)
        };
        let someone = Fault::AnotherPerson {
            email: "bob@example.com".to_owned(),
        };
        assert_eq!(get(someone).await["email"], "bob@example.com");
        let other = get(Fault::another_id()).await;
        assert_eq!(other["email"], "ada@example.com");
        let id = other["id"].as_str().unwrap();
        assert!(id != made.id && id.len() == made.id.len(), "{id}");

        api.sandbox.reset();
        let fault = Fault::AnotherId {
            id: Some("the-id-of-another".to_owned()),
        };
        let created = create(&api, provider, &fault).await;
        assert_eq!(invitation(provider, &created)["id"], "the-id-of-another");
        assert_eq!(commits(&api), 1);
        assert_ne!(api.sandbox.ledger().commits[0].id, "the-id-of-another");
    }
}

#[tokio::test]
async fn a_wrong_content_type_keeps_the_body() {
    for provider in BOTH {
        let api = Api::start().await;
        let fault = Fault::WrongContentType {
            content_type: "text/csv".to_owned(),
        };
        let reply = create(&api, provider, &fault).await;
        assert_eq!(reply.header("content-type"), "text/csv");
        assert!(reply.json().is_object());
        assert_eq!(commits(&api), 1);
    }
}

#[tokio::test]
async fn valid_credentials_are_rejected_as_expired() {
    let api = Api::start().await;
    let reply = create(&api, Provider::Confluent, &Fault::ExpiredToken).await;
    assert_eq!(reply.status, 401);
    let challenge = reply.header("www-authenticate");
    assert!(challenge.contains("has expired"), "{challenge}");
    reply.confluent_error();

    api.sandbox.reset();
    let reply = create(&api, Provider::ClickHouse, &Fault::ExpiredToken).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.clickhouse_error(), "UNAUTHORIZED: Key is not active");
    assert_eq!(commits(&api), 0);
}

#[tokio::test]
async fn a_duplicate_request_is_carried_out_twice() {
    for provider in BOTH {
        for (answer, first_wins) in [
            (DuplicateAnswer::First, true),
            (DuplicateAnswer::Second, false),
        ] {
            let api = Api::start().await;
            let reply = create(&api, provider, &Fault::Duplicate { answer }).await;
            assert_eq!(reply.status < 300, first_wins, "{reply:?}");
            let ledger = api.sandbox.ledger();
            let seen: Vec<_> = ledger.requests.iter().map(|entry| entry.status).collect();
            assert!(matches!(seen[..], [Some(200 | 201), Some(409)]), "{seen:?}");
            let [first, second] = &ledger.requests[..] else {
                unreachable!()
            };
            assert_eq!(first.fault, second.fault);
            assert_ne!(first.request_id, second.request_id);
            assert_eq!(ledger.commits.len(), 1);
            let made_by = ledger.commits[0].request_id.as_ref();
            assert_eq!(made_by, Some(&first.request_id));
        }
    }
}

#[tokio::test]
async fn a_skewed_clock_shows_in_headers_and_bodies() {
    let api = Api::start().await;
    for skew in [-86_400, 86_400] {
        api.sandbox.reset();
        let faults = Faults::default().with_clock_skew(skew);
        api.sandbox.set_faults(faults);
        let request = api.confluent(Method::POST, "");
        let reply = send(request.json(&json!({ "email": "ada@example.com" }))).await;
        let date = DateTime::parse_from_rfc2822(reply.header("date")).unwrap();
        let off = (date.to_utc() - Utc::now()).num_seconds();
        assert!((off - skew).abs() <= 2, "{off} {skew}");
        let created = reply.json()["metadata"]["created_at"].clone();
        let created = DateTime::parse_from_rfc3339(created.as_str().unwrap()).unwrap();
        assert!((created - date).num_seconds().abs() <= 2);
    }
    api.sandbox.set_faults(Faults::default());
    let reply = send(api.confluent(Method::GET, "")).await;
    let date = DateTime::parse_from_rfc2822(reply.header("date")).unwrap();
    assert!((date.to_utc() - Utc::now()).num_seconds().abs() <= 2);
}

#[tokio::test]
async fn a_rule_selects_provider_operation_and_number() {
    let api = Api::start().await;
    let rule = Rule::new(Fault::status_before(500))
        .provider(Provider::ClickHouse)
        .on(Operation::List)
        .nth(2);
    api.sandbox.set_faults(Faults::script([rule]));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(send(api.confluent(Method::GET, "")).await.status);
        let reply = api.clickhouse(Method::GET, "").send().await.unwrap();
        statuses.push(reply.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 500, 200, 200]);
    assert_eq!(api.sandbox.faults(), Faults::default(), "all used up");
    let hit = api.sandbox.ledger();
    let hit = hit.requests.iter().filter(|entry| entry.fault.is_some());
    assert_eq!(hit.count(), 1);
}

#[tokio::test]
async fn random_faults_repeat_with_their_seed() {
    let api = Api::start().await;
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        api.sandbox.reset();
        let random = RandomFaults::new(seed, 0.3)
            .mix(1, Fault::status_before(500))
            .mix(1, Fault::status_before(503));
        api.sandbox.set_faults(Faults::random(random));
        let mut statuses = Vec::new();
        for _ in 0..60 {
            let reply = api.clickhouse(Method::GET, "").send().await.unwrap();
            statuses.push(reply.status().as_u16());
        }
        let hit = statuses.iter().filter(|&&status| status != 200).count();
        assert!((8..30).contains(&hit), "{statuses:?}");
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn under_many_faults_the_ledger_stays_correct() {
    let api = Api::start().await;
    let random = RandomFaults::new(11, 0.6)
        .mix(1, Fault::reset_before())
        .mix(1, Fault::reset_after())
        .mix(1, Fault::truncated_body())
        .mix(1, Fault::wrong_length(-5))
        .mix(1, Fault::status_before(500))
        .mix(1, Fault::status_after(502))
        .mix(1, Fault::rate_limited(1))
        .mix(1, Fault::late_commit(20))
        .mix(1, Fault::duplicate())
        .mix(1, Fault::Refuse { for_ms: 0 });
    api.sandbox.set_faults(Faults::random(random));
    let create = async |number: usize| {
        let email = format!("user{number}@example.com");
        let request = api.clickhouse(Method::POST, "");
        let reply = request.json(&json!({ "email": email })).send().await;
        let created = match reply {
            Ok(reply) if reply.status() == 200 => reply.bytes().await.is_ok(),
            _ => false,
        };
        created.then_some(email)
    };
    let mut confirmed = Vec::new();
    for number in 0..100 {
        confirmed.extend(create(number).await);
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let ledger = api.sandbox.ledger();
    let (mut hit, mut kinds) = (0, std::collections::BTreeSet::new());
    for request in &ledger.requests {
        let made = ledger
            .commits
            .iter()
            .filter(|commit| commit.request_id.as_ref() == Some(&request.request_id))
            .count();
        let expected = match &request.fault {
            Some(Fault::Duplicate { .. }) => usize::from(request.status == Some(200)),
            Some(
                Fault::Reset { when: When::Before }
                | Fault::Refuse { .. }
                | Fault::RateLimited { .. }
                | Fault::Status { status: 500, .. },
            ) => 0,
            _ => 1,
        };
        assert_eq!(made, expected, "{request:#?}");
        if let Some(fault) = &request.fault {
            hit += 1;
            kinds.insert(format!("{fault:?}"));
        }
    }
    assert!(hit > 40, "{hit}");
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    for email in confirmed {
        let made = ledger.commits.iter().filter(|commit| commit.email == email);
        assert_eq!(made.count(), 1, "{email}");
    }
    assert_eq!(api.sandbox.invitations().len(), ledger.commits.len());
}
