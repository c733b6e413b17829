//! Hostile documents: whatever is in a document, there is a clear error or a client that compiles,
//! within bounds of time and memory.

#[path = "../common/mod.rs"]
mod common;
mod guard;
mod random;
mod references;
mod sizes;
mod structure;
mod text;
