//! Rosters in JSON, JSON lines and YAML.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::{RawValue, Value};

use super::{
    Parsed, Place, Problem, ReadOptions,
    columns::{Column, check, meanings},
    newlines, problem,
    row::{Fields, Row},
    wrapped::wrapped_rows,
};
use crate::roster::roles::{RolesField, excerpt};

/// Parses an array of objects or addresses, or objects one after the other.
pub(super) fn json_rows(text: &str, options: &ReadOptions) -> Parsed {
    if text.trim().is_empty() {
        return Parsed::invalid(problem(1, "the file is empty; no row is `[]`"));
    }
    match rows_of(text, 1, options) {
        Ok(rows) => numbered(rows, options),
        Err(problem) => Parsed::invalid(problem),
    }
}

/// Parses an object or an address on each line.
pub(super) fn jsonl_rows(text: &str, options: &ReadOptions) -> Parsed {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let rows = lines.flat_map(|(index, line)| match rows_of(line, index + 1, options) {
        Ok(rows) => rows,
        Err(problem) => vec![Err(problem)],
    });
    parsed(rows, Place::Line, options)
}

/// Parses YAML that has a sequence of mappings or addresses, or one mapping.
pub(super) fn yaml_rows(text: &str, options: &ReadOptions) -> Parsed {
    let items = match serde_norway::from_str(text) {
        Ok(serde_norway::Value::Sequence(items)) => items,
        Ok(item) => vec![item],
        Err(error) => {
            let line = error.location().map_or(1, |at| at.line());
            return Parsed::invalid(problem(line, format!("not valid YAML: {error}")));
        }
    };
    let lines = yaml_lines(text, items.len());
    let rows = lines.into_iter().zip(items).map(|(line, item)| {
        let item = match item.is_mapping() {
            true => serde_norway::from_value(item).map(Item::Object),
            false => serde_norway::from_value(item).map(Item::Other),
        };
        let item = item.map(|item| (line, item));
        item.map_err(|error| problem(line, format!("not a row: {error}")))
    });
    numbered(rows.collect(), options)
}

/// Parses rows with their lines or, if several are on one line, with their numbers.
fn numbered(rows: Vec<LocatedItem>, options: &ReadOptions) -> Parsed {
    let line = |row: &LocatedItem| match row {
        Ok((line, _)) => *line,
        Err(problem) => problem.line,
    };
    if !rows.windows(2).any(|pair| line(&pair[0]) == line(&pair[1])) {
        return parsed(rows, Place::Line, options);
    }
    let rows = rows.into_iter().enumerate().map(|(index, row)| match row {
        Ok((_, item)) => Ok((index + 1, item)),
        Err(problem) => Err(Problem {
            line: index + 1,
            ..problem
        }),
    });
    parsed(rows, Place::Row, options)
}

/// The lines of the items of a block sequence; for a sequence in brackets, that of the document.
fn yaml_lines(text: &str, count: usize) -> Vec<usize> {
    let dash = |line: &str| {
        let item = line.trim_start();
        let is_item = item == "-" || item.starts_with("- ");
        is_item.then(|| line.len() - item.len())
    };
    // What is within an item is indented more than its dash.
    let indent = text.lines().find_map(dash);
    let lines = text.lines().enumerate();
    let items = lines.filter(|(_, line)| indent.is_some() && dash(line) == indent);
    let items: Vec<usize> = items.map(|(index, _)| index + 1).collect();
    match items.len() == count {
        true => items,
        false => vec![1; count],
    }
}

/// A row before it is checked.
enum Item {
    Object(Object),
    Other(Value),
}

/// A row with its line, or why it cannot be read.
type LocatedItem = Result<(usize, Item), Problem>;

/// The fields of an object as they are written, even if two have one name.
pub(super) struct Object<V = Value>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Object<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for FieldsVisitor<V> {
            type Value = Object<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<V>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// The rows of a text that begins at this line.
fn rows_of(text: &str, line: usize, options: &ReadOptions) -> Result<Vec<LocatedItem>, Problem> {
    let invalid = |line: usize, error: &serde_json::Error| {
        let message = error.to_string();
        let message = message
            .rsplit_once(" at line ")
            .map_or(&*message, |(what, _)| what);
        problem(
            line + error.line().saturating_sub(1),
            format!("not valid JSON: {message}"),
        )
    };
    let mut raw: Vec<&RawValue> = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let value = value.map_err(|error| invalid(line, &error))?;
        match value.get().starts_with('[') {
            true => {
                let items: Vec<&RawValue> =
                    serde_json::from_str(value.get()).map_err(|error| invalid(line, &error))?;
                raw.extend(items);
            }
            false => raw.push(value),
        }
    }
    if let [one] = raw[..] {
        let wrapped = wrapped_rows(one.get(), options).map_err(|why| problem(line, why))?;
        raw = wrapped.unwrap_or(raw);
    }
    // The position of a row in the text gives its line; each line is counted once.
    let (mut line, mut counted) = (line, 0);
    let rows = raw.into_iter().map(|row| {
        let start = row.get().as_ptr() as usize - text.as_ptr() as usize;
        line += newlines(&text[counted..start]);
        counted = start;
        let item = match row.get().starts_with('{') {
            true => serde_json::from_str(row.get()).map(Item::Object),
            false => serde_json::from_str(row.get()).map(Item::Other),
        };
        item.map(|item| (line, item))
            .map_err(|error| invalid(line, &error))
    });
    Ok(rows.collect())
}

