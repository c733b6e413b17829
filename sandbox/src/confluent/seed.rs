//! Invitations that are there from the start.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Details, default_auth_type};
use crate::accounts::Accounts;
use crate::faults::EffectiveFrom;
use crate::invitations::{Invitations, New};

/// Fills the first organisation: the same ids and addresses in every sandbox.
pub(crate) fn seed(
    organizations: &mut [Invitations<Details>],
    accounts: &Accounts,
    count: u64,
    now: DateTime<Utc>,
) {
    let (Some(invitations), Some(organization)) =
        (organizations.first_mut(), accounts.confluent.first())
    else {
        return;
    };
    let Some(key) = organization.keys.first() else {
        return;
    };
    for number in 1..=count {
        let details = Details {
            auth_type: default_auth_type(organization).into(),
            creator: Arc::clone(&key.caller.user),
        };
        let new = New {
            // No random id has a hyphen of its own.
            id: format!("i-seed-{number}"),
            email: format!("user{number}@seeded.example"),
            staging: organization.staging,
            in_effect: EffectiveFrom::default(),
            details,
        };
        invitations.insert(new, now);
    }
}
