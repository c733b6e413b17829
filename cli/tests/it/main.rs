//! The command as a process, against a sandbox.

mod api_keys;
mod choosing;
#[cfg(unix)]
mod completion;
mod configuration;
mod doctor;
mod dry_run;
mod errors;
mod fixture;
mod golden;
mod layout;
mod list;
mod man;
mod outage;
mod output;
mod people;
mod profiles;
mod renew;
mod roster;
mod sandbox;
mod selecting;
mod smoke;
#[cfg(unix)]
mod terminal;
