//! The invitations of one organisation.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};

use crate::faults::{EffectiveFrom, LogicalTime};
use crate::snapshot::InvitationStatus;
use crate::state::AcceptError;

/// How long an invitation can be accepted, at both vendors.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// One invitation; `D` is what only one vendor has.
#[derive(Debug)]
pub(crate) struct Invitation<D> {
    /// Position in order of creation, never used twice.
    pub(crate) sequence: u64,
    pub(crate) id: Box<str>,
    /// The address as the vendor shows it.
    pub(crate) email: Box<str>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    /// Until then it is staged.
    pub(crate) sent_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) accepted_at: Option<DateTime<Utc>>,
    /// Of one that is still shown.
    pub(crate) deleted_at: Option<DateTime<Utc>>,
    pub(crate) details: D,
}

/// An invitation about to be made.
pub(crate) struct New<D> {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) staging: TimeDelta,
    pub(crate) in_effect: EffectiveFrom,
    pub(crate) details: D,
}

impl<D> Invitation<D> {
    /// The status it has at a time: nothing happens when it is sent or expires, it only reads differently.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> InvitationStatus {
        if self.deleted_at.is_some() {
            InvitationStatus::Deactivated
        } else if self.accepted_at.is_some() {
            InvitationStatus::Accepted
        } else if self.expires_at <= now {
            InvitationStatus::Expired
        } else if now < self.sent_at {
            InvitationStatus::Staged
        } else {
            InvitationStatus::Sent
        }
    }
}

/// One organisation's invitations in order of creation. Addresses compare without case.
#[derive(Debug)]
pub(crate) struct Invitations<D> {
    by_sequence: BTreeMap<u64, Invitation<D>>,
    by_id: HashMap<Box<str>, u64>,
    /// The latest of each address. Not those deleted, which are in nobody's way.
    by_email: HashMap<Box<str>, u64>,
    /// Those before the latest, oldest first, of an address invited again while its uniqueness lagged.
    doubles: HashMap<Box<str>, Vec<u64>>,
    /// Those that did not take effect at once.
    delayed: HashMap<u64, EffectiveFrom>,
    last_sequence: u64,
}

impl<D> Default for Invitations<D> {
    fn default() -> Self {
        Self {
            by_sequence: BTreeMap::new(),
            by_id: HashMap::new(),
            by_email: HashMap::new(),
            doubles: HashMap::new(),
            delayed: HashMap::new(),
            last_sequence: 0,
        }
    }
}

