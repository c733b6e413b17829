//! The role bindings of one organisation.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::faults::LogicalTime;

/// A role that a principal has, and where it holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RoleBinding {
    /// Position in order of creation, never used twice.
    pub(super) sequence: u64,
    pub(super) id: Box<str>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) grant: Grant,
}

/// What identifies a role binding: no two of an organisation are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// `User:` or `Group:`, and an id.
    pub(super) principal: String,
    pub(super) role_name: String,
    pub(super) crn_pattern: String,
}

/// One organisation's role bindings in order of creation.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "SavedRoleBindings")]
pub(super) struct RoleBindings {
    by_sequence: BTreeMap<u64, RoleBinding>,
    #[serde(skip_serializing)]
    by_id: HashMap<Box<str>, u64>,
    #[serde(skip_serializing)]
    by_principal: HashMap<Box<str>, BTreeSet<u64>>,
    /// The bindings that lists do not show at once.
    listed_from: HashMap<u64, LogicalTime>,
    last_sequence: u64,
}

/// What is saved: the indexes follow from it.
#[derive(Deserialize)]
struct SavedRoleBindings {
    by_sequence: BTreeMap<u64, RoleBinding>,
    listed_from: HashMap<u64, LogicalTime>,
    last_sequence: u64,
}

impl From<SavedRoleBindings> for RoleBindings {
    fn from(saved: SavedRoleBindings) -> Self {
        let mut loaded = Self {
            listed_from: saved.listed_from,
            last_sequence: saved.last_sequence,
            ..Self::default()
        };
        for (sequence, binding) in &saved.by_sequence {
            let principal = binding.grant.principal.clone().into_boxed_str();
            loaded.by_id.insert(binding.id.clone(), *sequence);
            let of_principal = loaded.by_principal.entry(principal).or_default();
            of_principal.insert(*sequence);
        }
        loaded.by_sequence = saved.by_sequence;
        loaded
    }
}

impl RoleBindings {
    /// Adds a binding. The caller has checked that id and grant are free.
    pub(super) fn insert(
        &mut self,
        id: String,
        grant: Grant,
        listed_from: Option<LogicalTime>,
        now: DateTime<Utc>,
    ) -> &RoleBinding {
        self.last_sequence += 1;
        let sequence = self.last_sequence;
        let id = id.into_boxed_str();
        self.by_id.insert(id.clone(), sequence);
        let principal = grant.principal.clone().into_boxed_str();
        let of_principal = self.by_principal.entry(principal).or_default();
        of_principal.insert(sequence);
        if let Some(from) = listed_from {
            self.listed_from.insert(sequence, from);
        }
        self.by_sequence.entry(sequence).or_insert(RoleBinding {
            sequence,
            id,
            created_at: now,
            grant,
        })
    }

    pub(super) fn get(&self, id: &str) -> Option<&RoleBinding> {
        self.by_sequence.get(self.by_id.get(id)?)
    }

    pub(super) fn find(&self, grant: &Grant) -> Option<&RoleBinding> {
        self.of(&grant.principal, 0).find(|it| it.grant == *grant)
    }

    /// Whether lists show the binding.
    pub(super) fn is_listed(&self, binding: &RoleBinding, now: LogicalTime) -> bool {
        let from = self.listed_from.get(&binding.sequence);
        from.is_none_or(|from| now.has_reached(*from))
    }

    /// How many bindings lists show.
    pub(super) fn listed_count(&self, now: LogicalTime) -> usize {
        let hidden = self.listed_from.values();
        let hidden = hidden.filter(|from| !now.has_reached(**from));
        self.by_sequence.len() - hidden.count()
    }

    /// The bindings after a position, in order of creation; all of them after 0.
    pub(super) fn after(&self, sequence: u64) -> impl Iterator<Item = &RoleBinding> {
        self.by_sequence
            .range((Bound::Excluded(sequence), Bound::Unbounded))
            .map(|(_, binding)| binding)
    }

    /// The bindings of a principal after a position.
    pub(super) fn of(&self, principal: &str, after: u64) -> impl Iterator<Item = &RoleBinding> {
        let sequences = self.by_principal.get(principal);
        sequences
            .into_iter()
            .flat_map(move |all| all.range((Bound::Excluded(after), Bound::Unbounded)))
            .filter_map(|sequence| self.by_sequence.get(sequence))
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<RoleBinding> {
        let sequence = self.by_id.remove(id)?;
        let removed = self.by_sequence.remove(&sequence)?;
        self.listed_from.remove(&sequence);
        let principal = removed.grant.principal.as_str();
        if let Some(of_principal) = self.by_principal.get_mut(principal) {
            of_principal.remove(&sequence);
            if of_principal.is_empty() {
                self.by_principal.remove(principal);
            }
        }
        Some(removed)
    }

    /// Removes every binding of a principal, and returns them.
    pub(super) fn remove_of(&mut self, principal: &str) -> Vec<RoleBinding> {
        let ids: Vec<_> = self.of(principal, 0).map(|it| it.id.clone()).collect();
        ids.iter().filter_map(|id| self.remove(id)).collect()
    }
}
