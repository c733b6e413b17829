//! Printing results: the formats, and what every one of them shares. One file a format.

mod color;
mod csv;
mod invitation;
mod json;
mod records;
mod table;
mod text;
mod yaml;

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use serde::Serialize;

pub(crate) use self::{
    color::{ColorChoice, bad, doubtful, good},
    csv::line as csv_line,
    invitation::InvitationRecord,
    json::line as json_line,
    records::{Record, Records, Shape},
    table::Cell,
    text::{from_visible, time, visible},
};

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON document: an object for one thing that was asked for, an array for a list.
    Json,
    /// One JSON object a line, as they arrive.
    Jsonl,
    /// Comma-separated values with a header, for spreadsheets.
    Csv,
    /// The same as JSON, as YAML.
    Yaml,
    /// Markdown for a pull request (`spec diff` only).
    Markdown,
}

/// Standard output, and how to write to it.
pub(crate) struct Output {
    format: Format,
    colors: bool,
    out: Box<dyn Write>,
    /// Whether a reader that went away ends the command.
    needs_reader: bool,
}

impl Output {
    pub fn new(format: Format, colors: bool, out: impl Write + 'static) -> Self {
        Self {
            format,
            colors,
            out: Box::new(BufWriter::new(out)),
            needs_reader: true,
        }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// From now on, work goes on when nobody reads the output any more: it must not stop half-way.
    pub fn outlives_its_reader(&mut self) {
        self.needs_reader = false;
    }

    /// A line as it is.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self, "{text}")
    }

    /// One document, as JSON or YAML.
    pub fn document(&mut self, value: &impl Serialize) -> io::Result<()> {
        match self.format {
            Format::Yaml => yaml::document(self, value),
            Format::Jsonl => json::line(self, value),
            _ => json::document(self, value),
        }
    }

    /// Begins to print records that arrive one by one.
    pub fn records<R: Record>(&mut self, shape: Shape) -> Records<'_, R> {
        Records::new(self, shape)
    }

    /// The same, of records whose columns are known only now.
    #[cfg(feature = "sql")]
    pub fn records_with_columns<R: Record>(&mut self, columns: &[String]) -> Records<'_, R> {
        Records::with_headers(self, Shape::Many, columns.to_vec(), columns.to_vec())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        if self.ignores(&written) {
            return Ok(bytes.len());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        if self.ignores(&flushed) {
            self.out = Box::new(io::sink());
            return Ok(());
        }
        flushed
    }
}

impl Output {
    fn ignores<T>(&self, outcome: &io::Result<T>) -> bool {
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        !self.needs_reader && outcome.as_ref().is_err_and(gone)
    }
}
