//! Printing results: one module for each format, and what the formats share.

mod color;
mod csv;
mod escape;
mod invitation;
mod json;
mod layout;
mod member;
mod records;
mod table;
mod yaml;

use std::io::{self, BufWriter, Write};

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::Serialize;

pub(crate) use self::{
    color::{ColorChoice, ERROR, SUCCESS, WARNING},
    csv::{cell_text as csv_cell_text, line as csv_line},
    escape::{escape_control, shell_quote},
    invitation::{CreatedRecord, InvitationRecord},
    json::line as json_line,
    layout::LayoutOptions,
    member::{MemberRecord, PersonRecord, RoleRecord, role_names},
    records::{Record, Records},
    table::Cell,
};

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON array, whatever the number of its elements.
    Json,
    /// One JSON object a line, as they arrive.
    Jsonl,
    /// Comma-separated values with a header, for spreadsheets.
    Csv,
    /// YAML with the values of the JSON.
    Yaml,
    /// Markdown for a pull request (`spec diff` only).
    Markdown,
}

/// Standard output, and the format of what is written to it.
pub(crate) struct Output {
    format: Format,
    colors: bool,
    /// The width that tables have to fit, on a terminal.
    width: Option<usize>,
    out: Box<dyn Write>,
    /// Whether a closed pipe is an error.
    fails_on_broken_pipe: bool,
    /// Whether nothing was written so far.
    is_empty: bool,
}

impl Output {
    pub fn new(format: Format, colors: bool, out: impl Write + 'static) -> Self {
        Self {
            format,
            colors,
            width: None,
            out: Box::new(BufWriter::new(out)),
            fails_on_broken_pipe: true,
            is_empty: true,
        }
    }

    /// Ends the output of a command that failed at the organisation: in a format that is one document, a list of nothing
    /// is a list too.
    pub fn end_failed(&mut self) -> io::Result<()> {
        match self.format {
            Format::Json | Format::Yaml if self.is_empty => self.line("[]"),
            _ => Ok(()),
        }
    }

    /// Makes tables fit a terminal of this width.
    pub fn fitting(mut self, width: Option<usize>) -> Self {
        self.width = width;
        self
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// From now on, a closed pipe is no error: a command that changes invitations must not stop half-way.
    pub fn ignore_broken_pipe(&mut self) {
        self.fails_on_broken_pipe = false;
    }

    /// Writes a line as it is.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self, "{text}")
    }

    /// Writes one document as JSON or YAML: a schema, or a part of a vendor's document. Results are lists.
    pub fn document(&mut self, value: &impl Serialize) -> io::Result<()> {
        match self.format {
            Format::Yaml => yaml::document(self, value),
            Format::Jsonl => json::line(self, value),
            _ => json::document(self, value),
        }
    }

    /// Starts to print records that arrive one by one.
    pub fn records<R: Record>(&mut self) -> Records<'_, R> {
        Records::new(self)
    }

    /// Writes a list as JSON, JSON lines or YAML, for results that no table shows in one row.
    pub fn list(&mut self, items: impl IntoIterator<Item = impl Serialize>) -> io::Result<()> {
        let (mut array, mut sequence) = (json::Array::default(), yaml::Sequence::default());
        for item in items {
            match self.format {
                Format::Yaml => sequence.push(self, &item)?,
                Format::Jsonl => json::line(self, &item)?,
                _ => array.push(self, &item)?,
            }
        }
        match self.format {
            Format::Yaml => sequence.finish(self),
            Format::Jsonl => Ok(()),
            _ => array.finish(self),
        }
    }

    /// Like [`records`](Self::records), for records whose columns are known at run time only.
    #[cfg(feature = "sql")]
    pub fn records_with_columns<R: Record>(&mut self, columns: &[String]) -> Records<'_, R> {
        Records::with_headers(self, columns.to_vec(), columns.to_vec())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_empty = false;
        let written = self.out.write(bytes);
        if self.is_ignored_error(&written) {
            return Ok(bytes.len());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        if self.is_ignored_error(&flushed) {
            self.out = Box::new(io::sink());
            return Ok(());
        }
        flushed
    }
}

impl Output {
    fn is_ignored_error<T>(&self, outcome: &io::Result<T>) -> bool {
        let is_broken_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        !self.fails_on_broken_pipe && outcome.as_ref().is_err_and(is_broken_pipe)
    }
}

/// A time for people.
pub(crate) fn format_time(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
