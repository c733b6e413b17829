#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod admin;
mod auth;
mod clickhouse;
mod clock;
mod config;
mod confluent;
mod connection;
mod credentials;
mod email;
mod exchange;
mod faults;
mod form;
mod idp;
mod invitations;
mod jwt;
mod ledger;
mod limits;
mod listener;
mod operation;
mod quota;
mod route;
mod server;
mod snapshot;
mod state;
mod tokens;

pub use clickhouse::roles::{SYSTEM_ROLES, SystemRole};
pub use config::{
    ClickHouseKey, ClickHouseOrganization, Config, ConfluentKey, ConfluentOrganization, CustomRole,
    IdentityPool, Rights,
};
pub use credentials::{ClickHouseCredentials, ConfluentCredentials, Credentials, IdpCredentials};
pub use faults::{
    DuplicateAnswer, ErrorBody, Fault, Faults, Lag, RandomFaults, Rule, WeightedFault, When,
};
pub use ledger::{Change, CommitEntry, Ledger, RequestEntry};
pub use limits::{Limit, Limits, Window};
pub use operation::Operation;
pub use quota::{Quota, Quotas};
pub use server::{Sandbox, SandboxBuilder};
pub use snapshot::{InvitationSnapshot, InvitationStatus};
pub use state::{AcceptError, Provider};
pub use tokens::StsSettings;
