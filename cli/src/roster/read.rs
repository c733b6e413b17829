//! Reading a roster: CSV, JSON or JSON lines, every problem with its line.

use std::{collections::HashMap, fmt, fs, io::Read, path::Path};

use clap::ValueEnum;
use org_invitations::{AuthType, InvitationId, NewInvitation, Roles, Withdrawal, normalize_email};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    failure::Failure,
    output::unescape_control,
    suggest::{did_you_mean, with_nearest},
};

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
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// Who is to be invited, and the line that says so, counted from 1.
    pub invite: Vec<(usize, NewInvitation)>,
    /// Whose invitation is to be withdrawn.
    pub withdraw: Vec<Withdrawal>,
}

/// A row of a roster.
#[derive(Debug)]
struct Row {
    /// Counted from 1.
    line: usize,
    new: NewInvitation,
    action: RowAction,
}

/// What a row is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RowAction {
    /// The person is to be invited; the plan says what that takes.
    Invite,
    /// The person's invitation is to be withdrawn, or the one with this id.
    Withdraw(Option<InvitationId>),
}

/// What is wrong with a line.
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

/// The columns of a roster. The last three are what a file of failed rows has besides; `error` is not looked at.
const COLUMNS: [&str; 6] = ["email", "roles", "auth_type", "action", "id", "error"];

/// Problems beyond these are counted only.
const SHOWN: usize = 20;

/// Reads a roster; `-` is standard input. All of it is read before anything is sent. A file without a single
/// character is an empty roster where `nothing_is_empty`; otherwise it depends on the format.
pub(crate) fn read(
    path: &Path,
    format: Option<RosterFormat>,
    nothing_is_empty: bool,
) -> Result<Roster, Failure> {
    let name = path.display();
    let format = match (format, path.extension().and_then(|end| end.to_str())) {
        (Some(format), _) => format,
        (None, Some("json")) => RosterFormat::Json,
        (None, Some("jsonl" | "ndjson")) => RosterFormat::Jsonl,
        (None, Some("csv" | "tsv" | "txt")) => RosterFormat::Csv,
        (None, _) => {
            let wrong = format!("{name}: which format is it? Give `--format csv|json|jsonl`");
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
    if nothing_is_empty && is_blank(&bytes) {
        return Ok(Roster::default());
    }
    let roster = parse(&bytes, format).and_then(Roster::new);
    roster.map_err(|problems| {
        let shown: Vec<_> = problems
            .iter()
            .take(SHOWN)
            .map(|one| format!("\n  {one}"))
            .collect();
        let more = match problems.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        let shown = shown.concat();
        Failure::Usage(format!(
            "{name} is no roster, so nothing was sent:{shown}{more}"
        ))
    })
}

/// Whether there is nothing in a file that anybody could have written.
fn is_blank(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    text.trim_ascii().is_empty()
}

impl Roster {
    /// Nobody can be invited and withdrawn by one roster.
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
                let why = format!("it deletes whom line {other} invites");
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
        vec![problem(line, "it is not UTF-8 text")]
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

fn csv_rows(text: &str) -> (Vec<Row>, Vec<Problem>) {
    let header = text.lines().next().unwrap_or_default();
    // Spreadsheets of some languages write `;`, and copied cells have tabs.
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .find(|d| header.as_bytes().contains(d));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .trim(csv::Trim::All)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let columns: Vec<String> = match records.next() {
        Some(Ok(header)) => header.iter().map(str::to_lowercase).collect(),
        Some(Err(error)) => return (Vec::new(), vec![csv_problem(&error)]),
        None => {
            return (
                Vec::new(),
                vec![problem(1, "it is empty; its first line names the columns")],
            );
        }
    };
    let mut problems = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        if !COLUMNS.contains(&column.as_str()) {
            let known = "the columns are email, roles and auth_type";
            problems.push(problem(
                1,
                format!(
                    "there is no column {column:?}; {known}{}",
                    did_you_mean(column, COLUMNS)
                ),
            ));
        } else if columns[..index].contains(column) {
            problems.push(problem(1, format!("the column {column:?} is there twice")));
        }
    }
    if !columns.iter().any(|column| column == "email") {
        problems.push(problem(
            1,
            "the first line names the columns, and `email` has to be one",
        ));
    }
    if !problems.is_empty() {
        return (Vec::new(), problems);
    }
    let mut rows = Vec::new();
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                problems.push(csv_problem(&error));
                continue;
            }
        };
        let line = record.position().map_or(0, |position| {
            // Empty lines before a record are taken for a part of it.
            let rest = text.get(position.byte() as usize..).unwrap_or_default();
            let empty = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            position.line() as usize + newlines(&rest[..empty])
        });
        let cell = |name: &str| {
            let index = columns.iter().position(|column| column == name)?;
            let text = record.get(index).filter(|text| !text.is_empty())?;
            // What keeps a spreadsheet from taking a cell for a formula.
            let plain = text.strip_prefix('\'');
            let plain = plain
                .filter(|text| text.starts_with(['=', '+', '-', '@']))
                .unwrap_or(text);
            Some(unescape_control(plain).into_owned())
        };
        let fields = Fields {
            email: cell("email"),
            roles: cell("roles").map(RolesField::Text),
            auth_type: cell("auth_type"),
            action: cell("action"),
            id: cell("id"),
            _error: None,
        };
        match fields.row(line) {
            Ok(row) => rows.push(row),
            Err(message) => problems.push(problem(line, message)),
        }
    }
    (rows, problems)
}

