//! The step for a row: whether it is valid, and what its person lacks.

use crate::{
    capabilities::Capabilities,
    crn,
    invitation::{InvitationStatus, NewInvitation, Roles},
    plan::{
        Action, Previous, Step,
        existing::{Existing, SHARED_ID},
        roles::KnownRoles,
    },
    renewal::{ReportedRoles, previous_options},
    role::RoleIndex,
};

/// Why a row is invalid.
pub(super) fn row_error(
    new: &NewInvitation,
    capabilities: &Capabilities,
    roles: Option<&RoleIndex>,
) -> Option<String> {
    if let Err(error) = new.check(capabilities) {
        return Some(error.message().to_owned());
    }
    match (&new.roles, roles) {
        (Some(Roles::Grants(grants)), _) if capabilities.role_scopes => {
            let mut scopes = grants
                .iter()
                .map(|grant| crn::pattern("o", grant.scope.as_deref()));
            scopes.find_map(std::result::Result::err)
        }
        (Some(Roles::Grants(grants)), Some(roles)) => {
            let mut errors = grants.iter().map(|grant| roles.id_of(&grant.role));
            errors.find_map(std::result::Result::err)
        }
        _ => None,
    }
}

/// The step for a valid row, given the invitation of its address.
pub(super) fn decide(
    row: usize,
    new: NewInvitation,
    found: &Existing,
    capabilities: &Capabilities,
    known_roles: &KnownRoles,
) -> Step {
    let difference = difference(&new, found, known_roles);
    let (action, reason) = match (&found.status, &difference) {
        (Some(InvitationStatus::Accepted), _) => (Action::Keep, Some("accepted".to_owned())),
        (Some(InvitationStatus::Deactivated), _) => (Action::Create, None),
        (Some(InvitationStatus::Expired), _) => (Action::Replace, Some("expired".to_owned())),
        (_, Some(Difference::Roles(_))) if found.user.is_some() => {
            (Action::SetRoles, Some("invited".to_owned()))
        }
        (_, Some(Difference::Roles(_) | Difference::LegacyRole)) => {
            (Action::Replace, Some("other roles".to_owned()))
        }
        (_, Some(Difference::AuthType)) => (Action::Replace, Some("other auth type".to_owned())),
        (_, None) => (Action::Keep, why_not_compared(&new, found)),
    };
    let mut step = Step::of_row(row, new, action, reason);
    if matches!(action, Action::Replace | Action::Keep | Action::SetRoles) {
        step.id = Some(found.id.clone());
    }
    if action == Action::Keep && found.status != Some(InvitationStatus::Accepted) {
        step.member.clone_from(&found.user);
    }
    if let (Action::SetRoles, Some(Difference::Roles(changes))) = (action, difference) {
        step.member.clone_from(&found.user);
        step.role_changes = changes;
    }
    if action != Action::Replace {
        return step;
    }
    if found.has_shared_id {
        (step.action, step.id) = (Action::Invalid, None);
        step.reason = Some(SHARED_ID.to_owned());
        return step;
    }
    // Options that the roster leaves open stay as they were.
    let (auth_type, role) = (found.auth_type.as_ref(), found.role.as_deref());
    let old = previous_options(&step.email, auth_type, role, &found.roles, capabilities);
    match &old {
        Ok(old) => {
            step.auth_type = step.auth_type.or_else(|| old.auth_type.clone());
            step.roles = step.roles.or_else(|| old.roles.clone());
        }
        Err(why) if step.roles.is_none() => {
            (step.action, step.id) = (Action::Invalid, None);
            step.reason = Some((*why).to_owned());
            return step;
        }
        Err(_) => {}
    }
    step.previous = Some(Previous {
        status: found.status.clone(),
        invitation: old.ok(),
    });
    step
}

/// Why the roles of a row cannot be compared with those of the invitation.
fn why_not_compared(new: &NewInvitation, found: &Existing) -> Option<String> {
    let why = match (&new.roles, &found.roles) {
        (Some(Roles::Grants(_)), ReportedRoles::WithoutIds) => {
            "its roles are reported without ids, and were not compared"
        }
        (Some(Roles::Grants(_)), ReportedRoles::NotReported) if found.user.is_some() => {
            "its roles are not known, and were not compared"
        }
        _ => return None,
    };
    Some(why.to_owned())
}

/// The options that differ from the requested ones.
enum Difference {
    AuthType,
    LegacyRole,
    /// Only the roles, by these changes.
    Roles(Vec<String>),
}

fn difference(
    new: &NewInvitation,
    found: &Existing,
    known_roles: &KnownRoles,
) -> Option<Difference> {
    if let (Some(requested), Some(reported)) = (&new.auth_type, &found.auth_type)
        && requested != reported
    {
        return Some(Difference::AuthType);
    }
    match (&new.roles, &found.roles) {
        (Some(Roles::Grants(requested)), ReportedRoles::Grants(reported))
            if !known_roles.are_same(requested, reported) =>
        {
            Some(Difference::Roles(known_roles.changes(requested, reported)))
        }
        (Some(Roles::Legacy(requested)), _)
            if found.role.as_ref().is_some_and(|has| has != requested) =>
        {
            Some(Difference::LegacyRole)
        }
        _ => None,
    }
}
