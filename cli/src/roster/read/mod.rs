//! Reading a roster in CSV, JSON, JSON lines or YAML, as directories and spreadsheets export it or as this command prints
//! it. Every problem is reported with its line.

mod columns;
mod csv;
mod encoding;
mod json;
mod options;
mod row;
mod status;
mod wrapped;

use std::{collections::HashMap, fmt, fs, io::Read, path::Path};

use org_invitations::{NewInvitation, Withdrawal, normalize_email};

pub(crate) use self::options::{ReadOptions, RosterFormat};
use self::{
    csv::csv_rows,
    encoding::{Decoded, decode},
    json::{json_rows, jsonl_rows, yaml_rows},
    row::{Row, RowAction},
    status::{skip_past, switched_off},
};
use super::origin::Origins;
use crate::{failure::Failure, output::escape_control};

/// The people of a roster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    /// The people to invite, with the numbers of their lines, from 1; or of their rows, where several are on a line.
    pub invite: Vec<(usize, NewInvitation)>,
    /// The invitations to withdraw.
    pub withdraw: Vec<Withdrawal>,
    /// The organisation that it was listed from.
    pub origins: Origins,
}

/// What the number of a row counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Line,
    /// Several rows are on one line.
    Row,
}

impl Place {
    fn noun(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Row => "row",
        }
    }
}

/// An error in a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    line: usize,
    place: Place,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.noun();
        write!(f, "{place} {}: {}", self.line, self.message)
    }
}

/// What was read.
#[derive(Debug, Default)]
struct Parsed {
    rows: Vec<Row>,
    problems: Vec<Problem>,
    /// The names of the columns that are not part of a roster.
    ignored: Vec<String>,
}

impl Parsed {
    fn ignore(&mut self, name: &str) {
        if !self.ignored.iter().any(|known| known == name) {
            self.ignored.push(name.to_owned());
        }
    }

    fn invalid(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }
}

/// How many problems are listed; further ones are counted.
const MAX_LISTED_PROBLEMS: usize = 20;

/// Reads a whole roster; `-` is standard input. What is ignored or guessed is said on standard error.
///
/// With `prunes`, where the roster says who may stay, a blank file is an empty roster in every format.
pub(crate) fn read(path: &Path, options: &ReadOptions, prunes: bool) -> Result<Roster, Failure> {
    let name = path.display();
    format_of(path, options)?;
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
    read_bytes(&bytes, path, options, prunes)
}

/// The format that is asked for, or that of the file extension.
fn format_of(path: &Path, options: &ReadOptions) -> Result<RosterFormat, Failure> {
    Ok(
        match (
            options.format,
            path.extension().and_then(|end| end.to_str()),
        ) {
            (Some(format), _) => format,
            (None, Some("json")) => RosterFormat::Json,
            (None, Some("jsonl" | "ndjson")) => RosterFormat::Jsonl,
            (None, Some("yaml" | "yml")) => RosterFormat::Yaml,
            (None, Some("csv" | "tsv" | "txt")) => RosterFormat::Csv,
            (None, _) => {
                let name = path.display();
                let wrong = format!("{name}: unknown format: pass `--format csv|json|jsonl|yaml`");
                return Err(Failure::Usage(wrong));
            }
        },
    )
}

/// Reads a roster from the content of the file at `path`; as [`read`] otherwise.
pub(crate) fn read_bytes(
    bytes: &[u8],
    path: &Path,
    options: &ReadOptions,
    prunes: bool,
) -> Result<Roster, Failure> {
    let name = path.display();
    let format = format_of(path, options)?;
    let invalid = |problems: Vec<Problem>| {
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
    };
    let Decoded { text, guessed } = decode(bytes).map_err(|problem| invalid(vec![problem]))?;
    if prunes && text.trim().is_empty() {
        return Ok(Roster::default());
    }
    if let Some((line, example)) = guessed {
        if options.strict {
            let why = "the file is not UTF-8 text, and --strict does not guess its encoding";
            return Err(invalid(vec![problem(line, why)]));
        }
        eprintln!(
            "warning: {name} is not UTF-8 text, so it is read as Windows-1252 (Latin-1), in which line {line} is `{}`; \
             if that is wrong, save the file as UTF-8",
            escape_control(&example)
        );
    }
    let Parsed { rows, ignored, .. } = parse(&text, format, options).map_err(invalid)?;
    if !ignored.is_empty() {
        let ignored = ignored.join(", ");
        eprintln!(
            "note: {name}: ignored columns: {}",
            escape_control(&ignored)
        );
    }
    let (rows, skipped) = skip_past(rows, prunes).map_err(invalid)?;
    if let Some(note) = skipped {
        eprintln!("note: {name}: {note}");
    }
    if let Some(warning) = switched_off(&rows, options.strict).map_err(invalid)? {
        eprintln!("warning: {name}: {warning}");
    }
    let mut roster = Roster::new(rows).map_err(invalid)?;
    if !options.default_role.is_empty() {
        let people = roster.invite.iter_mut().map(|(_, new)| new);
        for new in people.filter(|new| new.roles.is_none()) {
            *new = new.clone().roles(&options.default_role);
        }
    }
    Ok(roster)
}

impl Roster {
    /// Collects the rows. A roster that both invites and withdraws one person is rejected.
    fn new(rows: Vec<Row>) -> Result<Self, Vec<Problem>> {
        let mut roster = Self::default();
        for (provider, profile) in rows.iter().filter_map(|row| row.origin.as_ref()) {
            roster.origins.add(provider, profile.as_deref());
        }
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
            let id = match &row.action {
                RowAction::Invite => {
                    roster.invite.push((row.line, row.new));
                    continue;
                }
                RowAction::Withdraw(id) => id.clone(),
            };
            if let Some(other) = invited.get(&normalize_email(&row.new.email)) {
                let place = row.place.noun();
                let why = format!("this row deletes the person whom {place} {other} invites");
                problems.push(row.problem(why));
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

fn parse(text: &str, format: RosterFormat, options: &ReadOptions) -> Result<Parsed, Vec<Problem>> {
    let parsed = match format {
        RosterFormat::Csv => csv_rows(text, options),
        RosterFormat::Json => json_rows(text, options),
        RosterFormat::Jsonl => jsonl_rows(text, options),
        RosterFormat::Yaml => yaml_rows(text, options),
    };
    match parsed.problems.is_empty() {
        true => Ok(parsed),
        false => Err(parsed.problems),
    }
}

fn problem(line: usize, message: impl Into<String>) -> Problem {
    Problem {
        line,
        place: Place::Line,
        message: message.into(),
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