impl<D> Invitations<D> {
    /// Adds an invitation whose id and address the caller has found free.
    pub(crate) fn insert(&mut self, new: New<D>, now: DateTime<Utc>) -> &Invitation<D> {
        self.last_sequence += 1;
        let sequence = self.last_sequence;
        let id = new.id.into_boxed_str();
        self.by_id.insert(id.clone(), sequence);
        let email = new.email.to_lowercase().into_boxed_str();
        if let Some(double) = self.by_email.insert(email.clone(), sequence) {
            self.doubles.entry(email).or_default().push(double);
        }
        if new.in_effect.is_delayed() {
            self.delayed.insert(sequence, new.in_effect);
        }
        self.by_sequence.entry(sequence).or_insert(Invitation {
            sequence,
            id,
            email: new.email.into_boxed_str(),
            created_at: now,
            updated_at: now,
            sent_at: now + new.staging,
            expires_at: now + LIFETIME,
            accepted_at: None,
            deleted_at: None,
            details: new.details,
        })
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Invitation<D>> {
        self.by_sequence.get(self.by_id.get(id)?)
    }

    /// The latest of an address.
    pub(crate) fn get_by_email(&self, email: &str) -> Option<&Invitation<D>> {
        self.by_sequence
            .get(self.by_email.get(email.to_lowercase().as_str())?)
    }

    /// The one that keeps its address from being invited again.
    pub(crate) fn find_conflicting(&self, email: &str, now: LogicalTime) -> Option<&Invitation<D>> {
        let email = email.to_lowercase();
        let doubles = self.doubles.get(email.as_str()).into_iter().flatten();
        let latest = self.by_email.get(email.as_str());
        doubles
            .chain(latest)
            .rev()
            .filter(|sequence| self.in_effect(**sequence).is_unique(now))
            .find_map(|sequence| self.by_sequence.get(sequence))
    }

    /// Whether lists show it.
    pub(crate) fn is_listed(&self, invitation: &Invitation<D>, now: LogicalTime) -> bool {
        self.in_effect(invitation.sequence).is_listed(now)
    }

    fn in_effect(&self, sequence: u64) -> EffectiveFrom {
        self.delayed.get(&sequence).copied().unwrap_or_default()
    }

    /// Takes an invitation away.
    pub(crate) fn remove(&mut self, id: &str) {
        let Some(sequence) = self.by_id.remove(id) else {
            return;
        };
        self.delayed.remove(&sequence);
        if let Some(invitation) = self.by_sequence.remove(&sequence) {
            self.free(&invitation.email.to_lowercase(), sequence);
        }
    }

    /// Leaves an invitation there as deleted.
    pub(crate) fn deactivate(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(sequence) = self.by_id.get(id).copied() else {
            return;
        };
        if let Some(invitation) = self.by_sequence.get_mut(&sequence) {
            invitation.updated_at = now;
            invitation.deleted_at = Some(now);
            let email = invitation.email.to_lowercase();
            self.free(&email, sequence);
        }
    }

    fn free(&mut self, email: &str, sequence: u64) {
        let mut doubles = self.doubles.remove(email).unwrap_or_default();
        if self.by_email.get(email) == Some(&sequence) {
            match doubles.pop() {
                Some(before) => self.by_email.insert(email.into(), before),
                None => self.by_email.remove(email),
            };
        } else {
            doubles.retain(|double| *double != sequence);
        }
        if !doubles.is_empty() {
            self.doubles.insert(email.into(), doubles);
        }
    }

    /// How many lists show, deleted ones that are still shown included.
    pub(crate) fn listed(&self, now: LogicalTime) -> usize {
        let delayed = self.delayed.values();
        let hidden = delayed.filter(|in_effect| !in_effect.is_listed(now));
        self.by_sequence.len() - hidden.count()
    }

    /// How many are open, or were accepted.
    pub(crate) fn invited(&self) -> usize {
        self.by_email.len() + self.doubles.values().map(Vec::len).sum::<usize>()
    }

    /// Whether [`get_by_email`](Self::get_by_email) finds everyone: there are no doubles, and no deleted ones.
    pub(crate) fn email_finds_all(&self) -> bool {
        self.by_email.len() == self.by_sequence.len()
    }

    /// Those created after the one at `sequence`; all of them after 0.
    pub(crate) fn after(&self, sequence: u64) -> impl Iterator<Item = &Invitation<D>> {
        self.by_sequence
            .range((Bound::Excluded(sequence), Bound::Unbounded))
            .map(|(_, invitation)| invitation)
    }

    /// Accepts the open invitation of an address, and returns its id and the address as the vendor shows it.
    pub(crate) fn accept(
        &mut self,
        email: &str,
        now: DateTime<Utc>,
    ) -> Result<(String, String), AcceptError> {
        let invitation = self
            .by_email
            .get(email.to_lowercase().as_str())
            .and_then(|sequence| self.by_sequence.get_mut(sequence))
            .ok_or(AcceptError::NotInvited)?;
        match invitation.status(now) {
            InvitationStatus::Sent => {}
            InvitationStatus::Staged => return Err(AcceptError::NotSent),
            InvitationStatus::Accepted => return Err(AcceptError::AlreadyAccepted),
            InvitationStatus::Expired => return Err(AcceptError::Expired),
            InvitationStatus::Deactivated => return Err(AcceptError::NotInvited),
        }
        invitation.accepted_at = Some(now);
        invitation.updated_at = now;
        Ok((invitation.id.to_string(), invitation.email.to_string()))
    }
}
