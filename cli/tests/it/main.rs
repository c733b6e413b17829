//! The command as a process, against a sandbox.

mod api_keys;
mod configuration;
mod doctor;
mod errors;
mod fixture;
mod golden;
mod list;
mod outage;
mod output;
mod people;
mod renew;
mod roster;
mod sandbox;
mod smoke;
#[cfg(unix)]
mod terminal;
