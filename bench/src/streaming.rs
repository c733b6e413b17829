//! Measures the time to the first item of a list, and the memory of a stream over all pages.

use std::fmt::Write as _;

use crate::{
    canned_server::PAGE,
    runs::{Result, ServerProcess},
    spread::Spread,
};

const CANDIDATES: [&str; 2] = ["by-hand", "library"];

/// Measures both, and returns two tables.
pub fn measure(server: &ServerProcess, rounds: usize) -> Result<String> {
    let mut text = String::from(
        "| time to the first item | who | µs, median (least–most) | × by hand |\n|---|---|---|---|\n",
    );
    for (title, name, count) in [
        ("Confluent, pages of 99", "first-page", 500),
        ("ClickHouse, 10 000 in one body", "first-list", 10_000),
    ] {
        let mut measurements = [const { Vec::new() }; 2];
        for _ in 0..rounds {
            for (candidate, measurements) in CANDIDATES.into_iter().zip(&mut measurements) {
                measurements.push(server.run(candidate, name, count)?.time);
            }
        }
        for (candidate, times) in CANDIDATES.into_iter().zip(&measurements) {
            let time = Spread::of(times.iter().map(|time| time / 1e3));
            let ratio = Spread::of(
                times
                    .iter()
                    .zip(&measurements[0])
                    .map(|(one, other)| one / other),
            );
            writeln!(
                text,
                "| {title} | {candidate} | {:.0} ({:.0}–{:.0}) | {:.2} |",
                time.median, time.least, time.most, ratio.median
            )?;
        }
    }
    text.push_str(
        "\n| peak memory of Confluent's paged list, MiB | 100 000 invitations | 1 000 000 |\n|---|---|---|\n",
    );
    for candidate in CANDIDATES {
        let memory = |invitations: usize| -> Result<f64> {
            let measurement = server.run(candidate, "pages", invitations.div_ceil(PAGE))?;
            Ok(measurement.memory / 1024.0)
        };
        let (fewer, more) = (memory(100_000)?, memory(1_000_000)?);
        writeln!(text, "| {candidate} | {fewer:.1} | {more:.1} |")?;
        eprintln!("memory of the pages by {candidate}");
    }
    Ok(text)
}
