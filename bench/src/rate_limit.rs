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
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::json;

use crate::{
    at_limit::Outcome,
    readme::{Section, SummaryRow},
    sandbox::SandboxProcess,
    spread::Spread,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often every candidate runs.
pub const ROUNDS: usize = 3;

/// The number of people.
pub const PEOPLE: usize = 2_000;

const CANDIDATES: [&str; 4] = ["library", "4 processes", "terraform", "backoff"];

/// The rate limit of a vendor in this benchmark.
pub struct Limit {
    pub vendor: &'static str,
    title: &'static str,
    pub requests: usize,
    pub window: Duration,
    headers: bool,
    /// The factor by which the window is shorter than the vendor's.
    pub speedup: f64,
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
    pub fn of(vendor: &str) -> Result<&'static Self> {
        let limit = LIMITS.iter().find(|limit| limit.vendor == vendor);
        Ok(limit.ok_or("an unknown vendor")?)
    }

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

/// Runs every candidate at every limit, and returns the tables.
pub fn measure(rounds: usize) -> Result<Section> {
    let mut outcomes: Vec<Vec<Outcome>> = Vec::new();
    outcomes.resize_with(LIMITS.len() * CANDIDATES.len(), Vec::new);
    for round in 1..=rounds {
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
        eprintln!("at the limit: round {round} of {rounds}");
    }
    report(&outcomes, rounds)
}

fn report(outcomes: &[Vec<Outcome>], rounds: usize) -> Result<Section> {
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
        "\n{PEOPLE} people; rounds: {rounds}. The share is the least time that the limit leaves for \
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
