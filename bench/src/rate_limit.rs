//! Measures many creates at a vendor's rate limit: the used share of the limit, and the number of 429 replies.
//!
//! Each run has a sandbox process of its own. There are four candidates:
//!
//! - `library`: `create_many` with its defaults.
//! - `4 processes`: the same in four processes with one credential, which share the limit by a file.
//! - `terraform`: what the vendor's Terraform provider does, ten at a time as Terraform has it.
//!   ClickHouse's waits 1 s, ±50 %, after each 429 and gives up after 81 s. Confluent's waits as long
//!   as `Retry-After` says and gives up after the 5th attempt.
//! - `backoff`: ten at a time, and after a 429 an exponential backoff from 1 s to 30 s with full jitter,
//!   whatever the server says; never gives up.
//!
//! Where the vendor's window is shortened, the waits are shortened by the same factor.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs, io,
    ops::Range,
    process::{Child, Command, Stdio},
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
    calls::Spread,
    readme::{Section, SummaryRow},
    sandbox::{Access, SandboxProcess},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;

/// The number of people.
const PEOPLE: usize = 2_000;

/// The number of concurrent requests of Terraform and of the blind backoff.
const CONCURRENCY: usize = 10;

const CANDIDATES: [&str; 4] = ["library", "4 processes", "terraform", "backoff"];

/// The number of processes that share a limit.
const PROCESSES: usize = 4;

/// The rate limit of a vendor in this benchmark.
struct Limit {
    vendor: &'static str,
    title: &'static str,
    requests: usize,
    window: Duration,
    headers: bool,
    /// The factor by which the window is shorter than the vendor's.
    speedup: f64,
}

const LIMITS: [Limit; 2] = [
    Limit {
        vendor: "clickhouse",
        title: "ClickHouse: 10 in 0.2 s, no headers",
        requests: 10,
        window: Duration::from_millis(200),
        headers: false,
        speedup: 50.0,
    },
    Limit {
        vendor: "confluent",
        title: "Confluent: 60 in 1 s, headers",
        requests: 60,
        window: Duration::from_secs(1),
        headers: true,
        speedup: 1.0,
    },
];

impl Limit {
    /// Returns the share of the limit that a run used: the least time in which the server allows as many creates, without
    /// waiting for the end of the last window, divided by the time of the run.
    fn share(&self, run: &Outcome) -> f64 {
        let windows = run.created.div_ceil(self.requests).saturating_sub(1);
        windows as f64 * self.window.as_secs_f64() / run.seconds
    }

    fn sandbox(&self) -> String {
        let limit = json!({
            "requests": self.requests,
            "window_ms": self.window.as_millis(),
            "headers": self.headers,
        });
        json!({ "limits": { self.vendor: limit } }).to_string()
    }
}

/// The result of one run.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    seconds: f64,
    /// The number of invited people according to the sandbox.
    created: usize,
    /// The number of replies with status 429.
    rejected: usize,
}

/// Runs every candidate at every limit, and returns the tables.
pub fn measure() -> Result<Section> {
    let mut outcomes: Vec<Vec<Outcome>> = Vec::new();
    outcomes.resize_with(LIMITS.len() * CANDIDATES.len(), Vec::new);
    for round in 1..=ROUNDS {
        // All runs are concurrent, because they mostly wait; each has a sandbox of its own.
        let mut runs = Vec::new();
        for limit in &LIMITS {
            for candidate in CANDIDATES {
                runs.push(Run::start(limit, candidate)?);
            }
        }
        for (run, outcomes) in runs.into_iter().zip(&mut outcomes) {
            outcomes.push(run.finish()?);
        }
        eprintln!("at the limit: round {round} of {ROUNDS}");
    }
    report(&outcomes)
}

fn report(outcomes: &[Vec<Outcome>]) -> Result<Section> {
    let mut text = String::from(
        "| limit | who | share of the permitted rate, median (least–most) | × library | 429s \
         | not invited |\n|---|---|---|---|---|---|\n",
    );
    let mut summary = Vec::new();
    for (limit, outcomes) in LIMITS.iter().zip(outcomes.chunks(CANDIDATES.len())) {
        for (candidate, runs) in CANDIDATES.iter().zip(outcomes) {
            let shares = Spread::of(runs.iter().map(|run| 100.0 * limit.share(run)));
            // Ratios are taken within a round, because other load affects all candidates of a round.
            let rounds = runs.iter().zip(&outcomes[0]);
            let ratio =
                Spread::of(rounds.map(|(run, library)| limit.share(run) / limit.share(library)));
            let rejected = Spread::of(runs.iter().map(|run| run.rejected as f64));
            let missing = runs
                .iter()
                .map(|run| PEOPLE.saturating_sub(run.created) as f64);
            let missing = Spread::of(missing);
            writeln!(
                text,
                "| {} | {candidate} | {:.1} % ({:.1}–{:.1}) | {:.2} | {:.0} | {:.0} |",
                limit.title,
                shares.median,
                shares.least,
                shares.most,
                ratio.median,
                rejected.median,
                missing.median,
            )?;
            summary.push(match *candidate {
                "library" => SummaryRow {
                    what: format!("share of the permitted rate, {}", limit.title),
                    measured: format!("{:.1} %, {:.0} × 429", shares.median, rejected.median),
                    target: "≥ 97 %, no 429",
                },
                "4 processes" => SummaryRow {
                    what: "the same by 4 processes of one credential, over a file".to_owned(),
                    measured: format!("{:.1} %, {:.0} × 429", shares.median, rejected.median),
                    target: "≥ 95 %, ≤ 4 × 429",
                },
                other => SummaryRow {
                    what: format!("the same by `{other}`"),
                    measured: format!(
                        "{:.1} %, {:.0} × 429, {:.0} not invited",
                        shares.median, rejected.median, missing.median
                    ),
                    target: "",
                },
            });
        }
    }
    writeln!(
        text,
        "\n{PEOPLE} people; {ROUNDS} rounds. The share is the least time that the limit leaves for \
         those invited, (⌈invited / requests⌉ − 1) windows, divided by the time taken."
    )?;
    Ok(Section { text, summary })
}

/// A running candidate with its sandbox.
struct Run {
    run: Child,
    _sandbox: SandboxProcess,
}

impl Run {
    fn start(limit: &Limit, candidate: &str) -> Result<Self> {
        let sandbox = SandboxProcess::start(&limit.sandbox())?;
        let run = Command::new(env::current_exe()?)
            .args(["at-limit", limit.vendor, candidate, &sandbox.access])
            .stdout(Stdio::piped())
            .spawn()?;
        let _sandbox = sandbox;
        Ok(Self { run, _sandbox })
    }

    fn finish(self) -> Result<Outcome> {
        let output = self.run.wait_with_output()?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// Invites everybody, and prints the result. This is the measured process.
pub async fn run(vendor: &str, candidate: &str, access_text: &str) -> Result<()> {
    let limit = LIMITS.iter().find(|limit| limit.vendor == vendor);
    let limit = limit.ok_or("an unknown vendor")?;
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
    let limit = LIMITS.iter().find(|limit| limit.vendor == vendor);
    let limit = limit.ok_or("an unknown vendor")?;
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
