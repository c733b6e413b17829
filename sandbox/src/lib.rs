#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod auth;
mod call;
mod clickhouse;
mod confluent;
mod credentials;
mod email;
mod ledger;
mod server;
mod state;

pub use clickhouse::roles::{SYSTEM_ROLES, SystemRole};
pub use credentials::{ClickHouseCredentials, ConfluentCredentials, Credentials};
pub use ledger::{Change, CommitEntry, Ledger, RequestEntry};
pub use server::{Sandbox, SandboxBuilder};
pub use state::{AcceptError, Provider};
