//! Measures single calls, lists and options, and writes the results as tables.

use std::fmt::Write as _;

use crate::{
    canned_server::PAGE,
    generation, options,
    readme::{Section, SummaryRow, machine},
    runs::{Result, ServerProcess, Work},
    spread::Spread,
    streaming,
};

/// How often every case runs, its candidates in turns.
pub const ROUNDS: usize = 7;

const CANDIDATES: [&str; 3] = ["by-hand", "library", "peer"];

/// The candidates of lists include hand-written structs that keep unknown properties.
const LIST_CANDIDATES: [&str; 4] = ["by-hand", "by-hand-keeping", "library", "peer"];

/// The rows of one case.
struct Case {
    title: &'static str,
    work: Work,
    candidates: &'static [&'static str],
    /// The largest acceptable ratio of the library to the hand-written client.
    target: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        title: "ClickHouse `get`",
        work: single("get"),
        candidates: &CANDIDATES,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse `create`",
        work: single("create"),
        candidates: &CANDIDATES,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse `delete`",
        work: single("delete"),
        candidates: &CANDIDATES,
        target: "≤ 1.10",
    },
    Case {
        title: "ClickHouse list, 10 000 in one body",
        work: Work {
            name: "list",
            repetitions: 10_000,
            sizes: Some((1_000, 10_000)),
            each: 1,
        },
        candidates: &LIST_CANDIDATES,
        target: "≤ 1.00",
    },
    Case {
        title: "ClickHouse list, 100 000 in one body",
        work: Work {
            name: "list",
            repetitions: 100_000,
            // The smaller list has the same result.
            sizes: None,
            each: 1,
        },
        candidates: &LIST_CANDIDATES,
        target: "≤ 1.00",
    },
    Case {
        title: "Confluent list, 1 000 pages of 99",
        work: Work {
            name: "pages",
            repetitions: 1_000,
            sizes: Some((10, 60)),
            each: PAGE,
        },
        candidates: &["by-hand", "by-hand-keeping", "library"],
        target: "≤ 1.00",
    },
];

/// The work of a single call.
pub const fn single(name: &'static str) -> Work {
    Work {
        name,
        repetitions: 4_000,
        sizes: Some((100, 400)),
        each: 1,
    }
}

/// Measures everything, and returns the tables.
pub fn measure(rounds: usize) -> Result<Section> {
    let server = ServerProcess::start()?;
    let mut text = String::from(
        "| per call, or per invitation of a list | who | CPU µs, median (least–most) | × by hand \
         | instructions | × by hand | peak memory, MiB |\n|---|---|---|---|---|---|---|\n",
    );
    let mut summary = Vec::new();
    for case in &CASES {
        let measured = server.measure(&case.work, case.candidates, rounds)?;
        let by_hand = &measured[0];
        for (candidate, measured) in case.candidates.iter().zip(&measured) {
            let ratio = measured.time_ratio(by_hand).to_string();
            writeln!(
                text,
                "| {} | {candidate} | {:.1} | {ratio} | {} | {} | {:.1} |",
                case.title,
                measured.microseconds(),
                measured.instructions(),
                measured.instruction_ratio(by_hand),
                measured.mebibytes().median,
            )?;
            if *candidate == "library" {
                summary.push(SummaryRow {
                    what: format!("{}, CPU × by hand", case.title),
                    measured: ratio,
                    target: case.target,
                });
            }
        }
        eprintln!("calls: {}", case.title);
    }
    write!(text, "\n{}", options::measure(&server, rounds)?)?;
    write!(text, "\n{}", streaming::measure(&server, rounds)?)?;
    let generating = (0..rounds).map(|_| generation::milliseconds());
    let generating = Spread::of(generating.collect::<Result<Vec<_>>>()?.into_iter());
    writeln!(
        text,
        "\nGenerating all clients from `specs/`, in a release build: {generating:.1} ms."
    )?;
    writeln!(
        text,
        "\nCommand: `just bench calls`. Machine: {}. Rounds: {rounds}; peer: `clickhouse-cloud-api` 0.5.",
        machine()
    )?;
    Ok(Section { text, summary })
}
