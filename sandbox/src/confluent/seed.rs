//! The people of an organisation at the start.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::accounts::Organization;
use super::bindings::Grant;
use super::body::default_auth_type;
use super::{Details, UserDetails};
use crate::config::ConfluentOrganization;
use crate::faults::EffectiveFrom;
use crate::invitations::NewInvitation;
use crate::members::NewMember;

/// Creates `count` invitations with the same ids and addresses in every sandbox.
pub(super) fn invitations(organization: &mut Organization, count: u64, now: DateTime<Utc>) {
    let Some(key) = organization.keys.first() else {
        return;
    };
    let auth_type = default_auth_type(organization);
    for number in 1..=count {
        let new = NewInvitation {
            // Random ids have no second hyphen.
            id: format!("i-seed-{number}"),
            email: format!("user{number}@seeded.example"),
            staging: organization.staging,
            effective_from: EffectiveFrom::default(),
            details: Details {
                auth_type: auth_type.into(),
                creator: Arc::clone(&key.caller.user),
            },
        };
        organization.invitations.insert(new, now);
    }
}

/// Adds `count` users with the same ids and addresses in every sandbox.
pub(super) fn members(organization: &mut Organization, count: u64, now: DateTime<Utc>) {
    let auth_type = default_auth_type(organization);
    for number in 1..=count {
        let new = NewMember {
            // Those of seeded invitations have no second word.
            id: format!("u-seed-member-{number}"),
            email: format!("member{number}@seeded.example"),
            name: None,
            details: UserDetails {
                auth_type: auth_type.into(),
            },
        };
        organization.users.insert(new, now);
    }
}

/// Adds the configured users and role bindings.
pub(super) fn people(
    organization: &mut Organization,
    configured: &ConfluentOrganization,
    now: DateTime<Utc>,
) {
    let auth_type = default_auth_type(organization);
    for (position, member) in configured.members.iter().enumerate() {
        let default_id = || format!("u-configured-{}", position + 1);
        let new = NewMember {
            id: member.id.clone().unwrap_or_else(default_id),
            email: member.email.clone(),
            name: member.full_name.clone(),
            details: UserDetails {
                auth_type: auth_type.into(),
            },
        };
        organization.users.insert(new, now);
    }
    for (position, binding) in configured.role_bindings.iter().enumerate() {
        let crn = organization.crn();
        let grant = Grant {
            principal: binding.principal.clone(),
            role_name: binding.role_name.clone(),
            crn_pattern: match binding.crn_pattern.as_deref() {
                None => crn,
                Some(whole) if whole.starts_with("crn://") => whole.to_owned(),
                Some(rest) => format!("{crn}/{rest}"),
            },
        };
        let id = format!("rb-seed-{}", position + 1);
        organization.bindings.insert(id, grant, None, now);
    }
}
