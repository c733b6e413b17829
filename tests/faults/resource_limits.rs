//! What a server may do to a call: how much it may send, how slowly, and how long it may put it off.
//!
//! Lists without end (a token that comes twice, empty pages for ever) are in `exactly_once`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use org_invitations::{
    Confluent, ConfluentBuilder, Error, ErrorKind, InvitationProvider, NewInvitation, RetryPolicy,
};
use org_invitations_sandbox::{ErrorBody, Fault, Faults, Operation, Rule, Sandbox, When};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{both_with, commits, impatient, list, requests};

const EMAIL: &str = "ann@example.com";

fn builder(sandbox: &Sandbox) -> ConfluentBuilder {
    let key = &sandbox.credentials().confluent;
    Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .retry(impatient())
}

fn always(fault: Fault) -> Faults {
    Faults::script([Rule::new(fault).always()])
}

/// 429, and a wait that nobody wants to wait.
fn wait_an_hour() -> Fault {
    Fault::Status {
        status: 429,
        when: When::Before,
        body: ErrorBody::Vendor,
        headers: [("retry-after".to_owned(), "3600".to_owned())].into(),
    }
}

#[tokio::test]
async fn a_body_over_the_cap_is_an_error_and_not_asked_for_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let setup = builder(&sandbox).build().unwrap();
    for number in 0..20 {
        let new = NewInvitation::new(format!("user{number}@example.com"));
        setup.create(new).await.unwrap();
    }
    let capped = builder(&sandbox).max_body_bytes(2_000).build().unwrap();
    let error = list(&capped).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.message().contains("2000"), "{error}");
    assert_eq!(requests(&sandbox, "list"), 1);
    // One invitation fits.
    capped.create(NewInvitation::new(EMAIL)).await.unwrap();
}

#[tokio::test]
async fn a_create_whose_answer_is_over_the_cap_is_said_to_be_open() {
    let sandbox = Sandbox::start().await.unwrap();
    let capped = builder(&sandbox).max_body_bytes(100).build().unwrap();
    let outcome = capped.create(NewInvitation::new(EMAIL)).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.may_have_executed(), "{error}");
    let provider = org_invitations_sandbox::Provider::Confluent;
    assert_eq!(commits(&sandbox, provider, EMAIL).0, 1);
}

/// Answers every request with a body that goes on until the client hangs up; counts its bytes.
async fn endless() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
            // The request fits into one segment.
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            let mut sent = stream.write_all(head.as_bytes()).await;
            while sent.is_ok() {
                sent = stream.write_all(chunk.as_bytes()).await;
                count.fetch_add(0x4000, Ordering::Relaxed);
            }
        }
    });
    (url, written)
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let (url, written) = endless().await;
    let provider = Confluent::builder()
        .api_key("key", "secret")
        .base_url(url)
        .retry(impatient())
        .max_body_bytes(1 << 20)
        .build()
        .unwrap();
    let error = list(&provider).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    // What is in the buffers of both ends comes on top.
    let written = written.load(Ordering::Relaxed);
    assert!(written < 16 << 20, "{written} bytes were taken");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_after_the_read_timeout() {
    for fault in [
        Fault::hang(),
        Fault::slow_body(1, 5_000),
        Fault::wrong_length(7),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        let patient = builder(&sandbox).timeout(Duration::from_secs(30));
        let provider = patient
            .read_timeout(Duration::from_millis(150))
            .retry(RetryPolicy::none())
            .build()
            .unwrap();
        sandbox.set_faults(always(fault.clone()));
        let start = Instant::now();
        let error = list(&provider).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{fault:?} {error}");
        let took = start.elapsed();
        // Far from the time limit of the whole request, on any machine.
        assert!(took < Duration::from_secs(20), "{fault:?} {took:?}");
    }
}

#[tokio::test]
async fn a_body_that_dribbles_for_ever_ends_at_the_timeout() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = builder(&sandbox)
        .read_timeout(Duration::from_secs(1))
        .timeout(Duration::from_millis(300))
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    // Never silent for long.
    sandbox.set_faults(always(Fault::slow_body(1, 30)));
    let start = Instant::now();
    let error = list(&provider).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_body_that_dribbles_and_ends_in_time_is_read() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = builder(&sandbox)
        .read_timeout(Duration::from_millis(500))
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    sandbox.set_faults(always(Fault::slow_body(16, 5)));
    let made = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
    assert_eq!(provider.get(&made.id).await.unwrap(), made);
    assert_eq!(sandbox.ledger().requests.len(), 2);
}

