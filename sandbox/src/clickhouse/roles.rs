//! The roles that can be assigned.

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
pub(crate) const DEFAULT: SystemRole = DEVELOPER;

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

pub(crate) fn by_id(id: &str) -> Option<SystemRole> {
    SYSTEM_ROLES.into_iter().find(|role| role.id == id)
}

/// The role that a value of the deprecated `role` property stands for.
pub(crate) fn by_legacy_name(name: &str) -> Option<SystemRole> {
    match name {
        "admin" => Some(ADMIN),
        "developer" => Some(DEVELOPER),
        _ => None,
    }
}

/// What the deprecated `role` property shows: it has no word for less than a developer.
pub(crate) fn legacy_name(roles: &[SystemRole]) -> &'static str {
    if roles.contains(&ADMIN) {
        "admin"
    } else {
        "developer"
    }
}
