//! `sql` as a process, against a sandbox.

#![allow(dead_code)]

#[cfg(unix)]
mod prompt;
#[cfg(feature = "sql-serve")]
mod serve;
mod statements;
#[path = "../it/world.rs"]
mod world;
