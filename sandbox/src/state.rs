//! The state behind both APIs: who may call, which invitations there are, what happened.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::faults::{Faults, Plan};
use crate::journal::Journal;
use crate::ledger::Change;
use crate::limits::Limiter;
use crate::listener::Outage;
use crate::tokens::Tokens;
use crate::view::{InvitationEntry, Status};
use crate::{Credentials, clickhouse, confluent};

/// How long an invitation can be accepted, at both vendors.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// One of the two emulated APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Provider {
    /// Confluent Cloud, IAM v2.
    Confluent,
    /// ClickHouse Cloud, v1.
    ClickHouse,
}

/// Why an invitation cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nobody with this address is invited.
    NotInvited,
    /// The invitation was accepted before.
    AlreadyAccepted,
    /// The invitation has expired.
    Expired,
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInvited => "nobody with this address is invited",
            Self::AlreadyAccepted => "the invitation was accepted before",
            Self::Expired => "the invitation has expired",
        })
    }
}

impl std::error::Error for AcceptError {}

/// What every request handler sees.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Base URL of the server, without a trailing slash.
    pub(crate) url: String,
    pub(crate) credentials: Credentials,
    pub(crate) confluent: confluent::Account,
    pub(crate) outage: Arc<Outage>,
    state: Mutex<State>,
}

/// What changes while the sandbox runs.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) confluent: Invitations<confluent::Details>,
    pub(crate) clickhouse: Invitations<clickhouse::Details>,
    pub(crate) journal: Journal,
    pub(crate) faults: Plan,
    pub(crate) limits: Limiter,
    pub(crate) tokens: Tokens,
    pub(crate) clock: Clock,
    /// How many times all this was reset: what was begun in an era before has no part in this one.
    pub(crate) era: u64,
}

impl Shared {
    pub(crate) fn new(credentials: Credentials, journal: Journal) -> Self {
        let state = State {
            journal,
            tokens: Tokens::new(credentials.subject_token().to_owned()),
            ..State::default()
        };
        Self {
            url: credentials.url.clone(),
            credentials,
            confluent: confluent::Account::random(),
            outage: Arc::default(),
            state: Mutex::new(state),
        }
    }

    /// Locks the state. Hold the guard for the whole of an operation, so that it is atomic.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The sandbox's time, in the microseconds that travel on the wire.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Forgets everything that happened and was set since the start.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            journal: self.journal.fresh(),
            tokens: self.tokens.fresh(),
            era: self.era + 1,
            ..Self::default()
        };
    }

    /// All invitations, Confluent's first, each API's in order of creation.
    pub(crate) fn invitations(&self) -> Vec<InvitationEntry> {
        let now = self.now();
        let confluent = self.confluent.after(0);
        let clickhouse = self.clickhouse.after(0);
        confluent
            .map(|it| InvitationEntry::new(Provider::Confluent, it, now))
            .chain(clickhouse.map(|it| InvitationEntry::new(Provider::ClickHouse, it, now)))
            .collect()
    }

    pub(crate) fn set_faults(&mut self, faults: Faults) {
        self.clock.set_skew(faults.clock_skew_seconds);
        self.faults = Plan::new(faults);
    }

    /// Accepts the open invitation of `email`, as the invitee would, and returns its id.
    pub(crate) fn accept(
        &mut self,
        provider: Provider,
        email: &str,
    ) -> Result<String, AcceptError> {
        let now = self.now();
        let (id, email) = match provider {
            Provider::Confluent => self.confluent.accept(email, now)?,
            Provider::ClickHouse => self.clickhouse.accept(email, now)?,
        };
        self.journal
            .commit(provider, Change::Accept, &id, &email, None);
        Ok(id)
    }
}

/// One invitation; `D` is what only one vendor has.
#[derive(Debug)]
pub(crate) struct Invitation<D> {
    /// Position in order of creation, never used twice.
    pub(crate) sequence: u64,
    pub(crate) id: String,
    /// The address as the vendor shows it.
    pub(crate) email: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) accepted_at: Option<DateTime<Utc>>,
    pub(crate) details: D,
}

