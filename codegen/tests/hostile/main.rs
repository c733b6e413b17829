//! Hostile documents: whatever is in a document, there is a clear error or a client that compiles,
//! within bounds of time and memory.

mod guard;
#[path = "../common/pruned.rs"]
mod pruned;
mod random;
mod references;
mod sizes;
mod structure;
mod text;
