//! The people of an organisation at the start.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Builder;

use super::accounts::Organization;
use super::{Details, roles};
use crate::config::ClickHouseOrganization;
use crate::faults::EffectiveFrom;
use crate::invitations::NewInvitation;
use crate::members::NewMember;

/// What the ids of seeded and of configured members begin after; those of invitations begin after 0.
const SEEDED_MEMBERS: u128 = 1 << 96;
const CONFIGURED_MEMBERS: u128 = 2 << 96;

/// Creates `count` invitations with the same ids and addresses in every sandbox.
pub(super) fn invitations(organization: &mut Organization, count: u64, now: DateTime<Utc>) {
    let has_custom_roles = !organization.custom_roles.is_empty();
    for number in 1..=count {
        let new = NewInvitation {
            id: id(u128::from(number)),
            email: format!("user{number}@seeded.example"),
            staging: TimeDelta::zero(),
            effective_from: EffectiveFrom::default(),
            details: Details::new(vec![roles::DEFAULT], has_custom_roles),
        };
        organization.invitations.insert(new, now);
    }
}

/// Adds `count` members with the same ids and addresses in every sandbox.
pub(super) fn members(organization: &mut Organization, count: u64, now: DateTime<Utc>) {
    let has_custom_roles = !organization.custom_roles.is_empty();
    for number in 1..=count {
        let new = NewMember {
            id: id(SEEDED_MEMBERS + u128::from(number)),
            email: format!("member{number}@seeded.example"),
            name: None,
            details: Details::new(vec![roles::DEFAULT], has_custom_roles),
        };
        organization.members.insert(new, now);
    }
}

/// Adds the configured members.
pub(super) fn people(
    organization: &mut Organization,
    configured: &ClickHouseOrganization,
    now: DateTime<Utc>,
) {
    let custom = &organization.custom_roles;
    for (number, member) in (1..).zip(&configured.members) {
        let ids = member.role_ids.iter();
        let roles = ids.filter_map(|id| roles::by_id(id, custom)).collect();
        let new = NewMember {
            id: (member.id.clone()).unwrap_or_else(|| id(CONFIGURED_MEMBERS + number)),
            email: member.email.to_lowercase(),
            name: member.name.clone(),
            details: Details::new(roles, !custom.is_empty()),
        };
        organization.members.insert(new, now);
    }
}

fn id(number: u128) -> String {
    let bytes = number.to_be_bytes();
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}
