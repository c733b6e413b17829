//! Printing records that arrive one by one, in any format.

use std::{
    io::{self, Write},
    marker::PhantomData,
};

use serde::Serialize;

use super::{
    Cell, Format, Output, csv, json,
    layout::Column,
    table::{Narrow, Table},
    yaml::Sequence,
};
use crate::failure::Failure;

/// A record of a command's output. The JSON formats print its serialised form.
pub(crate) trait Record: Serialize {
    /// The columns of the table.
    const TABLE: &'static [&'static str];
    /// The columns of the CSV.
    const CSV: &'static [&'static str];

    /// The minimum widths of the table's columns, where rows of several providers follow each other.
    const MIN_WIDTHS: &'static [usize] = &[];

    /// The columns of tables whose cells take several lines where a terminal is too narrow, the first one first.
    const WRAPPED: &'static [&'static str] = &[];

    /// The columns of tables that are shortened where a terminal is too narrow, the first one first.
    const SHORTENED: &'static [&'static str] = &[];

    /// The columns of tables that are left out where a terminal is still too narrow, the first one first.
    const DROPPED: &'static [&'static str] = &[];

    /// The profile of the record, where several are selected.
    fn profile(&self) -> Option<&str> {
        None
    }

    /// The row in a table. Default: the line in CSV.
    fn row(&self) -> Vec<Cell> {
        self.line().into_iter().map(Cell::new).collect()
    }

    /// The line in CSV.
    fn line(&self) -> Vec<String>;
}

/// A printer of records.
pub(crate) struct Records<'a, R> {
    out: &'a mut Output,
    form: Form,
    /// The header of the CSV.
    header: Vec<String>,
    count: u64,
    /// Whether tables omit their first column.
    omits_first_column: bool,
    /// Whether tables and CSV begin with the profile.
    has_profiles: bool,
    /// The columns that --columns selects.
    columns: Option<Vec<Column>>,
    record: PhantomData<R>,
}

enum Form {
    Table(Table),
    Json(json::Array),
    Jsonl,
    Csv,
    Yaml(Sequence),
}

impl<'a, R: Record> Records<'a, R> {
    pub(super) fn new(out: &'a mut Output) -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self::with_headers(out, words(R::TABLE), words(R::CSV))
    }

    pub(super) fn with_headers(out: &'a mut Output, table: Vec<String>, csv: Vec<String>) -> Self {
        let form = match out.format {
            Format::Table | Format::Markdown => {
                let narrow = Narrow {
                    wrapped: R::WRAPPED,
                    shortened: R::SHORTENED,
                    dropped: R::DROPPED,
                };
                Form::Table(Table::new(table, narrow))
            }
            Format::Jsonl => Form::Jsonl,
            Format::Csv => Form::Csv,
            Format::Json => Form::Json(json::Array::default()),
            Format::Yaml => Form::Yaml(Sequence::default()),
        };
        Self {
            out,
            form,
            header: csv,
            count: 0,
            omits_first_column: false,
            has_profiles: false,
            columns: None,
            record: PhantomData,
        }
    }

    /// Omits the first column of tables, for results in which it has the same value in every row.
    pub fn without_first_column(mut self) -> Self {
        if let Form::Table(table) = &mut self.form {
            table.remove_first_column();
            self.omits_first_column = true;
        }
        self
    }

    /// Applies [`Record::MIN_WIDTHS`] to tables.
    pub fn with_min_widths(mut self) -> Self {
        if let Form::Table(table) = &mut self.form {
            table.set_min_widths(R::MIN_WIDTHS);
        }
        self
    }

    /// Begins tables and CSV with the profile of each record, at least `width` wide in tables.
    pub fn with_profiles(mut self, width: usize) -> Self {
        match &mut self.form {
            Form::Table(table) => table.insert_first_column("PROFILE", width),
            _ => self.header.insert(0, "profile".to_owned()),
        }
        self.has_profiles = true;
        self
    }

