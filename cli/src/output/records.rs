//! Records that arrive one by one, in any format.

use std::{
    io::{self, Write},
    marker::PhantomData,
};

use serde::Serialize;

use super::{
    Cell, Format, Output, csv, json,
    table::Table,
    yaml::{self, Sequence},
};

/// What a command prints: in the JSON formats it is what it serialises to.
pub(crate) trait Record: Serialize {
    /// The header of the table.
    const TABLE: &'static [&'static str];
    /// The header of the CSV.
    const CSV: &'static [&'static str];

    /// How wide the columns of a table are at least, where its rows come from different places.
    const MIN_WIDTHS: &'static [usize] = &[];

    /// Its row of the table.
    fn row(&self) -> Vec<Cell>;

    /// Its line of the CSV.
    fn line(&self) -> Vec<String>;
}

/// How many records there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One thing was asked for: JSON and YAML have an object.
    One,
    /// A list: JSON and YAML have an array.
    Many,
}

impl Shape {
    /// That of an answer to this many questions.
    pub fn of<T>(asked: &[T]) -> Self {
        if asked.len() == 1 {
            Self::One
        } else {
            Self::Many
        }
    }
}

/// Records under way.
pub(crate) struct Records<'a, R> {
    out: &'a mut Output,
    form: Form,
    /// The header of the CSV.
    header: Vec<String>,
    count: u64,
    /// Whether tables leave out their first column.
    narrow: bool,
    record: PhantomData<R>,
}

enum Form {
    Table(Table),
    Json(json::Array),
    Jsonl,
    Csv,
    Yaml(Sequence),
    /// One object of JSON or YAML.
    Document,
}

impl<'a, R: Record> Records<'a, R> {
    pub(super) fn new(out: &'a mut Output, shape: Shape) -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self::with_headers(out, shape, words(R::TABLE), words(R::CSV))
    }

    pub(super) fn with_headers(
        out: &'a mut Output,
        shape: Shape,
        table: Vec<String>,
        csv: Vec<String>,
    ) -> Self {
        let form = match (out.format, shape) {
            (Format::Table | Format::Markdown, _) => Form::Table(Table::new(table)),
            (Format::Jsonl, _) => Form::Jsonl,
            (Format::Csv, _) => Form::Csv,
            (Format::Json | Format::Yaml, Shape::One) => Form::Document,
            (Format::Json, Shape::Many) => Form::Json(json::Array::default()),
            (Format::Yaml, Shape::Many) => Form::Yaml(Sequence::default()),
        };
        Self {
            out,
            form,
            header: csv,
            count: 0,
            narrow: false,
            record: PhantomData,
        }
    }

    /// Leaves the first column out of tables, because it says the same in every row.
    pub fn without_first_column(mut self) -> Self {
        if let Form::Table(table) = &mut self.form {
            let rest = R::TABLE[1..].iter().map(|word| (*word).to_owned());
            *table = Table::new(rest.collect());
            self.narrow = true;
        }
        self
    }

    /// Makes room in tables for rows that are wider than the first ones.
    pub fn with_min_widths(mut self) -> Self {
        if let Form::Table(table) = &mut self.form {
            table.widen(R::MIN_WIDTHS);
        }
        self
    }

    pub fn push(&mut self, record: &R) -> io::Result<()> {
        self.count += 1;
        match &mut self.form {
            Form::Table(table) => {
                let mut row = record.row();
                if self.narrow {
                    row.remove(0);
                }
                table.push(self.out, row)
            }
            Form::Json(array) => array.push(self.out, record),
            Form::Jsonl => json::line(self.out, record),
            Form::Csv => {
                if self.count == 1 {
                    csv::line(self.out, self.header.iter().map(String::as_str))?;
                }
                csv::line(self.out, record.line().iter().map(String::as_str))
            }
            Form::Yaml(sequence) => sequence.push(self.out, record),
            Form::Document => match self.out.format {
                Format::Yaml => yaml::document(self.out, record),
                _ => json::document(self.out, record),
            },
        }
    }

    /// What was pushed so far reaches its reader.
    pub fn show(&mut self) -> io::Result<()> {
        if let Form::Table(table) = &mut self.form {
            table.show(self.out)?;
        }
        self.out.flush()
    }

    /// The same, unless it is a table: its columns are to suit all rows.
    pub fn show_lines(&mut self) -> io::Result<()> {
        if self.is_table() {
            Ok(())
        } else {
            self.out.flush()
        }
    }

    /// Whether people read it.
    pub fn is_table(&self) -> bool {
        matches!(self.form, Form::Table(_))
    }

    /// A line for people, in place of a row.
    pub fn println(&mut self, line: &str) -> io::Result<()> {
        self.out.line(line)?;
        self.out.flush()
    }

    /// How many were pushed.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn finish(mut self) -> io::Result<()> {
        match self.form {
            Form::Table(ref mut table) => table.show(self.out)?,
            Form::Json(array) => array.finish(self.out)?,
            Form::Yaml(sequence) => sequence.finish(self.out)?,
            Form::Csv if self.count == 0 => {
                csv::line(self.out, self.header.iter().map(String::as_str))?
            }
            Form::Csv | Form::Jsonl | Form::Document => {}
        }
        self.out.flush()
    }
}