fn json_rows(text: &str) -> (Vec<Row>, Vec<Problem>) {
    let items: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(items) => items,
        Err(error) => {
            return (
                Vec::new(),
                vec![problem(error.line(), json_message(&error))],
            );
        }
    };
    // Where an item is in the text tells its line; the lines before are counted once.
    let (mut line, mut counted) = (1, 0);
    let items = items.into_iter().map(|item| {
        let start = item.get().as_ptr() as usize - text.as_ptr() as usize;
        line += newlines(&text[counted..start]);
        counted = start;
        (line, item.get())
    });
    objects(items)
}

fn jsonl_rows(text: &str) -> (Vec<Row>, Vec<Problem>) {
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    objects(lines.filter(|(_, line)| !line.trim().is_empty()))
}

fn objects<'a>(items: impl Iterator<Item = (usize, &'a str)>) -> (Vec<Row>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (line, text) in items {
        let fields = serde_json::from_str::<Fields>(text).map_err(|error| {
            let within = error.line().saturating_sub(1);
            problem(line + within, json_message(&error))
        });
        let row = fields.and_then(|fields| fields.row(line).map_err(|why| problem(line, why)));
        match row {
            Ok(row) => rows.push(row),
            Err(problem) => problems.push(problem),
        }
    }
    (rows, problems)
}

/// A row as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    email: Option<String>,
    roles: Option<RolesField>,
    auth_type: Option<String>,
    action: Option<String>,
    id: Option<String>,
    #[serde(rename = "error")]
    _error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RolesField {
    List(Vec<String>),
    Text(String),
    AsPrinted(Roles),
}

impl Fields {
    /// Only what is written wrongly is a problem; what a provider would refuse is for the plan to say.
    fn row(mut self, line: usize) -> Result<Row, String> {
        let action = self.action.take().unwrap_or_default().to_lowercase();
        let id = self.id.take().filter(|id| !id.is_empty());
        let id = id.map(InvitationId::new).transpose();
        let id = id.map_err(|error| error.message().to_owned())?;
        let action = match action.as_str() {
            "" | "create" | "renew" if id.is_none() => RowAction::Invite,
            "" | "create" | "renew" => {
                return Err("an id goes with the action delete only".to_owned());
            }
            "delete" => RowAction::Withdraw(id),
            word => {
                return Err(format!(
                    "there is no action {word:?}; it is create, renew or delete"
                ));
            }
        };
        let new = self.invitation()?;
        if action != RowAction::Invite && (new.roles.is_some() || new.auth_type.is_some()) {
            return Err("a row that deletes has neither roles nor an auth type".to_owned());
        }
        Ok(Row { line, new, action })
    }

    fn invitation(self) -> Result<NewInvitation, String> {
        let email = self.email.filter(|email| !email.trim().is_empty());
        let mut new = NewInvitation::new(email.ok_or("it has no email")?.trim());
        new.roles = self.roles.map(RolesField::roles).transpose()?.flatten();
        if let Some(word) = self.auth_type.filter(|word| !word.is_empty()) {
            match AuthType::from(word.to_lowercase().as_str()) {
                AuthType::Other(_) => {
                    return Err(format!(
                        "there is no auth type {word:?}; it is local or sso"
                    ));
                }
                known => new = new.auth_type(known),
            }
        }
        Ok(new)
    }
}

/// The mark of the deprecated single role.
pub(crate) const LEGACY: &str = "legacy:";

impl RolesField {
    fn roles(self) -> Result<Option<Roles>, String> {
        let ids = match self {
            Self::AsPrinted(roles) => return Ok(Some(roles)),
            Self::List(ids) => ids,
            Self::Text(text) => text
                .split([';', ',', '|', ' '])
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        match &ids[..] {
            [] => Ok(None),
            [one] if one.starts_with(LEGACY) => {
                Ok(Some(Roles::Legacy(one[LEGACY.len()..].to_owned())))
            }
            _ if ids.iter().any(|id| id.starts_with(LEGACY)) => Err(format!(
                "`{LEGACY}…` is the only role that a person can have"
            )),
            _ => Ok(Some(Roles::Ids(ids))),
        }
    }
}

fn problem(line: usize, message: impl Into<String>) -> Problem {
    Problem {
        line,
        message: message.into(),
    }
}

fn csv_problem(error: &csv::Error) -> Problem {
    let line = error
        .position()
        .map_or(0, |position| position.line() as usize);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => problem(
            line,
            format!("it has {len} cells, and the first line names {expected_len}"),
        ),
        _ => problem(line, error.to_string()),
    }
}

/// Without the position, which is said in front.
fn json_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => with_nearest(message),
        None => text,
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
