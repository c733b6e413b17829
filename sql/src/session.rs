//! Sessions for interactive use.

use datafusion::prelude::{SessionConfig, SessionContext};

/// Creates a session with `information_schema` (`SHOW TABLES`) in which the name of a local CSV, JSON or (feature
/// `parquet`) Parquet file is a table: `SELECT * FROM 'roster.csv'`.
///
/// This session is not for untrusted statements, which must not read files: use `SessionContext` for them.
pub fn session() -> SessionContext {
    SessionContext::new_with_config(config()).enable_url_table()
}

/// Returns the configuration of every session of this crate.
pub(crate) fn config() -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        // Round-robin repartitioning gathers 8 192 rows for each core first, so that a `LIMIT` stops too late.
        .with_round_robin_repartition(false)
}
