//! The options of an existing invitation, and whether a new one can have them too.

use crate::{
    capabilities::Capabilities,
    invitation::{AuthType, Invitation, NewInvitation, RoleAssignment, Roles},
    role::RoleGrant,
};

/// The roles of an existing invitation, as far as they can be assigned again.
#[derive(Clone, Debug)]
pub(crate) enum ReportedRoles {
    NotReported,
    Grants(Vec<RoleGrant>),
    /// At least one role has no id.
    WithoutIds,
}

impl From<Option<Vec<RoleAssignment>>> for ReportedRoles {
    fn from(roles: Option<Vec<RoleAssignment>>) -> Self {
        let Some(roles) = roles else {
            return Self::NotReported;
        };
        let grant = |role: RoleAssignment| {
            let has_id = role.id.as_ref().is_some_and(|id| !id.is_empty());
            // A binding has the name of a role, which is its id.
            role.grant().filter(|_| has_id || role.binding_id.is_some())
        };
        let grants: Option<_> = roles.into_iter().map(grant).collect();
        grants.map_or(Self::WithoutIds, Self::Grants)
    }
}

/// The request that recreates an invitation with its options.
///
/// # Errors
///
/// Why no request can.
pub(crate) fn previous_options(
    email: &str,
    auth_type: Option<&AuthType>,
    role: Option<&str>,
    roles: &ReportedRoles,
    capabilities: &Capabilities,
) -> Result<NewInvitation, &'static str> {
    let mut new = NewInvitation::new(email);
    new.auth_type = auth_type.filter(|_| capabilities.auth_type).cloned();
    let (grants, reported) = match roles {
        ReportedRoles::NotReported => (Some(&[][..]), false),
        ReportedRoles::Grants(grants) => (Some(&grants[..]), true),
        ReportedRoles::WithoutIds => (None, true),
    };
    new.roles = match (grants, role) {
        (Some([]), None) => (reported && capabilities.roles).then(|| Roles::Grants(Vec::new())),
        (Some([]), Some(role)) if capabilities.legacy_role => Some(Roles::Legacy(role.to_owned())),
        (Some(grants @ [_, ..]), _) if capabilities.roles => Some(Roles::Grants(grants.to_vec())),
        _ => return Err("its roles cannot be assigned again, because their ids are not known"),
    };
    Ok(new)
}

/// The first option of an invitation that a provider does not offer.
pub(crate) fn missing_capability(
    new: &NewInvitation,
    capabilities: &Capabilities,
) -> Option<&'static str> {
    match &new.roles {
        Some(Roles::Grants(_)) if !capabilities.roles => Some("roles"),
        Some(Roles::Grants(grants))
            if !capabilities.role_scopes && grants.iter().any(|grant| grant.scope.is_some()) =>
        {
            Some("scopes of roles")
        }
        Some(Roles::Legacy(_)) if !capabilities.legacy_role => Some(match capabilities.roles {
            true => "legacy roles; give roles by name",
            false => "legacy roles",
        }),
        _ if new.auth_type.is_some() && !capabilities.auth_type => Some("auth types"),
        _ => None,
    }
}

/// Whether an invitation has the requested options, as far as it reports them.
pub(crate) fn has_options(invitation: &Invitation, requested: &NewInvitation) -> bool {
    let same_login = match (&requested.auth_type, &invitation.auth_type) {
        (Some(requested), Some(reported)) => requested == reported,
        _ => true,
    };
    same_login && has_roles(invitation, requested)
}

/// Whether an invitation has the requested roles, as far as it reports them.
pub(crate) fn has_roles(invitation: &Invitation, requested: &NewInvitation) -> bool {
    match (&requested.roles, &invitation.roles) {
        (Some(Roles::Grants(requested)), Some(reported)) => requested
            .iter()
            .all(|grant| reported.iter().any(|role| grant.is_met_by(role))),
        _ => true,
    }
}
