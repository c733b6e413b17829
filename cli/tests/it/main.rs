//! The command as a process, against a sandbox.

mod api_keys;
mod audit_log;
mod choosing;
#[cfg(unix)]
mod completion;
mod config_command;
mod configuration;
mod doctor;
mod dry_run;
mod errors;
mod fixture;
mod golden;
#[cfg(unix)]
mod interrupted;
mod json;
mod layout;
mod list;
mod man;
#[cfg(feature = "mcp")]
mod mcp;
mod outage;
mod output;
mod people;
mod profiles;
#[path = "../../../tests/contract/relay.rs"]
mod relay;
mod renew;
mod rights;
mod roster;
mod route;
mod sandbox;
mod sandbox_background;
mod sandbox_control;
mod secrets;
mod selecting;
mod smoke;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod terminal_setup;
