//! The existing invitations, as far as a plan needs them.

use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, Utc};
use hashbrown::HashTable;

use crate::{
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

/// Why nothing is withdrawn by an id.
pub(super) const SHARED_ID: &str =
    "its id belongs to another address in the list too, so its owner is unknown";
