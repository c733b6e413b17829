//! A session for people: the engine with what a prompt needs.

use datafusion::prelude::{SessionConfig, SessionContext};

/// A session with `information_schema` (`SHOW TABLES`), and in which the name of a local CSV, JSON or (feature
/// `parquet`) Parquet file is a table: `SELECT * FROM 'roster.csv'`.
///
/// Not for statements from elsewhere, which must not read files: begin with `SessionContext` then.
pub fn session() -> SessionContext {
    SessionContext::new_with_config(config()).enable_url_table()
}

/// What every session of ours has.
pub(crate) fn config() -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        // It gathers 8 192 rows for each core first, so that a `LIMIT` stops far too late.
        .with_round_robin_repartition(false)
}
