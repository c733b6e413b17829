//! The members of one organisation, whatever the vendor.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One member. `D` holds the properties that only one vendor has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Member<D> {
    /// Position in order of joining, never used twice.
    pub(crate) sequence: u64,
    pub(crate) id: Box<str>,
    /// The address as the vendor shows it.
    pub(crate) email: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) joined_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) details: D,
}

/// A member to be added.
pub(crate) struct NewMember<D> {
    pub(crate) id: String,
    pub(crate) email: String,
    /// Default: the address up to the `@`.
    pub(crate) name: Option<String>,
    pub(crate) details: D,
}

/// One organisation's members in order of joining. Addresses compare without case.
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "SavedMembers<D>")]
pub(crate) struct Members<D> {
    by_sequence: BTreeMap<u64, Member<D>>,
    #[serde(skip_serializing)]
    by_id: HashMap<Box<str>, u64>,
    #[serde(skip_serializing)]
    by_email: HashMap<Box<str>, u64>,
    last_sequence: u64,
}

/// What is saved: the indexes follow from it.
#[derive(Deserialize)]
struct SavedMembers<D> {
    by_sequence: BTreeMap<u64, Member<D>>,
    last_sequence: u64,
}

impl<D> From<SavedMembers<D>> for Members<D> {
    fn from(saved: SavedMembers<D>) -> Self {
        let mut loaded = Self {
            last_sequence: saved.last_sequence,
            ..Self::default()
        };
        for (sequence, member) in &saved.by_sequence {
            let address = member.email.to_lowercase().into_boxed_str();
            loaded.by_id.insert(member.id.clone(), *sequence);
            loaded.by_email.insert(address, *sequence);
        }
        loaded.by_sequence = saved.by_sequence;
        loaded
    }
}

impl<D> Default for Members<D> {
    fn default() -> Self {
        Self {
            by_sequence: BTreeMap::new(),
            by_id: HashMap::new(),
            by_email: HashMap::new(),
            last_sequence: 0,
        }
    }
}

impl<D> Members<D> {
    /// Adds a member. The caller has checked that the id and the address are free.
    pub(crate) fn insert(&mut self, new: NewMember<D>, now: DateTime<Utc>) -> &Member<D> {
        self.last_sequence += 1;
        let sequence = self.last_sequence;
        let NewMember {
            id,
            email,
            name,
            details,
        } = new;
        let id = id.into_boxed_str();
        self.by_id.insert(id.clone(), sequence);
        let address = email.to_lowercase().into_boxed_str();
        self.by_email.insert(address, sequence);
        let local_part = || email.split('@').next().unwrap_or_default().to_owned();
        self.by_sequence.entry(sequence).or_insert(Member {
            sequence,
            id,
            name: name.unwrap_or_else(local_part).into_boxed_str(),
            email: email.into_boxed_str(),
            joined_at: now,
            updated_at: now,
            details,
        })
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Member<D>> {
        self.by_sequence.get(self.by_id.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Member<D>> {
        self.by_sequence.get_mut(self.by_id.get(id)?)
    }

    pub(crate) fn get_by_email(&self, email: &str) -> Option<&Member<D>> {
        self.by_sequence
            .get(self.by_email.get(email.to_lowercase().as_str())?)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Member<D>> {
        let sequence = self.by_id.remove(id)?;
        let removed = self.by_sequence.remove(&sequence)?;
        let address = removed.email.to_lowercase();
        if self.by_email.get(address.as_str()) == Some(&sequence) {
            self.by_email.remove(address.as_str());
        }
        Some(removed)
    }

    pub(crate) fn count(&self) -> usize {
        self.by_sequence.len()
    }

    /// The members after a position, in order of joining; all of them after 0.
    pub(crate) fn after(&self, sequence: u64) -> impl Iterator<Item = &Member<D>> {
        self.by_sequence
            .range((Bound::Excluded(sequence), Bound::Unbounded))
            .map(|(_, member)| member)
    }
}
