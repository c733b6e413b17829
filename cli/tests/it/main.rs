//! The command as a process, against a sandbox.

mod api_keys;
mod choosing;
mod configuration;
mod doctor;
mod errors;
mod fixture;
mod golden;
mod list;
mod outage;
mod output;
mod people;
mod profiles;
mod renew;
mod roster;
mod sandbox;
mod smoke;
#[cfg(unix)]
mod terminal;
