//! Converts record batches to rows of the output.

use std::{
    collections::{HashMap, HashSet},
    iter,
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::RecordBatch,
        datatypes::{Schema, SchemaRef},
        json::{ArrayWriter, WriterBuilder, writer::JsonArray},
    },
    error::{DataFusionError, Result},
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::value::{Floats, Value};
use crate::output::{Cell, Record};

/// The names of the columns. A name that occurs again gets a number.
pub(super) fn names(schema: &Schema) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let fields = schema.fields().iter();
    let names = fields.map(|field| {
        let numbered = (2..).map(|number| format!("{}_{number}", field.name()));
        let mut free = iter::once(field.name().clone()).chain(numbered);
        let name = free.find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        name
    });
    names.collect()
}

/// A row, with the names of its columns.
#[derive(Debug)]
pub(super) struct Row<'a> {
    names: &'a [String],
    values: Vec<Value>,
}

/// The rows of a batch.
pub(super) fn rows<'a>(batch: &RecordBatch, names: &'a [String]) -> Result<Vec<Row<'a>>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    rows.resize_with(batch.num_rows(), || Row {
        names,
        values: Vec::with_capacity(names.len()),
    });
    // Columns are converted one at a time, because two may have the same name.
    for column in 0..batch.num_columns() {
        for (row, value) in rows.iter_mut().zip(values(batch, column)?) {
            row.values.push(value);
        }
    }
    Ok(rows)
}

fn values(batch: &RecordBatch, column: usize) -> Result<Vec<Value>> {
    let one = batch.project(&[column])?;
    let mut json = Vec::new();
    let mut writer: ArrayWriter<_> = WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(Floats))
        .build::<_, JsonArray>(&mut json);
    writer.write(&one)?;
    writer.finish()?;
    drop(writer);
    if json.is_empty() {
        return Ok(Vec::new());
    }
    let external = |error: serde_json::Error| DataFusionError::External(error.into());
    let objects: Vec<HashMap<String, Box<RawValue>>> =
        serde_json::from_slice(&json).map_err(external)?;
    let values = objects.into_iter().map(|object| {
        let raw = object.into_values().next();
        raw.map_or(Ok(Value::Null), Value::parse)
    });
    values.collect::<Result<_, _>>().map_err(external)
}

/// Whether the result is that of `EXPLAIN`, whose cells have several lines.
pub(super) fn is_plan(schema: &SchemaRef) -> bool {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    names.eq(["plan_type", "plan"])
}

impl Row<'_> {
    fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.values.iter().map(Value::text)
    }

    /// The title of a plan and its indented lines.
    pub fn plan(&self) -> String {
        let mut texts = self.texts();
        let (title, plan) = (texts.next(), texts.next());
        let lines = plan.unwrap_or_default();
        let lines = lines.trim_end().lines().map(|line| format!("  {line}\n"));
        format!(
            "{}\n{}",
            title.unwrap_or_default(),
            lines.collect::<String>()
        )
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (name, value) in self.names.iter().zip(&self.values) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Record for Row<'_> {
    // The columns are known once a statement is planned.
    const TABLE: &'static [&'static str] = &[];
    const CSV: &'static [&'static str] = &[];

    fn row(&self) -> Vec<Cell> {
        self.texts().map(Cell::new).collect()
    }

    fn line(&self) -> Vec<String> {
        self.texts().collect()
    }
}
