//! Time and memory against the number of rows: making a plan, and listing.
//!
//! Each point is a process of its own; lists come from the sandbox, in another process. What is timed:
//!
//! - `plan`: `Plan::new` on a roster and a list of n each, half of them the same people, with `prune`.
//! - `list, one body`: the stream over ClickHouse's n invitations, which come in one body.
//! - `list, pages`: the stream over Confluent's n invitations, which come in pages of 99.
//! - `command`: all of `org-invitations plan` with a roster and a list of n each, from Confluent.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use futures::TryStreamExt;
use org_invitations::{
    Action, Capabilities, Invitation, InvitationProvider, InvitationProviderExt, InvitationStatus,
    ListQuery, NewInvitation, Plan, PlanOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    plot::{Chart, Figure, thousands},
    report::{Spread, machine},
    sandbox::{Access, Process},
    section::{Part, SummaryRow, repository},
    usage::{self, Taken, Usage},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// What later sizes are compared with: before, what does not grow is part of the time.
const REFERENCE: usize = 1;

const SUBJECTS: [&str; 4] = ["plan", "list, one body", "list, pages", "command"];

/// What one run took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Point {
    /// CPU time, in milliseconds.
    cpu: f64,
    /// The most memory that was held, beyond what the process had before, in MiB.
    memory: f64,
}

impl Point {
    /// What this process took since it had taken `time` and `memory`.
    fn since(time: Taken, memory: Taken) -> Result<Self> {
        let now = usage::so_far()?;
        Ok(Self {
            cpu: 1e3 * (now.cpu_seconds - time.cpu_seconds),
            memory: now.peak_mib - memory.peak_mib,
        })
    }
}

