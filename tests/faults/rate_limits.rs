//! The rate limit and the concurrency limit, against a server that counts.
//!
//! What share of the allowance is used depends on the machine, so it is shown beside the limiter, where
//! the clock is paused. What has to hold on any machine is here: nothing is refused, nothing is sent
//! twice, and nobody waits behind those who came later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::StreamExt;
use org_invitations::{
    BulkOptions, ClickHouse, Confluent, CreateResult, InvitationProvider, InvitationProviderExt,
    NewInvitation,
};
use org_invitations_sandbox::{Limit, Limits, Sandbox};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::list;

/// What a server allows.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    requests: u32,
    window: Duration,
}

const CLICKHOUSE: Allowance = Allowance {
    requests: 10,
    window: Duration::from_millis(200),
};
const CONFLUENT: Allowance = Allowance {
    requests: 60,
    window: Duration::from_secs(1),
};

impl Allowance {
    fn limit(self) -> Limit {
        Limit::new(self.requests, self.window)
    }
}

fn clickhouse(sandbox: &Sandbox, fixed: Option<Allowance>) -> ClickHouse {
    let key = &sandbox.credentials().clickhouse;
    let builder = ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url());
    let builder = match fixed {
        Some(Allowance { requests, window }) => builder.rate_limit(requests as usize, window),
        None => builder,
    };
    builder.build().unwrap()
}

fn confluent(sandbox: &Sandbox) -> Confluent {
    let key = &sandbox.credentials().confluent;
    Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()
        .unwrap()
}

fn invitations(count: usize) -> impl Iterator<Item = NewInvitation> + Clone {
    (0..count).map(|number| NewInvitation::new(format!("user{number}@example.com")))
}

/// Creates what is allowed in this many windows.
async fn spend(
    limits: Limits,
    allowance: Allowance,
    windows: u32,
    connect: impl Fn(&Sandbox) -> Box<dyn InvitationProvider>,
) {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_limits(limits);
    let provider = connect(&sandbox);
    let count = (allowance.requests * windows) as usize;
    let options = BulkOptions::default().concurrency(16);
    let outcomes = provider.create_many(invitations(count), options);
    outcomes
        .for_each(|outcome| async move {
            assert!(
                matches!(outcome.result, CreateResult::Created(_)),
                "{outcome:?}"
            );
        })
        .await;
    let ledger = sandbox.ledger();
    assert_eq!(ledger.count_status(429), 0, "some requests were refused");
    assert_eq!(ledger.requests.len(), count, "one request for each");
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouses_allowance_is_learnt_and_spent_without_a_refusal() {
    let limits = Limits::default().clickhouse(CLICKHOUSE.limit());
    let connect = |sandbox: &Sandbox| Box::new(clickhouse(sandbox, None)) as Box<_>;
    spend(limits, CLICKHOUSE, 12, connect).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confluents_allowance_is_learnt_and_spent_without_a_refusal() {
    let limits = Limits::default().confluent(CONFLUENT.limit());
    let connect = |sandbox: &Sandbox| Box::new(confluent(sandbox)) as Box<_>;
    spend(limits, CONFLUENT, 5, connect).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance_that_the_caller_set_is_spent_without_a_refusal() {
    let silent = CLICKHOUSE.limit().without_headers();
    let limits = Limits::default().clickhouse(silent);
    let connect = |sandbox: &Sandbox| Box::new(clickhouse(sandbox, Some(CLICKHOUSE))) as Box<_>;
    spend(limits, CLICKHOUSE, 12, connect).await;
}

/// Gets on a clone while a bulk run is under way; how many creates went ahead of each.
async fn creates_ahead_of_a_get(sandbox: &Sandbox, provider: &ClickHouse, at_once: usize) -> usize {
    let known = NewInvitation::new("known@example.com");
    let known = provider.create(known).await.unwrap().id;
    let single = provider.clone();
    let bulk = async {
        let options = BulkOptions::default().concurrency(at_once);
        let all = provider.create_many(invitations(10_000), options);
        all.for_each(|outcome| async move {
            assert!(
                matches!(outcome.result, CreateResult::Created(_)),
                "{outcome:?}"
            );
        })
        .await;
    };
    let gets = async {
        let mut most = 0;
        for _ in 0..6 {
            tokio::time::sleep(CLICKHOUSE.window.mul_f64(1.3)).await;
            let mut get = single.get(&known);
            // It stands in line from here on, however slow the machine is to look at the ledger. On a busy machine it may
            // be answered already.
            if let Poll::Ready(done) = futures::poll!(&mut get) {
                done.unwrap();
                continue;
            }
            let before = sandbox.ledger().requests.len();
            get.await.unwrap();
            let ledger = sandbox.ledger().requests;
            let mut since = ledger[before..].iter();
            let ahead = since.position(|request| request.method == "GET");
            // It may have arrived before the look.
            most = most.max(ahead.unwrap_or(0));
        }
        most
    };
    tokio::select! {
        most = gets => most,
        () = bulk => panic!("the bulk run was over first"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_on_a_clone_does_not_wait_behind_a_bulk_run() {
    for at_once in [4, 16] {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.set_limits(Limits::default().clickhouse(CLICKHOUSE.limit()));
        let provider = clickhouse(&sandbox, None);
        let ahead = creates_ahead_of_a_get(&sandbox, &provider, at_once).await;
        // Those that asked before it, and those let through with it that were faster on their way.
        assert!(ahead <= 2 * at_once, "{ahead} of {at_once} at once");
        assert_eq!(sandbox.ledger().count_status(429), 0);
    }
}

/// A server that takes its time and counts the requests that it has at once.
async fn counting() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let recorded = Arc::clone(&most);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                // One write is one request here.
                while stream.read(&mut [0; 4096]).await.unwrap_or(0) > 0 {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    let body = r#"{"data": [], "metadata": {}}"#;
                    let length = body.len();
                    let answer =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (url, recorded)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_than_allowed_are_under_way_over_all_clones() {
    let (url, most) = counting().await;
    let provider = Confluent::builder()
        .api_key("key", "secret")
        .base_url(url)
        .rate_limit(1_000, Duration::from_millis(100))
        .max_concurrency(3)
        .build()
        .unwrap();
    let clones: Vec<_> = (0..24).map(|_| provider.clone()).collect();
    let outcomes = futures::future::join_all(clones.iter().map(list)).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    let most = most.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} at once");
}
