//! Where the library's own time goes, so that a regression is seen at its source: reading and converting
//! lists, the rate limiter, and plans.
//!
//! Lists are read over a connection to this machine, because only providers read them. That takes as long
//! as one `get`, which is measured as well.

use std::{
    error::Error,
    io::{self, BufRead, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use org_invitations::{
    Capabilities, ClickHouse, Confluent, Invitation, InvitationProvider, ListQuery, NewInvitation,
    Plan, PlanOptions,
};
use tokio::{runtime::Runtime, time::Instant};

use self::http::limiter::{Limiter, Rate};

/// The limiter is not public, so it is compiled once more here.
#[path = "../src/http"]
mod http {
    #[allow(dead_code)]
    pub(crate) mod limiter;

    pub(crate) mod timeout {
        use tokio::time::{Instant, error::Elapsed};

        pub(crate) async fn timeout_at<T>(
            deadline: impl FnOnce() -> Instant,
            work: impl Future<Output = T>,
        ) -> Result<T, Elapsed> {
            tokio::time::timeout_at(deadline(), work).await
        }
    }
}

/// What the limiter needs of the rest of the library.
mod call {
    #[derive(Clone, Copy, Default, PartialEq)]
    pub(crate) enum CallPriority {
        #[default]
        Interactive,
        #[allow(dead_code)] // No bulk call is measured.
        Bulk,
    }

    #[derive(Clone, Copy)]
    pub(crate) struct RateLimit {
        pub limit: Option<u64>,
        pub remaining: Option<u64>,
        pub reset: Option<std::time::Duration>,
    }
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The invitations in ClickHouse's list.
const WHOLE: u64 = 10_000;

/// The invitations on a page of Confluent's.
const PAGE: u64 = 99;

/// A rate that never makes a call wait.
const REQUESTS: usize = 100_000;
const WINDOW: Duration = Duration::from_millis(1);

fn reading(criterion: &mut Criterion) -> Result<()> {
    let base = serve()?;
    let runtime = runtime()?;
    let clickhouse = ClickHouse::builder("organization")
        .api_key("key", "secret")
        .base_url(base.as_str())
        .rate_limit(REQUESTS, WINDOW)
        .build()?;
    let confluent = Confluent::builder()
        .api_key("key", "secret")
        .base_url(base.as_str())
        .rate_limit(REQUESTS, WINDOW)
        .build()?;
    let id = "i-1".parse()?;
    criterion.bench_function("get/clickhouse", |bencher| {
        bencher.iter(|| runtime.block_on(clickhouse.get(&id)).map(drop));
    });
    let all = ListQuery::new();
    let lists: [(&str, &dyn InvitationProvider, u64); 2] = [
        ("clickhouse", &clickhouse, WHOLE),
        ("confluent", &confluent, PAGE),
    ];
    let mut group = criterion.benchmark_group("decode and convert");
    for (name, provider, count) in lists {
        let list = || runtime.block_on(provider.list_page(&all, None));
        assert_eq!(list()?.items.len() as u64, count);
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| bencher.iter(|| list().map(drop)));
    }
    Ok(())
}

fn limiting(criterion: &mut Criterion) -> Result<()> {
    let runtime = runtime()?;
    let rate = Rate::at_most(REQUESTS, WINDOW);
    let told = call::RateLimit {
        limit: Some(REQUESTS as u64),
        remaining: Some(REQUESTS as u64),
        reset: Some(WINDOW),
    };
    let mut group = criterion.benchmark_group("limiter");
    for (name, published, fixed, said) in [
        ("fixed rate", None, &[rate][..], None),
        ("learning", Some(rate), &[], Some(told)),
    ] {
        let limiter = Limiter::new(published, fixed, 16, WINDOW);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let deadline = Instant::now() + 60 * WINDOW;
                let permit = runtime.block_on(limiter.acquire(deadline, Default::default()));
                permit.map(|permit| permit.complete(said, None)).is_ok()
            });
        });
    }
    Ok(())
}

