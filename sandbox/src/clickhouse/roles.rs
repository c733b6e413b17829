//! Roles.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::CustomRole;

/// A role that every ClickHouse Cloud organisation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemRole {
    /// The role's uuid for `assignedRoleIds`, the same in every sandbox.
    pub id: &'static str,
    /// The role's name.
    pub name: &'static str,
}

/// The roles that every organisation on the sandbox's ClickHouse Cloud has: Admin, Developer, Billing.
///
/// The deprecated `role` property knows the first two, as `admin` and `developer`.
pub const SYSTEM_ROLES: [SystemRole; 3] = [ADMIN, DEVELOPER, BILLING];

/// The role of an invitation whose request names none.
pub(crate) const DEFAULT: Role = Role::System(DEVELOPER);

/// The deprecated `role` of an invitation that was created while the organisation had custom roles.
pub(crate) const FROZEN_LEGACY_NAME: &str = "developer";

const ADMIN: SystemRole = SystemRole {
    id: "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a01",
    name: "Admin",
};
const DEVELOPER: SystemRole = SystemRole {
    id: "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a02",
    name: "Developer",
};
const BILLING: SystemRole = SystemRole {
    id: "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03",
    name: "Billing",
};

/// A role that an invitation assigns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "CustomRole", into = "CustomRole")]
pub(crate) enum Role {
    System(SystemRole),
    Custom(CustomRole),
}

/// The role that was saved. A system role has the id of one.
impl From<CustomRole> for Role {
    fn from(saved: CustomRole) -> Self {
        by_id(&saved.id, &[]).unwrap_or(Self::Custom(saved))
    }
}

impl From<Role> for CustomRole {
    fn from(role: Role) -> Self {
        Self::new(role.id(), role.name())
    }
}

impl Role {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::System(role) => role.id,
            Self::Custom(role) => &role.id,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::System(role) => role.name,
            Self::Custom(role) => &role.name,
        }
    }

    /// The value of `roleType`.
    pub(crate) fn role_type(&self) -> &'static str {
        match self {
            Self::System(_) => "system",
            Self::Custom(_) => "custom",
        }
    }
}

/// The role of an id, in an organisation with these custom roles.
pub(crate) fn by_id(id: &str, custom: &[CustomRole]) -> Option<Role> {
    let system = SYSTEM_ROLES.into_iter().find(|role| role.id == id);
    let custom = || custom.iter().find(|role| role.id == id);
    system
        .map(Role::System)
        .or_else(|| custom().cloned().map(Role::Custom))
}

/// The role that a value of the deprecated `role` property names.
pub(crate) fn by_legacy_name(name: &str) -> Option<Role> {
    match name {
        "admin" => Some(Role::System(ADMIN)),
        "developer" => Some(Role::System(DEVELOPER)),
        _ => None,
    }
}

/// The value of the deprecated `role` property. Fewer rights than a developer's have no value of their own.
pub(crate) fn legacy_name(roles: &[Role]) -> &'static str {
    if roles.contains(&Role::System(ADMIN)) {
        "admin"
    } else {
        FROZEN_LEGACY_NAME
    }
}

/// Checks that the ids of custom roles are uuids and unique.
///
/// # Errors
///
/// Names the first id that is not.
pub(crate) fn check(custom: &[CustomRole]) -> Result<(), String> {
    for (position, role) in custom.iter().enumerate() {
        let earlier = custom.get(..position).unwrap_or_default();
        // ClickHouse's document defines role ids as uuids, and strict clients parse them.
        if Uuid::try_parse(&role.id).is_err() {
            return Err(format!("the role id {:?} is not a uuid", role.id));
        }
        if by_id(&role.id, earlier).is_some() {
            return Err(format!("the role id {:?} appears twice", role.id));
        }
    }
    Ok(())
}
