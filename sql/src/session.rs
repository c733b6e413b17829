//! Sessions for interactive use.

use std::sync::Arc;

use datafusion::{
    error::Result,
    execution::{
        SessionStateBuilder,
        memory_pool::{FairSpillPool, TrackConsumersPool},
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    prelude::{SessionConfig, SessionContext},
};
use std::num::NonZeroUsize;

use crate::{files, json, large_values};

/// Consumers of memory that an error lists.
const LISTED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Creates a session with `information_schema` (`SHOW TABLES`) in which the name of a local file is a table, as in
/// `SELECT * FROM 'roster.csv'`: CSV (`.csv`, `.tsv`), JSON (`.json` with an array or an object a line, `.jsonl`,
/// `.ndjson`) and, with the feature `parquet`, Parquet. Text of JSON is read by `->`, `->>` and `json_get`, and that of the
/// columns `extra` and `metadata` by names after a dot too.
///
/// This session is not for untrusted statements, which must not read files: use `SessionContext` for them. It has no
/// limit of memory; see [`session_with_memory_limit`].
pub fn session() -> SessionContext {
    new_session(SessionStateBuilder::new())
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
    let builder = SessionStateBuilder::new().with_runtime_env(Arc::new(runtime));
    Ok(new_session(builder))
}

fn new_session(builder: SessionStateBuilder) -> SessionContext {
    let state = builder
        .with_config(config())
        .with_expr_planners(vec![json::planner()])
        // The engine's planners come after.
        .with_default_features()
        .build();
    let mut context = SessionContext::from(state);
    large_values::limit(&context);
    json::enable(&mut context);
    files::enable(context)
}

/// Returns the configuration of every session of this crate.
pub(crate) fn config() -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        // Round-robin repartitioning gathers 8 192 rows for each core first, so that a `LIMIT` stops too late.
        .with_round_robin_repartition(false)
}
