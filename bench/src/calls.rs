//! Measures single calls and lists, and writes the results as tables.

use std::{
    env,
    error::Error,
    fmt::{self, Write as _},
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::{
    generation,
    readme::{Section, SummaryRow},
    streaming,
    workload::Measurement,
};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often every case runs, its candidates in turns.
pub const ROUNDS: usize = 7;

const CANDIDATES: [&str; 3] = ["by-hand", "library", "peer"];

/// The candidates of lists include hand-written structs that keep unknown properties.
const LIST_CANDIDATES: [&str; 4] = ["by-hand", "by-hand-keeping", "library", "peer"];

/// One row of the table.
struct Case {
    title: &'static str,
    name: &'static str,
    repetitions: usize,
    /// Instructions are the difference between runs of these two sizes, so that setting up is not counted; `None` if a smaller
    /// case of the same name has the same result.
    sizes: Option<(usize, usize)>,
    /// The number of calls or invitations in one repetition.
    each: usize,
    candidates: &'static [&'static str],
    /// The largest acceptable ratio of the library to the hand-written client.
    target: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        title: "ClickHouse `get`",
        name: "get",
        repetitions: 4_000,
        sizes: Some((100, 400)),
        each: 1,
        candidates: &CANDIDATES,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse `create`",
        name: "create",
        repetitions: 4_000,
        sizes: Some((100, 400)),
        each: 1,
        candidates: &CANDIDATES,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse `delete`",
        name: "delete",
        repetitions: 4_000,
        sizes: Some((100, 400)),
        each: 1,
        candidates: &CANDIDATES,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse list, 10 000 in one body",
        name: "list",
        repetitions: 10_000,
        sizes: Some((1_000, 10_000)),
        each: 1,
        candidates: &LIST_CANDIDATES,
        target: "≤ 1.00",
    },
    Case {
        title: "ClickHouse list, 100 000 in one body",
        name: "list",
        repetitions: 100_000,
        sizes: None,
        each: 1,
        candidates: &LIST_CANDIDATES,
        target: "≤ 1.00",
    },
    Case {
        title: "Confluent list, 1 000 pages of 99",
        name: "pages",
        repetitions: 1_000,
        sizes: Some((10, 60)),
        each: crate::canned_server::PAGE,
        candidates: &["by-hand", "by-hand-keeping", "library"],
        target: "≤ 1.00",
    },
];