/// Runs a call, and gives its error and how long it took.
async fn failed<T>(call: impl Future<Output = org_invitations::Result<T>>) -> (Error, Duration) {
    let start = Instant::now();
    let error = call.await.map(drop).unwrap_err();
    (error, start.elapsed())
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_is_capped() {
    let sandbox = Sandbox::start().await.unwrap();
    // The longest delay is 50 ms by this policy, whatever the server asks for.
    let policy = impatient().deadline(Duration::from_secs(3));
    for (_, provider) in both_with(&sandbox, &policy) {
        sandbox.set_faults(Faults::script([Rule::new(wait_an_hour())]));
        let made = provider.create(NewInvitation::new(EMAIL)).await;
        let made = made.unwrap_or_else(|error| panic!("{provider}: {error}"));
        sandbox.set_faults(Faults::script([Rule::new(wait_an_hour())]));
        provider.get(&made.id).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_always_asks_to_wait_is_given_up_in_time() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_faults(always(wait_an_hour()));
    let policy = impatient().deadline(Duration::from_secs(10));
    for (_, provider) in both_with(&sandbox, &policy) {
        let before = sandbox.ledger().requests.len();
        let (error, took) = failed(provider.create(NewInvitation::new(EMAIL))).await;
        let sent = sandbox.ledger().requests.len() - before;
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{provider}: {error}");
        assert_eq!(error.attempts() as usize, sent, "{provider}: {error}");
        assert!(!error.may_have_executed(), "{provider}: {error}");
        // The server asked for an hour each time.
        assert!(took < Duration::from_secs(60), "{provider}: {took:?}");
    }
}

#[tokio::test]
async fn a_create_that_was_never_sent_is_not_said_to_be_open() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = builder(&sandbox)
        .rate_limit(1, Duration::from_secs(60))
        .retry(impatient().deadline(Duration::from_secs(2)))
        .build()
        .unwrap();
    list(&provider).await.unwrap();
    // The allowance is spent for longer than this one may take, so that it does not even wait.
    let (error, took) = failed(provider.create(NewInvitation::new(EMAIL))).await;
    assert_eq!(requests(&sandbox, "create"), 0, "{error}");
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    let wait = error.retry_after().unwrap();
    assert!((50..=61).contains(&wait.as_secs()), "{wait:?}");
    assert!(!error.may_have_executed(), "{error}");
    assert_eq!(error.attempts(), 0, "{error}");
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test]
async fn the_deadline_holds_for_a_create_and_its_lookups_together() {
    let sandbox = Sandbox::start().await.unwrap();
    let policy = impatient().deadline(Duration::from_millis(600));
    for (_, provider) in both_with(&sandbox, &policy) {
        sandbox.set_faults(always(Fault::hang()));
        let before = sandbox.ledger().requests.len();
        let (error, _) = failed(provider.create(NewInvitation::new("Ann@example.com"))).await;
        assert!(error.may_have_executed(), "{provider}: {error}");
        // Each of them takes 400 ms; five tries of a lookup would take two seconds.
        let sent = sandbox.ledger().requests.len() - before;
        assert!(sent <= 3, "{provider}: {sent} requests");
    }
}

#[tokio::test]
async fn a_deadline_without_end_is_none() {
    let sandbox = Sandbox::start().await.unwrap();
    let policy = impatient().deadline(Duration::MAX);
    let provider = builder(&sandbox).retry(policy).build().unwrap();
    let call = tokio::spawn(async move { list(&provider).await });
    let outcome = call.await;
    assert!(outcome.is_ok(), "it panicked");
    outcome.unwrap().unwrap();
}

#[tokio::test]
async fn an_endless_window_admits_nothing_and_does_not_panic() {
    let sandbox = Sandbox::start().await.unwrap();
    let policy = impatient().deadline(Duration::from_millis(300));
    let builder = builder(&sandbox).retry(policy);
    let provider = builder.rate_limit(1, Duration::MAX).build().unwrap();
    list(&provider).await.unwrap();
    let call = tokio::spawn(async move { list(&provider).await });
    let outcome = call.await;
    assert!(outcome.is_ok(), "it panicked");
    assert_eq!(outcome.unwrap().unwrap_err().kind(), ErrorKind::RateLimited);
    assert_eq!(requests(&sandbox, "list"), 1);
}

#[tokio::test]
async fn a_create_that_was_refused_for_its_rate_needs_no_lookup() {
    let sandbox = Sandbox::start().await.unwrap();
    for (_, provider) in both_with(&sandbox, &impatient()) {
        let refused = Rule::new(Fault::rate_limited(300)).on(Operation::Create);
        sandbox.set_faults(Faults::script([refused]));
        provider.create(NewInvitation::new(EMAIL)).await.unwrap();
    }
    assert_eq!(requests(&sandbox, "list"), 0);
}
