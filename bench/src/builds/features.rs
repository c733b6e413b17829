//! Counts the crates that optional features of the library bring.

use std::fmt::Write as _;

use super::{Result, workspace::Workspace};

const FEATURES: [&str; 5] = [
    "metrics",
    "shared-limits",
    "redis",
    "memory",
    "provider-kit",
];

impl Workspace {
    /// Returns a table of the crates that are built for each feature beside those of the default.
    pub fn features(&self) -> Result<String> {
        let library = ["-p", "org-invitations"];
        let default = self.crates("repository", &library)?;
        let mut text = String::from(
            "| optional feature of the library | more crates | which |\n|---|---|---|\n",
        );
        for feature in FEATURES {
            let selection = [&library[..], &["--features", feature]].concat();
            let crates = self.crates("repository", &selection)?;
            let more = crates.difference(&default);
            let mut names: Vec<_> = more.filter_map(|name| name.split(' ').next()).collect();
            names.sort_unstable();
            let count = names.len();
            let names = match count {
                0 => "–".to_owned(),
                _ => names.join(", "),
            };
            writeln!(text, "| `{feature}` | {count} | {names} |")?;
        }
        Ok(text)
    }
}
