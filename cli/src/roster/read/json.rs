//! Rosters in JSON and JSON lines.

use serde_json::value::RawValue;

use super::{
    Problem, newlines, problem,
    row::{Fields, Row},
};
use crate::suggest::with_suggestion;

/// Parses an array of objects.
pub(super) fn json_rows(text: &str) -> (Vec<Row>, Vec<Problem>) {
    let items: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(items) => items,
        Err(error) => {
            return (
                Vec::new(),
                vec![problem(error.line(), json_message(&error))],
            );
        }
    };
    // The position of an item in the text gives its line; each line is counted once.
    let (mut line, mut counted) = (1, 0);
    let items = items.into_iter().map(|item| {
        let start = item.get().as_ptr() as usize - text.as_ptr() as usize;
        line += newlines(&text[counted..start]);
        counted = start;
        (line, item.get())
    });
    objects(items)
}

/// Parses an object on each line.
pub(super) fn jsonl_rows(text: &str) -> (Vec<Row>, Vec<Problem>) {
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

/// The message without the position, which the problem has already.
fn json_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => with_suggestion(message),
        None => text,
    }
}
