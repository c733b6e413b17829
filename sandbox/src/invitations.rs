//! The invitations of one organisation, whatever the vendor.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::faults::{EffectiveFrom, LogicalTime};

/// How long an invitation can be accepted, at both vendors.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// The status of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum InvitationStatus {
    /// Created, and not sent yet.
    Staged,
    /// Sent, and open to be accepted.
    Sent,
    /// Accepted by the invitee.
    Accepted,
    /// Too old to be accepted.
    Expired,
    /// Deleted, in an organisation that [keeps deleted
    /// invitations](crate::ConfluentOrganization::keep_deleted).
    Deactivated,
}

/// Why an invitation cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// No invitation has this address.
    NotInvited,
    /// The invitation is staged and was not sent to the invitee yet.
    NotSent,
    /// The invitation was accepted before.
    AlreadyAccepted,
    /// The invitation has expired.
    Expired,
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInvited => "no invitation has this address",
            Self::NotSent => "the invitation is staged and was not sent yet",
            Self::AlreadyAccepted => "the invitation was accepted before",
            Self::Expired => "the invitation has expired",
        })
    }
}

impl std::error::Error for AcceptError {}

/// One invitation. `D` holds the properties that only one vendor has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invitation<D> {
    /// Position in order of creation, never used twice.
    pub(crate) sequence: u64,
    pub(crate) id: Box<str>,
    /// The address as the vendor shows it.
    pub(crate) email: Box<str>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    /// The end of staging.
    pub(crate) sent_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) accepted_at: Option<DateTime<Utc>>,
    /// The time of deletion, for an invitation that is still shown.
    pub(crate) deleted_at: Option<DateTime<Utc>>,
    pub(crate) details: D,
}

/// An invitation to be created.
pub(crate) struct NewInvitation<D> {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) staging: TimeDelta,
    pub(crate) effective_from: EffectiveFrom,
    pub(crate) details: D,
}

impl<D> Invitation<D> {
    /// The status at a time. No event sends or expires an invitation: the status follows from the time.
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
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "SavedInvitations<D>")]
pub(crate) struct Invitations<D> {
    by_sequence: BTreeMap<u64, Invitation<D>>,
    #[serde(skip_serializing)]
    by_id: HashMap<Box<str>, u64>,
    /// The latest invitation of each address, deleted ones excepted.
    #[serde(skip_serializing)]
    by_email: HashMap<Box<str>, u64>,
    /// Older invitations of an address that was invited again during a uniqueness lag, oldest first.
    #[serde(skip_serializing)]
    duplicates: HashMap<Box<str>, Vec<u64>>,
    /// The invitations that do not take effect at once.
    delayed: HashMap<u64, EffectiveFrom>,
    last_sequence: u64,
}

/// What is saved: the indexes follow from it.
#[derive(Deserialize)]
struct SavedInvitations<D> {
    by_sequence: BTreeMap<u64, Invitation<D>>,
    delayed: HashMap<u64, EffectiveFrom>,
    last_sequence: u64,
}

impl<D> From<SavedInvitations<D>> for Invitations<D> {
    fn from(saved: SavedInvitations<D>) -> Self {
        let mut loaded = Self {
            delayed: saved.delayed,
            last_sequence: saved.last_sequence,
            ..Self::default()
        };
        for (sequence, invitation) in &saved.by_sequence {
            loaded.by_id.insert(invitation.id.clone(), *sequence);
            if invitation.deleted_at.is_none() {
                loaded.claim_email(&invitation.email, *sequence);
            }
        }
        loaded.by_sequence = saved.by_sequence;
        loaded
    }
}

impl<D> Default for Invitations<D> {
    fn default() -> Self {
        Self {
            by_sequence: BTreeMap::new(),
            by_id: HashMap::new(),
            by_email: HashMap::new(),
            duplicates: HashMap::new(),
            delayed: HashMap::new(),
            last_sequence: 0,
        }
    }
}

