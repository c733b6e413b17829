#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod clickhouse;
mod clock;
mod config;
mod confluent;
mod credentials;
mod email;
mod error;
mod faults;
mod form;
mod html;
mod invitations;
mod jwt;
mod ledger;
mod limits;
mod members;
mod operation;
mod provider;
mod random;
mod redact;
mod request;
mod sandbox;
mod server;
mod snapshot;
mod state;
mod state_file;

pub use clickhouse::roles::{SYSTEM_ROLES, SystemRole};
pub use config::{
    ClickHouseKey, ClickHouseMember, ClickHouseOrganization, Config, ConfluentKey, ConfluentMember,
    ConfluentOrganization, ConfluentRoleBinding, CustomRole, IdentityPool, Quota, Quotas, Rights,
    StsSettings,
};
pub use credentials::{ClickHouseCredentials, ConfluentCredentials, Credentials, IdpCredentials};
pub use faults::{
    DuplicateAnswer, ErrorBody, Fault, Faults, Lag, RandomFaults, Rule, WeightedFault, When,
};
pub use invitations::{AcceptError, InvitationStatus};
pub use ledger::{Change, CommitEntry, Ledger, RequestEntry};
pub use limits::{Limit, Limits, Window};
pub use operation::Operation;
pub use provider::Provider;
pub use sandbox::{Sandbox, SandboxBuilder};
pub use snapshot::{ApiKeySnapshot, InvitationSnapshot, MemberSnapshot, RoleBindingSnapshot};
