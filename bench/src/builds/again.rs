//! Measures builds of a program that was built before.

use std::{
    fmt::Write as _,
    process::{Command, Stdio},
};

use super::{
    LIBRARY, PROGRAMS, Result,
    workspace::{Workspace, touch},
};
use crate::{
    readme::SummaryRow,
    resources::{self, Usage},
    spread::Spread,
};

/// How often a program is rebuilt.
pub const REBUILDS: usize = 7;

impl Workspace {
    /// Measures rebuilds: with nothing changed, with a changed document, and with a changed source file.
    pub fn rebuilds(&self) -> Result<(String, Vec<SummaryRow>)> {
        let library = PROGRAMS[LIBRARY].name;
        let document = self.at("repository/specs/clickhouse-cloud-v1.json");
        let source = self.at("repository/src/lib.rs");
        self.build(library)?;
        let nothing = measure_rebuilds(|| self.build(library))?;
        let touched = measure_rebuilds(|| {
            touch(&document)?;
            self.build(library)
        })?;
        let edited = measure_rebuilds(|| {
            touch(&source)?;
            self.build(library)
        })?;
        let (written, script) = self.build_script()?;
        let script = measure_rebuilds(|| {
            let mut command = Command::new(&script);
            command
                .env("OUT_DIR", written.join("out"))
                // As Cargo sets them: without a vendor's feature nothing is generated for it.
                .env("CARGO_FEATURE_CLICKHOUSE", "1")
                .env("CARGO_FEATURE_CONFLUENT", "1")
                .env("CARGO_MANIFEST_DIR", self.at("repository"))
                .stdout(Stdio::null());
            resources::measure_command(&mut command)
        })?;
        let mut text = String::from(
            "| the program with the library, in a debug build | s on the clock, median (least–most) \
             | CPU s |\n|---|---|---|\n",
        );
        for (what, (wall, cpu)) in [
            ("built again, nothing changed", &nothing),
            ("built again after a document was touched", &touched),
            ("built again after `src/lib.rs` was touched", &edited),
            ("the build script alone: all clients generated", &script),
        ] {
            writeln!(text, "| {what} | {wall} | {cpu} |")?;
        }
        let rows = [
            (
                "generating all clients in a debug build, s",
                &script,
                "≤ 1 s",
            ),
            ("building again, nothing changed, s", &nothing, "≤ 0.3 s"),
            (
                "building again after a document was touched, s",
                &touched,
                "",
            ),
        ];
        let rows = rows.map(|(what, (wall, _), target)| SummaryRow {
            what: what.to_owned(),
            measured: wall.to_string(),
            target,
        });
        Ok((text, rows.into()))
    }
}

/// Returns wall time and CPU time over all repetitions.
fn measure_rebuilds(mut run: impl FnMut() -> Result<Usage>) -> Result<(Spread, Spread)> {
    let usages = (0..REBUILDS).map(|_| run()).collect::<Result<Vec<_>>>()?;
    Ok((
        Spread::of(usages.iter().map(|usage| usage.wall_seconds)),
        Spread::of(usages.iter().map(|usage| usage.cpu_seconds)),
    ))
}
