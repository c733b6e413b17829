//! Tables. The first rows decide the column widths, so that later rows are printed as they arrive.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use anstyle::Style;
use chrono::{DateTime, TimeDelta, Utc};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Output, color, escape::escape_control, format_time};

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    /// What is printed instead where the terminal is too narrow for the text.
    brief: Option<String>,
    style: Option<Style>,
}

impl Cell {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            brief: None,
            style: None,
        }
    }

    /// A time, which a narrow terminal shows in relation to now.
    pub fn time(time: Option<&DateTime<Utc>>) -> Self {
        Self {
            brief: time.map(|time| relative_time(*time - Utc::now())),
            ..Self::new(time.map(format_time).unwrap_or_default())
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
    /// What a narrow terminal does to the columns.
    narrow: Narrow,
    /// Whether the header is printed.
    has_header: bool,
    /// Rows that are held back until the widths are known.
    buffered: Vec<Vec<Cell>>,
    /// The columns, once the first rows are printed.
    columns: Option<Vec<Column>>,
}

/// The columns that give way on a narrow terminal, the first one of each list first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Narrow {
    /// Those whose cells take several lines.
    pub wrapped: &'static [&'static str],
    /// Those whose cells are cut off.
    pub shortened: &'static [&'static str],
    /// Those that are left out.
    pub dropped: &'static [&'static str],
}

/// How a column is printed.
#[derive(Debug)]
struct Column {
    width: usize,
    overlong: Overlong,
    is_shown: bool,
}

/// What becomes of cells that are wider than their column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overlong {
    /// They stick out.
    Keep,
    /// They are printed in their brief form.
    Brief,
    Shorten,
    Wrap,
}

/// To how many letters a column may be shortened, and to how many it may be wrapped.
const MIN_SHORTENED: usize = 12;
const MIN_WRAPPED: usize = 18;

/// The space between two columns.
const GAP: usize = 2;

/// How many rows decide the column widths.
const MAX_BUFFERED_ROWS: usize = 1_000;

