//! What a sandbox starts with, as a test or a file writes it down.

use serde::{Deserialize, Serialize};

use crate::faults::Faults;
use crate::limits::Limits;
use crate::quota::Quotas;
use crate::tokens::StsSettings;

/// The organisations, keys and settings a sandbox starts with, and goes back to when reset.
///
/// Whatever is left out has a default; a property that is not known is an error. In YAML, of which JSON is part:
///
/// ```yaml
/// seed: 10000                  # invitations in the first organisation of each API; default none
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
///     keep_deleted: true       # show deleted invitations as deactivated; default false: they are gone
/// clickhouse:
///   - id: 22222222-0000-4000-8000-000000000002
///     keys: [{ api_key: KEY, api_secret: s3 }]
///     custom_roles: [{ id: 33333333-0000-4000-8000-000000000003, name: Auditor }]
/// limits: { clickhouse: { requests: 10, window_ms: 10000 } }
/// quota: { confluent: { invitations_per_org: 50, status: 402 } }
/// sts: { lifetime_seconds: 60 }
/// faults: { script: [{ operation: create, fault: { kind: reset, when: after } }] }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// How many invitations the first organisation of each API has. Default none.
    ///
    /// They are the same ones in every sandbox, addressed to `user1@seeded.example` and so on, and sent when
    /// the sandbox starts.
    pub seed: u64,
    /// How many requests, and how many changes, the ledger keeps: the latest. Default 1 000 000.
    pub ledger_limit: Option<usize>,
    /// Confluent Cloud's organisations. Default one.
    pub confluent: Vec<ConfluentOrganization>,
    /// ClickHouse Cloud's organisations. Default one.
    pub clickhouse: Vec<ClickHouseOrganization>,
    /// Rate limits. Default none.
    pub limits: Limits,
    /// Quotas. Default none.
    pub quota: Quotas,
    /// What Confluent's token exchange does.
    pub sts: StsSettings,
    /// What goes wrong. Default nothing.
    pub faults: Faults,
}

/// An organisation on Confluent Cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentOrganization {
    /// A uuid. Default random.
    pub id: Option<String>,
    /// Its Cloud API keys. Default one in the first organisation, none in the others.
    pub keys: Vec<ConfluentKey>,
    /// Its identity pools, for the token exchange. Default one in the first organisation, none in the others.
    pub identity_pools: Vec<IdentityPool>,
    /// Whether its users sign in through single sign-on: invitations are `AUTH_TYPE_SSO` unless they say
    /// otherwise, and `AUTH_TYPE_LOCAL` takes [`Rights::Admin`] (Confluent's document). Default false.
    pub sso: bool,
    /// How long an invitation reads `INVITE_STATUS_STAGED`, and cannot be accepted, before it is sent; in
    /// seconds. Default 0. Confluent's document has the status, and does not say when it shows.
    pub staging_seconds: u32,
    /// Whether a deleted invitation stays and reads `INVITE_STATUS_DEACTIVATED`. Default false: it is gone, and a
    /// get answers 404. Confluent's document has the status, and does not say which of the two happens.
    pub keep_deleted: bool,
}

/// A Cloud API key of Confluent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentKey {
    /// User name for HTTP Basic.
    pub api_key: String,
    /// Password for HTTP Basic.
    pub api_secret: String,
    /// A bearer token that is as good as the key. Default none; random for the first key of all.
    #[serde(default)]
    pub access_token: Option<String>,
    /// The id of the user it belongs to: the creator of what it creates. Default random.
    #[serde(default)]
    pub user: Option<String>,
    /// What it may do. Default everything.
    #[serde(default)]
    pub rights: Rights,
}

/// An identity pool: whose access the tokens of Confluent's token exchange give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IdentityPool {
    /// Its id, such as `pool-4rq1`.
    pub id: String,
    /// The subject tokens it takes, besides those of the identity provider at `/_sandbox/idp/token`. Default
    /// those of [`StsSettings::subject_tokens`].
    #[serde(default)]
    pub subject_tokens: Option<Vec<String>>,
    /// What its tokens allow. Default everything.
    #[serde(default)]
    pub rights: Rights,
}

/// An organisation on ClickHouse Cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseOrganization {
    /// A uuid. Default random.
    pub id: Option<String>,
    /// Its API keys. Default one in the first organisation, none in the others.
    pub keys: Vec<ClickHouseKey>,
    /// Roles besides the [system roles](crate::SYSTEM_ROLES). With any, the deprecated `role` is refused.
    pub custom_roles: Vec<CustomRole>,
}

/// An API key of ClickHouse Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseKey {
    /// User name for HTTP Basic.
    pub api_key: String,
    /// Password for HTTP Basic.
    pub api_secret: String,
    /// What it may do. Default everything.
    #[serde(default)]
    pub rights: Rights,
}

/// A role that an organisation on ClickHouse Cloud has made for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomRole {
    /// What `assignedRoleIds` names it by: a uuid, as in ClickHouse's document.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What credentials may do. What they may not is refused with 403.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Rights {
    /// Everything: an OrganizationAdmin, or a key with the Admin role.
    #[default]
    Admin,
    /// Everything but to invite `AUTH_TYPE_LOCAL` users to a Confluent organisation with single sign-on.
    Inviter,
    /// To get and list.
    Reader,
    /// Nothing: the credentials are known, and that is all.
    None,
}

impl Rights {
    pub(crate) fn read(self) -> bool {
        self != Self::None
    }

    pub(crate) fn write(self) -> bool {
        matches!(self, Self::Admin | Self::Inviter)
    }
}

impl ConfluentOrganization {
    /// Adds a key.
    #[must_use]
    pub fn key(mut self, key: ConfluentKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds an identity pool.
    #[must_use]
    pub fn identity_pool(mut self, pool: IdentityPool) -> Self {
        self.identity_pools.push(pool);
        self
    }
}

impl ConfluentKey {
    /// A key that may do everything.
    pub fn new(api_key: impl Into<String>, api_secret: impl Into<String>) -> Self {
        Self {
            api_key: api_key.into(),
            api_secret: api_secret.into(),
            access_token: None,
            user: None,
            rights: Rights::Admin,
        }
    }

    /// The same, allowed no more than this.
    #[must_use]
    pub fn rights(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }
}

impl IdentityPool {
    /// A pool whose tokens allow everything.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            subject_tokens: None,
            rights: Rights::Admin,
        }
    }
}

impl ClickHouseOrganization {
    /// Adds a key.
    #[must_use]
    pub fn key(mut self, key: ClickHouseKey) -> Self {
        self.keys.push(key);
        self
    }
}

impl ClickHouseKey {
    /// A key that may do everything.
    pub fn new(api_key: impl Into<String>, api_secret: impl Into<String>) -> Self {
        Self {
            api_key: api_key.into(),
            api_secret: api_secret.into(),
            rights: Rights::Admin,
        }
    }

    /// The same, allowed no more than this.
    #[must_use]
    pub fn rights(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }
}

impl CustomRole {
    /// A role of this id and name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
        }
    }
}
