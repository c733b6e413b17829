//! The command as a process, against a sandbox.

mod configuration;
mod doctor;
mod everyday;
mod golden;
mod list;
mod outage;
mod output;
mod refusals;
mod renew;
mod roster;
mod sandbox;
#[cfg(unix)]
mod terminal;
mod world;
