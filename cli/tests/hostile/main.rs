//! The command as a process on servers that fail: exit code and output against what the servers hold.
//!
//! The servers are those of the library's tests. Where the command deletes, renews or moves people, nobody
//! may be lost unnamed, and an exit code of 0 means that everything asked for is so.

mod apply;
mod command;
mod copy;
mod delete;
mod fault_scripts;
mod input;
// Cells do not need a process of their own, since each starts the command.
#[allow(dead_code)]
#[path = "../../../tests/hostile/matrix.rs"]
mod matrix;
mod output;
mod prune;
mod renew;
#[cfg(unix)]
mod resume;
// Only the library's tests use the remaining parts.
#[allow(dead_code)]
#[path = "../../../tests/hostile/server/mod.rs"]
mod server;
