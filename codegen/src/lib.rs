//! Generates typed and documented Rust clients from OpenAPI documents as vendors publish them.
//!
//! Each selected operation becomes a method, and its parameters, properties, sets of values, successes, failures and
//! descriptions become Rust, by progenitor. Documents that progenitor would reject or misread are lowered to a form that
//! it accepts: OpenAPI 3.1 and 3.2, unions with null, `allOf`, objects without a name, several media types, colliding
//! names and more.
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
//! - Sets of values are open: a value that the document does not list is kept in `Other`. Unions with a
//!   discriminator are open in the same way. Other unions are any JSON.
//! - Structs are `#[non_exhaustive]` and have builders; operations are builders too, so that a new parameter
//!   changes no call.
//! - The documentation of deprecated items says that they are deprecated.
//! - A name that collides with another one gets a suffix that tells its kind, or a number; the name on the wire
//!   stays the same.
//! - What cannot be expressed is left out, and a note says so: at the beginning of the output, in
//!   [`Generated::notes`], and as a warning of the build.
//!
//! # Steps
//!
//! | step | module | what it does |
//! |---|---|---|
//! | parse | [`Document`] | JSON or YAML, OpenAPI 3.0, 3.1 or 3.2, bounded in size |
//! | select | `select` | operations by method and path, or all |
//! | check | [`check()`] | compares the document with the requirements of the code around the bindings |
//! | lower | `lower` | types, names and documentation |
//! | emit | `emit` | the client by progenitor, and what progenitor cannot express |
//!
//! A [`Surface`] contains the selected operations of a document in a normalised form; the crate
//! `org-invitations-spec-diff` compares two of them.
//!
//! The feature `generate`, on by default, contains the generator; without it progenitor is not a dependency.

#![forbid(unsafe_code)]
// Without the generator, only the names of the bindings are read from the model.
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
