//! Reading a roster in CSV, JSON or JSON lines. Every problem is reported with its line.

mod csv;
mod json;
mod row;

use std::{collections::HashMap, fmt, fs, io::Read, path::Path};

use clap::ValueEnum;
use org_invitations::{NewInvitation, Withdrawal, normalize_email};

use self::{
    csv::csv_rows,
    json::{json_rows, jsonl_rows},
    row::{Row, RowAction},
};
use crate::failure::Failure;

/// How a roster is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RosterFormat {
    /// A header, then a line for each person.
    Csv,
    /// An array of objects.
    Json,
    /// An object on each line.
    Jsonl,
}

/// The people of a roster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    /// The people to invite, with the numbers of their lines, from 1.
    pub invite: Vec<(usize, NewInvitation)>,
    /// The invitations to withdraw.
    pub withdraw: Vec<Withdrawal>,
}

/// An error in a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    line: usize,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// How many problems are listed; further ones are counted.
const MAX_LISTED_PROBLEMS: usize = 20;

/// Reads a whole roster; `-` is standard input.
///
/// With `allow_blank`, a blank file is an empty roster in every format.
pub(crate) fn read(
    path: &Path,
    format: Option<RosterFormat>,
    allow_blank: bool,
) -> Result<Roster, Failure> {
    let name = path.display();
    let format = match (format, path.extension().and_then(|end| end.to_str())) {
        (Some(format), _) => format,
        (None, Some("json")) => RosterFormat::Json,
        (None, Some("jsonl" | "ndjson")) => RosterFormat::Jsonl,
        (None, Some("csv" | "tsv" | "txt")) => RosterFormat::Csv,
        (None, _) => {
            let wrong = format!("{name}: unknown format: pass `--format csv|json|jsonl`");
            return Err(Failure::Usage(wrong));
        }
    };
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|error| Failure::Usage(format!("cannot read {name}: {error}")))?;
    if allow_blank && is_blank(&bytes) {
        return Ok(Roster::default());
    }
    let roster = parse(&bytes, format).and_then(Roster::new);
    roster.map_err(|problems| {
        let shown: Vec<_> = problems
            .iter()
            .take(MAX_LISTED_PROBLEMS)
            .map(|one| format!("\n  {one}"))
            .collect();
        let more = match problems.len().saturating_sub(MAX_LISTED_PROBLEMS) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        let shown = shown.concat();
        Failure::Usage(format!(
            "{name} is not a valid roster; nothing was sent:{shown}{more}"
        ))
    })
}

/// Whether a file has nothing but white space, after an optional byte order mark.
fn is_blank(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    text.trim_ascii().is_empty()
}

impl Roster {
    /// Collects the rows. A roster that both invites and withdraws one person is rejected.
    fn new(rows: Vec<Row>) -> Result<Self, Vec<Problem>> {
        let mut roster = Self::default();
        if rows.iter().all(|row| row.action == RowAction::Invite) {
            roster.invite = rows.into_iter().map(|row| (row.line, row.new)).collect();
            return Ok(roster);
        }
        let mut invited = HashMap::new();
        for row in rows.iter().filter(|row| row.action == RowAction::Invite) {
            let address = normalize_email(&row.new.email);
            invited.entry(address).or_insert(row.line);
        }
        let mut problems = Vec::new();
        for row in rows {
            let id = match row.action {
                RowAction::Invite => {
                    roster.invite.push((row.line, row.new));
                    continue;
                }
                RowAction::Withdraw(id) => id,
            };
            if let Some(other) = invited.get(&normalize_email(&row.new.email)) {
                let why = format!("this row deletes the person whom line {other} invites");
                problems.push(problem(row.line, why));
            }
            roster.withdraw.push(Withdrawal::new(row.new.email, id));
        }
        if problems.is_empty() {
            Ok(roster)
        } else {
            Err(problems)
        }
    }
}

fn parse(bytes: &[u8], format: RosterFormat) -> Result<Vec<Row>, Vec<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        vec![problem(line, "the file is not UTF-8 text")]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (rows, problems) = match format {
        RosterFormat::Csv => csv_rows(text),
        RosterFormat::Json => json_rows(text),
        RosterFormat::Jsonl => jsonl_rows(text),
    };
    if problems.is_empty() {
        Ok(rows)
    } else {
        Err(problems)
    }
}

fn problem(line: usize, message: impl Into<String>) -> Problem {
    Problem {
        line,
        message: message.into(),
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
