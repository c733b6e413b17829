//! Tables: columns as wide as the first rows need, so that rows can be shown as they arrive.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::{Output, color, escape::escape_control};

/// What is in one place of a table.
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

    /// With this style where there are colours.
    pub fn styled(mut self, style: impl Into<Option<Style>>) -> Self {
        self.style = style.into();
        self
    }

    fn shown(&self) -> Cow<'_, str> {
        match self.text.as_str() {
            "" => Cow::Borrowed("-"),
            text => escape_control(text),
        }
    }
}

/// A table under way.
#[derive(Debug)]
pub(super) struct Table {
    header: Vec<String>,
    /// How wide the columns are at least.
    least: &'static [usize],
    /// Rows that wait for the first page to be whole.
    waiting: Vec<Vec<Cell>>,
    /// Once the first rows are out.
    widths: Option<Vec<usize>>,
}

/// The rows that decide how wide the columns are.
const FIRST_ROWS: usize = 1_000;

impl Table {
    pub fn new(header: Vec<String>) -> Self {
        Self {
            header,
            least: &[],
            waiting: Vec::new(),
            widths: None,
        }
    }

    pub fn widen(&mut self, least: &'static [usize]) {
        self.least = least;
    }

    pub fn push(&mut self, out: &mut Output, row: Vec<Cell>) -> io::Result<()> {
        if let Some(widths) = &self.widths {
            return write_row(out, &row, widths);
        }
        self.waiting.push(row);
        if self.waiting.len() == FIRST_ROWS {
            self.show(out)?;
        }
        Ok(())
    }

    /// Shows what is there; from now on, the columns keep their width.
    pub fn show(&mut self, out: &mut Output) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let heading = |name: &String| Cell::new(name).styled(color::HEADER);
        let header: Vec<Cell> = self.header.iter().map(heading).collect();
        let mut widths = self.least.to_vec();
        widths.resize(header.len(), 0);
        for row in self.waiting.iter().chain([&header]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.shown().width());
            }
        }
        write_row(out, &header, &widths)?;
        for row in self.waiting.drain(..) {
            write_row(out, &row, &widths)?;
        }
        self.waiting = Vec::new();
        self.widths = Some(widths);
        Ok(())
    }
}

fn write_row(out: &mut Output, row: &[Cell], widths: &[usize]) -> io::Result<()> {
    let mut line = String::new();
    let last = row.len().saturating_sub(1);
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let text = cell.shown();
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
