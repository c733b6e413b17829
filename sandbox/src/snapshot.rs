//! Invitations in one form for both APIs.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::invitations::{Invitation, InvitationStatus};
use crate::provider::Provider;

/// An invitation of either API, as the sandbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InvitationSnapshot {
    /// The API that the invitation belongs to.
    pub provider: Provider,
    /// The id of the organisation that the invitation belongs to.
    pub organization: String,
    /// The invitation's id in that API.
    pub id: String,
    /// The invitee's address as the vendor keeps it.
    pub email: String,
    /// The status by the sandbox's clock.
    pub status: InvitationStatus,
    /// When the invitation was created.
    pub created_at: DateTime<Utc>,
    /// When the invitation expires or expired.
    pub expires_at: DateTime<Utc>,
    /// When the invitation was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When the invitation was deleted, if it is still shown.
    pub deleted_at: Option<DateTime<Utc>>,
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
