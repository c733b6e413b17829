//! Renders record batches as text that can be compared.

use datafusion::arrow::{
    record_batch::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};

/// Renders rows with ` | ` between the columns, and `NULL` for nulls.
pub fn render(batches: &[RecordBatch]) -> Vec<String> {
    batches.iter().flat_map(rows).collect()
}

fn rows(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    let row = |row| {
        let values = columns.iter().map(|column| column.value(row).to_string());
        values.collect::<Vec<_>>().join(" | ")
    };
    (0..batch.num_rows()).map(row).collect()
}
