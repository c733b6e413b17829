//! The invitations of an organisation at the start.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::accounts::Organization;
use super::{Details, default_auth_type};
use crate::faults::EffectiveFrom;
use crate::invitations::NewInvitation;

/// Creates `count` invitations with the same ids and addresses in every sandbox.
pub(super) fn fill(organization: &mut Organization, count: u64, now: DateTime<Utc>) {
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
