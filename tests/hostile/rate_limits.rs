//! Waits: what a server asks for, what the policy adds, and what is refused at once.

use std::time::{Duration, Instant};

use futures::StreamExt;
use org_invitations::{
    BulkOptions, ClickHouse, Confluent, CreateResult, ErrorKind, InvitationProvider,
    InvitationProviderExt, NewInvitation, RetryPolicy,
};

use crate::matrix::{Cell, Finding, check, check_at_once};
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, BOB, list};
use crate::server::{
    Answer, Body, Carried, Fault, ORGANIZATION, Op, Organisation, Seed, Server, Vendor, World,
};

const PAST: &str = "Thu, 01 Jan 2015 00:00:00 GMT";

/// Asking for no wait does not switch backoff off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wait_asked_for_is_still_backoff() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (op, status) in [
            (Op::Create, 429),
            (Op::List, 429),
            (Op::List, 503),
            (Op::Delete, 429),
        ] {
            for (name, header, value) in [
                ("Retry-After: 0", "Retry-After", "0"),
                ("Retry-After in the past", "Retry-After", PAST),
            ] {
                let label = format!("{:10} | {op:?}, status {status} | {name}", vendor.name());
                cells.push(Cell::new(label, backoff(vendor, op, status, header, value)));
            }
        }
    }
    // A few at once, so that what is measured is not the work of the others.
    check_at_once("manners, backoff", cells, 8).await;
}

/// Eight calls of four attempts each, whose jittered waits are 1.4 s on average.
async fn backoff(
    vendor: Vendor,
    op: Op,
    status: u16,
    header: &'static str,
    value: &'static str,
) -> Finding {
    let answer = Answer::Status(status, Body::Empty, vec![(header, value.to_owned())]);
    let organisation = Organisation::new(vendor, World::default(), vec![Seed::sent(BOB)]);
    let server = Server::start(organisation, vec![Fault::new(op, Carried::No, answer)]).await;
    let id = server.truth().live_of(BOB)[0].id.parse().expect("an id");
    // A provider for each, with limits of its own, so that none waits for what another was told.
    let provider = |number: u64| {
        let delay = Duration::from_millis(400 + number);
        let patience = Patience {
            delay,
            ..Patience::default()
        };
        connect(&server, patience)
    };
    let providers: Vec<_> = (0..8).map(provider).collect();
    let calls = providers.iter().map(|provider| {
        let id = &id;
        async move {
            let begun = Instant::now();
            match op {
                Op::Create => drop(provider.create(NewInvitation::new(ANN)).await),
                Op::List => drop(list(provider.as_ref()).await),
                _ => drop(provider.delete(id).await),
            }
            begun.elapsed()
        }
    });
    let taken: Vec<Duration> = futures::future::join_all(calls).await;
    let sent = server.count(op);
    let mean = taken.iter().sum::<Duration>() / 8;
    let mut wrong = Vec::new();
    if sent < 16 {
        wrong.push("not tried again".to_owned());
    }
    if mean < Duration::from_millis(500) {
        wrong.push("no backoff".to_owned());
    }
    let reported = format!("{sent} requests, {} ms for each call", mean.as_millis());
    Finding {
        reported,
        truth: "1.4 s on average".to_owned(),
        wrong,
    }
}

/// A server that lets 20 requests through in half a second, and asks everybody else for no wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_outlast_a_limit_that_asks_for_no_wait() {
    let mut cells: Vec<Cell> = Vec::new();
    for (name, value) in [("Retry-After: 0", "0"), ("Retry-After in the past", PAST)] {
        cells.push(Cell::new(
            format!("confluent  | create_many of 60 | {name}"),
            async move {
                let world = World {
                    rate: Some((20, Duration::from_millis(500), value)),
                    ..World::default()
                };
                let server = Server::start(
                    Organisation::new(Vendor::Confluent, world, Vec::new()),
                    Vec::new(),
                )
                .await;
                let policy = RetryPolicy::default().initial_delay(Duration::from_millis(250));
                let builder = Confluent::builder()
                    .api_key("KEY", "secret-of-the-key")
                    .base_url(server.url());
                let provider = builder.retry(policy).build().expect("a provider");
                let people =
                    (0..60).map(|number| NewInvitation::new(format!("person{number}@example.com")));
                let outcomes: Vec<_> = provider
                    .create_many(people, BulkOptions::default())
                    .collect()
                    .await;
                let created = outcomes
                    .iter()
                    .filter(|outcome| matches!(outcome.result, CreateResult::Created(_)))
                    .count();
                let truth = server.truth();
                let mut wrong = Vec::new();
                if created < 60 {
                    wrong.push(format!("{} of 60 people failed", 60 - created));
                }
                if truth.turned_away > 120 {
                    wrong.push("hammers".to_owned());
                }
                Finding {
                    reported: format!("{created} invited"),
                    truth: format!(
                        "{} invited, {} times 429",
                        truth.live().len(),
                        truth.turned_away
                    ),
                    wrong,
                }
            },
        ));
    }
    check("manners, limits", cells).await;
}

