//! Faults of the connection, as a client sees them.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, When};
use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api::{Api, send};
use crate::raw_http::{End, connect, create, receive, request};

const BOTH: [Provider; 2] = [Provider::Confluent, Provider::ClickHouse];
const ADA: &str = "ada@example.com";

/// A sandbox with a fault for the next request.
async fn faulty(fault: Fault) -> Api {
    let api = Api::start().await;
    inject(&api, fault);
    api
}

fn inject(api: &Api, fault: Fault) {
    api.sandbox.set_faults(Faults::script([Rule::new(fault)]));
}

/// The status and the fault of the only request in the ledger, and the number of changes.
fn recorded(api: &Api) -> (Option<u16>, Option<Fault>, usize) {
    let ledger = api.sandbox.ledger();
    assert_eq!(ledger.requests.len(), 1, "{ledger:#?}");
    let request = &ledger.requests[0];
    for commit in &ledger.commits {
        assert_eq!(commit.request_id.as_deref(), Some(&*request.request_id));
        assert_eq!(commit.email, ADA);
    }
    (request.status, request.fault.clone(), ledger.commits.len())
}

#[tokio::test]
async fn a_reset_comes_before_or_after_the_commit() {
    for provider in BOTH {
        for (fault, commits) in [(Fault::reset_before(), 0), (Fault::reset_after(), 1)] {
            let api = faulty(fault.clone()).await;
            let response = create(&api, provider, ADA).await;
            assert_eq!(
                (response.end, &*response.text),
                (End::Reset, ""),
                "{fault:?}"
            );
            assert_eq!(recorded(&api), (None, Some(fault), commits));
        }
    }
}

