//! Sessions whose statements run on a cluster.

use std::sync::Arc;

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use datafusion::{error::Result, execution::SessionStateBuilder, prelude::SessionContext};

/// Returns a session like `session`, with its tables and functions, whose statements run on the cluster of a scheduler,
/// such as `df://127.0.0.1:50050`. The names of files are tables for as long as `session` lives, and the executors
/// have to find the same files.
///
/// # Errors
///
/// When the URL is not one. No connection is made before the first statement.
pub async fn connect(session: &SessionContext, scheduler: &str) -> Result<SessionContext> {
    let config = session
        .copied_config()
        .with_ballista_logical_extension_codec(Arc::new(crate::codec()));
    let state = SessionStateBuilder::new_from_existing(session.state())
        .with_config(config)
        .build();
    let connected = SessionContext::remote_with_state(scheduler, state).await?;
    // Ballista leaves its own functions only.
    for function in session.state().scalar_functions().values() {
        connected.register_udf(function.as_ref().clone());
    }
    Ok(connected)
}
