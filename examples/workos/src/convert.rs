//! Between the bindings of WorkOS and the types of `org-invitations`.

use org_invitations::{
    Invitation, InvitationStatus, ResourceReference,
    kit::{InvitationList, InvitationObject, invitation_of, time_of},
};
use serde_json::{Map, Value};

use crate::bindings::types;

impl InvitationObject for types::Invitation {
    const FIELDS: &'static [&'static str] = &[
        "accepted_at",
        "accepted_user_id",
        "created_at",
        "email",
        "expires_at",
        "id",
        "inviter_user_id",
        "role_slug",
        "state",
        // Whoever has one of these can accept the invitation, so they are dropped.
        "accept_invitation_url",
        "token",
    ];

    fn unknown(&self) -> &Map<String, Value> {
        &self.extra
    }

    fn invitation(&mut self) -> Result<Invitation, String> {
        let mut invitation = invitation_of(self.id.take(), self.email.take())?;
        let state = self.state.take();
        invitation.status = state.map(|state| status(state.as_str()));
        invitation.role = self.role_slug.take();
        invitation.created_at = time_of(self.created_at.take(), "created_at")?;
        invitation.expires_at = time_of(self.expires_at.take(), "expires_at")?;
        invitation.accepted_at = time_of(self.accepted_at.take(), "accepted_at")?;
        invitation.user = self.accepted_user_id.take().map(ResourceReference::new);
        invitation.creator = self.inviter_user_id.take().map(ResourceReference::new);
        Ok(invitation)
    }
}

impl InvitationList for types::InvitationList {
    type Item = types::Invitation;
    const ITEMS: &'static str = "data";

    fn next(&self) -> Option<&str> {
        self.list_metadata.as_ref()?.after.as_deref()
    }
}

/// The status that a state is; one that this version does not know is kept.
fn status(state: &str) -> InvitationStatus {
    match state {
        "pending" => InvitationStatus::Sent,
        "revoked" => InvitationStatus::Deactivated,
        other => InvitationStatus::from(other),
    }
}