impl Table {
    pub fn new(header: Vec<String>, narrow: Narrow) -> Self {
        Self {
            header,
            narrow,
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
        self.narrow = Narrow::default();
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
            overlong: Overlong::Keep,
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

    /// Wraps and shortens columns, and then leaves columns out, until the rows fit the terminal or nothing more may go.
    fn fit(&self, columns: &mut [Column], available: usize) {
        let position = |name: &&str| self.header.iter().position(|header| header == name);
        if excess(columns, available) > 0 {
            for (at, column) in columns.iter_mut().enumerate() {
                if let Some(width) = self.brief_width(at) {
                    column.width = width.max(self.header[at].width());
                    column.overlong = Overlong::Brief;
                }
            }
        }
        // Words stay whole as long as that is possible.
        for (names, overlong, keeps_words) in [
            (self.narrow.wrapped, Overlong::Wrap, true),
            (self.narrow.shortened, Overlong::Shorten, false),
            (self.narrow.wrapped, Overlong::Wrap, false),
        ] {
            for at in names.iter().filter_map(position) {
                let excess = excess(columns, available);
                let least = match (overlong, keeps_words) {
                    (Overlong::Wrap, true) => self.longest_word(at).max(MIN_WRAPPED),
                    (Overlong::Wrap, false) => MIN_WRAPPED,
                    _ => MIN_SHORTENED,
                };
                let least = least.max(self.header[at].width());
                let column = &mut columns[at];
                if excess > 0 && column.width > least {
                    column.width = column.width.saturating_sub(excess).max(least);
                    column.overlong = overlong;
                }
            }
        }
        let mut dropped = Vec::new();
        for name in self.narrow.dropped {
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

    /// The width of the brief cells of a column, if it has any.
    fn brief_width(&self, at: usize) -> Option<usize> {
        let cells = self.buffered.iter().filter_map(|row| row.get(at));
        let widths = cells.filter_map(|cell| Some(cell.brief.as_ref()?.width()));
        widths.max()
    }

    /// The width of the longest word in a column of the rows so far.
    fn longest_word(&self, at: usize) -> usize {
        let cells = self.buffered.iter().filter_map(|row| row.get(at));
        let widths = cells.map(|cell| cell.display().split(' ').map(|word| word.width()).max());
        widths.flatten().max().unwrap_or_default()
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

/// A text in lines of at most `width`, broken at blanks. Longer words are broken behind a sign, or else anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.extend(break_word(word, width)),
        }
    }
    lines
}

/// The parts of a word of at most `width`, and at least one.
fn break_word(word: &str, width: usize) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    for letter in word.chars() {
        if !part.is_empty() && part.width() + letter.width().unwrap_or(0) > width {
            let is_sign = |letter: char| matches!(letter, '_' | '-' | '/' | '.' | '@' | ':' | ',');
            let behind = part.rfind(is_sign).map(|at| at + 1);
            let at = behind
                .filter(|at| *at * 2 > part.len())
                .unwrap_or(part.len());
            let rest = part.split_off(at);
            parts.push(std::mem::replace(&mut part, rest));
        }
        part.push(letter);
    }
    parts.push(part);
    parts
}

/// A time in relation to now, as `3d ago` or `in 6d`.
fn relative_time(from_now: TimeDelta) -> String {
    const UNITS: [(&str, i64); 5] = [
        ("y", 365 * 86_400),
        ("mo", 60 * 86_400),
        ("d", 86_400),
        ("h", 3_600),
        ("m", 60),
    ];
    let seconds = from_now.num_seconds().abs();
    let unit = UNITS.iter().find(|(_, least)| seconds >= *least);
    let amount = match unit {
        None => return "now".to_owned(),
        // A month is told from the second one on.
        Some((unit @ "mo", _)) => format!("{}{unit}", seconds / (30 * 86_400)),
        Some((unit, length)) => format!("{}{unit}", seconds / length),
    };
    match from_now < TimeDelta::zero() {
        true => format!("{amount} ago"),
        false => format!("in {amount}"),
    }
}

/// The lines of a cell in its column.
fn lines_of(cell: &Cell, column: &Column) -> Vec<String> {
    let text = cell.display();
    match column.overlong {
        Overlong::Brief => vec![cell.brief.clone().unwrap_or_else(|| text.into_owned())],
        Overlong::Shorten if text.width() > column.width => vec![shorten(&text, column.width)],
        Overlong::Wrap => wrap(&text, column.width),
        _ => vec![text.into_owned()],
    }
}

fn write_row(out: &mut Output, row: &[Cell], columns: &[Column]) -> io::Result<()> {
    let shown = row
        .iter()
        .zip(columns)
        .filter(|(_, column)| column.is_shown);
    let cells: Vec<_> = shown
        .map(|(cell, column)| (cell, column.width, lines_of(cell, column)))
        .collect();
    let height = cells.iter().map(|(.., lines)| lines.len()).max();
    for number in 0..height.unwrap_or(1) {
        let has_text = |(.., lines): &(&Cell, usize, Vec<String>)| lines.len() > number;
        let last = cells.iter().rposition(has_text);
        let mut line = String::new();
        for (index, (cell, width, lines)) in cells.iter().enumerate() {
            let text = lines.get(number).map_or("", String::as_str);
            match cell.style.filter(|_| out.colors && !text.is_empty()) {
                Some(style) => line.push_str(&format!("{style}{text}{style:#}")),
                None => line.push_str(text),
            }
            if last.is_some_and(|last| index < last) {
                let padding = width.saturating_sub(text.width()) + GAP;
                line.extend(std::iter::repeat_n(' ', padding));
            }
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{relative_time, wrap};

    #[test]
    fn times_are_told_in_relation_to_now() {
        for (seconds, told) in [
            (0, "now"),
            (-59, "now"),
            (-60, "1m ago"),
            (7_300, "in 2h"),
            (-3 * 86_400, "3d ago"),
            (59 * 86_400, "in 59d"),
            (-60 * 86_400, "2mo ago"),
            (400 * 86_400, "in 1y"),
        ] {
            assert_eq!(relative_time(TimeDelta::seconds(seconds)), told);
        }
    }

    #[test]
    fn texts_are_wrapped_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("x API_SECRET_KEY", 12), ["x", "API_SECRET_", "KEY"]);
        assert_eq!(wrap("äöü 漢字漢字", 4), ["äöü", "漢字", "漢字"]);
        assert_eq!(wrap("a", 4), ["a"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
