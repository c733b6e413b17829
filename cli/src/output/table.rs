//! Tables. The first rows decide the column widths, so that later rows are printed as they arrive.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Output, color, escape::escape_control};

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style: None,
        }
    }

    /// Sets the style for coloured output.
    pub fn styled(mut self, style: impl Into<Option<Style>>) -> Self {
        self.style = style.into();
        self
    }

    fn display(&self) -> Cow<'_, str> {
        match self.text.as_str() {
            "" => Cow::Borrowed("-"),
            text => escape_control(text),
        }
    }
}

/// A table that is being printed.
#[derive(Debug)]
pub(super) struct Table {
    header: Vec<String>,
    /// The minimum widths of the columns.
    min_widths: Vec<usize>,
    /// The columns that may be shortened and left out on a narrow terminal, in order.
    shortened: &'static [&'static str],
    dropped: &'static [&'static str],
    /// Whether the header is printed.
    has_header: bool,
    /// Rows that are held back until the widths are known.
    buffered: Vec<Vec<Cell>>,
    /// The columns, once the first rows are printed.
    columns: Option<Vec<Column>>,
}

/// How a column is printed.
#[derive(Debug)]
struct Column {
    width: usize,
    /// Whether longer cells are cut off.
    is_shortened: bool,
    is_shown: bool,
}

/// To how many letters a column may be shortened.
const MIN_SHORTENED: usize = 12;

/// The space between two columns.
const GAP: usize = 2;

/// How many rows decide the column widths.
const MAX_BUFFERED_ROWS: usize = 1_000;

impl Table {
    pub fn new(
        header: Vec<String>,
        shortened: &'static [&'static str],
        dropped: &'static [&'static str],
    ) -> Self {
        Self {
            header,
            shortened,
            dropped,
            has_header: true,
            min_widths: Vec::new(),
            buffered: Vec::new(),
            columns: None,
        }
    }

    pub fn set_min_widths(&mut self, min_widths: &'static [usize]) {
        self.min_widths = min_widths.to_vec();
    }

    pub fn remove_first_column(&mut self) {
        self.header.remove(0);
        if !self.min_widths.is_empty() {
            self.min_widths.remove(0);
        }
    }

    pub fn insert_first_column(&mut self, name: &str, min_width: usize) {
        self.header.insert(0, name.to_owned());
        self.min_widths.insert(0, min_width);
    }

    /// Replaces the columns by those that were asked for, which are printed in full.
    pub fn select(&mut self, header: Vec<String>) {
        self.header = header;
        self.min_widths.clear();
        (self.shortened, self.dropped) = (&[], &[]);
    }

    pub fn hide_header(&mut self) {
        self.has_header = false;
    }

    pub fn push(&mut self, out: &mut Output, row: Vec<Cell>) -> io::Result<()> {
        if let Some(columns) = &self.columns {
            return write_row(out, &row, columns);
        }
        self.buffered.push(row);
        if self.buffered.len() == MAX_BUFFERED_ROWS {
            self.show(out)?;
        }
        Ok(())
    }

    /// Prints the buffered rows. Their widths hold for all later rows.
    pub fn show(&mut self, out: &mut Output) -> io::Result<()> {
        if self.buffered.is_empty() {
            return Ok(());
        }
        let heading = |name: &String| Cell::new(name).styled(color::HEADER);
        let header: Vec<Cell> = self.header.iter().map(heading).collect();
        let mut widths = self.min_widths.clone();
        widths.resize(header.len(), 0);
        for row in self
            .buffered
            .iter()
            .chain(self.has_header.then_some(&header))
        {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.display().width());
            }
        }
        let new = |width| Column {
            width,
            is_shortened: false,
            is_shown: true,
        };
        let mut columns: Vec<Column> = widths.into_iter().map(new).collect();
        if let Some(available) = out.width {
            self.fit(&mut columns, available);
        }
        if self.has_header {
            write_row(out, &header, &columns)?;
        }
        for row in self.buffered.drain(..) {
            write_row(out, &row, &columns)?;
        }
        self.buffered = Vec::new();
        self.columns = Some(columns);
        Ok(())
    }

    /// Shortens columns, and then leaves columns out, until the rows fit the terminal or nothing more may go.
    fn fit(&self, columns: &mut [Column], available: usize) {
        let position = |name: &&str| self.header.iter().position(|header| header == name);
        for at in self.shortened.iter().filter_map(position) {
            let excess = excess(columns, available);
            let column = &mut columns[at];
            let least = MIN_SHORTENED.max(self.header[at].width());
            if excess > 0 && column.width > least {
                column.width = column.width.saturating_sub(excess).max(least);
                column.is_shortened = true;
            }
        }
        let mut dropped = Vec::new();
        for name in self.dropped {
            if excess(columns, available) == 0 {
                break;
            }
            if let Some(at) = position(name) {
                columns[at].is_shown = false;
                dropped.push(*name);
            }
        }
        if !dropped.is_empty() {
            let names = dropped.join(", ");
            eprintln!("note: the terminal is too narrow for {names}; -o csv has every column");
        }
    }
}

/// By how much the columns are wider than the terminal.
fn excess(columns: &[Column], available: usize) -> usize {
    let shown = columns.iter().filter(|column| column.is_shown);
    let total: usize = shown.map(|column| column.width + GAP).sum();
    total.saturating_sub(available + GAP)
}

/// The start of a text, with `…` for the rest.
fn shorten(text: &str, width: usize) -> String {
    let (mut short, mut used) = (String::new(), 0);
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used >= width {
            break;
        }
        short.push(letter);
    }
    short.push('…');
    short
}

fn write_row(out: &mut Output, row: &[Cell], columns: &[Column]) -> io::Result<()> {
    let mut line = String::new();
    let last = columns.iter().rposition(|column| column.is_shown);
    for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
        if !column.is_shown {
            continue;
        }
        let mut text = cell.display();
        if column.is_shortened && text.width() > column.width {
            text = Cow::Owned(shorten(&text, column.width));
        }
        match cell.style.filter(|_| out.colors) {
            Some(style) => line.push_str(&format!("{style}{text}{style:#}")),
            None => line.push_str(&text),
        }
        if Some(index) != last {
            let padding = column.width.saturating_sub(text.width()) + GAP;
            line.extend(std::iter::repeat_n(' ', padding));
        }
    }
    writeln!(out, "{line}")
}
