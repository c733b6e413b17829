//! CSV for spreadsheets: a header, and a line for each record.
//!
//! Tabs and line breaks are as they are, in quotes where CSV asks for them; other control characters are escaped, as in
//! tables. A cell that a spreadsheet would read as a formula, because it starts
//! with `=`, `+`, `-` or `@`, gets a leading apostrophe, and so does one that has such an apostrophe already, so that
//! [`cell_text`] reads every cell back. The other formats have the values unchanged.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use super::escape::{escape_control, unescape_control};

/// Writes one line.
pub(crate) fn line<'a>(
    out: &mut impl Write,
    cells: impl IntoIterator<Item = &'a str>,
) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .buffer_capacity(512)
        .from_writer(Vec::new());
    for cell in cells {
        writer.write_field(escape_formula(cell).as_bytes())?;
    }
    writer.write_record(None::<&[u8]>)?;
    let line = writer.into_inner();
    out.write_all(&line.map_err(|error| io::Error::from(error.error().kind()))?)
}

/// The text of a cell that [`line`] wrote.
pub(crate) fn cell_text(cell: &str) -> Cow<'_, str> {
    let plain = cell.strip_prefix('\'').filter(|text| is_formula(text));
    unescape_control(plain.unwrap_or(cell))
}

/// Escapes control characters other than tabs and line breaks, and the start of a formula.
fn escape_formula(cell: &str) -> Cow<'_, str> {
    let cell = match cell.contains(['\t', '\n']) {
        true => Cow::Owned(escape_parts(cell)),
        false => escape_control(cell),
    };
    if is_formula(&cell) {
        return Cow::Owned(format!("'{cell}"));
    }
    cell
}

/// Escapes what is between tabs and line breaks. The carriage return of a line break stays too.
fn escape_parts(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    for part in cell.split_inclusive(['\t', '\n']) {
        let end = match part {
            _ if part.ends_with("\r\n") => 2,
            _ if part.ends_with(['\t', '\n']) => 1,
            _ => 0,
        };
        let (text, end) = part.split_at(part.len() - end);
        escaped.push_str(&escape_control(text));
        escaped.push_str(end);
    }
    escaped
}

/// Whether a cell starts as a formula does, after apostrophes and what a spreadsheet ignores.
fn is_formula(cell: &str) -> bool {
    let start = cell.trim_start_matches(['\'', '\t', '\r', '\n']);
    start.starts_with(['=', '+', '-', '@'])
}

#[cfg(test)]
mod tests {
    use super::{cell_text, escape_formula};

    #[test]
    fn formulas_are_escaped() {
        assert_eq!(escape_formula("ann@example.com"), "ann@example.com");
        assert_eq!(escape_formula("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        for cell in ["+1", "-1", "@x"] {
            assert_eq!(escape_formula(cell), format!("'{cell}"));
        }
        assert_eq!(escape_formula("\t=1"), "'\t=1");
        assert_eq!(escape_formula("\r\n@x"), "'\r\n@x");
    }

    #[test]
    fn tabs_and_line_breaks_stay_and_others_are_escaped() {
        let cell = "a\tb\r\nc\nd\re\u{1b}";
        assert_eq!(escape_formula(cell), "a\tb\r\nc\nd\\u{d}e\\u{1b}");
        let mut line = Vec::new();
        super::line(&mut line, ["a\nb", "c\td", "e"]).unwrap();
        assert_eq!(line, b"\"a\nb\",c\td,e\n");
    }

    #[test]
    fn cells_are_read_back() {
        for text in [
            "ann", "'ann", "=1", "'=1", "''+x", "\u{1b}=", "\\u{1b}", "'\\u{1b}", "'", "\t=1",
            "'\t=1", "a\nb", "\n", "\r\n=", "\r",
        ] {
            assert_eq!(cell_text(&escape_formula(text)), text);
        }
    }
}
