//! Queries over the members of many organisations on [Apache Ballista](https://datafusion.apache.org/ballista).
//!
//! Three programs: `scheduler` plans and has no credentials, `executor` reads the organisations that its own
//! [`Profiles`] name, and `query` runs a statement. `org_invitations_sql::TableCodec` writes the plans between them.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod client;
mod executor;
mod profiles;
mod scheduler;

pub use self::{
    client::connect,
    executor::{ExecutorOptions, run_executor},
    profiles::Profiles,
    scheduler::{SchedulerOptions, run_scheduler},
};

use std::{error::Error, sync::Arc};

use ballista_core::serde::{BallistaLogicalExtensionCodec, BallistaPhysicalExtensionCodec};
use org_invitations_sql::TableCodec;
use tracing_subscriber::EnvFilter;

/// The stack of a thread, in bytes: plans are walked recursively.
const STACK: usize = 32 << 20;

/// Returns Ballista's codec with the tables of organisations, for a process that reads no rows.
fn codec() -> TableCodec {
    TableCodec::new(
        Arc::new(BallistaLogicalExtensionCodec::default()),
        Arc::new(BallistaPhysicalExtensionCodec::default()),
    )
}

/// Runs a program on threads with room for plans. What `RUST_LOG` asks for, by default errors, goes to stderr.
///
/// # Errors
///
/// Those of the program, and when the threads cannot be started.
pub fn run<T: Send + 'static>(
    program: impl Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + Send + 'static,
) -> Result<T, Box<dyn Error + Send + Sync>> {
    // Somebody else, such as a second program of the same process, may have set it.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .try_init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()?;
    runtime.block_on(async { tokio::spawn(program).await? })
}
