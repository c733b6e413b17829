//! Invitations that are there from the start.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Builder;

use super::{Details, roles};
use crate::faults::EffectiveFrom;
use crate::invitations::New;
use crate::state::State;

/// Fills the first organisation: the same ids and addresses in every sandbox.
pub(crate) fn seed(state: &mut State, count: u64, now: DateTime<Utc>) {
    let custom = state.custom_roles.first().is_some_and(|it| !it.is_empty());
    let Some(invitations) = state.clickhouse.first_mut() else {
        return;
    };
    for number in 1..=count {
        let new = New {
            id: Builder::from_random_bytes(u128::from(number).to_be_bytes())
                .into_uuid()
                .to_string(),
            email: format!("user{number}@seeded.example"),
            staging: TimeDelta::zero(),
            in_effect: EffectiveFrom::default(),
            details: Details::new(vec![roles::DEFAULT], custom),
        };
        invitations.insert(new, now);
    }
}
