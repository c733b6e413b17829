//! How soon the first item of a list is there, and what a stream over all pages holds.

use std::fmt::Write as _;

use crate::{
    report::{ROUNDS, Result, Server, Spread},
    server::PAGE,
};

const SUBJECTS: [&str; 2] = ["by-hand", "library"];

/// Measures both; gives two tables.
pub fn measure(server: &Server) -> Result<String> {
    let mut text = String::from(
        "\n| time to the first item | who | µs, median (least–most) | × by hand |\n|---|---|---|---|\n",
    );
    for (title, name, count) in [
        ("Confluent, pages of 99", "first-page", 500),
        ("ClickHouse, 10 000 in one body", "first-list", 10_000),
    ] {
        let mut taken = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for (subject, taken) in SUBJECTS.into_iter().zip(&mut taken) {
                taken.push(server.work(subject, name, count)?.time);
            }
        }
        for (subject, times) in SUBJECTS.into_iter().zip(&taken) {
            let time = Spread::of(times.iter().map(|time| time / 1e3));
            let ratio = Spread::of(times.iter().zip(&taken[0]).map(|(one, other)| one / other));
            writeln!(
                text,
                "| {title} | {subject} | {:.0} ({:.0}–{:.0}) | {:.2} |",
                time.median, time.least, time.most, ratio.median
            )?;
        }
    }
    text.push_str(
        "\n| peak memory of Confluent's paged list, MiB | 100 000 invitations | 1 000 000 |\n|---|---|---|\n",
    );
    for subject in SUBJECTS {
        let memory = |invitations: usize| -> Result<f64> {
            let taken = server.work(subject, "pages", invitations.div_ceil(PAGE))?;
            Ok(taken.memory / 1024.0)
        };
        let (fewer, more) = (memory(100_000)?, memory(1_000_000)?);
        writeln!(text, "| {subject} | {fewer:.1} | {more:.1} |")?;
        eprintln!("memory of the pages by {subject}");
    }
    Ok(text)
}
