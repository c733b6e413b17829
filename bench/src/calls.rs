//! Runs every case in turn, and writes what came out as a table.

use std::{
    env,
    error::Error,
    fmt::{self, Write as _},
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::{
    generating,
    section::{Part, SummaryRow},
    streaming,
    work::Taken,
};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Every case is run this often, its subjects in turn.
pub const ROUNDS: usize = 7;

const SUBJECTS: [&str; 3] = ["by-hand", "library", "peer"];

/// Of a list, also what keeps unknown properties by hand.
const OF_LISTS: [&str; 4] = ["by-hand", "by-hand-keeping", "library", "peer"];

/// One line of the table.
struct Case {
    title: &'static str,
    name: &'static str,
    times: usize,
    /// Instructions are what the larger of these takes more than the smaller, so that setting up does
    /// not count; none for a size of which a smaller one says the same.
    sizes: Option<(usize, usize)>,
    /// The calls, or invitations, that one of `times` stands for.
    each: usize,
    subjects: &'static [&'static str],
    /// What the library should take at most, by hand being 1.
    target: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        title: "ClickHouse `get`",
        name: "get",
        times: 4_000,
        sizes: Some((100, 400)),
        each: 1,
        subjects: &SUBJECTS,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse `create`",
        name: "create",
        times: 4_000,
        sizes: Some((100, 400)),
        each: 1,
        subjects: &SUBJECTS,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse `delete`",
        name: "delete",
        times: 4_000,
        sizes: Some((100, 400)),
        each: 1,
        subjects: &SUBJECTS,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse list, 10 000 in one body",
        name: "list",
        times: 10_000,
        sizes: Some((1_000, 10_000)),
        each: 1,
        subjects: &OF_LISTS,
        target: "≤ 1.00",
    },
    Case {
        title: "ClickHouse list, 100 000 in one body",
        name: "list",
        times: 100_000,
        sizes: None,
        each: 1,
        subjects: &OF_LISTS,
        target: "≤ 1.00",
    },
    Case {
        title: "Confluent list, 1 000 pages of 99",
        name: "pages",
        times: 1_000,
        sizes: Some((10, 60)),
        each: crate::server::PAGE,
        subjects: &["by-hand", "by-hand-keeping", "library"],
        target: "≤ 1.00",
    },
];

/// Measures everything; gives the table and what it was measured with.
pub fn measure() -> Result<Part> {
    let server = Server::start()?;
    let mut table = String::from(
        "| per call, or per invitation of a list | who | CPU µs, median (least–most) | × by hand \
         | instructions | × by hand | peak memory, MiB |\n|---|---|---|---|---|---|---|\n",
    );
    let mut summary = Vec::new();
    for case in &CASES {
        let mut taken = vec![Vec::new(); case.subjects.len()];
        for _ in 0..ROUNDS {
            for (subject, taken) in case.subjects.iter().zip(&mut taken) {
                taken.push(server.work(subject, case.name, case.times)?);
            }
        }
        let by_hand = taken[0].clone();
        let mut instructions_by_hand = None;
        for (subject, taken) in case.subjects.iter().zip(taken) {
            let cpu = Spread::of(taken.iter().map(|taken| taken.time / 1e3));
            // Of each round, because what disturbs one subject disturbs the next as well.
            let rounds = taken.iter().zip(&by_hand);
            let ratio = Spread::of(rounds.map(|(taken, by_hand)| taken.time / by_hand.time));
            let memory = Spread::of(taken.iter().map(|taken| taken.memory / 1024.0));
            let instructions = match case.sizes {
                Some(sizes) => server.instructions(subject, case, sizes)?,
                None => None,
            };
            let reference = *instructions_by_hand.get_or_insert(instructions);
            let share = instructions.zip(reference).map(|(one, other)| one / other);
            writeln!(
                table,
                "| {} | {subject} | {:.1} ({:.1}–{:.1}) | {:.2} ({:.2}–{:.2}) | {} | {} | {:.1} |",
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
            if *subject == "library" {
                summary.push(SummaryRow {
                    what: format!("{}, CPU × by hand", case.title),
                    measured: ratio.to_string(),
                    target: case.target,
                });
            }
            eprintln!("{} by {subject}", case.title);
        }
    }
    table.push_str(&streaming::measure(&server)?);
    let generating = (0..ROUNDS).map(|_| generating::milliseconds());
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
    Ok(Part {
        text: table,
        summary,
    })
}

/// The canned server, in a process of its own that ends with this value.
pub struct Server {
    child: Child,
    base: String,
}

impl Server {
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

    pub fn work(&self, subject: &str, name: &str, times: usize) -> Result<Taken> {
        let mut command = Command::new(env::current_exe()?);
        let output = command
            .args(["work", subject, name, &times.to_string(), &self.base])
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let (time, memory) = text
            .trim()
            .split_once(' ')
            .ok_or_else(|| format!("{subject} did not do {name}"))?;
        Ok(Taken {
            time: time.parse()?,
            memory: memory.parse()?,
        })
    }

    /// Instructions per call or invitation; none without valgrind.
    fn instructions(
        &self,
        subject: &str,
        case: &Case,
        sizes: (usize, usize),
    ) -> Result<Option<f64>> {
        let (Some(few), Some(many)) = (
            self.callgrind(subject, case, sizes.0)?,
            self.callgrind(subject, case, sizes.1)?,
        ) else {
            return Ok(None);
        };
        let count = (sizes.1 - sizes.0) * case.each;
        Ok(Some((many - few) / count as f64))
    }

    fn callgrind(&self, subject: &str, case: &Case, times: usize) -> Result<Option<f64>> {
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe()?)
            .args(["work", subject, case.name, &times.to_string(), &self.base]);
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

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
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

/// The processor, its cores and the system.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.map_or("unknown processor", |(_, model)| model);
    format!("{model}, {cores} cores, {}", env::consts::OS)
}
