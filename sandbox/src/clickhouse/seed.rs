//! The invitations of an organisation at the start.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Builder;

use super::accounts::Organization;
use super::{Details, roles};
use crate::faults::EffectiveFrom;
use crate::invitations::NewInvitation;

/// Creates `count` invitations with the same ids and addresses in every sandbox.
pub(super) fn fill(organization: &mut Organization, count: u64, now: DateTime<Utc>) {
    let has_custom_roles = !organization.custom_roles.is_empty();
    for number in 1..=count {
        let new = NewInvitation {
            id: Builder::from_random_bytes(u128::from(number).to_be_bytes())
                .into_uuid()
                .to_string(),
            email: format!("user{number}@seeded.example"),
            staging: TimeDelta::zero(),
            effective_from: EffectiveFrom::default(),
            details: Details::new(vec![roles::DEFAULT], has_custom_roles),
        };
        organization.invitations.insert(new, now);
    }
}