/// A reset of more than a year is a point in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_of_decades_is_an_epoch() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for unit in ["seconds", "milliseconds"] {
            let label = format!(
                "{:10} | list             | 429, reset is an epoch in {unit}",
                vendor.name()
            );
            cells.push(Cell::new(label, epoch(vendor, unit)));
        }
        let label = format!(
            "{:10} | list, list       | none remains, reset is an epoch",
            vendor.name()
        );
        cells.push(Cell::new(label, epoch_on_success(vendor)));
    }
    check("manners, epochs", cells).await;
}

async fn epoch(vendor: Vendor, unit: &'static str) -> Finding {
    let now = chrono::Utc::now();
    let value = if unit == "seconds" {
        now.timestamp() + 2
    } else {
        now.timestamp_millis() + 2000
    };
    let answer = Answer::Status(
        429,
        Body::Empty,
        vec![("X-RateLimit-Reset", value.to_string())],
    );
    let organisation = Organisation::new(vendor, World::default(), vec![Seed::sent(BOB)]);
    let server = Server::start(
        organisation,
        vec![Fault::new(Op::List, Carried::No, answer)],
    )
    .await;
    let provider = connect(
        &server,
        Patience {
            attempts: 1,
            ..Patience::default()
        },
    );
    let error = list(provider.as_ref()).await.expect_err("429");
    let reset = error.rate_limit().and_then(|limit| limit.reset);
    let day = Duration::from_secs(86_400);
    let wrong = match reset.or(error.retry_after()) {
        Some(wait) if wait > day => vec!["a wait of decades".to_owned()],
        _ => Vec::new(),
    };
    Finding {
        reported: format!("{reset:?}"),
        truth: "2 s".to_owned(),
        wrong,
    }
}

async fn epoch_on_success(vendor: Vendor) -> Finding {
    let organisation = Organisation::new(vendor, World::default(), vec![Seed::sent(BOB)]);
    let body = match vendor {
        Vendor::Confluent => {
            r#"{"api_version":"iam/v2","kind":"InvitationList","metadata":{},"data":[]}"#
        }
        Vendor::ClickHouse => r#"{"status":200,"requestId":"1","result":[]}"#,
    };
    let headers = vec![
        ("X-RateLimit-Limit", "10".to_owned()),
        ("X-RateLimit-Remaining", "0".to_owned()),
        (
            "X-RateLimit-Reset",
            (chrono::Utc::now().timestamp() + 1).to_string(),
        ),
    ];
    let fault = Fault::new(
        Op::List,
        Carried::No,
        Answer::Status(200, Body::Json(body), headers),
    )
    .times(1);
    let server = Server::start(organisation, vec![fault]).await;
    let policy = RetryPolicy::default().deadline(Duration::from_secs(8));
    let provider: Box<dyn InvitationProvider> = match vendor {
        Vendor::Confluent => {
            let builder = Confluent::builder()
                .api_key("KEY", "secret-of-the-key")
                .base_url(server.url());
            Box::new(builder.retry(policy).build().expect("a provider"))
        }
        Vendor::ClickHouse => {
            let builder = ClickHouse::builder(ORGANIZATION)
                .api_key("KEY", "secret-of-the-key")
                .base_url(server.url());
            Box::new(builder.retry(policy).build().expect("a provider"))
        }
    };
    let first = list(provider.as_ref()).await.map(|listed| listed.len());
    let second = list(provider.as_ref()).await.map(|listed| listed.len());
    let wrong = if matches!(second, Ok(1)) {
        vec![]
    } else {
        vec!["waits for decades".to_owned()]
    };
    Finding {
        reported: format!("{first:?}, {second:?}"),
        truth: "free again after 1 s".to_owned(),
        wrong,
    }
}

/// A call that cannot go out before its deadline is refused at once, and surely not done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_beyond_its_deadline_is_rate_limited() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for op in [Op::Create, Op::List, Op::Delete] {
            let label = format!(
                "{:10} | {op:?} | the limit opens after the deadline",
                vendor.name()
            );
            cells.push(Cell::new(label, late_call(vendor, op)));
        }
    }
    check("manners, deadlines", cells).await;
}

