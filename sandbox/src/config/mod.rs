//! The configuration that a sandbox starts with, from a test or a file.

mod clickhouse;
mod confluent;
pub(crate) mod normalize;
mod quota;

use serde::{Deserialize, Serialize};

use crate::faults::Faults;
use crate::limits::Limits;

pub use clickhouse::{ClickHouseKey, ClickHouseMember, ClickHouseOrganization, CustomRole};
pub use confluent::{
    ConfluentKey, ConfluentMember, ConfluentOrganization, ConfluentRoleBinding, IdentityPool,
    StsSettings,
};
pub use quota::{Quota, Quotas};

/// The organisations, keys and settings that a sandbox starts with and returns to when reset.
///
/// Every property has a default, and an unknown property is an error. In YAML, of which JSON is part:
///
/// ```yaml
/// seed: 10000                  # invitations in the first organisation of each API; default none
/// seed_members: 500            # members in the first organisation of each API; default none
/// ledger_limit: 100000         # requests, and changes, that the ledger keeps; default 1000000
/// confluent:                   # organisations; default one, with a random key
///   - id: 11111111-0000-4000-8000-000000000001   # default random
///     keys:
///       - { api_key: ADMIN, api_secret: s1, access_token: t1, user: u-admin }
///       - { api_key: READER, api_secret: s2, rights: reader }
///     identity_pools:
///       - { id: pool-1, subject_tokens: [a-jwt], rights: inviter }
///     sso: true                # default false
///     staging_seconds: 60      # how long an invitation is staged before it is sent; default 0
///     keep_deleted: true       # show deleted invitations as deactivated; default false: hide them
///     members: [{ id: u-admin, email: admin@example.com }]
///     role_bindings: [{ principal: "User:u-admin", role_name: OrganizationAdmin }]
/// clickhouse:
///   - id: 22222222-0000-4000-8000-000000000002
///     keys: [{ api_key: KEY, api_secret: s3 }]
///     custom_roles: [{ id: 33333333-0000-4000-8000-000000000003, name: Auditor }]
///     members: [{ email: admin@example.com, role_ids: [5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a01] }]
/// limits: { clickhouse: { requests: 10, window_ms: 10000 } }
/// quota: { confluent: { invitations_per_org: 50, status: 402 } }
/// sts: { lifetime_seconds: 60 }
/// faults: { script: [{ operation: create, fault: { kind: reset, when: after } }] }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Number of invitations in the first organisation of each API. Default 0.
    ///
    /// Every sandbox has the same ones, addressed to `user1@seeded.example` and so on, and sent when the sandbox
    /// starts.
    pub seed: u64,
    /// Number of members in the first organisation of each API. Default 0.
    ///
    /// Every sandbox has the same ones, `member1@seeded.example` and so on.
    pub seed_members: u64,
    /// Number of requests, and of changes, that the ledger keeps: the latest ones. Default 1 000 000.
    pub ledger_limit: Option<usize>,
    /// Confluent Cloud's organisations. Default one.
    pub confluent: Vec<ConfluentOrganization>,
    /// ClickHouse Cloud's organisations. Default one.
    pub clickhouse: Vec<ClickHouseOrganization>,
    /// Rate limits. Default none.
    pub limits: Limits,
    /// Quotas. Default none.
    pub quota: Quotas,
    /// Settings of Confluent's token exchange.
    pub sts: StsSettings,
    /// Faults to inject. Default none.
    pub faults: Faults,
}

/// The operations that credentials allow. All others are answered with 403.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Rights {
    /// Every operation: an OrganizationAdmin, or a key with the Admin role.
    #[default]
    Admin,
    /// Every operation, except that a Confluent organisation with single sign-on does not take `AUTH_TYPE_LOCAL`
    /// users.
    Inviter,
    /// Get and list.
    Reader,
    /// No operation: the credentials are known, and answered with 403 rather than 401.
    None,
}

impl Rights {
    pub(crate) fn can_read(self) -> bool {
        self != Self::None
    }

    pub(crate) fn can_write(self) -> bool {
        matches!(self, Self::Admin | Self::Inviter)
    }
}