#[tokio::test]
async fn a_hanging_request_is_never_answered() {
    for (when, commits) in [(When::Before, 0), (When::After, 1)] {
        let fault = Fault::Hang { when };
        let api = faulty(fault.clone()).await;
        let mut stream = connect(&api).await;
        let body = format!(r#"{{"email":"{ADA}"}}"#);
        let text = request(&api, Provider::ClickHouse, "POST", "", &body);
        stream.write_all(text.as_bytes()).await.unwrap();
        let response = receive(&mut stream).await;
        assert_eq!((response.end, &*response.text), (End::Idle, ""));
        drop(stream);
        assert_eq!(recorded(&api), (None, Some(fault), commits));
    }
}

#[tokio::test]
async fn a_refused_request_is_reset_and_begins_an_outage() {
    let api = faulty(Fault::Refuse { for_ms: 200 }).await;
    let begun = Instant::now();
    let response = create(&api, Provider::Confluent, ADA).await;
    assert_eq!((response.end, &*response.text), (End::Reset, ""));
    assert_eq!(
        recorded(&api),
        (None, Some(Fault::Refuse { for_ms: 200 }), 0)
    );
    let address = api.sandbox.url().strip_prefix("http://").unwrap();
    let mut refused = 0;
    loop {
        match TcpStream::connect(address).await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
        }
        refused += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(refused > 0);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    api.invite_confluent(ADA).await;
}

#[tokio::test]
async fn a_request_is_refused_before_its_body_arrives() {
    let api = faulty(Fault::Refuse { for_ms: 0 }).await;
    let mut stream = connect(&api).await;
    let text = request(&api, Provider::Confluent, "POST", "", "{}");
    let head = text.strip_suffix("{}").unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(receive(&mut stream).await.end, End::Reset);
    api.invite_confluent(ADA).await;
}

#[tokio::test]
async fn an_outage_refuses_connections_and_closes_idle_ones() {
    let api = Api::start().await;
    let mut idle = connect(&api).await;
    let text = request(&api, Provider::Confluent, "GET", "", "");
    idle.write_all(text.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    assert!(idle.read(&mut buffer).await.unwrap() > 0);

    let address = api.sandbox.url().strip_prefix("http://").unwrap();
    api.sandbox.refuse_connections(Duration::from_millis(900));
    assert_eq!(receive(&mut idle).await.end, End::Closed);
    let error = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let error = api.confluent(Method::GET, "").send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");

    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(send(api.confluent(Method::GET, "")).await.status, 200);
    assert_eq!(api.sandbox.ledger().requests.len(), 2);
}

#[tokio::test]
async fn a_sandbox_stops_during_an_outage() {
    let api = Api::start().await;
    api.sandbox.refuse_connections(Duration::MAX);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let stopped = api.sandbox.serve_until(async {});
    let patience = Duration::from_secs(5);
    tokio::time::timeout(patience, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_slow_body_is_complete_in_the_end() {
    for provider in BOTH {
        let fault = Fault::slow_body(100, 20);
        let api = faulty(fault.clone()).await;
        let begun = Instant::now();
        let response = create(&api, provider, ADA).await;
        assert_eq!(
            response.body().len(),
            response.content_length(),
            "{response:?}"
        );
        let pieces = u32::try_from(response.body().len().div_ceil(100)).unwrap();
        assert!(begun.elapsed() >= pieces * Duration::from_millis(20));
        let value: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        assert!(value.is_object());
        let (status, hit, commits) = recorded(&api);
        assert!(status.is_some());
        assert_eq!((hit, commits), (Some(fault), 1));
    }
}

#[tokio::test]
async fn a_truncated_body_is_short_and_closes_the_connection() {
    for provider in BOTH {
        let api = faulty(Fault::truncated_body()).await;
        let response = create(&api, provider, ADA).await;
        assert_eq!(response.end, End::Closed);
        assert_eq!(
            response.body().len(),
            response.content_length() / 2,
            "{response:?}"
        );
        let (status, hit, commits) = recorded(&api);
        assert!(matches!(status, Some(200 | 201)), "{status:?}");
        assert_eq!((hit, commits), (Some(Fault::truncated_body()), 1));

        inject(&api, Fault::TruncatedBody { keep: Some(1) });
        let response = create(&api, provider, "bob@example.com").await;
        assert_eq!((response.end, response.body()), (End::Closed, "{"));
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_truncated_in_its_head() {
    let api = Api::start().await;
    let ada = api.invite_confluent(ADA).await;
    inject(&api, Fault::truncated_body());
    let path = format!("/{}", ada["id"].as_str().unwrap());
    let response = crate::raw_http::ask(&api, Provider::Confluent, "DELETE", &path, "").await;
    assert_eq!((response.end, response.head()), (End::Closed, ""));
    assert!(response.text.starts_with("HTTP/1.1 204 "), "{response:?}");
    assert_eq!(api.sandbox.ledger().commits.len(), 2);
}

#[tokio::test]
async fn a_wrong_length_is_wrong_by_the_given_number() {
    for by in [7, -7] {
        for provider in BOTH {
            let api = faulty(Fault::wrong_length(by)).await;
            let response = create(&api, provider, ADA).await;
            assert_eq!(response.end, End::Idle, "{response:?}");
            let value: serde_json::Value = serde_json::from_str(response.body()).unwrap();
            assert!(value.is_object(), "the body is whole");
            let off = response.content_length() as i64 - response.body().len() as i64;
            assert_eq!(off, by);
            assert_eq!(recorded(&api).2, 1);
        }
    }
}

#[tokio::test]
async fn a_late_commit_happens_after_its_delay() {
    for provider in BOTH {
        let api = faulty(Fault::late_commit(150)).await;
        let response = create(&api, provider, ADA).await;
        assert_eq!((response.end, &*response.text), (End::Reset, ""));
        assert_eq!(recorded(&api), (None, Some(Fault::late_commit(150)), 0));
        let begun = Instant::now();
        while api.sandbox.ledger().commits.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(5), "never committed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(recorded(&api).2, 1);
    }
}

#[tokio::test]
async fn a_reset_of_the_sandbox_cancels_a_late_commit() {
    let fault = Fault::LateCommit {
        delay_ms: 50,
        status: Some(504),
    };
    let api = faulty(fault).await;
    let body = serde_json::json!({ "email": ADA });
    let reply = api.confluent(Method::POST, "").json(&body).send().await;
    let reply = reply.unwrap();
    assert_eq!(reply.status(), 504);
    assert_eq!(reply.headers()["content-type"], "text/html; charset=utf-8");
    api.sandbox.reset();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let ledger = api.sandbox.ledger();
    assert!(ledger.requests.is_empty() && ledger.commits.is_empty());
}

#[tokio::test]
async fn faults_reset_connections_over_http_2() {
    let api = Api::start().await;
    let http = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let api = Api { http, ..api };
    api.invite_confluent(ADA).await;
    for fault in [
        Fault::reset_after(),
        Fault::truncated_body(),
        Fault::wrong_length(1),
    ] {
        let rule = Rule::new(fault.clone()).on(Operation::List);
        api.sandbox.set_faults(Faults::script([rule]));
        let failed = api.confluent(Method::GET, "").send().await;
        assert!(failed.is_err(), "{fault:?}: {failed:?}");
        assert_eq!(send(api.confluent(Method::GET, "")).await.status, 200);
    }
}
