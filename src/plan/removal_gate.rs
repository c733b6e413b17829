//! Decides whether the removals of a run may start, given what its creates showed.

use std::{collections::HashMap, sync::Mutex};

use crate::{address::email_skeleton, error::Error, lock::lock, lookup::Unconfirmed};

/// What withholds removals.
#[derive(Debug, Default)]
pub(super) struct RemovalGate {
    /// Addresses of members, according to the provider, that have no invitation in the list, by skeleton.
    unlisted_members: Mutex<HashMap<String, String>>,
    /// Why no removal may start.
    closed: Mutex<Option<String>>,
}

impl RemovalGate {
    /// Records a create without confirmation; closes the gate if its outcome is unknown.
    pub fn record_unconfirmed(&self, email: &str, unconfirmed: Unconfirmed) -> Error {
        if unconfirmed.is_unexplained {
            let why = match unconfirmed.error.may_have_executed() {
                true => "may have been carried out",
                false => "was refused because the person exists, and no invitation was found",
            };
            self.close(format!(
                "the create for {email} {why}, so nothing is withdrawn in this run"
            ));
        }
        unconfirmed.error
    }

    /// Protects a member whom no list has as an invitation, and everybody of a similar address.
    pub fn protect(&self, email: &str) {
        lock(&self.unlisted_members).insert(email_skeleton(email), email.to_owned());
    }

    /// Why the person of an address is not removed.
    pub fn protection(&self, email: &str) -> Option<String> {
        let members = lock(&self.unlisted_members);
        let similar = members.get(&email_skeleton(email))?;
        Some(format!(
            "it resembles {similar}, who is a member or invited according to the provider, and whom no list has"
        ))
    }

    /// Skips the removals of this run from now on.
    pub fn close(&self, why: String) {
        lock(&self.closed).get_or_insert(why);
    }

    /// Why no removal may start.
    pub fn closed(&self) -> Option<String> {
        lock(&self.closed).clone()
    }
}
