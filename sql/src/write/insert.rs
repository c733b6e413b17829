//! `INSERT`: reads and checks all rows, and then sends them.

use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{Array, AsArray},
        datatypes::SchemaRef,
        record_batch::RecordBatch,
    },
    common::plan_err,
    datasource::sink::{DataSink, DataSinkExec},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::dml::InsertOp,
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan},
};
use futures::StreamExt;
use org_invitations::{BulkOptions, CreateResult, InvitationProviderExt, NewInvitation};

use super::{RowError, RowErrors, cast_to_schema};
use crate::{
    columns::Column,
    table::{InvitationsTable, Source, labels},
};

/// Plans an `INSERT` of the rows of `input`. Nothing is sent before the plan is executed.
pub(crate) fn insert(
    table: &InvitationsTable,
    input: Arc<dyn ExecutionPlan>,
    operation: InsertOp,
) -> Result<Arc<dyn ExecutionPlan>> {
    if operation != InsertOp::Append {
        return plan_err!("invitations cannot be overwritten: use INSERT INTO");
    }
    let (actual, expected) = (input.schema().fields().len(), table.columns().len());
    if actual != expected {
        return plan_err!("INSERT has {actual} columns, and the table has {expected}");
    }
    let sink = InsertSink {
        sources: table.sources().to_vec(),
        bulk: table.options().bulk.clone(),
        columns: table.columns(),
        schema: datafusion::catalog::TableProvider::schema(table),
    };
    Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), None)))
}

/// Creates an invitation for each row.
#[derive(Debug)]
struct InsertSink {
    sources: Vec<Source>,
    bulk: BulkOptions,
    columns: &'static [Column],
    schema: SchemaRef,
}

/// The position of a row, counted from 1, and the invitation to create.
type Row = (usize, NewInvitation);

impl InsertSink {
    /// Returns the index of the provider and the invitation to create, or the error of the row with this number.
    fn row(
        &self,
        batch: &RecordBatch,
        row: usize,
        number: usize,
    ) -> Result<(usize, NewInvitation), RowError> {
        let array = |column: Column| {
            let index = self.columns.iter().position(|it| *it == column)?;
            let array = batch.column(index);
            (!array.is_null(row)).then_some(array)
        };
        let text = |column| array(column).map(|texts| texts.as_string::<i32>().value(row));
        let email = text(Column::Email);
        let row_error = |reason: String| RowError::new(number, email.unwrap_or_default(), reason);
        for column in self.columns {
            if !column.can_be_set() && array(*column).is_some() {
                return Err(row_error(format!("`{}` cannot be set", column.name())));
            }
        }
        let Some(email) = email else {
            return Err(row_error("it has no email".to_owned()));
        };
        let mut new = NewInvitation::new(email);
        if let Some(auth_type) = text(Column::AuthType) {
            new = new.auth_type(auth_type.into());
        }
        match (text(Column::Role), array(Column::RoleIds)) {
            (Some(_), Some(_)) => {
                return Err(row_error("it has both `role` and `role_ids`".to_owned()));
            }
            (Some(role), None) => new = new.legacy_role(role),
            (None, Some(ids)) => {
                let ids = ids.as_list::<i32>().value(row);
                let ids = ids.as_string::<i32>();
                new = new.roles(ids.iter().flatten());
            }
            (None, None) => {}
        }
        new.validate()
            .map_err(|error| row_error(error.message().to_owned()))?;
        Ok((self.source(text(Column::Provider)).map_err(row_error)?, new))
    }

    /// Returns the index of the provider with this name.
    fn source(&self, label: Option<&str>) -> Result<usize, String> {
        if !self.columns.contains(&Column::Provider) {
            return Ok(0);
        }
        let Some(label) = label else {
            return Err(format!(
                "`provider` has to be one of {}",
                labels(&self.sources)
            ));
        };
        self.sources
            .iter()
            .position(|source| source.info.label == label)
            .ok_or_else(|| {
                let known = labels(&self.sources);
                format!("`provider` is {label:?}, and has to be one of {known}")
            })
    }
}

#[async_trait]
impl DataSink for InsertSink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        mut batches: SendableRecordBatchStream,
        _: &Arc<TaskContext>,
    ) -> Result<u64> {
        // All rows are read before the first is sent, and an invalid row stops all of them.
        let (mut count, mut errors) = (0, Vec::new());
        let mut rows: HashMap<usize, Vec<Row>> = HashMap::new();
        while let Some(batch) = batches.next().await {
            let batch = cast_to_schema(&batch?, &self.schema)?;
            for row in 0..batch.num_rows() {
                count += 1;
                match self.row(&batch, row, count) {
                    Ok((source, new)) => rows.entry(source).or_default().push((count, new)),
                    Err(error) => errors.push(error),
                }
            }
        }
        RowErrors::check("INSERT", 0, errors)?;
        let (mut succeeded, mut errors) = (0, Vec::new());
        for (source, rows) in rows {
            let provider = &self.sources[source].provider;
            let numbers: Vec<usize> = rows.iter().map(|(number, _)| *number).collect();
            let rows = rows.into_iter().map(|(_, new)| new);
            let mut outcomes = provider.create_many(rows, self.bulk.clone());
            while let Some(outcome) = outcomes.next().await {
                let number = numbers[outcome.index];
                let email = outcome.new.email;
                match outcome.result {
                    CreateResult::Created(_) => succeeded += 1,
                    CreateResult::AlreadyExists(error) | CreateResult::Failed(error) => {
                        errors.push(RowError::from_error(number, email, error));
                    }
                    CreateResult::Duplicate(first) => {
                        let reason = format!("the same address as row {}", numbers[first]);
                        errors.push(RowError::new(number, email, reason));
                    }
                    _ => errors.push(RowError::new(number, email, "not attempted")),
                }
            }
        }
        RowErrors::check("INSERT", succeeded, errors)
    }
}

impl DisplayAs for InsertSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreateInvitations: {}", labels(&self.sources))
    }
}
