//! The existing invitations, indexed for the comparison with a roster.

use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, Utc};
use hashbrown::HashTable;

use crate::{
    address::normalize_email,
    invitation::{AuthType, Invitation, InvitationId, InvitationStatus},
    member::MemberId,
    renewal::ReportedRoles,
};

/// The properties of an existing invitation that a plan needs.
pub(super) struct Existing {
    pub id: InvitationId,
    /// Whether an invitation of another person has the same id.
    pub has_shared_id: bool,
    pub email: String,
    pub status: Option<InvitationStatus>,
    pub created_at: Option<DateTime<Utc>>,
    pub auth_type: Option<AuthType>,
    pub role: Option<String>,
    pub roles: ReportedRoles,
    /// The user whom the invitation created, where roles are given to users.
    pub user: Option<MemberId>,
}

impl Existing {
    /// The roles of an invitation are its user's if `has_user`.
    pub fn new(invitation: Invitation, has_user: bool) -> Self {
        Self {
            user: invitation.invited_user().filter(|_| has_user),
            id: invitation.id,
            has_shared_id: false,
            email: invitation.email,
            status: invitation.status,
            created_at: invitation.created_at,
            auth_type: invitation.auth_type,
            role: invitation.role,
            roles: invitation.roles.into(),
        }
    }

    /// Orders the invitations of an address: withdrawn, expired, pending, accepted; then by creation.
    pub fn rank(&self) -> (u8, Option<DateTime<Utc>>) {
        let rank = match self.status {
            Some(InvitationStatus::Accepted) => 3,
            Some(InvitationStatus::Expired) => 1,
            Some(InvitationStatus::Deactivated) => 0,
            _ => 2,
        };
        (rank, self.created_at)
    }

    pub fn is_accepted(&self) -> bool {
        self.status == Some(InvitationStatus::Accepted)
    }

    pub fn is_deletable(&self) -> bool {
        self.status
            .as_ref()
            .is_none_or(InvitationStatus::is_deletable)
    }
}

/// Marks the invitations whose id an invitation of another person has too: withdrawing one may withdraw the other.
pub(super) fn mark_shared_ids(existing: &mut [Existing], person_of: &[usize]) {
    let hasher = RandomState::new();
    let mut first_of: HashTable<usize> = HashTable::with_capacity(existing.len());
    let mut firsts = Vec::with_capacity(existing.len());
    for index in 0..existing.len() {
        let id = &existing[index].id;
        let same = |first: &usize| existing[*first].id == *id;
        let rehash = |first: &usize| hasher.hash_one(&existing[*first].id);
        let entry = first_of.entry(hasher.hash_one(id), same, rehash);
        let first = *entry.or_insert(index).get();
        existing[first].has_shared_id |= person_of[first] != person_of[index];
        firsts.push(first);
    }
    for (index, first) in firsts.into_iter().enumerate() {
        existing[index].has_shared_id = existing[first].has_shared_id;
    }
}

/// The people in the list and the roster, by address.
pub(super) struct AddressIndex {
    pub people: Vec<Person>,
    /// Indices into `people`, by the hash of the address. Small, for the CPU's caches.
    table: HashTable<usize>,
    hasher: RandomState,
}

/// A person in the list, the roster or both.
pub(super) struct Person {
    /// The normalised address.
    pub address: String,
    /// The index of the latest existing invitation.
    pub latest: Option<usize>,
    /// The first valid row of the roster.
    pub row: Option<usize>,
    /// Whether any row of the roster has the address, valid or not.
    pub in_roster: bool,
    /// The index of the member.
    pub member: Option<usize>,
    /// Whether another member has the address too.
    pub has_several_members: bool,
    /// Whether the member has another address now, and accepted with this one.
    pub is_former: bool,
    /// The index of the latest existing invitation that was not accepted.
    pub latest_open: Option<usize>,
}

impl AddressIndex {
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            people: Vec::with_capacity(capacity),
            table: HashTable::with_capacity(capacity),
            hasher: RandomState::new(),
        }
    }

    /// The index of the person of an address, who is added if necessary.
    pub fn person(&mut self, email: &str) -> usize {
        let address = normalize_email(email);
        let people = &mut self.people;
        let next = people.len();
        let hash = |address: &String| self.hasher.hash_one(address);
        let same = |person: &usize| people[*person].address == address;
        let rehash = |person: &usize| hash(&people[*person].address);
        let entry = self.table.entry(hash(&address), same, rehash);
        let person = *entry.or_insert(next).get();
        if person == next {
            people.push(Person {
                address,
                latest: None,
                row: None,
                in_roster: false,
                member: None,
                has_several_members: false,
                is_former: false,
                latest_open: None,
            });
        }
        person
    }
}