impl<D> Invitation<D> {
    /// The status it has at a time: nothing happens when it expires, it only reads differently.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> Status {
        if self.accepted_at.is_some() {
            Status::Accepted
        } else if self.expires_at <= now {
            Status::Expired
        } else {
            Status::Sent
        }
    }
}

/// One vendor's invitations in order of creation. Addresses compare without case.
#[derive(Debug)]
pub(crate) struct Invitations<D> {
    by_sequence: BTreeMap<u64, Invitation<D>>,
    by_id: HashMap<String, u64>,
    by_email: HashMap<String, u64>,
    last_sequence: u64,
}

impl<D> Default for Invitations<D> {
    fn default() -> Self {
        Self {
            by_sequence: BTreeMap::new(),
            by_id: HashMap::new(),
            by_email: HashMap::new(),
            last_sequence: 0,
        }
    }
}

impl<D> Invitations<D> {
    /// Adds an invitation whose id and address the caller has found free.
    pub(crate) fn insert(
        &mut self,
        id: String,
        email: String,
        now: DateTime<Utc>,
        details: D,
    ) -> &Invitation<D> {
        self.last_sequence += 1;
        let sequence = self.last_sequence;
        self.by_id.insert(id.clone(), sequence);
        self.by_email.insert(email.to_lowercase(), sequence);
        self.by_sequence.entry(sequence).or_insert(Invitation {
            sequence,
            id,
            email,
            created_at: now,
            updated_at: now,
            expires_at: now + LIFETIME,
            accepted_at: None,
            details,
        })
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Invitation<D>> {
        self.by_sequence.get(self.by_id.get(id)?)
    }

    pub(crate) fn get_by_email(&self, email: &str) -> Option<&Invitation<D>> {
        self.by_sequence
            .get(self.by_email.get(&email.to_lowercase())?)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Invitation<D>> {
        let sequence = self.by_id.remove(id)?;
        let invitation = self.by_sequence.remove(&sequence)?;
        self.by_email.remove(&invitation.email.to_lowercase());
        Some(invitation)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_sequence.len()
    }

    /// Those created after the one at `sequence`; all of them after 0.
    pub(crate) fn after(&self, sequence: u64) -> impl Iterator<Item = &Invitation<D>> {
        self.by_sequence
            .range((Bound::Excluded(sequence), Bound::Unbounded))
            .map(|(_, invitation)| invitation)
    }

    fn accept(&mut self, email: &str, now: DateTime<Utc>) -> Result<(String, String), AcceptError> {
        let invitation = self
            .by_email
            .get(&email.to_lowercase())
            .and_then(|sequence| self.by_sequence.get_mut(sequence))
            .ok_or(AcceptError::NotInvited)?;
        if invitation.accepted_at.is_some() {
            return Err(AcceptError::AlreadyAccepted);
        }
        if invitation.expires_at <= now {
            return Err(AcceptError::Expired);
        }
        invitation.accepted_at = Some(now);
        invitation.updated_at = now;
        Ok((invitation.id.clone(), invitation.email.clone()))
    }
}

/// `length` random digits and lower-case letters, 12 at most.
pub(crate) fn random_suffix(length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // The low 62 bits of a version 4 uuid are all random: enough for 11 of 36, and nearly for 12.
    let mut bits = Uuid::new_v4().as_u128() as u64 & (u64::MAX >> 2);
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(ALPHABET[(bits % 36) as usize]));
        bits /= 36;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_invitation_cannot_be_accepted() {
        let mut state = State::default();
        let long_ago = state.now() - TimeDelta::days(8);
        let details = clickhouse::Details::default();
        state
            .clickhouse
            .insert("1".into(), "ada@example.com".into(), long_ago, details);
        let refused = state.accept(Provider::ClickHouse, "ada@example.com");
        assert_eq!(refused, Err(AcceptError::Expired));
        assert!(state.journal.ledger().commits.is_empty());
    }

    #[test]
    fn random_suffixes_have_the_length_asked_for() {
        for length in [1, 6, 12] {
            assert_eq!(random_suffix(length).len(), length);
        }
        assert_ne!(random_suffix(12), random_suffix(12));
    }
}
