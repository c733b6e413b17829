//! Many creates at a vendor's rate limit: how much of it is used, and how often the server refuses.
//!
//! Against the sandbox, in a process of its own for each run. The three ways to do the work:
//!
//! - `library`: `create_many` with its defaults.
//! - `terraform`: what the vendor's Terraform provider does, ten at a time as Terraform has it.
//!   ClickHouse's waits 1 s, ±50 %, after each 429 and gives up after 81 s. Confluent's waits as long
//!   as `Retry-After` says and gives up after the 5th attempt.
//! - `backoff`: ten at a time, and after a 429 an exponential backoff from 1 s to 30 s with full jitter,
//!   whatever the server says; never gives up.
//!
//! Where the vendor's window is shortened, these waits are, by the same factor.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use org_invitations::{
    BulkOptions, Created, InvitationProvider, InvitationProviderExt, NewInvitation,
};
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::json;

use crate::{
    report::Spread,
    sandbox::{Access, Process},
    section::{Part, SummaryRow},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;

/// How many people are invited.
const PEOPLE: usize = 2_000;

/// How many requests Terraform has under way, and how many the blind backoff.
const CONCURRENCY: usize = 10;

const SUBJECTS: [&str; 3] = ["library", "terraform", "backoff"];

/// What a vendor permits, here.
struct Limit {
    vendor: &'static str,
    title: &'static str,
    requests: usize,
    window: Duration,
    headers: bool,
    /// How much shorter than the vendor's own the window is.
    shortened: f64,
}

const LIMITS: [Limit; 2] = [
    Limit {
        vendor: "clickhouse",
        title: "ClickHouse: 10 in 0.2 s, no headers",
        requests: 10,
        window: Duration::from_millis(200),
        headers: false,
        shortened: 50.0,
    },
    Limit {
        vendor: "confluent",
        title: "Confluent: 60 in 1 s, headers",
        requests: 60,
        window: Duration::from_secs(1),
        headers: true,
        shortened: 1.0,
    },
];

impl Limit {
    /// How much of the limit a run used: the least time in which the server lets as many creates pass,
    /// of which the last window need not end, as a share of the time it took.
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

/// What one run came to.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    seconds: f64,
    /// How many people are invited, as the sandbox has it.
    created: usize,
    /// How many requests the sandbox answered with 429.
    refused: usize,
}

/// Runs every subject at every limit; gives the tables.
pub fn measure() -> Result<Part> {
    let mut outcomes: Vec<Vec<Outcome>> = Vec::new();
    outcomes.resize_with(LIMITS.len() * SUBJECTS.len(), Vec::new);
    for round in 1..=ROUNDS {
        // All at once, each with a sandbox of its own: they do little but wait.
        let mut runs = Vec::new();
        for limit in &LIMITS {
            for subject in SUBJECTS {
                runs.push(Run::start(limit, subject)?);
            }
        }
        for (run, outcomes) in runs.into_iter().zip(&mut outcomes) {
            outcomes.push(run.finish()?);
        }
        eprintln!("at the limit: round {round} of {ROUNDS}");
    }
    report(&outcomes)
}

fn report(outcomes: &[Vec<Outcome>]) -> Result<Part> {
    let mut text = String::from(
        "| limit | who | share of the permitted rate, median (least–most) | × library | 429s \
         | not invited |\n|---|---|---|---|---|---|\n",
    );
    let mut summary = Vec::new();
    for (limit, outcomes) in LIMITS.iter().zip(outcomes.chunks(SUBJECTS.len())) {
        for (subject, runs) in SUBJECTS.iter().zip(outcomes) {
            let shares = Spread::of(runs.iter().map(|run| 100.0 * limit.share(run)));
            // Of each round, because what disturbs one subject disturbs the others as well.
            let rounds = runs.iter().zip(&outcomes[0]);
            let ratio =
                Spread::of(rounds.map(|(run, library)| limit.share(run) / limit.share(library)));
            let refused = Spread::of(runs.iter().map(|run| run.refused as f64));
            let missing = runs
                .iter()
                .map(|run| PEOPLE.saturating_sub(run.created) as f64);
            let missing = Spread::of(missing);
            writeln!(
                text,
                "| {} | {subject} | {:.1} % ({:.1}–{:.1}) | {:.2} | {:.0} | {:.0} |",
                limit.title,
                shares.median,
                shares.least,
                shares.most,
                ratio.median,
                refused.median,
                missing.median,
            )?;
            summary.push(match *subject {
                "library" => SummaryRow {
                    what: format!("share of the permitted rate, {}", limit.title),
                    measured: format!("{:.1} %, {:.0} × 429", shares.median, refused.median),
                    target: "≥ 97 %, no 429",
                },
                other => SummaryRow {
                    what: format!("the same by `{other}`"),
                    measured: format!(
                        "{:.1} %, {:.0} × 429, {:.0} not invited",
                        shares.median, refused.median, missing.median
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
    Ok(Part { text, summary })
}

/// A subject at work on a sandbox of its own.
struct Run {
    work: Child,
    _sandbox: Process,
}

impl Run {
    fn start(limit: &Limit, subject: &str) -> Result<Self> {
        let sandbox = Process::start(&limit.sandbox())?;
        let work = Command::new(env::current_exe()?)
            .args(["at-limit", limit.vendor, subject, &sandbox.access])
            .stdout(Stdio::piped())
            .spawn()?;
        let _sandbox = sandbox;
        Ok(Self { work, _sandbox })
    }

    fn finish(self) -> Result<Outcome> {
        let output = self.work.wait_with_output()?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// Invites everybody; prints what it came to. This is the process that is measured.
pub async fn work(vendor: &str, subject: &str, access: &str) -> Result<()> {
    let limit = LIMITS.iter().find(|limit| limit.vendor == vendor);
    let limit = limit.ok_or("an unknown vendor")?;
    let access = Access::read(access)?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let start = Instant::now();
    match subject {
        "library" => library(limit, &access).await?,
        "terraform" | "backoff" => {
            let waits = match (subject, vendor) {
                ("backoff", _) => Waits::Blind,
                (_, "clickhouse") => Waits::Constant,
                _ => Waits::RetryAfter,
            };
            let (http, access) = (&http, &access);
            let creates = (0..PEOPLE).map(|person| {
                let request = request(limit, access, http, person);
                waits.persist(request, limit.shortened)
            });
            // Who is not invited in the end, the sandbox knows.
            let done = stream::iter(creates).buffer_unordered(CONCURRENCY);
            done.for_each(|_| async {}).await;
        }
        _ => return Err("an unknown subject".into()),
    }
    let seconds = start.elapsed().as_secs_f64();
    let ledger: Ledger = http
        .get(format!("{}/_sandbox/ledger", access.url))
        .send()
        .await?
        .json()
        .await?;
    let refused = ledger.requests.iter().filter(|it| it.status == Some(429));
    let outcome = Outcome {
        seconds,
        created: ledger.commits.len(),
        refused: refused.count(),
    };
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

/// As much of the sandbox's ledger as is counted.
#[derive(Deserialize)]
struct Ledger {
    requests: Vec<Answered>,
    commits: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Answered {
    status: Option<u16>,
}

fn email(person: usize) -> String {
    format!("person{person}@example.com")
}

async fn library(limit: &Limit, access: &Access) -> Result<()> {
    let provider: Box<dyn InvitationProvider> = if limit.vendor == "clickhouse" {
        // Nothing tells of the shortened window.
        let builder = access.clickhouse();
        Box::new(builder.rate_limit(limit.requests, limit.window).build()?)
    } else {
        Box::new(access.confluent().build()?)
    };
    let clickhouse = provider.capabilities().legacy_role;
    let people = (0..PEOPLE).map(move |person| {
        let new = NewInvitation::new(email(person));
        if clickhouse {
            new.legacy_role("developer")
        } else {
            new
        }
    });
    let mut outcomes = provider.create_many(people, BulkOptions::default());
    while let Some(outcome) = outcomes.next().await {
        if !matches!(outcome.result, Created::Created(_)) {
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

/// What is done about a 429.
#[derive(Clone, Copy)]
enum Waits {
    /// As ClickHouse's Terraform provider.
    Constant,
    /// As Confluent's Terraform provider.
    RetryAfter,
    /// Exponential backoff with full jitter.
    Blind,
}

impl Waits {
    /// Sends until something other than a 429 is the answer, or it gives up.
    async fn persist(self, request: RequestBuilder, shortened: f64) -> Result<()> {
        let start = Instant::now();
        for attempt in 1.. {
            let request = request.try_clone().ok_or("the body is a stream")?;
            let response = request.send().await?;
            let told = response.headers().get(RETRY_AFTER).cloned();
            let status = response.status();
            // Reading the body keeps the connection.
            response.bytes().await?;
            if status != StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            let seconds = match self {
                Self::Constant if start.elapsed().as_secs_f64() * shortened > 81.0 => break,
                Self::Constant => 0.5 + fastrand::f64(),
                Self::RetryAfter if attempt == 5 => break,
                Self::RetryAfter => match told {
                    Some(told) => told.to_str()?.parse()?,
                    None => f64::from(1 << (attempt - 1)),
                },
                Self::Blind => fastrand::f64() * f64::from(1 << (attempt - 1).min(5)).min(30.0),
            };
            tokio::time::sleep(Duration::from_secs_f64(seconds / shortened)).await;
        }
        Ok(())
    }
}
