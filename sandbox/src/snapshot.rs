//! Invitations and members in one form for both APIs, and role bindings.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::invitations::{Invitation, InvitationStatus};
use crate::members::Member;
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

/// A member of either API, as the sandbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MemberSnapshot {
    /// The API that the member belongs to.
    pub provider: Provider,
    /// The id of the organisation that the member belongs to.
    pub organization: String,
    /// The id of the user.
    pub id: String,
    /// The member's address as the vendor keeps it.
    pub email: String,
    /// The member's name.
    pub name: String,
    /// When the member joined.
    pub joined_at: DateTime<Utc>,
    /// The ids of the member's roles. Always empty on Confluent, which has [`RoleBindingSnapshot`]s.
    pub role_ids: Vec<String>,
}

/// A role binding of Confluent, as the sandbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RoleBindingSnapshot {
    /// The id of the organisation that the binding belongs to.
    pub organization: String,
    /// The binding's id.
    pub id: String,
    /// `User:` or `Group:`, and an id.
    pub principal: String,
    /// The role's name.
    pub role_name: String,
    /// Where the role holds.
    pub crn_pattern: String,
    /// When the binding was created.
    pub created_at: DateTime<Utc>,
}

/// An API key of Confluent, as the sandbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApiKeySnapshot {
    /// The id of the organisation that the key belongs to.
    pub organization: String,
    /// The key's id, which is the user name in HTTP Basic.
    pub id: String,
    /// The id of the user or service account who owns the key.
    pub owner: String,
    /// The cluster that the key is for, if it is not for the organisation.
    pub resource: Option<String>,
}

/// An organisation of either API, and how many people it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OrganizationSnapshot {
    pub(crate) provider: Provider,
    pub(crate) id: String,
    pub(crate) invitations: usize,
    pub(crate) members: usize,
}

/// What the people of both APIs have in common.
pub(crate) trait Person {
    fn provider(&self) -> Provider;
    fn organization(&self) -> &String;
    fn email(&self) -> &str;
}

impl Person for InvitationSnapshot {
    fn provider(&self) -> Provider {
        self.provider
    }

    fn organization(&self) -> &String {
        &self.organization
    }

    fn email(&self) -> &str {
        &self.email
    }
}

impl Person for MemberSnapshot {
    fn provider(&self) -> Provider {
        self.provider
    }

    fn organization(&self) -> &String {
        &self.organization
    }

    fn email(&self) -> &str {
        &self.email
    }
}

impl MemberSnapshot {
    pub(crate) fn new<D>(
        provider: Provider,
        organization: &str,
        member: &Member<D>,
        role_ids: Vec<String>,
    ) -> Self {
        Self {
            provider,
            organization: organization.to_owned(),
            id: member.id.to_string(),
            email: member.email.to_string(),
            name: member.name.to_string(),
            joined_at: member.joined_at,
            role_ids,
        }
    }
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
