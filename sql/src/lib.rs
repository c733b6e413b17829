#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod columns;
mod request;
mod scan;
#[cfg(feature = "serve")]
pub mod serve;
mod session;
mod table;
mod wanted;
mod write;

pub use self::{
    session::session,
    table::{InvitationsTable, register},
    write::{RefusedRow, RefusedRows, WriteOptions},
};

/// What a provider answered, when a statement failed because of it.
///
/// `None` for an error of the engine itself, and for [`RefusedRows`], which has several.
pub fn provider_error(
    error: &datafusion::error::DataFusionError,
) -> Option<&org_invitations::Error> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}
