//! Rows of a write: those to insert, and those to delete.

use std::sync::Arc;

use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray},
    record_batch::RecordBatch,
};

use super::{RowDone, RowError};
use crate::columns::Column;

/// A row to insert.
#[derive(Clone, Debug)]
pub(crate) struct InsertedRow {
    /// The position in the statement, counted from 1.
    pub number: usize,
    pub(super) batch: Arc<RecordBatch>,
    /// The position in the batch.
    pub(super) index: usize,
    pub(super) columns: Arc<[Column]>,
}

impl InsertedRow {
    /// Returns the value of a column of text; `None` if it is null or the table does not have the column.
    pub fn text(&self, column: Column) -> Option<&str> {
        let texts = self.array(column)?;
        Some(texts.as_string::<i32>().value(self.index))
    }

    /// Returns the values of a column of lists of text, without nulls.
    pub fn texts(&self, column: Column) -> Option<Vec<String>> {
        let texts = self.array(column)?.as_list::<i32>().value(self.index);
        let texts = texts.as_string::<i32>().iter().flatten();
        Some(texts.map(str::to_owned).collect())
    }

    /// Whether the row has a value for a column.
    pub fn has(&self, column: Column) -> bool {
        self.array(column).is_some()
    }

    /// Returns what errors call the row: the address or the member's id.
    pub fn target(&self) -> &str {
        let target = self.text(Column::Email);
        target
            .or_else(|| self.text(Column::MemberId))
            .unwrap_or_default()
    }

    /// Returns what reports call the row.
    pub(super) fn label(&self) -> RowDone {
        RowDone {
            number: self.number,
            target: self.target().to_owned(),
            email: None,
        }
    }

    /// Returns the error of the row.
    pub fn error(&self, reason: impl Into<String>) -> RowError {
        RowError::new(self.number, self.target(), reason)
    }

    fn array(&self, column: Column) -> Option<&ArrayRef> {
        let index = self.columns.iter().position(|it| *it == column)?;
        let array = self.batch.column(index);
        (!array.is_null(self.index)).then_some(array)
    }
}

/// A row to delete.
#[derive(Clone, Debug)]
pub(crate) struct SelectedRow {
    /// The position in the statement, counted from 1.
    pub number: usize,
    /// The values of the columns that say which row it is; the first is an id.
    pub values: Vec<Option<String>>,
    /// The address, where the table knows it without a further request.
    pub email: Option<String>,
}

impl SelectedRow {
    /// Returns the id.
    pub fn id(&self) -> &str {
        self.values
            .first()
            .and_then(Option::as_deref)
            .unwrap_or_default()
    }

    /// Returns what reports call the row.
    pub(super) fn label(&self) -> RowDone {
        RowDone {
            number: self.number,
            target: self.id().to_owned(),
            email: self.email.clone(),
        }
    }
}
