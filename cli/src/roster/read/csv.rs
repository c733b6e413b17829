//! Rosters in CSV.

use super::{
    Problem, newlines, problem,
    row::{Fields, Row},
};
use crate::{output::unescape_control, roster::roles::RolesField, suggest::did_you_mean};

/// The columns of a roster. Files of failed rows have the last three, of which `error` is ignored.
const COLUMNS: [&str; 6] = ["email", "roles", "auth_type", "action", "id", "error"];

/// Parses CSV with a header.
pub(super) fn csv_rows(text: &str) -> (Vec<Row>, Vec<Problem>) {
    let header = text.lines().next().unwrap_or_default();
    // Spreadsheets in some languages write `;`, and copied cells are separated by tabs.
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
                vec![problem(
                    1,
                    "the file is empty; its first line has to name the columns",
                )],
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
                    "unknown column {column:?}; {known}{}",
                    did_you_mean(column, COLUMNS)
                ),
            ));
        } else if columns[..index].contains(column) {
            problems.push(problem(1, format!("duplicate column {column:?}")));
        }
    }
    if !columns.iter().any(|column| column == "email") {
        problems.push(problem(1, "the first line has no column `email`"));
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
            // The position of a record includes the empty lines before it.
            let rest = text.get(position.byte() as usize..).unwrap_or_default();
            let empty = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            position.line() as usize + newlines(&rest[..empty])
        });
        let cell = |name: &str| {
            let index = columns.iter().position(|column| column == name)?;
            let text = record.get(index).filter(|text| !text.is_empty())?;
            // An apostrophe keeps a spreadsheet from reading the cell as a formula.
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

fn csv_problem(error: &csv::Error) -> Problem {
    let line = error
        .position()
        .map_or(0, |position| position.line() as usize);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => problem(
            line,
            format!("the row has {len} cells, and the first line names {expected_len} columns"),
        ),
        _ => problem(line, error.to_string()),
    }
}
