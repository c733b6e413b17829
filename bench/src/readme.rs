//! Writes results: each part has a section of `bench/README.md`, and rows of the summary there.

use std::{env, error::Error, fs, path::PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The results of one part.
pub struct Section {
    /// Tables and text, in Markdown.
    pub text: String,
    /// The rows of the summary.
    pub summary: Vec<SummaryRow>,
}

/// One row of the summary.
pub struct SummaryRow {
    pub what: String,
    pub measured: String,
    /// The target; empty for a row that is only a comparison.
    pub target: &'static str,
}

/// The summary's heading; the first column is the part.
const HEADING: &str = "| | | measured | target |\n|---|---|---|---|\n";

/// The parts in the order of the summary.
const PARTS: [&str; 4] = ["calls", "limit", "growth", "builds"];

/// Writes the section of a part between the marker comments with its name, and its rows of the summary.
pub fn write(name: &str, part: &Section) -> Result<()> {
    if !part.text.is_empty() {
        replace(name, |_| part.text.clone())?;
    }
    replace("summary", |old| summary(old, name, &part.summary))
}

/// Replaces the rows of a part in the summary, and keeps those of other parts.
fn summary(old: &str, name: &str, rows: &[SummaryRow]) -> String {
    let mut text = HEADING.to_owned();
    for part in PARTS {
        let begin = format!("| {part} |");
        if part == name {
            for row in rows {
                let SummaryRow {
                    what,
                    measured,
                    target,
                } = row;
                text.push_str(&format!("{begin} {what} | {measured} | {target} |\n"));
            }
        } else {
            let kept = old.lines().filter(|line| line.starts_with(&begin));
            text.extend(kept.flat_map(|line| [line, "\n"]));
        }
    }
    text
}

/// The file that the parts write into.
const FILE: &str = "bench/README.md";

/// Replaces the text between `<!-- begin: NAME, … -->` and `<!-- end: NAME -->`.
fn replace(name: &str, new: impl FnOnce(&str) -> String) -> Result<()> {
    let path = repository().join(FILE);
    let text = fs::read_to_string(&path)?;
    let old = || {
        let (_, rest) = text.split_once(&format!("<!-- begin: {name},"))?;
        let (_, rest) = rest.split_once("-->\n")?;
        let (old, _) = rest.split_once(&format!("<!-- end: {name} -->"))?;
        let begin = text.len() - rest.len();
        Some(begin..begin + old.len())
    };
    let old = old().ok_or_else(|| format!("{FILE} has no markers of {name}"))?;
    let new = new(&text[old.clone()]);
    let (before, after) = (&text[..old.start], &text[old.end..]);
    fs::write(&path, format!("{before}\n{}\n\n{after}", new.trim()))?;
    Ok(())
}

/// Returns the path of the repository.
pub fn repository() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), ".."].iter().collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_replaces_its_own_rows_of_the_summary_and_no_others() {
        let old = format!(
            "\n{HEADING}| calls | get | 1.2 | |\n| limit | old | 1 | |\n| growth | list | 1.0 | |\n"
        );
        let row = SummaryRow {
            what: "new".to_owned(),
            measured: "99 %".to_owned(),
            target: "≥ 97 %",
        };
        let rows =
            "| calls | get | 1.2 | |\n| limit | new | 99 % | ≥ 97 % |\n| growth | list | 1.0 | |\n";
        assert_eq!(summary(&old, "limit", &[row]), format!("{HEADING}{rows}"));
    }
}
