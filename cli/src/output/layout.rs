//! The options of commands that list records: columns, headers and the order of the records.

use clap::Args;

use super::{Cell, Format, Record, Records};
use crate::{failure::Failure, suggest::did_you_mean};

/// How records are laid out.
#[derive(Args, Debug, Default)]
pub(crate) struct LayoutOptions {
    /// The columns of the table or CSV in this order, such as id,email, by their names in CSV.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Omit the header of the table or CSV.
    #[arg(long)]
    pub no_headers: bool,
    /// Sort by this column, by its name in CSV; -COLUMN is descending. Prints nothing before
    /// everything is read.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub sort: Option<String>,
}

/// A column that was asked for.
pub(super) struct Column {
    /// The name in CSV.
    pub name: String,
    /// The name in tables.
    pub heading: String,
    source: Source,
}

/// Where the value of a column comes from.
#[derive(Clone, Copy)]
enum Source {
    Profile,
    /// A cell of the CSV and, if tables have the column, of the table.
    Cell(usize, Option<usize>),
}

impl Column {
    /// Finds a column by its name in CSV or tables.
    fn find<R: Record>(name: &str, has_profiles: bool, option: &str) -> Result<Self, Failure> {
        let name = name.trim().to_lowercase().replace([' ', '-'], "_");
        if has_profiles && name == "profile" {
            let heading = "PROFILE".to_owned();
            let source = Source::Profile;
            return Ok(Self {
                name,
                heading,
                source,
            });
        }
        // CREATED is `created_at`.
        let time = format!("{name}_at");
        let line = R::CSV.iter().position(|csv| *csv == name || *csv == time);
        let Some(line) = line else {
            let names = || {
                R::CSV
                    .iter()
                    .copied()
                    .chain(has_profiles.then_some("profile"))
            };
            let guess = did_you_mean(&name, names());
            let known: Vec<&str> = names().collect();
            return Err(Failure::Usage(format!(
                "{option}: there is no column `{name}`; the columns are {}{guess}",
                known.join(", ")
            )));
        };
        let name = R::CSV[line].to_owned();
        let plain = name.strip_suffix("_at").unwrap_or(&name);
        let is_same = |table: &&str| table.to_lowercase() == plain;
        let row = R::TABLE.iter().position(is_same);
        Ok(Self {
            heading: plain.replace('_', " ").to_uppercase(),
            name,
            source: Source::Cell(line, row),
        })
    }

    /// The cell in a table.
    pub fn cell(&self, row: &[Cell], line: &[String], profile: Option<&str>) -> Cell {
        let cell = match self.source {
            Source::Cell(_, Some(row_index)) => row.get(row_index).cloned(),
            _ => None,
        };
        cell.unwrap_or_else(|| Cell::new(self.text(line, profile)))
    }

    /// The cell in CSV.
    pub fn text(&self, line: &[String], profile: Option<&str>) -> String {
        match self.source {
            Source::Profile => profile.unwrap_or_default().to_owned(),
            Source::Cell(index, _) => line.get(index).cloned().unwrap_or_default(),
        }
    }
}

/// Records in the layout that the options give.
pub(crate) struct Listing<'a, R> {
    records: Records<'a, R>,
    sort: Option<Sort>,
    /// The records that wait until all are known.
    held: Vec<R>,
}

struct Sort {
    column: Column,
    is_descending: bool,
    limit: usize,
}

impl LayoutOptions {
    /// Lays records out. With `--sort`, only the first `limit` are printed.
    ///
    /// # Errors
    ///
    /// There is no such column, or the output format has no columns.
    pub fn listing<'a, R: Record>(
        &self,
        records: Records<'a, R>,
        limit: Option<u64>,
    ) -> Result<Listing<'a, R>, Failure> {
        let has_profiles = records.has_profiles();
        let find = |name: &String| Column::find::<R>(name, has_profiles, "--columns");
        let columns = self
            .columns
            .iter()
            .map(find)
            .collect::<Result<Vec<_>, _>>()?;
        let columns = Some(columns).filter(|columns| !columns.is_empty());
        let has_columns = matches!(records.format(), Format::Table | Format::Csv);
        if !has_columns && (columns.is_some() || self.no_headers) {
            let message = "--columns and --no-headers are for tables and CSV; elsewhere use `jq`";
            return Err(Failure::Usage(message.to_owned()));
        }
        let sort = self.sort.as_ref().map(|word| {
            let name = word.strip_prefix('-');
            Ok::<_, Failure>(Sort {
                column: Column::find::<R>(name.unwrap_or(word), has_profiles, "--sort")?,
                is_descending: name.is_some(),
                limit: limit
                    .and_then(|limit| limit.try_into().ok())
                    .unwrap_or(usize::MAX),
            })
        });
        Ok(Listing {
            records: records.with_layout(columns, self.no_headers),
            sort: sort.transpose()?,
            held: Vec::new(),
        })
    }
}

impl<R: Record> Listing<'_, R> {
    /// Prints a record, or holds it back to be sorted.
    pub fn push(&mut self, record: R) -> std::io::Result<()> {
        if self.sort.is_some() {
            self.held.push(record);
            return Ok(());
        }
        self.records.push(&record)
    }

    /// As [`Records::show`].
    pub fn show(&mut self) -> std::io::Result<()> {
        self.records.show()
    }

    /// As [`Records::flush_lines`].
    pub fn flush_lines(&mut self) -> std::io::Result<()> {
        self.records.flush_lines()
    }

    /// As [`Records::is_table`].
    pub fn is_table(&self) -> bool {
        self.records.is_table()
    }

    /// The number of records so far.
    pub fn count(&self) -> u64 {
        self.records.count() + self.held.len() as u64
    }

    /// As [`Records::finish_after`]; what was held back is printed sorted, whatever the outcome.
    pub fn finish_after(mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        if let Some(sort) = &self.sort {
            let key = |record: &R| {
                let text = sort.column.text(&record.line(), record.profile());
                // Records without a value are last.
                (text.is_empty(), text.to_lowercase())
            };
            self.held.sort_by_cached_key(key);
            if sort.is_descending {
                self.held.reverse();
            }
            for record in self.held.iter().take(sort.limit) {
                self.records.push(record)?;
            }
        }
        self.records.finish_after(outcome)
    }
}
