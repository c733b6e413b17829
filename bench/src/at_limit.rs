//! Invites many people at a vendor's rate limit, as one of the candidates that `rate_limit` compares.

use std::{
    env,
    error::Error,
    fs, io,
    ops::Range,
    process::Command,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use org_invitations::{
    BulkOptions, CreateResult, InvitationProvider, InvitationProviderExt, NewInvitation,
    SharedRateLimit,
};
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::json;

use crate::{
    rate_limit::{Limit, PEOPLE},
    sandbox::Access,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The number of concurrent requests of Terraform and of the blind backoff.
const CONCURRENCY: usize = 10;

/// The number of processes that share a limit.
const PROCESSES: usize = 4;

/// The result of one run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub seconds: f64,
    /// The number of invited people according to the sandbox.
    pub created: usize,
    /// The number of replies with status 429.
    pub rejected: usize,
}

/// Invites everybody, and prints the result. This is the measured process.
pub async fn run(vendor: &str, candidate: &str, access_text: &str) -> Result<()> {
    let limit = Limit::of(vendor)?;
    let access = Access::read(access_text)?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let start = Instant::now();
    match candidate {
        "library" => library(limit, &access, None, 0..PEOPLE).await?,
        "4 processes" => four_processes(vendor, access_text)?,
        "terraform" | "backoff" => {
            let strategy = match (candidate, vendor) {
                ("backoff", _) => RetryStrategy::Blind,
                (_, "clickhouse") => RetryStrategy::Constant,
                _ => RetryStrategy::RetryAfter,
            };
            let (http, access) = (&http, &access);
            let creates = (0..PEOPLE).map(|person| {
                let request = request(limit, access, http, person);
                strategy.send_until_accepted(request, limit.speedup)
            });
            // Failures are counted from the sandbox's ledger.
            let done = stream::iter(creates).buffer_unordered(CONCURRENCY);
            done.for_each(|_| async {}).await;
        }
        _ => return Err("an unknown candidate".into()),
    }
    let seconds = start.elapsed().as_secs_f64();
    let ledger: Ledger = http
        .get(format!("{}/_sandbox/ledger", access.url))
        .send()
        .await?
        .json()
        .await?;
    let rejected = ledger.requests.iter().filter(|it| it.status == Some(429));
    let outcome = Outcome {
        seconds,
        created: ledger.commits.len(),
        rejected: rejected.count(),
    };
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

/// The parts of the sandbox's ledger that are counted.
#[derive(Deserialize)]
struct Ledger {
    requests: Vec<LedgerRequest>,
    commits: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct LedgerRequest {
    status: Option<u16>,
}

fn email(person: usize) -> String {
    format!("person{person}@example.com")
}

/// Runs a part of the candidate `4 processes`, and waits for it.
pub async fn run_process(vendor: &str, access: &str, file: &str, number: usize) -> Result<()> {
    let limit = Limit::of(vendor)?;
    let part = PEOPLE / PROCESSES;
    let people = number * part..(number + 1) * part;
    let shared = SharedRateLimit::file(file);
    library(limit, &Access::read(access)?, Some(shared), people).await
}

fn four_processes(vendor: &str, access: &str) -> Result<()> {
    let name = format!("org-invitations-bench-{}.limit", std::process::id());
    let file = env::temp_dir().join(name);
    let place = file.to_str().ok_or("the temporary folder is not UTF-8")?;
    let start = |number: usize| {
        let mut command = Command::new(env::current_exe()?);
        command.args([
            "at-limit",
            vendor,
            "process",
            access,
            place,
            &number.to_string(),
        ]);
        command.spawn()
    };
    let processes: Vec<_> = (0..PROCESSES).map(start).collect::<io::Result<_>>()?;
    for mut process in processes {
        if !process.wait()?.success() {
            return Err("a process failed".into());
        }
    }
    Ok(fs::remove_file(file)?)
}

async fn library(
    limit: &Limit,
    access: &Access,
    shared: Option<SharedRateLimit>,
    people: Range<usize>,
) -> Result<()> {
    let provider: Box<dyn InvitationProvider> = if limit.vendor == "clickhouse" {
        // No header reports the shortened window.
        let builder = access.clickhouse();
        let builder = builder.rate_limit(limit.requests, limit.window);
        Box::new(match shared {
            Some(shared) => builder.shared_rate_limit(shared).build()?,
            None => builder.build()?,
        })
    } else {
        let builder = access.confluent();
        Box::new(match shared {
            Some(shared) => builder.shared_rate_limit(shared).build()?,
            None => builder.build()?,
        })
    };
    let clickhouse = provider.capabilities().legacy_role;
    let people = people.map(move |person| {
        let new = NewInvitation::new(email(person));
        if clickhouse {
            new.legacy_role("developer")
        } else {
            new
        }
    });
    let mut outcomes = provider.create_many(people, BulkOptions::default());
    while let Some(outcome) = outcomes.next().await {
        if !matches!(outcome.result, CreateResult::Created(_)) {
            eprintln!("{outcome:?}");
        }
    }
    Ok(())
}

fn request(limit: &Limit, access: &Access, http: &Client, person: usize) -> RequestBuilder {
    let email = email(person);
    let (path, key, body) = if limit.vendor == "clickhouse" {
        let key = &access.clickhouse;
        let path = format!("/v1/organizations/{}/invitations", key.organization_id);
        let body = json!({ "email": email, "role": "developer" });
        (path, key, body)
    } else {
        let body = json!({ "email": email });
        ("/iam/v2/invitations".to_owned(), &access.confluent, body)
    };
    let request = http.post(format!("{}{path}", access.url));
    let request = request.basic_auth(&key.api_key, Some(&key.api_secret));
    request.json(&body)
}

/// The reaction to a 429.
#[derive(Clone, Copy)]
enum RetryStrategy {
    /// The strategy of ClickHouse's Terraform provider.
    Constant,
    /// The strategy of Confluent's Terraform provider.
    RetryAfter,
    /// Exponential backoff with full jitter.
    Blind,
}

impl RetryStrategy {
    /// Sends until the reply is not a 429, or the strategy gives up.
    async fn send_until_accepted(self, request: RequestBuilder, speedup: f64) -> Result<()> {
        let start = Instant::now();
        for attempt in 1.. {
            let request = request.try_clone().ok_or("the body is a stream")?;
            let response = request.send().await?;
            let retry_after = response.headers().get(RETRY_AFTER).cloned();
            let status = response.status();
            // The connection is reused only if the body is read.
            response.bytes().await?;
            if status != StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            let seconds = match self {
                Self::Constant if start.elapsed().as_secs_f64() * speedup > 81.0 => break,
                Self::Constant => 0.5 + fastrand::f64(),
                Self::RetryAfter if attempt == 5 => break,
                Self::RetryAfter => match retry_after {
                    Some(retry_after) => retry_after.to_str()?.parse()?,
                    None => f64::from(1 << (attempt - 1)),
                },
                Self::Blind => fastrand::f64() * f64::from(1 << (attempt - 1).min(5)).min(30.0),
            };
            tokio::time::sleep(Duration::from_secs_f64(seconds / speedup)).await;
        }
        Ok(())
    }
}
