//! `sql` as a process, against a sandbox.

#![allow(dead_code)]

#[path = "../it/fixture.rs"]
mod fixture;
mod organization;
#[cfg(unix)]
mod prompt;
mod statements;
