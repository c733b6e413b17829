//! Sessions for interactive use.

use std::sync::Arc;

use datafusion::{
    error::Result,
    execution::{
        memory_pool::{FairSpillPool, TrackConsumersPool},
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    prelude::{SessionConfig, SessionContext},
};
use std::num::NonZeroUsize;

use crate::{files, large_values};

/// Consumers of memory that an error lists.
const LISTED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Creates a session with `information_schema` (`SHOW TABLES`) in which the name of a local file is a table, as in
/// `SELECT * FROM 'roster.csv'`: CSV (`.csv`, `.tsv`), JSON (`.json` with an array or an object a line, `.jsonl`,
/// `.ndjson`) and, with the feature `parquet`, Parquet. Text of JSON is read by `->`, `->>` and `json_get`.
///
/// This session is not for untrusted statements, which must not read files: use `SessionContext` for them. It has no
/// limit of memory; see [`session_with_memory_limit`].
pub fn session() -> SessionContext {
    files::enable(with_functions(SessionContext::new_with_config(config())))
}

/// Creates a session as [`session`] does, whose statements together use about so many bytes for rows that they hold.
/// Sorts, joins and aggregates spill to files in the temporary folder; a statement that cannot fails with an error, and
/// the session goes on.
///
/// The limit counts what operators hold, and not the buffers of a single batch of rows.
///
/// # Errors
///
/// When the temporary folder cannot be used.
///
/// ```
/// # use org_invitations_sql::{session_with_memory_limit, sql};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = session_with_memory_limit(64 * 1024 * 1024)?;
/// let rows = sql(&context, "SELECT count(*) FROM generate_series(1, 1000)").await?;
/// assert_eq!(rows.count().await?, 1);
/// # Ok(())
/// # }
/// ```
pub fn session_with_memory_limit(bytes: usize) -> Result<SessionContext> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(bytes), LISTED_CONSUMERS);
    let runtime: RuntimeEnv = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .build()?;
    let context = SessionContext::new_with_config_rt(config(), Arc::new(runtime));
    Ok(files::enable(with_functions(context)))
}

/// Adds the functions of JSON and the operators `->` and `->>`, and limits what others return.
fn with_functions(mut context: SessionContext) -> SessionContext {
    large_values::limit(&context);
    // It fails for a registry without expression planners only, and that of a session has them.
    let _ = datafusion_functions_json::register_all(&mut context);
    context
}

/// Returns the configuration of every session of this crate.
pub(crate) fn config() -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        // Round-robin repartitioning gathers 8 192 rows for each core first, so that a `LIMIT` stops too late.
        .with_round_robin_repartition(false)
}