impl<D> Invitations<D> {
    /// Adds an invitation. The caller has checked that its id and address are free.
    pub(crate) fn insert(&mut self, new: NewInvitation<D>, now: DateTime<Utc>) -> &Invitation<D> {
        self.last_sequence += 1;
        let sequence = self.last_sequence;
        let id = new.id.into_boxed_str();
        self.by_id.insert(id.clone(), sequence);
        self.claim_email(&new.email, sequence);
        if new.effective_from.is_delayed() {
            self.delayed.insert(sequence, new.effective_from);
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

    /// The latest invitation of an address.
    pub(crate) fn get_by_email(&self, email: &str) -> Option<&Invitation<D>> {
        self.by_sequence
            .get(self.by_email.get(email.to_lowercase().as_str())?)
    }

    /// The invitation that keeps its address from being invited again.
    pub(crate) fn find_conflicting(&self, email: &str, now: LogicalTime) -> Option<&Invitation<D>> {
        let email = email.to_lowercase();
        let older = self.duplicates.get(email.as_str()).into_iter().flatten();
        let latest = self.by_email.get(email.as_str());
        older
            .chain(latest)
            .rev()
            .filter(|sequence| self.effective_from(**sequence).is_unique(now))
            .find_map(|sequence| self.by_sequence.get(sequence))
    }

    /// Whether lists show the invitation.
    pub(crate) fn is_listed(&self, invitation: &Invitation<D>, now: LogicalTime) -> bool {
        self.effective_from(invitation.sequence).is_listed(now)
    }

    fn effective_from(&self, sequence: u64) -> EffectiveFrom {
        self.delayed.get(&sequence).copied().unwrap_or_default()
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some(sequence) = self.by_id.remove(id) else {
            return;
        };
        self.delayed.remove(&sequence);
        if let Some(invitation) = self.by_sequence.remove(&sequence) {
            self.release_email(&invitation.email.to_lowercase(), sequence);
        }
    }

    /// Marks an invitation as deleted and keeps it.
    pub(crate) fn deactivate(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(sequence) = self.by_id.get(id).copied() else {
            return;
        };
        if let Some(invitation) = self.by_sequence.get_mut(&sequence) {
            invitation.updated_at = now;
            invitation.deleted_at = Some(now);
            let email = invitation.email.to_lowercase();
            self.release_email(&email, sequence);
        }
    }

    /// Makes an invitation the latest one of its address.
    fn claim_email(&mut self, email: &str, sequence: u64) {
        let email = email.to_lowercase().into_boxed_str();
        if let Some(older) = self.by_email.insert(email.clone(), sequence) {
            self.duplicates.entry(email).or_default().push(older);
        }
    }

    /// Takes an invitation out of the index of addresses. An older one of the address takes its place.
    fn release_email(&mut self, email: &str, sequence: u64) {
        let mut older = self.duplicates.remove(email).unwrap_or_default();
        if self.by_email.get(email) == Some(&sequence) {
            match older.pop() {
                Some(latest) => self.by_email.insert(email.into(), latest),
                None => self.by_email.remove(email),
            };
        } else {
            older.retain(|it| *it != sequence);
        }
        if !older.is_empty() {
            self.duplicates.insert(email.into(), older);
        }
    }

    /// How many invitations lists show, deleted ones that are kept included.
    pub(crate) fn listed_count(&self, now: LogicalTime) -> usize {
        let delayed = self.delayed.values();
        let hidden = delayed.filter(|effective_from| !effective_from.is_listed(now));
        self.by_sequence.len() - hidden.count()
    }

    /// How many invitations there are, deleted ones that are kept included.
    pub(crate) fn count(&self) -> usize {
        self.by_sequence.len()
    }

    /// How many invitations count against a quota: all but the deleted ones.
    pub(crate) fn undeleted_count(&self) -> usize {
        self.by_email.len() + self.duplicates.values().map(Vec::len).sum::<usize>()
    }

    /// Whether [`get_by_email`](Self::get_by_email) leads to every invitation: no address has several.
    pub(crate) fn is_email_unique(&self) -> bool {
        self.by_email.len() == self.by_sequence.len()
    }

    /// The invitations after a position, in order of creation; all of them after 0.
    pub(crate) fn after(&self, sequence: u64) -> impl Iterator<Item = &Invitation<D>> {
        self.by_sequence
            .range((Bound::Excluded(sequence), Bound::Unbounded))
            .map(|(_, invitation)| invitation)
    }

    /// Accepts the open invitation of an address.
    pub(crate) fn accept(
        &mut self,
        email: &str,
        now: DateTime<Utc>,
    ) -> Result<&Invitation<D>, AcceptError> {
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
        Ok(invitation)
    }
}

/// Accepts the open invitation of an address in the first organisation that has one. Returns it, and what came with the
/// invitations of that organisation.
pub(crate) fn accept_first<'a, D: 'a, T>(
    organizations: impl Iterator<Item = (&'a mut Invitations<D>, T)>,
    email: &str,
    now: DateTime<Utc>,
) -> Result<(&'a Invitation<D>, T), AcceptError> {
    let mut why_not = AcceptError::NotInvited;
    for (invitations, rest) in organizations {
        match invitations.accept(email, now) {
            Ok(accepted) => return Ok((accepted, rest)),
            Err(AcceptError::NotInvited) => {}
            Err(other) => why_not = other,
        }
    }
    Err(why_not)
}
