//! Hostile documents: every document gives a clear error or a client that parses, within bounds of time and memory.

#[path = "../common/mod.rs"]
mod common;
mod harness;
mod random;
mod references;
mod sizes;
mod structure;
mod text;
