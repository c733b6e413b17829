//! Measures what a program saves that has one vendor alone.
//!
//! The dependencies are the same and take most of a build, whose scatter would hide the difference. So the build script,
//! the library and the program are built anew, and the dependencies are not.

use std::fmt::Write as _;

use super::{
    LIBRARY, PROGRAMS, Program, RUSTLS, Result,
    workspace::{Workspace, touch},
};
use crate::{readme::SummaryRow, spread::Spread};

const VENDORS: [Program; 2] = [
    Program {
        name: "clickhouse",
        title: "ClickHouse alone",
        tls: RUSTLS,
        dependencies: r#"org-invitations = { path = "../repository", default-features = false, features = ["rustls", "clickhouse"] }"#,
        main: include_str!("library.rs.txt"),
    },
    Program {
        name: "confluent",
        title: "Confluent alone",
        tls: RUSTLS,
        dependencies: r#"org-invitations = { path = "../repository", default-features = false, features = ["rustls", "confluent"] }"#,
        main: include_str!("confluent.rs.txt"),
    },
];

impl Workspace {
    /// Measures both vendors and each alone, after the program with both was built.
    pub fn vendors(&self, rounds: usize) -> Result<(String, Vec<SummaryRow>)> {
        for program in &VENDORS {
            self.write(program)?;
        }
        let both = &PROGRAMS[LIBRARY];
        let rows = [("both, the default", both)]
            .into_iter()
            .chain(VENDORS.iter().map(|program| (program.title, program)));
        let rows: Vec<_> = rows.collect();
        let mut times = vec![Vec::new(); rows.len()];
        for round in 0..=rounds {
            for ((_, program), times) in rows.iter().zip(&mut times) {
                touch(&self.at("repository/build.rs"))?;
                let usage = self.build_beside(program, both)?;
                // The first build may also build what incremental ones left out.
                if round > 0 {
                    times.push(usage.cpu_seconds);
                }
            }
        }
        let mut text = String::from(
            "| the library and the program, their dependencies built, with | crates \
             | CPU s, median (least–most) | saved, CPU s | release binary, stripped, MiB |\n\
             |---|---|---|---|---|\n",
        );
        let mut summary = Vec::new();
        for ((title, program), alone) in rows.iter().zip(&times) {
            let saved = Spread::of(times[0].iter().zip(alone).map(|(both, alone)| both - alone));
            writeln!(
                text,
                "| {title} | {} | {:.1} | {saved:.1} | {:.1} |",
                self.count_crates(program)?,
                Spread::of(alone.iter().copied()),
                self.release_size(program)?,
            )?;
            if program.name != both.name {
                summary.push(SummaryRow {
                    what: format!("{title}: saved of a cold build, CPU s"),
                    measured: format!("{saved:.1}"),
                    target: "",
                });
            }
        }
        Ok((text, summary))
    }
}
