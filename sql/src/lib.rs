#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod columns;
mod discovery;
#[cfg(feature = "ballista")]
mod distributed;
mod files;
mod intervals;
mod json;
mod large_values;
mod pushdown;
mod request;
mod resource;
mod scan;
mod session;
mod statement;
mod table;
mod words;
mod write;

#[cfg(feature = "ballista")]
pub use self::distributed::{Organizations, TableCodec};
pub use self::{
    session::{session, session_with_memory_limit},
    statement::{Statement, is_write, parse, plan, sql},
    table::{Table, register},
    write::{RowDone, RowError, RowErrors, WriteOptions, WriteReport},
};

use std::error::Error as StdError;

use datafusion::error::DataFusionError;

/// Returns the provider's error, if a statement failed because of one.
///
/// `None` for an error of the engine itself, and for [`RowErrors`], which contains several.
pub fn provider_error(error: &DataFusionError) -> Option<&org_invitations::Error> {
    find(error)
}

/// Returns the rows that failed, if an `INSERT` or `DELETE` failed because of them.
pub fn row_errors(error: &DataFusionError) -> Option<&RowErrors> {
    find(error)
}

/// Returns the message of an error without the layers that the engine adds.
pub fn message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::NotImplemented(message)
        | DataFusionError::Configuration(message) => message.clone(),
        DataFusionError::External(error) => error.to_string(),
        other => other.strip_backtrace(),
    }
}

fn find<E: StdError + 'static>(error: &DataFusionError) -> Option<&E> {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}
