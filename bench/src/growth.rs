//! Measures time and memory against the number of rows, of plans and lists.
//!
//! Each point is measured in a process of its own; lists come from a sandbox in another process. The candidates:
//!
//! - `plan`: `Plan::new` on a roster and a list of n each, half of them the same people, with `prune`.
//! - `plan, members`: `Plan::of_people` on a roster of n with a role each, and n people, half of them invited and half
//!   members, each with a role; half of the people are in the roster.
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
    ListQuery, Member, NewInvitation, People, Plan, PlanOptions, RoleAssignment,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    plot::{Chart, Figure, thousands},
    readme::{Section, SummaryRow, machine, repository},
    resources::{self, ProcessUsage, Usage},
    sandbox::{Access, SandboxProcess},
    spread::Spread,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often every candidate runs at every size.
pub const ROUNDS: usize = 3;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// The size that others are compared with. At smaller ones, constant costs dominate.
const REFERENCE: usize = 1;

const CANDIDATES: [&str; 5] = [
    "plan",
    "plan, members",
    "list, one body",
    "list, pages",
    "command",
];

/// The resources of one run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Point {
    /// CPU time, in milliseconds.
    cpu: f64,
    /// The peak memory beyond that before the run, in MiB.
    memory: f64,
}

impl Point {
    /// Returns the resources that this process used since `time` and `memory`.
    fn since(time: ProcessUsage, memory: ProcessUsage) -> Result<Self> {
        let now = resources::current()?;
        Ok(Self {
            cpu: 1e3 * (now.cpu_seconds - time.cpu_seconds),
            memory: now.peak_mib - memory.peak_mib,
        })
    }
}

