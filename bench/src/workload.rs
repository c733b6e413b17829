//! The measured work: one case of one candidate, in a process of its own.

use std::{
    error::Error,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use clickhouse_cloud_api as peer;
use cpu_time::ProcessTime;
use futures::{StreamExt, TryStreamExt};
use org_invitations::{
    ClickHouse, ClickHouseBuilder, Confluent, InvitationId, InvitationProvider,
    InvitationProviderExt, ListQuery, NewInvitation,
};

use serde::de::DeserializeOwned;

use crate::{
    by_hand::{self, ByHand},
    by_hand_flattened,
    canned_server::{EMAIL, ID, PAGE},
    options, workos,
};

/// The measurement of one run.
#[derive(Clone, Copy, Debug)]
pub struct Measurement {
    /// CPU time per call, or per invitation of a list, or time to the first item, in nanoseconds.
    pub time: f64,
    /// The peak memory beyond that before the run, in KiB.
    pub memory: f64,
}

/// Runs `case` `times` times, or over a list of `times` invitations or pages.
pub fn run(
    candidate: &str,
    case: &str,
    times: usize,
    base: &str,
) -> Result<Measurement, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match candidate {
            "library" => library(case, times, base).await,
            "by-hand" => {
                by_hand::<by_hand::ClickHouseInvitation, by_hand::ConfluentInvitation>(
                    case, times, base,
                )
                .await
            }
            "by-hand-keeping" => {
                by_hand::<
                    by_hand_flattened::ClickHouseInvitation,
                    by_hand_flattened::ConfluentInvitation,
                >(case, times, base)
                .await
            }
            "peer" => with_peer(case, times, base).await,
            "workos" => workos::by_the_kit(case, times, base).await,
            "workos-by-hand" => workos::by_hand(case, times, base).await,
            option => options::run(option, case, times, base).await,
        }
    })
}

/// Returns an HTTP client that ignores proxies of the environment.
pub fn http() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().build()
}

/// The CPU time and the memory at the start of a measurement.
pub struct Baseline {
    cpu: ProcessTime,
    memory: f64,
}

impl Baseline {
    pub fn now() -> Self {
        Self {
            cpu: ProcessTime::now(),
            memory: process_status("VmRSS:"),
        }
    }

    pub fn measurement(&self, divided_by: usize) -> Measurement {
        Measurement {
            time: self.cpu.elapsed().as_nanos() as f64 / divided_by.max(1) as f64,
            memory: (process_status("VmHWM:") - self.memory).max(0.0),
        }
    }
}

/// Returns a value of `/proc/self/status`, or 0.
fn process_status(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0.0)
}

/// Runs the body once to warm up, and then measures `times` runs.
macro_rules! calls {
    ($times:expr, $body:expr) => {{
        $body;
        let start = $crate::workload::Baseline::now();
        for _ in 0..$times {
            $body;
        }
        start.measurement($times)
    }};
}
pub(crate) use calls;

/// As `calls`, but measures wall time.
macro_rules! first {
    ($times:expr, $body:expr) => {{
        assert!($body.is_some());
        let (start, clock) = (Baseline::now(), Instant::now());
        for _ in 0..$times {
            assert!(black_box($body).is_some());
        }
        let time = clock.elapsed().as_nanos() as f64 / $times as f64;
        Measurement {
            time,
            ..start.measurement($times)
        }
    }};
}

/// A rate limit that never delays a call.
pub const RATE: (usize, Duration) = (100_000, Duration::from_millis(1));

/// Sets up the provider of an organisation whose id is the number of its invitations.
pub fn clickhouse(invitations: usize, base: &str) -> ClickHouseBuilder {
    ClickHouse::builder(invitations.to_string())
        .api_key("key", "secret")
        .base_url(base)
        .rate_limit(RATE.0, RATE.1)
        .max_body_bytes(1 << 30)
}

/// Makes one call `times` times.
pub async fn single_calls<P: InvitationProvider + ?Sized>(
    provider: &P,
    case: &str,
    id: &str,
    times: usize,
) -> Result<Measurement, Box<dyn Error>> {
    let id: InvitationId = id.parse()?;
    Ok(match case {
        "get" => calls!(times, black_box(provider.get(&id).await?)),
        "create" => calls!(times, {
            let new = NewInvitation::new(EMAIL).legacy_role("developer");
            black_box(provider.create(new).await?)
        }),
        "delete" => calls!(times, provider.delete(&id).await?),
        _ => return Err(format!("unknown call {case}").into()),
    })
}

