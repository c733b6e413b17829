//! ClickHouse Cloud's organisations, keys and roles.

use serde::{Deserialize, Serialize};

use super::Rights;

/// An organisation on ClickHouse Cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseOrganization {
    /// The organisation's uuid. Default random.
    pub id: Option<String>,
    /// The organisation's API keys. Default one in the first organisation, none in the others.
    pub keys: Vec<ClickHouseKey>,
    /// Roles besides the [system roles](crate::SYSTEM_ROLES). If there are any, the deprecated `role` is rejected.
    pub custom_roles: Vec<CustomRole>,
    /// The members at the start, besides those of [`Config::seed_members`](super::Config::seed_members). Default none.
    pub members: Vec<ClickHouseMember>,
}

/// A member of an organisation on ClickHouse Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseMember {
    /// The uuid of the user. Default one that is the same in every sandbox.
    #[serde(default)]
    pub id: Option<String>,
    /// The member's address.
    pub email: String,
    /// The member's name. Default the address up to the `@`.
    #[serde(default)]
    pub name: Option<String>,
    /// The ids of the member's roles. Default none.
    #[serde(default)]
    pub role_ids: Vec<String>,
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
    /// What the key allows. Default everything.
    #[serde(default)]
    pub rights: Rights,
}

/// A role that an organisation on ClickHouse Cloud has defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomRole {
    /// The role's uuid, as `assignedRoleIds` has it.
    pub id: String,
    /// The role's name.
    pub name: String,
}

impl ClickHouseOrganization {
    /// Adds a key.
    #[must_use]
    pub fn key(mut self, key: ClickHouseKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds a member.
    #[must_use]
    pub fn member(mut self, member: ClickHouseMember) -> Self {
        self.members.push(member);
        self
    }
}

impl ClickHouseMember {
    /// Creates a member with the default id and without a role.
    pub fn new(email: impl Into<String>) -> Self {
        Self {
            id: None,
            email: email.into(),
            name: None,
            role_ids: Vec::new(),
        }
    }

    /// Sets the uuid of the user.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            ..self
        }
    }

    /// Adds a role.
    #[must_use]
    pub fn role_id(mut self, id: impl Into<String>) -> Self {
        self.role_ids.push(id.into());
        self
    }
}

impl ClickHouseKey {
    /// Creates a key that allows everything.
    pub fn new(api_key: impl Into<String>, api_secret: impl Into<String>) -> Self {
        Self {
            api_key: api_key.into(),
            api_secret: api_secret.into(),
            rights: Rights::Admin,
        }
    }

    /// Sets what the key allows.
    #[must_use]
    pub fn rights(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }
}

impl CustomRole {
    /// Creates a role.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
        }
    }
}
