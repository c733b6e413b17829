//! The bindings contain what the documents describe: all forms that vendors use, colliding names, and additions to a
//! document without a change of the library's code.

mod additions;
mod build_script;
mod builder_errors;
mod collisions;
#[path = "../common/mod.rs"]
mod common;
mod description;
mod docs;
mod documents;
mod forms;
mod pinned_names;
mod small_documents;
mod versions;