async fn library(case: &str, times: usize, base: &str) -> Result<Measurement, Box<dyn Error>> {
    // Only one provider is created, because its memory would be counted.
    let provider: Box<dyn InvitationProvider> = if matches!(case, "pages" | "first-page") {
        Box::new(
            Confluent::builder()
                .api_key("key", "secret")
                .base_url(base)
                .rate_limit(RATE.0, RATE.1)
                .build()?,
        )
    } else {
        Box::new(clickhouse(times, base).build()?)
    };
    Ok(match case {
        "list" => {
            provider.get(&ID.parse()?).await?;
            let start = Baseline::now();
            let page = provider.list_page(&ListQuery::new(), None).await?;
            let measurement = start.measurement(times);
            assert_eq!(page.items.len(), times);
            measurement
        }
        "pages" => {
            provider.list_page(&ListQuery::new(), None).await?;
            let start = Baseline::now();
            let list = provider.list(ListQuery::new()).take(times * PAGE);
            let count = list
                .try_fold(0, async |count, invitation| {
                    black_box(invitation);
                    Ok(count + 1)
                })
                .await?;
            assert_eq!(count, times * PAGE);
            start.measurement(count)
        }
        "first-page" => first!(times, provider.list(ListQuery::new()).next().await),
        "first-list" => first!(20, provider.list(ListQuery::new()).next().await),
        call => single_calls(&*provider, call, ID, times).await?,
    })
}

async fn by_hand<ClickHouse, Confluent>(
    case: &str,
    times: usize,
    base: &str,
) -> Result<Measurement, Box<dyn Error>>
where
    ClickHouse: DeserializeOwned,
    Confluent: DeserializeOwned,
{
    let client = ByHand::new(http()?, base);
    let organization = times.to_string();
    Ok(match case {
        "get" => calls!(times, black_box(client.get(&organization, ID).await?)),
        "create" => calls!(times, {
            black_box(client.create(&organization, EMAIL, "developer").await?)
        }),
        "delete" => calls!(times, client.delete(&organization, ID).await?),
        "list" => {
            client.get(&organization, ID).await?;
            let start = Baseline::now();
            let items = client.list::<ClickHouse>(&organization).await?;
            let measurement = start.measurement(times);
            assert_eq!(items.len(), times);
            measurement
        }
        "pages" => {
            client.page::<Confluent>(None).await?;
            let start = Baseline::now();
            let (mut count, mut token) = (0, None);
            for _ in 0..times {
                let (items, next) = client.page::<Confluent>(token.as_deref()).await?;
                for item in items {
                    black_box(item);
                    count += 1;
                }
                token = next;
            }
            assert_eq!(count, times * PAGE);
            start.measurement(count)
        }
        "first-page" => first!(times, {
            client.page::<Confluent>(None).await?.0.into_iter().next()
        }),
        "first-list" => first!(20, {
            let items = client.list::<ClickHouse>(&organization).await?;
            items.into_iter().next()
        }),
        _ => return Err(format!("unknown case {case}").into()),
    })
}

async fn with_peer(case: &str, times: usize, base: &str) -> Result<Measurement, Box<dyn Error>> {
    let client = peer::Client::with_http_client(http()?, base, "key", "secret");
    let organization = times.to_string();
    Ok(match case {
        "get" => calls!(
            times,
            black_box(client.invitation_get(&organization, ID).await?)
        ),
        "create" => calls!(times, {
            let new = peer::models::InvitationPostRequest {
                email: EMAIL.to_owned(),
                ..Default::default()
            };
            black_box(client.invitation_create(&organization, &new).await?)
        }),
        "delete" => calls!(
            times,
            black_box(client.invitation_delete(&organization, ID).await?)
        ),
        "list" => {
            client.invitation_get(&organization, ID).await?;
            let start = Baseline::now();
            let items = client.invitation_get_list(&organization).await?.result;
            let measurement = start.measurement(times);
            assert_eq!(items.map(|items| items.len()), Some(times));
            measurement
        }
        _ => return Err(format!("the peer has no {case}").into()),
    })
}
