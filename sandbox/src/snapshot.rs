//! Invitations in one form for both APIs.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::invitations::Invitation;
use crate::state::Provider;

/// An invitation, as the sandbox knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InvitationSnapshot {
    /// The API it belongs to.
    pub provider: Provider,
    /// The organisation it belongs to.
    pub organization: String,
    /// Its id there.
    pub id: String,
    /// The invitee's address as the vendor keeps it.
    pub email: String,
    /// Where it stands, by the sandbox's clock.
    pub status: InvitationStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it expires, or did.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was deleted, if it is still shown.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum InvitationStatus {
    /// It was made and not sent yet.
    Staged,
    /// It can be accepted.
    Sent,
    /// It was accepted.
    Accepted,
    /// It can no longer be accepted.
    Expired,
    /// It was deleted, in an organisation that [keeps them](crate::ConfluentOrganization::keep_deleted).
    Deactivated,
}

impl InvitationSnapshot {
    pub(crate) fn new<D>(
        provider: Provider,
        organization: &str,
        invitation: &Invitation<D>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            provider,
            organization: organization.to_owned(),
            id: invitation.id.to_string(),
            email: invitation.email.to_string(),
            status: invitation.status(now),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            deleted_at: invitation.deleted_at,
        }
    }
}