    /// Selects the columns and the header, as the options say.
    pub(super) fn with_layout(mut self, columns: Option<Vec<Column>>, no_headers: bool) -> Self {
        match &mut self.form {
            Form::Table(table) => {
                if let Some(columns) = &columns {
                    table.select(
                        columns
                            .iter()
                            .map(|column| column.heading.clone())
                            .collect(),
                    );
                }
                if no_headers {
                    table.hide_header();
                }
            }
            _ => {
                if let Some(columns) = &columns {
                    self.header = columns.iter().map(|column| column.name.clone()).collect();
                }
                if no_headers {
                    self.header.clear();
                }
            }
        }
        self.columns = columns;
        self
    }

    /// Prints a record. Tables hold their first rows back until [`show`](Self::show).
    pub fn push(&mut self, record: &R) -> io::Result<()> {
        self.count += 1;
        match &mut self.form {
            Form::Table(table) => {
                let mut row = record.row();
                if let Some(columns) = &self.columns {
                    let line = record.line();
                    let cell = |column: &Column| column.cell(&row, &line, record.profile());
                    let cells = columns.iter().map(cell).collect();
                    return table.push(self.out, cells);
                }
                if self.omits_first_column {
                    row.remove(0);
                }
                if self.has_profiles {
                    row.insert(0, Cell::new(record.profile().unwrap_or_default()));
                }
                table.push(self.out, row)
            }
            Form::Json(array) => array.push(self.out, record),
            Form::Jsonl => json::line(self.out, record),
            Form::Csv => {
                if self.count == 1 && !self.header.is_empty() {
                    csv::line(self.out, self.header.iter().map(String::as_str))?;
                }
                let line = record.line();
                if let Some(columns) = &self.columns {
                    let text = |column: &Column| column.text(&line, record.profile());
                    let cells: Vec<String> = columns.iter().map(text).collect();
                    return csv::line(self.out, cells.iter().map(String::as_str));
                }
                let profile = self
                    .has_profiles
                    .then(|| record.profile().unwrap_or_default());
                let cells = profile.into_iter().chain(line.iter().map(String::as_str));
                csv::line(self.out, cells)
            }
            Form::Yaml(sequence) => sequence.push(self.out, record),
        }
    }

    /// Prints what is held back, and flushes.
    pub fn show(&mut self) -> io::Result<()> {
        if let Form::Table(table) = &mut self.form {
            table.show(self.out)?;
        }
        self.out.flush()
    }

    /// Flushes, except in tables, whose column widths depend on all rows.
    pub fn flush_lines(&mut self) -> io::Result<()> {
        if self.is_table() {
            Ok(())
        } else {
            self.out.flush()
        }
    }

    /// Whether the records begin with their profile.
    pub(super) fn has_profiles(&self) -> bool {
        self.has_profiles
    }

    /// The format of the output.
    pub(super) fn format(&self) -> Format {
        self.out.format
    }

    /// Whether the output is a table for people.
    pub fn is_table(&self) -> bool {
        matches!(self.form, Form::Table(_))
    }

    /// Prints a line in place of a row.
    pub fn println(&mut self, line: &str) -> io::Result<()> {
        self.out.line(line)?;
        self.out.flush()
    }

    /// The number of records so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Prints the end of the output whatever the outcome, unless it cannot be written: the records so far are a whole
    /// document, and the exit code tells that there may be more.
    pub fn finish_after(self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        if !matches!(outcome, Err(Failure::Io(_))) {
            self.finish()?;
        }
        outcome
    }

    /// Prints the end of the output.
    pub fn finish(mut self) -> io::Result<()> {
        match self.form {
            Form::Table(ref mut table) => table.show(self.out)?,
            Form::Json(array) => array.finish(self.out)?,
            Form::Yaml(sequence) => sequence.finish(self.out)?,
            Form::Csv if self.count == 0 && !self.header.is_empty() => {
                csv::line(self.out, self.header.iter().map(String::as_str))?
            }
            Form::Csv | Form::Jsonl => {}
        }
        self.out.flush()
    }
}
