//! Runs work against the canned server: each run of a candidate is a process of its own.

use std::{
    env,
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::{spread::Spread, workload::Measurement};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the candidates of a case do.
pub struct Work {
    /// The name by which the workload knows the case.
    pub name: &'static str,
    pub repetitions: usize,
    /// Instructions are the difference between runs of these two sizes, so that setting up is not counted; `None` to not
    /// count them.
    pub sizes: Option<(usize, usize)>,
    /// The number of calls or invitations in one repetition.
    pub each: usize,
}

/// What one candidate needed.
pub struct Measured {
    rounds: Vec<Measurement>,
    /// Instructions per call or invitation; `None` without valgrind.
    instructions: Option<f64>,
}

impl Measured {
    /// CPU time per call or invitation.
    pub fn microseconds(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.time / 1e3))
    }

    /// Peak memory.
    pub fn mebibytes(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.memory / 1024.0))
    }

    /// The ratio of the times. It is taken within a round, because other load affects all candidates of a round.
    pub fn time_ratio(&self, other: &Self) -> Spread {
        let rounds = self.rounds.iter().zip(&other.rounds);
        Spread::of(rounds.map(|(one, other)| one.time / other.time))
    }

    pub fn instructions(&self) -> String {
        self.instructions
            .map_or_else(|| "–".to_owned(), |count| format!("{count:.0}"))
    }

    pub fn instruction_ratio(&self, other: &Self) -> String {
        let ratio = self.instructions.zip(other.instructions);
        ratio.map_or_else(
            || "–".to_owned(),
            |(one, other)| format!("{:.2}", one / other),
        )
    }
}

/// The process of the canned server, which ends when this value is dropped.
pub struct ServerProcess {
    child: Child,
    base: String,
}

impl ServerProcess {
    pub fn start() -> Result<Self> {
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

    /// Measures the candidates of a case, in turns in every round.
    pub fn measure(
        &self,
        work: &Work,
        candidates: &[&str],
        rounds: usize,
    ) -> Result<Vec<Measured>> {
        let mut measured = Vec::new();
        for candidate in candidates {
            measured.push(Measured {
                rounds: Vec::new(),
                instructions: self.instructions(candidate, work)?,
            });
        }
        for _ in 0..rounds {
            for (candidate, measured) in candidates.iter().zip(&mut measured) {
                let measurement = self.run(candidate, work.name, work.repetitions)?;
                measured.rounds.push(measurement);
            }
        }
        Ok(measured)
    }

    pub fn run(&self, candidate: &str, name: &str, repetitions: usize) -> Result<Measurement> {
        let mut command = Command::new(env::current_exe()?);
        let output = command
            .args(self.arguments(candidate, name, repetitions))
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

    fn arguments(&self, candidate: &str, name: &str, repetitions: usize) -> [String; 5] {
        [
            "work",
            candidate,
            name,
            &repetitions.to_string(),
            &self.base,
        ]
        .map(str::to_owned)
    }

    /// Returns the instructions per call or invitation; `None` without valgrind.
    fn instructions(&self, candidate: &str, work: &Work) -> Result<Option<f64>> {
        let Some((fewer, more)) = work.sizes else {
            return Ok(None);
        };
        let (Some(few), Some(many)) = (
            self.callgrind(candidate, work.name, fewer)?,
            self.callgrind(candidate, work.name, more)?,
        ) else {
            return Ok(None);
        };
        let count = (more - fewer) * work.each;
        Ok(Some((many - few) / count as f64))
    }

    fn callgrind(&self, candidate: &str, name: &str, repetitions: usize) -> Result<Option<f64>> {
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe()?)
            .args(self.arguments(candidate, name, repetitions));
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