/// Runs every candidate at every size, and draws the figure.
pub fn measure(rounds: usize) -> Result<Section> {
    let directory = env::temp_dir().join(format!("org-invitations-bench-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let rows = points(&directory, rounds);
    fs::remove_dir_all(&directory)?;
    report(&rows?, rounds)
}

/// Returns the rounds of each candidate at each size.
fn points(directory: &Path, rounds: usize) -> Result<Vec<Vec<Vec<Point>>>> {
    let mut all = vec![vec![Vec::new(); SIZES.len()]; CANDIDATES.len()];
    for (size, n) in SIZES.iter().enumerate() {
        let sandbox = SandboxProcess::start(&json!({ "seed": n }).to_string())?;
        let roster = directory.join("roster.csv");
        fs::write(&roster, csv(*n))?;
        for round in 1..=rounds {
            for (candidate, points) in CANDIDATES.iter().zip(&mut all) {
                let point = match *candidate {
                    "command" => command(&sandbox.access, &roster)?,
                    candidate => in_process(candidate, *n, &sandbox.access)?,
                };
                points[size].push(point);
            }
            eprintln!("growth: {n} rows, round {round} of {rounds}");
        }
    }
    Ok(all)
}

/// A roster of `n` people, half of whom are in the list.
fn csv(n: usize) -> String {
    let people = (n / 2..n / 2 + n).map(|person| format!("{}\n", address(person)));
    "email\n".to_owned() + &people.collect::<String>()
}

/// The address of a seeded person of the sandbox.
fn address(person: usize) -> String {
    format!("user{}@seeded.example", person + 1)
}

fn in_process(candidate: &str, n: usize, access: &str) -> Result<Point> {
    let output = Command::new(env::current_exe()?)
        .args(["grow", candidate, &n.to_string(), access])
        .stderr(Stdio::inherit())
        .output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs the command, configured by environment variables.
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

/// The path of the command, which `cargo build --release -p org-invitations-cli` puts beside this program.
fn command_path() -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name("org-invitations");
    if !path.exists() {
        return Err("build the command first: just bench does".into());
    }
    Ok(path)
}

/// Measures one point in this process, and prints it.
pub async fn run(candidate: &str, n: usize, access: &str) -> Result<()> {
    let access = || Access::read(access);
    let taken = match candidate {
        "plan" => plan(n)?,
        "plan, members" => plan_over_members(n)?,
        "list, one body" => {
            let provider = access()?.clickhouse().max_body_bytes(1 << 30).build()?;
            list(&provider, n).await?
        }
        "list, pages" => list(&access()?.confluent().build()?, n).await?,
        _ => return Err("an unknown candidate".into()),
    };
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

fn plan(n: usize) -> Result<Point> {
    let before = resources::current()?;
    let roster: Vec<_> = (n / 2..n / 2 + n)
        .map(|person| NewInvitation::new(address(person)))
        .collect();
    let mut existing = Vec::new();
    for person in 0..n {
        let id = format!("i-{person}").parse()?;
        let mut invitation = Invitation::new(id, address(person));
        invitation.status = Some(InvitationStatus::Sent);
        existing.push(invitation);
    }
    let start = resources::current()?;
    let options = PlanOptions::default().prune(true);
    let plan = Plan::new(roster, existing, &Capabilities::default(), &options);
    // The memory includes the roster and the list.
    let point = Point::since(start, before)?;
    for action in [Action::Create, Action::Keep, Action::Remove] {
        assert_eq!(plan.count(action), n / 2);
    }
    Ok(point)
}

fn plan_over_members(n: usize) -> Result<Point> {
    let role = |name: &str| {
        let mut role = RoleAssignment::default();
        (role.id, role.name) = (Some(format!("id of {name}")), Some(name.to_owned()));
        vec![role]
    };
    let before = resources::current()?;
    let roster: Vec<_> = (n / 2..n / 2 + n)
        .map(|person| NewInvitation::new(address(person)).roles(["Developer"]))
        .collect();
    let (mut invitations, mut members) = (Vec::new(), Vec::new());
    for person in 0..n {
        // Every second one of both halves has accepted.
        if person % 2 == 0 {
            let mut invitation = Invitation::new(format!("i-{person}").parse()?, address(person));
            invitation.status = Some(InvitationStatus::Sent);
            invitation.roles = Some(role("Developer"));
            invitations.push(invitation);
        } else {
            let mut member = Member::new(format!("u-{person}").parse()?, address(person));
            member.roles = Some(role("Billing"));
            members.push(member);
        }
    }
    let people = People::new(invitations, members);
    let start = resources::current()?;
    let capabilities = Capabilities::default().roles(true).members(true);
    let options = PlanOptions::default().prune(true).prune_members(true);
    let plan = Plan::of_people(roster, people, &capabilities, &options.min_admins(0));
    let point = Point::since(start, before)?;
    for (action, count) in [
        (Action::Create, n / 2),
        (Action::Keep, n / 4),
        (Action::SetRoles, n / 4),
        (Action::Remove, n / 2),
    ] {
        assert_eq!(plan.count(action), count, "{action}");
    }
    Ok(point)
}

async fn list(provider: &dyn InvitationProvider, n: usize) -> Result<Point> {
    // The request sets up the connection; the invitation does not exist.
    let missing_id = "00000000-0000-4000-8000-000000000000".parse()?;
    assert!(provider.get(&missing_id).await.is_err());
    let start = resources::current()?;
    let list = provider.list(ListQuery::new());
    let count = list.try_fold(0, async |count, _| Ok(count + 1)).await?;
    let point = Point::since(start, start)?;
    assert_eq!(count, n);
    Ok(point)
}

fn report(all: &[Vec<Vec<Point>>], rounds: usize) -> Result<Section> {
    let mut text = String::from(
        "![Time and memory against the number of rows](growth.svg)\n\n\
         | | rows | CPU ms, median (least–most) | µs per row | × that at 10 000 | peak memory, MiB \
         |\n|---|---|---|---|---|---|\n",
    );
    let mut summary = Vec::new();
    let (mut times, mut memories) = (Vec::new(), Vec::new());
    for (candidate, sizes) in CANDIDATES.iter().zip(all) {
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
                "| {candidate} | {} | {cpu:.1} | {:.2} | {} | {:.1} |",
                thousands(*n as f64),
                per_row(size),
                of_reference(size),
                peak.median,
            )?;
            time.push((*n as f64, cpu.median / 1e3));
            // Values that are too small to measure are drawn at the lower end.
            memory.push((*n as f64, peak.median.max(0.1)));
        }
        let last = SIZES.len() - 1;
        summary.push(SummaryRow {
            what: format!("{candidate}: CPU per row at 1 000 000 rows, × that at 10 000"),
            measured: of_reference(last).to_string(),
            target: "linear",
        });
        times.push(time);
        memories.push(memory);
    }
    writeln!(text, "\nRounds: {rounds}. Machine: {}.", machine())?;
    let figure = Figure {
        description: "CPU time and peak memory against the number of rows, for making a plan, \
                      listing from one body and from pages, and the command plan"
            .to_owned(),
        across: "rows",
        series: CANDIDATES.to_vec(),
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
    Ok(Section { text, summary })
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
