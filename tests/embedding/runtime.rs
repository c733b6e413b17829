//! Calls outside of a Tokio runtime.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use futures::StreamExt;
use org_invitations::{
    ClickHouse, Confluent, ErrorKind, InvitationProvider, NewInvitation, OrganizationProviderExt,
    WatchOptions, memory::InMemory,
};

/// Runs what is ready at once.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something"),
    }
}

#[test]
fn a_call_outside_of_tokio_is_an_error_that_says_so() {
    let url = "http://127.0.0.1:9";
    let confluent = Confluent::builder()
        .api_key("KEY", "a-secret")
        .base_url(url)
        .build()
        .unwrap();
    let clickhouse = ClickHouse::builder("11111111-2222-3333-4444-555555555555")
        .api_key("KEY", "a-secret")
        .base_url(url)
        .build()
        .unwrap();
    let providers: [&dyn InvitationProvider; 2] = [&confluent, &clickhouse];
    for provider in providers {
        let id = "i-1".parse().unwrap();
        let errors = [
            block_on(provider.create(NewInvitation::new("ann@example.com"))).unwrap_err(),
            block_on(provider.get(&id)).unwrap_err(),
            block_on(provider.delete(&id)).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.message().contains("Tokio runtime"), "{error}");
            assert!(
                !error.may_have_executed() && error.attempts() == 0,
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_wait_outside_of_tokio_is_an_error_that_says_so() {
    let organisation = InMemory::new();
    let made = block_on(organisation.create(NewInvitation::new("ann@example.com"))).unwrap();
    let options = WatchOptions::default();
    let waited = block_on(organisation.wait_until_accepted(&made, &options));
    let mut events = organisation.watch(options);
    let watched = block_on(events.next()).unwrap();
    for error in [waited.unwrap_err(), watched.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.message().contains("Tokio runtime"), "{error}");
    }
    assert!(block_on(events.next()).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_longest_interval_is_a_wait_and_no_overflow() {
    let organisation = InMemory::new();
    let made = organisation.create(NewInvitation::new("ann@example.com"));
    let made = made.await.unwrap();
    let options = WatchOptions::default().interval(std::time::Duration::MAX);
    let endless = options.clone().timeout(Some(std::time::Duration::MAX));
    for options in [options, endless] {
        let wait = organisation.wait_until_accepted(&made, &options);
        let day = std::time::Duration::from_secs(86_400);
        tokio::time::timeout(day, wait).await.unwrap_err();
        let mut events = organisation.watch(options);
        tokio::time::timeout(day, events.next()).await.unwrap_err();
    }
}