/// Measures everything, and returns the tables.
pub fn measure() -> Result<Section> {
    let server = ServerProcess::start()?;
    let mut table = String::from(
        "| per call, or per invitation of a list | who | CPU µs, median (least–most) | × by hand \
         | instructions | × by hand | peak memory, MiB |\n|---|---|---|---|---|---|---|\n",
    );
    let mut summary = Vec::new();
    for case in &CASES {
        let mut measurements = vec![Vec::new(); case.candidates.len()];
        for _ in 0..ROUNDS {
            for (candidate, measurements) in case.candidates.iter().zip(&mut measurements) {
                measurements.push(server.run(candidate, case.name, case.repetitions)?);
            }
        }
        let by_hand = measurements[0].clone();
        let mut instructions_by_hand = None;
        for (candidate, measurements) in case.candidates.iter().zip(measurements) {
            let cpu = Spread::of(
                measurements
                    .iter()
                    .map(|measurement| measurement.time / 1e3),
            );
            // Ratios are taken within a round, because other load affects all candidates of a round.
            let rounds = measurements.iter().zip(&by_hand);
            let ratio =
                Spread::of(rounds.map(|(measurement, by_hand)| measurement.time / by_hand.time));
            let memory = Spread::of(
                measurements
                    .iter()
                    .map(|measurement| measurement.memory / 1024.0),
            );
            let instructions = match case.sizes {
                Some(sizes) => server.instructions(candidate, case, sizes)?,
                None => None,
            };
            let reference = *instructions_by_hand.get_or_insert(instructions);
            let share = instructions.zip(reference).map(|(one, other)| one / other);
            writeln!(
                table,
                "| {} | {candidate} | {:.1} ({:.1}–{:.1}) | {:.2} ({:.2}–{:.2}) | {} | {} | {:.1} |",
                case.title,
                cpu.median,
                cpu.least,
                cpu.most,
                ratio.median,
                ratio.least,
                ratio.most,
                instructions.map_or_else(|| "–".to_owned(), |count| format!("{count:.0}")),
                share.map_or_else(|| "–".to_owned(), |share| format!("{share:.2}")),
                memory.median,
            )?;
            if *candidate == "library" {
                summary.push(SummaryRow {
                    what: format!("{}, CPU × by hand", case.title),
                    measured: ratio.to_string(),
                    target: case.target,
                });
            }
            eprintln!("{} by {candidate}", case.title);
        }
    }
    table.push_str(&streaming::measure(&server)?);
    let generating = (0..ROUNDS).map(|_| generation::milliseconds());
    let generating = Spread::of(generating.collect::<Result<Vec<_>>>()?.into_iter());
    writeln!(
        table,
        "\nGenerating all clients from `specs/`, in a release build: {:.1} ms ({:.1}–{:.1}).",
        generating.median, generating.least, generating.most
    )?;
    writeln!(
        table,
        "\nCommand: `just bench calls`. Machine: {}. {ROUNDS} rounds; peer: `clickhouse-cloud-api` 0.5.",
        machine()
    )?;
    Ok(Section {
        text: table,
        summary,
    })
}

/// The process of the canned server, which ends when this value is dropped.
pub struct ServerProcess {
    child: Child,
    base: String,
}

impl ServerProcess {
    fn start() -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        let output = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut port)?;
        let base = format!("http://127.0.0.1:{}", port.trim());
        Ok(Self { child, base })
    }

    pub fn run(&self, candidate: &str, name: &str, repetitions: usize) -> Result<Measurement> {
        let mut command = Command::new(env::current_exe()?);
        let output = command
            .args([
                "work",
                candidate,
                name,
                &repetitions.to_string(),
                &self.base,
            ])
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let (time, memory) = text
            .trim()
            .split_once(' ')
            .ok_or_else(|| format!("{candidate} did not do {name}"))?;
        Ok(Measurement {
            time: time.parse()?,
            memory: memory.parse()?,
        })
    }

    /// Returns the instructions per call or invitation; `None` without valgrind.
    fn instructions(
        &self,
        candidate: &str,
        case: &Case,
        sizes: (usize, usize),
    ) -> Result<Option<f64>> {
        let (Some(few), Some(many)) = (
            self.callgrind(candidate, case, sizes.0)?,
            self.callgrind(candidate, case, sizes.1)?,
        ) else {
            return Ok(None);
        };
        let count = (sizes.1 - sizes.0) * case.each;
        Ok(Some((many - few) / count as f64))
    }

    fn callgrind(&self, candidate: &str, case: &Case, repetitions: usize) -> Result<Option<f64>> {
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe()?)
            .args([
                "work",
                candidate,
                case.name,
                &repetitions.to_string(),
                &self.base,
            ]);
        let Ok(output) = command.output() else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let count = text
            .lines()
            .find_map(|line| line.split_once("Collected : "))
            .filter(|_| output.status.success())
            .ok_or_else(|| format!("valgrind failed:\n{text}"))?;
        Ok(Some(count.1.trim().parse()?))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self {
            least: values[0],
            median: values[values.len() / 2],
            most: values[values.len() - 1],
        }
    }
}

/// The median, with the least and the most.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            least,
            median,
            most,
        } = self;
        write!(f, "{median:.2} ({least:.2}–{most:.2})")
    }
}

/// Returns the processor, the number of cores and the system.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.map_or("unknown processor", |(_, model)| model);
    format!("{model}, {cores} cores, {}", env::consts::OS)
}
