//! Runs cells side by side and prints a table of those that are wrong.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures::StreamExt;

/// How many cells run at once, where nothing is said about it.
const AT_ONCE: usize = 48;

/// No cell takes so long unless something hangs.
const GUARD: Duration = Duration::from_secs(40);

/// What came of a cell: what was reported and what is so.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    pub reported: String,
    pub truth: String,
    /// What is wrong; empty where nothing is.
    pub wrong: Vec<String>,
}

/// A row of the matrix.
pub struct Cell {
    /// Vendor, path and fault.
    pub name: String,
    pub run: Pin<Box<dyn Future<Output = Finding> + Send>>,
}

impl Cell {
    /// A cell of this name.
    pub fn new(
        name: impl Into<String>,
        run: impl Future<Output = Finding> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            run: Box::pin(run),
        }
    }
}

/// Runs all cells and fails with a table of the wrong ones.
pub async fn check(rule: &str, cells: Vec<Cell>) {
    check_at_once(rule, cells, AT_ONCE).await;
}

/// The same, with so many cells at once.
pub async fn check_at_once(rule: &str, cells: Vec<Cell>, at_once: usize) {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| name.contains("::"));
    match test {
        Some(test) if std::env::var_os(SUBPROCESS).is_none() => run_in_subprocess(rule, test).await,
        _ => run(rule, cells, at_once).await,
    }
}

/// Says that the process is one that [`run_in_subprocess`] began.
const SUBPROCESS: &str = "HOSTILE_SUBPROCESS";

/// Runs this very test in a process with one trusted certificate.
///
/// A provider reads the certificates of the machine when it is built, which takes several times as long as
/// all that a cell does, and thousands of providers are built. Nothing here is encrypted.
async fn run_in_subprocess(rule: &str, test: &str) {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile");
    let mut command = std::process::Command::new(std::env::current_exe().expect("the test's path"));
    command
        .args(["--exact", test, "--nocapture"])
        .env(SUBPROCESS, "1")
        .env("SSL_CERT_FILE", format!("{here}/authority.pem"))
        .env("SSL_CERT_DIR", format!("{here}/no-directory"));
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("a subprocess");
    let output = output.expect("a subprocess");
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{rule}: cells are wrong, see above"
    );
}

/// The same, in this process.
pub async fn run(rule: &str, cells: Vec<Cell>, at_once: usize) {
    let count = cells.len();
    let runs = cells.into_iter().enumerate().map(|(at, cell)| async move {
        let begun = Instant::now();
        // A task of its own, so that a panic is that cell's.
        let finding = match tokio::time::timeout(GUARD, tokio::spawn(cell.run)).await {
            Ok(Ok(finding)) => finding,
            Ok(Err(panic)) => Finding {
                wrong: vec![format!("panics: {panic}")],
                ..Finding::default()
            },
            Err(_) => Finding {
                wrong: vec![format!("no end within {GUARD:?}")],
                ..Finding::default()
            },
        };
        (at, cell.name, begun.elapsed(), finding)
    });
    let mut findings: Vec<Row> = futures::stream::iter(runs)
        .buffer_unordered(at_once)
        .collect()
        .await;
    findings.sort_by_key(|(at, ..)| *at);
    let wrong: Vec<&Row> = findings
        .iter()
        .filter(|(.., finding)| !finding.wrong.is_empty())
        .collect();
    eprintln!("{rule}: {count} cells, {} wrong", wrong.len());
    if std::env::var_os("HOSTILE_SHOW_ALL").is_some() {
        eprintln!("{}", table(&findings.iter().collect::<Vec<_>>()));
    }
    assert!(
        wrong.is_empty(),
        "{rule}: {} of {count} cells are wrong\n{}",
        wrong.len(),
        table(&wrong)
    );
}

/// Position, name, time taken and what was found.
type Row = (usize, String, Duration, Finding);

fn table(rows: &[&Row]) -> String {
    let width = rows
        .iter()
        .map(|(_, name, ..)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for (_, name, taken, finding) in rows {
        let wrong = if finding.wrong.is_empty() {
            "right".to_owned()
        } else {
            finding.wrong.join("; ")
        };
        let _ = writeln!(
            out,
            "  {name:width$} | {:4} ms | reported: {} | truth: {} | {wrong}",
            taken.as_millis(),
            finding.reported,
            finding.truth
        );
    }
    out
}
