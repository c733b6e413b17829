//! From a vendor's OpenAPI document to the Rust client that `org-invitations` is built on.
//!
//! A document goes through five steps, one module each:
//!
//! | step | module | what it does |
//! |---|---|---|
//! | parse | [`Document`] | JSON or YAML, OpenAPI 3.0 or 3.1, bounded in size |
//! | normalise | [`Surface`] | selects the operations of one [`Api`], resolves every `$ref`, merges `allOf`, lowers 3.1 to 3.0, drops what carries no meaning |
//! | check | [`check()`] | compares the surface with what the facade needs and lists every mismatch |
//! | reduce | `client_document` | the tolerant document that progenitor accepts: only what the facade reads, unknown properties kept |
//! | generate | [`generate`] | progenitor, then formatted Rust |
//!
//! What comes from where:
//!
//! - **From the tables in [`api`]**: which operations are selected, what is checked, which headers and
//!   fields a comparison calls essential, and every name and type of the generated client. A vendor
//!   can therefore rename, move or inline its schemas without any change in that client, and no text
//!   of a document ever gets into it.
//! - **From the document**: the [`Surface`], the problems that [`check()`] lists, the findings of
//!   [`diff()`], and in the generated client one thing only, the constants of its module `offers`:
//!   whether the document has what the library can do without.
//!
//! [`build`] runs the whole of it in a build script. [`diff()`] compares two documents of one API.
//!
//! Two features, both on by default: `generate` is what a build needs, and without it progenitor is not a
//! dependency; `diff` is the comparison.

#![forbid(unsafe_code)]
// A surface keeps some of what only the comparison looks at.
#![cfg_attr(not(feature = "diff"), allow(dead_code))]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod api;
mod bounded;
#[cfg(feature = "generate")]
mod build;
mod check;
#[cfg(feature = "generate")]
mod client_document;
#[cfg(feature = "diff")]
mod diff;
mod document;
#[cfg(feature = "generate")]
mod generate;
mod problem;
#[cfg(feature = "generate")]
mod reading;
mod schema;
#[cfg(feature = "generate")]
mod sending;
mod surface;
mod yaml;

pub use api::Api;
#[cfg(feature = "generate")]
pub use build::build;
pub use check::check;
#[cfg(feature = "diff")]
pub use diff::{Class, Finding, diff};
pub use document::{Document, MAX_DOCUMENT_BYTES, MAX_YAML_BYTES};
#[cfg(feature = "generate")]
pub use generate::generate;
pub use problem::{Problem, Report};
pub use surface::Surface;
