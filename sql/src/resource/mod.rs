//! What the rows of a table are, and how they are read and written.

mod invitations;
mod members;
mod role_bindings;
mod roles;

use std::{borrow::Cow, fmt};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use org_invitations::{Result, RoleAssignment};
use serde_json::{Map, Value};

use crate::{
    columns::Column,
    pushdown::PushedFilters,
    request::Request,
    write::{InsertedRow, RowError, RowResult, SelectedRow, WriteRun},
};

pub(crate) use self::{
    invitations::Invitations, members::Members, role_bindings::RoleBindings, roles::Roles,
};

/// What the rows of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "ballista", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Kind {
    Invitations,
    Members,
    Roles,
    RoleBindings,
}

/// What differs between kinds of tables.
pub(crate) struct KindSpec {
    /// What messages call the rows.
    pub plural: &'static str,
    /// The name of the scan in a plan.
    pub scan: &'static str,
    /// The names of `INSERT` and `DELETE` in a plan.
    pub insert: &'static str,
    pub delete: &'static str,
    /// The columns that can be filtered by.
    pub filtered: &'static [Column],
    /// The columns that `INSERT` may set; none where `INSERT` is refused.
    pub settable: &'static [Column],
    /// The columns that say which row to delete, an id first; none where `DELETE` is refused.
    pub identity: &'static [Column],
    /// The column of the address, where reading it costs no further request.
    pub address: Option<Column>,
    /// The columns that a dry run of `DELETE` lists.
    pub listed: &'static [Column],
    /// How else the rows change.
    pub hint: &'static str,
}

impl Kind {
    pub fn spec(self) -> &'static KindSpec {
        match self {
            Self::Invitations => &invitations::SPEC,
            Self::Members => &members::SPEC,
            Self::Roles => &roles::SPEC,
            Self::RoleBindings => &role_bindings::SPEC,
        }
    }

    /// Returns the columns of a table of the provider with this name; `None` stands for several providers.
    pub fn columns(self, provider: Option<&str>) -> &'static [Column] {
        match self {
            Self::Invitations => invitations::columns(provider),
            Self::Members => members::COLUMNS,
            Self::Roles => roles::COLUMNS,
            Self::RoleBindings => role_bindings::COLUMNS,
        }
    }
}

/// A row of a table.
pub(crate) type BoxRow = Box<dyn Row>;

/// The values of a row.
pub(crate) trait Row: Send {
    /// Returns the value of a column of text.
    fn text(&self, column: Column) -> Option<Cow<'_, str>>;

    /// Returns the value of a column of times.
    fn time(&self, _: Column) -> Option<DateTime<Utc>> {
        None
    }

    /// Returns the roles; `None` if they are not known.
    fn roles(&self) -> Option<&[RoleAssignment]> {
        None
    }

    /// Returns the properties without a column among `table_columns`.
    fn extra(&self, table_columns: &[Column]) -> Map<String, Value>;
}

/// The results of the rows of a write.
pub(crate) type RowResults = Vec<RowResult>;

/// The rows of one provider: reads and writes them.
#[async_trait]
pub(crate) trait Resource: fmt::Debug + Send + Sync {
    fn kind(&self) -> Kind;

    /// Returns the name of the provider.
    fn provider(&self) -> String;

    /// Returns requests that find every matching row exactly once, with the values of the `needed` columns.
    fn plan_requests(&self, filters: &PushedFilters, needed: &[Column]) -> Vec<Request>;

    /// Whether the rows are read by another process, which has the credential. Such rows cannot be written.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// Counts the rows that could be deleted.
    async fn count(&self) -> Result<usize>;

    /// Checks rows to insert, and returns the work that inserts them. Nothing is changed before that is awaited. A table
    /// without [`KindSpec::settable`] refuses all.
    async fn insert<'a>(
        &'a self,
        rows: Vec<InsertedRow>,
        _: WriteRun,
    ) -> std::result::Result<BoxFuture<'a, RowResults>, Vec<RowError>> {
        let refused = |row: &InsertedRow| row.error("the table is read-only");
        Err(rows.iter().map(refused).collect())
    }

    /// Deletes rows, of which the values are those of [`KindSpec::identity`]. A table without any refuses all.
    async fn delete(&self, rows: Vec<SelectedRow>, _: WriteRun) -> RowResults {
        let refused = |row: SelectedRow| Err(RowError::not_attempted(row.number, row.id()));
        rows.into_iter().map(refused).collect()
    }
}
