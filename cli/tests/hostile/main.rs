//! The command as a process on servers that fail: exit code and output against what the servers hold.
//!
//! The servers are those of the library's tests. Where the command deletes, renews or moves people, nobody
//! may be lost unnamed, and an exit code of 0 means that everything asked for is so.

mod answers;
mod apply;
mod command;
mod copy;
mod delete;
mod input;
// Cells run in this process: they begin others.
#[allow(dead_code)]
#[path = "../../../tests/hostile/matrix.rs"]
mod matrix;
mod output;
mod prune;
mod renew;
#[cfg(unix)]
mod resume;
// The library's tests use other parts of it.
#[allow(dead_code)]
#[path = "../../../tests/hostile/server/mod.rs"]
mod server;
