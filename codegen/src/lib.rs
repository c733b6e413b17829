//! From OpenAPI documents, as vendors really publish them, to typed and documented Rust clients.
//!
//! The document is the source: each selected operation becomes a method, and each parameter, property, set
//! of values, success, failure and description of it becomes Rust, by progenitor. What progenitor would
//! refuse or misread is put into a form that it takes: OpenAPI 3.1 and 3.2, unions with null, merged parts,
//! objects without a name, several media types, colliding names and more.
//!
//! A build script describes the bindings and generates them:
//!
//! ```no_run
//! use org_invitations_codegen::{Bindings, Source};
//!
//! // In build.rs; the crate has `mod api { include!(concat!(env!("OUT_DIR"), "/pets.rs")); }`.
//! Bindings::new("pets").source(Source::new("specs/pets.yaml").all()).generate();
//! ```
//!
//! The output needs `progenitor-client`, `reqwest`, `serde`, `serde_json`, `chrono`, `bytes` and
//! `futures-core` as dependencies, and nothing else.
//!
//! # What the bindings are like
//!
//! - Nothing in a response is required, and a property without a field is kept in the field `extra`.
//! - Sets of values are open: a value that the document does not list is kept in `Other`. So are objects
//!   that a property tells apart. Other alternatives are any JSON.
//! - Structs are `#[non_exhaustive]` and have builders; operations are builders too, so that a new parameter
//!   changes no call.
//! - What is deprecated says so in its documentation.
//! - A name that would collide with another one is changed by a rule (a suffix that says what it is, else a
//!   number); what goes over the wire stays the same.
//! - What cannot be expressed is left out with a note: at the beginning of the output, in
//!   [`Generated::notes`], and as a warning of the build.
//!
//! # The way of a document
//!
//! | step | module | what it does |
//! |---|---|---|
//! | parse | [`Document`] | JSON or YAML, OpenAPI 3.0, 3.1 or 3.2, bounded in size |
//! | select | `select` | operations by method and path, or all |
//! | check | [`check()`] | compares the document with what the code around the bindings needs of it |
//! | lower | `lower` | types, names and words: what becomes Rust |
//! | emit | `emit` | progenitor, and what progenitor has no form for |
//!
//! Beside it, [`Surface`] is what a document says of the selected operations in a form that can be compared;
//! the crate `org-invitations-spec-diff` compares two of them.
//!
//! The feature `generate`, on by default, is what a build needs; without it progenitor is not a dependency.

#![forbid(unsafe_code)]
// The model has more than the names of the bindings need.
#![cfg_attr(not(feature = "generate"), allow(dead_code))]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod api;
mod bindings;
#[cfg(feature = "generate")]
mod build_script;
mod check;
mod diagnostic;
mod document;
#[cfg(feature = "generate")]
mod emit;
#[cfg(feature = "generate")]
mod generate;
mod lower;
mod memory_budget;
mod names;
pub mod path;
mod schema;
mod select;
mod surface;
mod yaml_parser;

pub use api::Api;
pub use bindings::{Bindings, Source, Type};
pub use check::check;
pub use diagnostic::{Diagnostic, Report};
pub use document::{Document, MAX_DOCUMENT_BYTES, MAX_YAML_BYTES, escape};
#[cfg(feature = "generate")]
pub use generate::Generated;
pub use schema::Direction;
pub use surface::{Servers, Surface, SurfaceOperation};