fn parsed(
    items: impl IntoIterator<Item = LocatedItem>,
    place: Place,
    options: &ReadOptions,
) -> Parsed {
    let mut parsed = Parsed::default();
    let mut has_roles = false;
    // Most rows have the fields of the row before.
    let mut layout = Layout::default();
    for item in items {
        let (line, item) = match item {
            Ok(item) => item,
            Err(problem) => {
                parsed.problems.push(Problem { place, ..problem });
                continue;
            }
        };
        let fields = match item {
            Item::Object(Object(object)) => {
                if !layout.is_of(&object) {
                    layout = Layout::new(&object, options);
                    has_roles |= layout.columns.contains(&Column::Roles);
                    layout.ignored().for_each(|name| parsed.ignore(name));
                }
                match layout.wrong.is_empty() {
                    true => fields(&layout.columns, object).map_err(|why| vec![why]),
                    false => Err(layout.wrong.clone()),
                }
            }
            Item::Other(Value::String(email)) => Ok(Fields {
                email: Some(email),
                ..Fields::default()
            }),
            Item::Other(other) => Err(vec![format!(
                "a row is {}; it has to be an object, or an address as text",
                excerpt(&other)
            )]),
        };
        match fields.and_then(|fields| fields.row(line).map_err(|why| vec![why])) {
            Ok(row) => parsed.rows.push(Row { place, ..row }),
            Err(wrong) => parsed.problems.extend(wrong.into_iter().map(|why| Problem {
                place,
                ..problem(line, why)
            })),
        }
    }
    if let (Some(chosen), false, false) = (&options.role_column, has_roles, parsed.rows.is_empty())
    {
        let why = format!("no row has the field {chosen:?}, as --role-column asks for");
        parsed.problems.push(problem(1, why));
    }
    parsed
}

/// What the fields of an object mean.
#[derive(Default)]
struct Layout {
    names: Vec<String>,
    columns: Vec<Column>,
    /// Why objects with these fields cannot be read.
    wrong: Vec<String>,
}

impl Layout {
    fn new(object: &[(String, Value)], options: &ReadOptions) -> Self {
        let names: Vec<&str> = object.iter().map(|(name, _)| name.as_str()).collect();
        let columns = meanings(&names, options);
        let wrong = check(&names, &columns, options, "field");
        Self {
            names: names.into_iter().map(str::to_owned).collect(),
            columns,
            wrong,
        }
    }

    fn is_of(&self, object: &[(String, Value)]) -> bool {
        !object.is_empty() && self.names.iter().eq(object.iter().map(|(name, _)| name))
    }

    fn ignored(&self) -> impl Iterator<Item = &str> {
        let fields = self.names.iter().zip(&self.columns);
        let ignored = fields.filter(|(_, column)| **column == Column::Extra);
        ignored.map(|(name, _)| name.as_str())
    }
}

fn fields(columns: &[Column], object: Vec<(String, Value)>) -> Result<Fields, String> {
    let mut fields = Fields::default();
    for (column, (name, value)) in columns.iter().zip(object) {
        match column {
            Column::Email => fields.email = text(&name, value)?,
            Column::Roles => fields.roles = RolesField::from_json(value)?,
            Column::LegacyRole => fields.legacy_role = text(&name, value)?,
            Column::AuthType => fields.auth_type = text(&name, value)?,
            Column::Action => fields.action = text(&name, value)?,
            Column::Id => fields.id = text(&name, value)?,
            // The fields of another program may have the same names.
            Column::Provider => fields.provider = value.as_str().map(str::to_owned),
            Column::Profile => fields.profile = value.as_str().map(str::to_owned),
            Column::Status => fields.status = value.as_str().map(str::to_owned),
            Column::Switch(switch) => {
                let value = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                if switch.is_off(&value) {
                    fields.off = Some(format!("{name:?} is {value:?}"));
                }
            }
            Column::Printed | Column::Extra => {}
        }
    }
    Ok(fields)
}

fn text(name: &str, value: Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(format!(
            "{name:?} is {}; it has to be text",
            excerpt(&other)
        )),
    }
}
