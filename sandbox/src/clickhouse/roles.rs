//! The roles that can be assigned.

use uuid::Uuid;

use crate::config::CustomRole;

/// A role that every ClickHouse Cloud organisation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemRole {
    /// The uuid to name it by in `assignedRoleIds`; the same in every sandbox.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// The roles that can be assigned on the sandbox's ClickHouse Cloud: Admin, Developer, Billing.
///
/// The first two are also known to the deprecated `role` property, as `admin` and `developer`.
pub const SYSTEM_ROLES: [SystemRole; 3] = [ADMIN, DEVELOPER, BILLING];

/// What is assigned when a request names no role.
pub(crate) const DEFAULT: Role = Role::System(DEVELOPER);

/// What the deprecated `role` property shows of an invitation made when there are custom roles.
pub(crate) const FROZEN: &str = "developer";

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    System(SystemRole),
    Custom(CustomRole),
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
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::System(_) => "system",
            Self::Custom(_) => "custom",
        }
    }
}

/// The role of an id, in an organisation with these roles besides the system's.
pub(crate) fn by_id(id: &str, custom: &[CustomRole]) -> Option<Role> {
    let system = SYSTEM_ROLES.into_iter().find(|role| role.id == id);
    let custom = || custom.iter().find(|role| role.id == id);
    system
        .map(Role::System)
        .or_else(|| custom().cloned().map(Role::Custom))
}

/// The role that a value of the deprecated `role` property stands for.
pub(crate) fn by_legacy_name(name: &str) -> Option<Role> {
    match name {
        "admin" => Some(Role::System(ADMIN)),
        "developer" => Some(Role::System(DEVELOPER)),
        _ => None,
    }
}

/// What the deprecated `role` property shows: it has no word for less than a developer.
pub(crate) fn legacy_name(roles: &[Role]) -> &'static str {
    if roles.contains(&Role::System(ADMIN)) {
        "admin"
    } else {
        FROZEN
    }
}

/// That custom roles have ids, and can be told apart.
///
/// # Errors
///
/// Why not, in a sentence.
pub(crate) fn check(custom: &[CustomRole]) -> Result<(), String> {
    for (position, role) in custom.iter().enumerate() {
        let earlier = custom.get(..position).unwrap_or_default();
        // The document has them as uuids, and strict clients read them so.
        if Uuid::try_parse(&role.id).is_err() {
            return Err(format!("the role id {:?} is no uuid", role.id));
        }
        if by_id(&role.id, earlier).is_some() {
            return Err(format!("the role id {:?} is there twice", role.id));
        }
    }
    Ok(())
}
