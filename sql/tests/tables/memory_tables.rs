//! The same rows in tables of the engine itself, where no filter can be pushed down.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray},
        datatypes::{DataType, Field, Schema, TimeUnit},
    },
    catalog::{MemTable, MemoryCatalogProvider, MemorySchemaProvider},
    prelude::SessionContext,
};
use org_invitations::Invitation;

/// Creates a session with these tables. Each row has the name of its provider.
pub fn memory_tables(tables: &[(&str, Vec<(&str, Invitation)>)]) -> SessionContext {
    use datafusion::catalog::CatalogProvider;
    let context = SessionContext::new();
    for (catalog, schema) in [("confluent", "iam"), ("clickhouse", "members")] {
        let provider = MemoryCatalogProvider::new();
        let tables = Arc::new(MemorySchemaProvider::new());
        provider.register_schema(schema, tables).unwrap();
        context.register_catalog(catalog, Arc::new(provider));
    }
    for (name, rows) in tables {
        let batch = batch(rows);
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        context.register_table(*name, Arc::new(table)).unwrap();
    }
    context
}

/// Follows the documentation of the columns, and does not use the crate's code.
fn batch(rows: &[(&str, Invitation)]) -> RecordBatch {
    type Text = fn(&Invitation) -> Option<String>;
    type Time = fn(&Invitation) -> Option<chrono::DateTime<chrono::Utc>>;
    let texts: [(&str, Text); 7] = [
        ("id", |it| Some(it.id.to_string())),
        ("email", |it| Some(it.email.clone())),
        ("status", |it| it.status.as_ref().map(ToString::to_string)),
        ("auth_type", |it| {
            it.auth_type.as_ref().map(ToString::to_string)
        }),
        ("role", |it| it.role.clone()),
        ("user", |it| it.user.as_ref().map(|user| user.id.clone())),
        ("creator", |it| {
            it.creator.as_ref().map(|user| user.id.clone())
        }),
    ];
    let times: [(&str, Time); 3] = [
        ("created_at", |it| it.created_at),
        ("expires_at", |it| it.expires_at),
        ("accepted_at", |it| it.accepted_at),
    ];
    let labels: StringArray = rows.iter().map(|(label, _)| Some(*label)).collect();
    let mut fields = vec![Field::new("provider", DataType::Utf8, true)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(labels)];
    for (name, text) in texts {
        let values: StringArray = rows.iter().map(|(_, it)| text(it)).collect();
        fields.push(Field::new(name, DataType::Utf8, true));
        arrays.push(Arc::new(values));
    }
    for (name, time) in times {
        let micros = |(_, it): &(&str, Invitation)| time(it).map(|time| time.timestamp_micros());
        let values: TimestampMicrosecondArray = rows.iter().map(micros).collect();
        let kind = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        fields.push(Field::new(name, kind, true));
        arrays.push(Arc::new(values.with_timezone("UTC")));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}