/// Runs every subject at every size; draws what came out.
pub fn measure() -> Result<Part> {
    let directory = env::temp_dir().join(format!("org-invitations-bench-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let rows = points(&directory);
    fs::remove_dir_all(&directory)?;
    report(&rows?)
}

/// Of each subject, at each size, all rounds.
fn points(directory: &Path) -> Result<Vec<Vec<Vec<Point>>>> {
    let mut all = vec![vec![Vec::new(); SIZES.len()]; SUBJECTS.len()];
    for (size, n) in SIZES.iter().enumerate() {
        let sandbox = Process::start(&json!({ "seed": n }).to_string())?;
        let roster = directory.join("roster.csv");
        fs::write(&roster, csv(*n))?;
        for round in 1..=ROUNDS {
            for (subject, points) in SUBJECTS.iter().zip(&mut all) {
                let point = match *subject {
                    "command" => command(&sandbox.access, &roster)?,
                    subject => in_process(subject, *n, &sandbox.access)?,
                };
                points[size].push(point);
            }
            eprintln!("growth: {n} rows, round {round} of {ROUNDS}");
        }
    }
    Ok(all)
}

/// The people from the middle of the list on, as many as the list has.
fn csv(n: usize) -> String {
    let people = (n / 2..n / 2 + n).map(|person| format!("{}\n", address(person)));
    "email\n".to_owned() + &people.collect::<String>()
}

/// As the sandbox has them.
fn address(person: usize) -> String {
    format!("user{}@seeded.example", person + 1)
}

fn in_process(subject: &str, n: usize, access: &str) -> Result<Point> {
    let output = Command::new(env::current_exe()?)
        .args(["grow", subject, &n.to_string(), access])
        .stderr(Stdio::inherit())
        .output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The command, set up by the environment alone.
fn command(access: &str, roster: &Path) -> Result<Point> {
    let access = Access::read(access)?;
    let output = Command::new(env::current_exe()?)
        .arg("usage")
        .arg(command_path()?)
        .args(["-p", "confluent", "plan", "--prune", "-o", "jsonl"])
        .arg(roster)
        .env("XDG_CONFIG_HOME", roster.with_file_name("no-profiles"))
        .env("CONFLUENT_CLOUD_ENDPOINT", &access.url)
        .env("CONFLUENT_CLOUD_API_KEY", &access.confluent.api_key)
        .env("CONFLUENT_CLOUD_API_SECRET", &access.confluent.api_secret)
        .output()?;
    let usage: Usage = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(Point {
        cpu: 1e3 * usage.cpu_seconds,
        memory: usage.peak_mib,
    })
}

/// Where `cargo build --release -p org-invitations-cli` puts it: beside this program.
fn command_path() -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name("org-invitations");
    if !path.exists() {
        return Err("build the command first: just bench does".into());
    }
    Ok(path)
}

/// One point, in this process; prints it.
pub async fn grow(subject: &str, n: usize, access: &str) -> Result<()> {
    let access = Access::read(access)?;
    let taken = match subject {
        "plan" => plan(n)?,
        "list, one body" => {
            let provider = access.clickhouse().max_body_bytes(1 << 30).build()?;
            list(&provider, n).await?
        }
        "list, pages" => list(&access.confluent().build()?, n).await?,
        _ => return Err("an unknown subject".into()),
    };
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

fn plan(n: usize) -> Result<Point> {
    let before = usage::so_far()?;
    let roster: Vec<_> = (n / 2..n / 2 + n)
        .map(|person| NewInvitation::new(address(person)))
        .collect();
    let mut there = Vec::new();
    for person in 0..n {
        let id = format!("i-{person}").parse()?;
        let mut invitation = Invitation::new(id, address(person));
        invitation.status = Some(InvitationStatus::Sent);
        there.push(invitation);
    }
    let start = usage::so_far()?;
    let options = PlanOptions::default().prune(true);
    let plan = Plan::new(roster, there, &Capabilities::default(), &options);
    // The memory with the roster and the list.
    let point = Point::since(start, before)?;
    for action in [Action::Create, Action::Keep, Action::Delete] {
        assert_eq!(plan.count(action), n / 2);
    }
    Ok(point)
}

async fn list(provider: &dyn InvitationProvider, n: usize) -> Result<Point> {
    // Sets up the connection; there is no such invitation.
    let nobody = "00000000-0000-4000-8000-000000000000".parse()?;
    assert!(provider.get(&nobody).await.is_err());
    let start = usage::so_far()?;
    let list = provider.list(ListQuery::new());
    let count = list.try_fold(0, async |count, _| Ok(count + 1)).await?;
    let point = Point::since(start, start)?;
    assert_eq!(count, n);
    Ok(point)
}

fn report(all: &[Vec<Vec<Point>>]) -> Result<Part> {
    let mut text = String::from(
        "![Time and memory against the number of rows](growth.svg)\n\n\
         | | rows | CPU ms, median (least–most) | µs per row | × that at 10 000 | peak memory, MiB \
         |\n|---|---|---|---|---|---|\n",
    );
    let mut summary = Vec::new();
    let (mut times, mut memories) = (Vec::new(), Vec::new());
    for (subject, sizes) in SUBJECTS.iter().zip(all) {
        let (mut time, mut memory) = (Vec::new(), Vec::new());
        let per_row = |size: usize| {
            let cpu = Spread::of(sizes[size].iter().map(|point| point.cpu));
            1e3 * cpu.median / SIZES[size] as f64
        };
        let of_reference = |size: usize| {
            let rows = SIZES[REFERENCE] as f64 / SIZES[size] as f64;
            let rounds = sizes[size].iter().zip(&sizes[REFERENCE]);
            Spread::of(rounds.map(|(point, reference)| point.cpu / reference.cpu * rows))
        };
        for (size, (n, points)) in SIZES.iter().zip(sizes).enumerate() {
            let cpu = Spread::of(points.iter().map(|point| point.cpu));
            let peak = Spread::of(points.iter().map(|point| point.memory));
            writeln!(
                text,
                "| {subject} | {} | {:.1} ({:.1}–{:.1}) | {:.2} | {} | {:.1} |",
                thousands(*n as f64),
                cpu.median,
                cpu.least,
                cpu.most,
                per_row(size),
                of_reference(size),
                peak.median,
            )?;
            time.push((*n as f64, cpu.median / 1e3));
            // What is too little to be seen is at the lower end.
            memory.push((*n as f64, peak.median.max(0.1)));
        }
        let last = SIZES.len() - 1;
        summary.push(SummaryRow {
            what: format!("{subject}: CPU per row at 1 000 000 rows, × that at 10 000"),
            measured: of_reference(last).to_string(),
            target: "linear",
        });
        times.push(time);
        memories.push(memory);
    }
    writeln!(text, "\n{ROUNDS} rounds. Machine: {}.", machine())?;
    let figure = Figure {
        description: "CPU time and peak memory against the number of rows, for making a plan, \
                      listing from one body and from pages, and the command plan"
            .to_owned(),
        across: "rows",
        series: SUBJECTS.to_vec(),
        charts: vec![
            Chart {
                title: "CPU time".to_owned(),
                points: times,
                label: seconds,
            },
            Chart {
                title: "Peak memory".to_owned(),
                points: memories,
                label: mebibytes,
            },
        ],
    };
    fs::write(repository().join("bench/growth.svg"), figure.svg()?)?;
    Ok(Part { text, summary })
}

fn seconds(value: f64) -> String {
    if value < 1e-3 {
        format!("{:.0} µs", value * 1e6)
    } else if value < 1.0 {
        format!("{:.0} ms", value * 1e3)
    } else {
        format!("{value:.0} s")
    }
}

fn mebibytes(value: f64) -> String {
    if value < 1.0 {
        format!("{value} MiB")
    } else {
        format!("{} MiB", thousands(value))
    }
}
