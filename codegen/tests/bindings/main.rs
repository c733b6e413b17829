//! What the documents say is what the bindings have: every form that vendors use, every name that collides,
//! and whatever is new in a document, without a change of the library's own code.

mod build_script;
mod collisions;
#[path = "../common/mod.rs"]
mod common;
mod description;
mod documents;
mod forms;
mod growth;
mod mistakes;
mod pins;
mod small;
mod versions;
mod words;
