//! What the generated code takes from this crate in place of types of its own.

pub(crate) use crate::http::OperationSpec;
pub use crate::{bindings::timestamp::Timestamp, http::Transport};

/// A document that bindings were generated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDocument {
    /// The title of the API, as the document has it.
    pub title: &'static str,
    /// The version of the API, as the document has it.
    pub version: &'static str,
    /// The name of the file.
    pub file: &'static str,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: &'static str,
    /// Whether it is the document in `specs/` of this crate.
    pub is_own: bool,
}