async fn late_call(vendor: Vendor, op: Op) -> Finding {
    let organisation = Organisation::new(vendor, World::default(), vec![Seed::sent(BOB)]);
    let server = Server::start(organisation, Vec::new()).await;
    let policy = RetryPolicy::default().deadline(Duration::from_secs(2));
    let window = Duration::from_secs(600);
    let provider: Box<dyn InvitationProvider> = match vendor {
        Vendor::Confluent => {
            let builder = Confluent::builder()
                .api_key("KEY", "secret-of-the-key")
                .base_url(server.url());
            Box::new(
                builder
                    .rate_limit(1, window)
                    .retry(policy)
                    .build()
                    .expect("a provider"),
            )
        }
        Vendor::ClickHouse => {
            let builder = ClickHouse::builder(ORGANIZATION)
                .api_key("KEY", "secret-of-the-key")
                .base_url(server.url());
            Box::new(
                builder
                    .rate_limit(1, window)
                    .retry(policy)
                    .build()
                    .expect("a provider"),
            )
        }
    };
    let first = list(provider.as_ref()).await;
    assert!(first.is_ok(), "{first:?}");
    let error = match op {
        Op::Create => provider
            .create(NewInvitation::new(ANN))
            .await
            .map(|_| ())
            .expect_err("refused"),
        Op::List => list(provider.as_ref())
            .await
            .map(|_| ())
            .expect_err("refused"),
        _ => {
            let id = server.truth().live_of(BOB)[0].id.parse().expect("an id");
            provider.delete(&id).await.expect_err("refused")
        }
    };
    let mut wrong = Vec::new();
    if error.kind() != ErrorKind::RateLimited {
        wrong.push("not RateLimited".to_owned());
    }
    if error.may_have_executed() {
        wrong.push("nothing was sent, said maybe".to_owned());
    }
    if error.retry_after().is_none() {
        wrong.push("does not say the wait".to_owned());
    }
    let reported = format!(
        "{:?}, maybe: {}, wait {:?}",
        error.kind(),
        error.may_have_executed(),
        error.retry_after()
    );
    Finding {
        reported,
        truth: format!("{} requests", server.requests().len()),
        wrong,
    }
}

/// Zero timeouts and deadlines, under which no call can succeed, are refused.
#[tokio::test]
async fn zero_timeouts_are_refused() {
    let zero = Duration::ZERO;
    let confluent = || {
        Confluent::builder()
            .api_key("KEY", "secret-of-the-key")
            .base_url("http://127.0.0.1:9")
    };
    let clickhouse = || {
        ClickHouse::builder(ORGANIZATION)
            .api_key("KEY", "secret-of-the-key")
            .base_url("http://127.0.0.1:9")
    };
    let no_deadline = || RetryPolicy::default().deadline(zero);
    let builds = vec![
        (
            "confluent, timeout",
            confluent().timeout(zero).build().map(|_| ()),
        ),
        (
            "confluent, connect timeout",
            confluent().connect_timeout(zero).build().map(|_| ()),
        ),
        (
            "confluent, read timeout",
            confluent().read_timeout(zero).build().map(|_| ()),
        ),
        (
            "confluent, deadline",
            confluent().retry(no_deadline()).build().map(|_| ()),
        ),
        (
            "clickhouse, timeout",
            clickhouse().timeout(zero).build().map(|_| ()),
        ),
        (
            "clickhouse, connect timeout",
            clickhouse().connect_timeout(zero).build().map(|_| ()),
        ),
        (
            "clickhouse, read timeout",
            clickhouse().read_timeout(zero).build().map(|_| ()),
        ),
        (
            "clickhouse, deadline",
            clickhouse().retry(no_deadline()).build().map(|_| ()),
        ),
    ];
    let cells = builds.into_iter().map(|(name, built)| {
        let right = matches!(&built, Err(error) if error.kind() == ErrorKind::Config);
        let wrong = if right {
            Vec::new()
        } else {
            vec!["accepted".to_owned()]
        };
        let reported = built.map_or_else(
            |error| format!("{:?}", error.kind()),
            |()| "built".to_owned(),
        );
        Cell::new(name, async move {
            Finding {
                reported,
                truth: "no call can succeed".to_owned(),
                wrong,
            }
        })
    });
    check("manners, zeros", cells.collect()).await;
}
