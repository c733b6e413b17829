//! Options of single calls: what they change on the wire, through a pointer and in what is made of several calls.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use org_invitations::{
    AttemptEvent, CallOptions, CallPriority, Confluent, ErrorKind, InvitationProvider,
    InvitationProviderExt, ListQuery, RetryPolicy,
};
use org_invitations_sandbox::{Fault, Faults, Rule, Sandbox};
use serde_json::json;

use crate::support::{Answer, Wire};

/// A provider that retries at once, behind a pointer.
fn provider(url: &str) -> Arc<dyn InvitationProvider> {
    let retry = RetryPolicy::default().initial_delay(Duration::ZERO);
    let builder = Confluent::builder().api_key("key", "secret").retry(retry);
    Arc::new(builder.base_url(url).build().unwrap())
}

fn page() -> Answer {
    Answer::json(
        200,
        &json!({ "metadata": {}, "data": [{ "id": "i-1", "email": "a@example.com" }] }),
    )
}

#[tokio::test]
async fn attempts_are_those_of_the_call() {
    let wire = Wire::always(Answer::empty(503)).await;
    let provider = provider(&wire.url());
    let id = "i-1".parse().unwrap();
    for (options, attempts) in [
        (CallOptions::new().max_attempts(2), 2),
        (CallOptions::new().max_attempts(0), 1),
        (CallOptions::new(), 5),
    ] {
        let before = wire.seen().len();
        let error = options.scope(provider.get(&id)).await.unwrap_err();
        assert_eq!(error.attempts(), attempts);
        assert_eq!(wire.seen().len() - before, attempts as usize);
    }
}

#[tokio::test]
async fn inner_options_keep_what_they_leave_open() {
    let wire = Wire::always(Answer::empty(503)).await;
    let provider = provider(&wire.url());
    let id = "i-1".parse().unwrap();
    let outer = CallOptions::new().max_attempts(3).tag("outer");
    let outer = outer.header("x-purpose", "outer").unwrap();
    let inner = CallOptions::new().header("x-purpose", "inner").unwrap();
    outer
        .scope(async {
            let error = inner.scope(provider.get(&id)).await.unwrap_err();
            assert_eq!(error.attempts(), 3);
            provider.get(&id).await.unwrap_err();
        })
        .await;
    provider.get(&id).await.unwrap_err();
    let purposes: Vec<_> = wire
        .seen()
        .iter()
        .map(|sent| sent.header("x-purpose").join(","))
        .collect();
    assert_eq!(
        purposes[..6],
        ["inner", "inner", "inner", "outer", "outer", "outer"]
    );
    assert!(purposes[6..].iter().all(String::is_empty));
}

#[tokio::test]
async fn time_limits_are_those_of_the_call() {
    let sandbox = Sandbox::builder()
        .confluent_key("key", "secret")
        .start()
        .await
        .unwrap();
    sandbox.set_faults(Faults::script([Rule::new(Fault::hang()).always()]));
    let provider = provider(sandbox.url());
    let id = "i-1".parse().unwrap();
    let short = Duration::from_millis(50);
    let one = CallOptions::new().timeout(short).max_attempts(2);
    let error = one.scope(provider.get(&id)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 2));
    let start = Instant::now();
    let all = CallOptions::new().deadline(short);
    let error = all.scope(provider.get(&id)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "the provider's is 60 s"
    );
}

#[tokio::test]
async fn a_list_keeps_its_options_wherever_it_is_polled() {
    let wire = Wire::always(page()).await;
    let provider = provider(&wire.url());
    let options = CallOptions::new().header("x-purpose", "audit").unwrap();
    let list = options.scope_stream(provider.list(ListQuery::new()));
    let all: Vec<_> = list.try_collect().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(wire.only().header("x-purpose"), ["audit"]);
}

#[tokio::test]
async fn events_have_the_tag_and_nothing_sends_it() {
    let wire = Wire::always(page()).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tags = Arc::clone(&seen);
    let record = move |event: &AttemptEvent<'_>| {
        tags.lock().unwrap().push(event.tag.map(str::to_owned));
    };
    let builder = Confluent::builder().api_key("key", "secret");
    let provider = builder
        .base_url(wire.url())
        .interceptor(record)
        .build()
        .unwrap();
    let tagged = CallOptions::new().tag("ticket-4711");
    tagged
        .scope(provider.list_page(&ListQuery::new(), None))
        .await
        .unwrap();
    provider.list_page(&ListQuery::new(), None).await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [Some("ticket-4711".to_owned()), None]
    );
    assert!(!format!("{:?}", wire.seen()).contains("ticket-4711"));
}

#[test]
fn headers_of_the_transport_are_refused() {
    for name in [
        "authorization",
        "Host",
        "content-length",
        "Cookie",
        "a b",
        "",
    ] {
        let error = CallOptions::new().header(name, "x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
    }
    assert!(CallOptions::new().header("x-a", "line\nbreak").is_err());
}

#[tokio::test]
async fn an_interactive_call_goes_before_those_of_a_bulk_run() {
    let wire = Wire::always(page()).await;
    let builder = Confluent::builder().api_key("key", "secret");
    let builder = builder.rate_limit(1, Duration::from_millis(200));
    let provider = builder.base_url(wire.url()).build().unwrap();
    let query = ListQuery::new();
    let call = |name: &'static str, priority| {
        let options = CallOptions::new().priority(priority);
        let options = options.header("x-name", name).unwrap();
        let (provider, query) = (provider.clone(), query.clone());
        tokio::spawn(async move {
            options
                .scope(provider.list_page(&query, None))
                .await
                .unwrap();
        })
    };
    let bulk: Vec<_> = (0..4).map(|_| call("bulk", CallPriority::Bulk)).collect();
    // The first ones are sent, or wait for the limit.
    while wire.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    call("interactive", CallPriority::Interactive)
        .await
        .unwrap();
    for call in bulk {
        call.await.unwrap();
    }
    let names: Vec<_> = wire
        .seen()
        .iter()
        .map(|sent| sent.header("x-name").join(""))
        .collect();
    let at = names.iter().position(|name| name == "interactive").unwrap();
    // One of the run may wait at the head of the queue already.
    assert!(at <= 2, "{names:?}");
    assert_eq!(names.len(), 5);
}