fn planning(criterion: &mut Criterion) -> Result<()> {
    let person = |index: u64| format!("person{index}@example.com");
    let roster = (0..WHOLE).map(|index| NewInvitation::new(person(index)));
    let roster: Vec<_> = roster.collect();
    // Half of the roster is there, and as many that are not on it.
    let there = (WHOLE / 2..WHOLE * 3 / 2).map(|index| {
        let id = format!("i-{index}").parse()?;
        Ok(Invitation::new(id, person(index)))
    });
    let there = there.collect::<Result<Vec<_>>>()?;
    let (capabilities, options) = (Capabilities::default(), PlanOptions::default().prune(true));
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(WHOLE));
    group.bench_function("10 000 rows", |bencher| {
        bencher.iter_batched(
            || (roster.clone(), there.clone()),
            |(roster, there)| Plan::new(roster, there, &capabilities, &options),
            BatchSize::LargeInput,
        );
    });
    Ok(())
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Answers on this machine until the process ends; gives where.
fn serve() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away ends its connection.
            thread::spawn(move || answer(stream));
        }
    });
    Ok(base)
}

/// The path says which of the answers it is.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let (page, list, one) = (confluent_page(), clickhouse_list(), clickhouse(0));
    let one = format!(r#"{{"result":{one}}}"#);
    while let Some(request) = lines.next().transpose()? {
        while lines
            .next()
            .transpose()?
            .is_some_and(|line| !line.is_empty())
        {}
        let body = if request.contains("/iam/") {
            &page
        } else if request.contains("/i-1") {
            &one
        } else {
            &list
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
        write!(stream, "{head}: {}\r\n\r\n{body}", body.len())?;
    }
    Ok(())
}

fn clickhouse_list() -> String {
    let items: Vec<_> = (0..WHOLE).map(clickhouse).collect();
    format!(r#"{{"status":200,"result":[{}]}}"#, items.join(","))
}

fn clickhouse(index: u64) -> String {
    format!(
        r#"{{"id":"00000000-0000-4000-8000-{index:012}","email":"person{index}@example.com",
"role":"developer","createdAt":"2026-03-01T10:00:00.123Z","expireAt":"2199-03-08T10:00:00.123Z",
"assignedRoles":[{{"roleId":"r-{index}","roleName":"Developer","roleType":"system"}}]}}"#
    )
}

fn confluent_page() -> String {
    let items: Vec<_> = (0..PAGE).map(confluent).collect();
    format!(
        r#"{{"api_version":"iam/v2","kind":"InvitationList","metadata":{{"next":""}},"data":[{}]}}"#,
        items.join(",")
    )
}

fn confluent(index: u64) -> String {
    let url = "https://api.confluent.cloud/iam/v2";
    let person = |id: &str| {
        format!(
            r#"{{"id":"{id}","related":"{url}/users/{id}",
"resource_name":"crn://confluent.cloud/user={id}"}}"#
        )
    };
    let (user, creator) = (person(&format!("u-{index}")), person("u-1"));
    format!(
        r#"{{"api_version":"iam/v2","kind":"Invitation","id":"i-{index}",
"metadata":{{"self":"{url}/invitations/i-{index}","resource_name":"crn://confluent.cloud/invitation=i-{index}",
"created_at":"2026-03-01T10:00:00.123456Z","updated_at":"2026-03-01T10:00:00.123456Z"}},
"email":"person{index}@example.com","auth_type":"AUTH_TYPE_SSO","status":"INVITE_STATUS_SENT",
"expires_at":"2026-03-08T10:00:00.123456Z","user":{user},"creator":{creator}}}"#
    )
}

fn benches(criterion: &mut Criterion) {
    for measure in [reading, limiting, planning] {
        measure(criterion).expect("everything that is measured works");
    }
}

criterion_group!(hot_paths, benches);
criterion_main!(hot_paths);
