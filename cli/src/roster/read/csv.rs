//! Rosters in CSV.

use csv::StringRecord;

use super::{
    Parsed, Problem, ReadOptions,
    columns::{Column, check, meanings, missing},
    newlines, problem,
    row::{Fields, Row, address},
};
use crate::{output::csv_cell_text, roster::roles::RolesField};

/// Parses CSV with a header, or with one column of addresses and none.
pub(super) fn csv_rows(text: &str, options: &ReadOptions) -> Parsed {
    let table = Table::new(text, options);
    let mut records = table.records();
    let (line, first) = match records.next() {
        Some(Ok(first)) => first,
        Some(Err(problem)) => return Parsed::invalid(problem),
        None => {
            let why = "the file is empty; its first line has to name the columns";
            return Parsed::invalid(problem(1, why));
        }
    };
    let header = match Header::new(&first, options) {
        Ok(header) => header,
        Err(wrong) => {
            let problems = wrong.into_iter().map(|why| problem(line, why));
            return Parsed {
                problems: problems.collect(),
                ..Parsed::default()
            };
        }
    };
    let mut parsed = Parsed::default();
    for name in header.ignored() {
        parsed.ignore(name);
    }
    for record in table.records().skip(usize::from(!header.is_row)) {
        let row = record.and_then(|(line, record)| header.row(line, &record));
        match row {
            Ok(row) => parsed.rows.push(row),
            Err(problem) => parsed.problems.push(problem),
        }
    }
    parsed
}

/// The text after an optional line such as `sep=;`, which spreadsheets write and read.
struct Table<'a> {
    text: &'a str,
    delimiter: u8,
    /// How many lines are before the text.
    lines_before: usize,
}

impl<'a> Table<'a> {
    fn new(text: &'a str, options: &ReadOptions) -> Self {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let declared = first.trim_end_matches('\r').trim_matches('"');
        let is_declaration = declared
            .get(..4)
            .is_some_and(|word| word.eq_ignore_ascii_case("sep="));
        if let (true, [delimiter]) = (
            is_declaration,
            declared.as_bytes().get(4..).unwrap_or_default(),
        ) {
            return Self {
                text: rest,
                delimiter: *delimiter,
                lines_before: 1,
            };
        }
        // Spreadsheets in some languages write `;`, and copied cells are separated by tabs. The header has the most
        // known columns with its own delimiter.
        let table = |delimiter| Self {
            text,
            delimiter,
            lines_before: 0,
        };
        let fit = |delimiter: &u8| {
            let first = table(*delimiter).records().next();
            let first = first
                .and_then(Result::ok)
                .map(|(_, record)| record)
                .unwrap_or_default();
            let names: Vec<&str> = first.iter().collect();
            let known = meanings(&names, options);
            let known = known
                .iter()
                .filter(|column| **column != Column::Extra)
                .count();
            (known, names.len())
        };
        let delimiter = [b'\t', b';', b','].into_iter().max_by_key(fit);
        table(delimiter.unwrap_or(b','))
    }

    /// The records that are not blank, with their lines.
    fn records(&self) -> impl Iterator<Item = Result<(usize, StringRecord), Problem>> + use<'a> {
        let (text, lines_before) = (self.text, self.lines_before);
        let reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let records = reader.into_records().map(move |record| match record {
            Ok(record) => {
                let line = record.position().map_or(0, |position| {
                    // The position of a record includes the empty lines before it.
                    let rest = text.get(position.byte() as usize..).unwrap_or_default();
                    let empty = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
                    position.line() as usize + newlines(&rest[..empty])
                });
                Ok((lines_before + line, record))
            }
            Err(error) => {
                let line = error
                    .position()
                    .map_or(0, |position| position.line() as usize);
                Err(problem(lines_before + line, error.to_string()))
            }
        });
        let is_blank = |record: &StringRecord| {
            let mut letters = record.iter().flat_map(str::chars);
            letters.all(|letter| ",; \t".contains(letter))
        };
        records.filter(move |record| !matches!(record, Ok((_, record)) if is_blank(record)))
    }
}

