//! Tables. The first rows decide the column widths, so that later rows are printed as they arrive.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

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
    /// Rows that are held back until the widths are known.
    buffered: Vec<Vec<Cell>>,
    /// The column widths, once the first rows are printed.
    widths: Option<Vec<usize>>,
}

/// How many rows decide the column widths.
const MAX_BUFFERED_ROWS: usize = 1_000;

impl Table {
    pub fn new(header: Vec<String>) -> Self {
        Self {
            header,
            min_widths: Vec::new(),
            buffered: Vec::new(),
            widths: None,
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

    pub fn push(&mut self, out: &mut Output, row: Vec<Cell>) -> io::Result<()> {
        if let Some(widths) = &self.widths {
            return write_row(out, &row, widths);
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
        for row in self.buffered.iter().chain([&header]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.display().width());
            }
        }
        write_row(out, &header, &widths)?;
        for row in self.buffered.drain(..) {
            write_row(out, &row, &widths)?;
        }
        self.buffered = Vec::new();
        self.widths = Some(widths);
        Ok(())
    }
}

fn write_row(out: &mut Output, row: &[Cell], widths: &[usize]) -> io::Result<()> {
    let mut line = String::new();
    let last = row.len().saturating_sub(1);
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let text = cell.display();
        match cell.style.filter(|_| out.colors) {
            Some(style) => line.push_str(&format!("{style}{text}{style:#}")),
            None => line.push_str(&text),
        }
        if column < last {
            let padding = width.saturating_sub(text.width()) + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
    }
    writeln!(out, "{line}")
}