/// What each cell of a row means.
struct Header {
    names: Vec<String>,
    columns: Vec<Column>,
    /// Whether the first record is a row, as no record names the columns.
    is_row: bool,
}

impl Header {
    /// Takes the first record as names of columns, or as a row if it is nothing but an address.
    fn new(first: &StringRecord, options: &ReadOptions) -> Result<Self, Vec<String>> {
        let mut names: Vec<&str> = first.iter().collect();
        while names.last().is_some_and(|name| name.is_empty()) {
            names.pop();
        }
        let mut columns = meanings(&names, options);
        let is_row = options.email_column.is_none()
            && options.role_column.is_none()
            && !columns.contains(&Column::Email)
            && names.iter().any(|cell| is_address(cell));
        let mut wrong = Vec::new();
        if is_row {
            if names.iter().filter(|cell| !cell.is_empty()).count() > 1 {
                let why = "the line has an address and other cells, and no line before it names the columns";
                wrong.push(why.to_owned());
            }
            columns.pop();
            columns.push(Column::Email);
        } else {
            wrong = check(&names, &columns, options, "column");
            let chosen = &options.role_column;
            if chosen.is_some() && !columns.contains(&Column::Roles) {
                wrong.push(missing(&names, "--role-column", chosen, "column"));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            names: names.into_iter().map(str::to_owned).collect(),
            columns,
            is_row,
        })
    }

    /// The names of the columns that are not read.
    fn ignored(&self) -> impl Iterator<Item = &str> {
        let columns = self.names.iter().zip(&self.columns);
        let ignored = columns.filter(|(_, column)| !self.is_row && **column == Column::Extra);
        ignored.map(|(name, _)| match name.as_str() {
            "" => "(without a name)",
            name => name,
        })
    }

    fn row(&self, line: usize, record: &StringRecord) -> Result<Row, Problem> {
        let mut fields = Fields::default();
        for (index, column) in self.columns.iter().enumerate() {
            let is_known = column.is_of_roster();
            let Some(cell) = record.get(index) else {
                if is_known {
                    return Err(self.lengths_problem(line, record));
                }
                continue;
            };
            if *column != Column::Roles && cell.contains('\n') && cell.contains('@') {
                let why = format!(
                    "the cell of {:?} has several lines and an `@`; close its quotation mark, or write it in one line",
                    self.names[index]
                );
                return Err(problem(line, why));
            }
            let text = (!cell.is_empty()).then(|| csv_cell_text(cell).into_owned());
            match column {
                Column::Email => fields.email = text,
                Column::Roles => fields.roles = text.map(RolesField::Text),
                Column::LegacyRole => fields.legacy_role = text,
                Column::AuthType => fields.auth_type = text,
                Column::Action => fields.action = text,
                Column::Id => fields.id = text,
                Column::Provider => fields.provider = text,
                Column::Profile => fields.profile = text,
                Column::Status => fields.status = text,
                Column::Switch(switch) if switch.is_off(cell) => {
                    fields.off = Some(format!("{:?} is {cell:?}", self.names[index]));
                }
                Column::Switch(_) | Column::Printed | Column::Extra => {}
            }
        }
        // What has no column may be a cell of any column, if a delimiter in a cell is not quoted.
        if record
            .iter()
            .skip(self.columns.len())
            .any(|cell| !cell.is_empty())
        {
            return Err(self.lengths_problem(line, record));
        }
        fields.row(line).map_err(|message| problem(line, message))
    }

    fn lengths_problem(&self, line: usize, record: &StringRecord) -> Problem {
        let why = match self.is_row {
            true => "the row has more than an address, and no line names the columns".to_owned(),
            false => format!(
                "the row has {} cells, and the first line names {} columns",
                record.len(),
                self.columns.len()
            ),
        };
        problem(line, why)
    }
}

/// Whether a cell is an address rather than the name of a column.
fn is_address(cell: &str) -> bool {
    let cell = address(cell);
    let halves = cell.split_once('@');
    halves.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
        && !cell.contains(char::is_whitespace)
}
