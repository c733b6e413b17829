//! Members of an organisation: what they are, and the providers of them.

mod provider;
mod provider_ext;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::{provider::MemberProvider, provider_ext::MemberProviderExt};
use crate::{
    extra::Extra,
    id::resource_id,
    invitation::{AuthType, RoleAssignment},
    list::ListItem,
};

resource_id! {
    /// The identifier of a member: 1 to 255 characters that are safe in a URL's path, as those of an
    /// [`InvitationId`](crate::InvitationId).
    MemberId, "a member id"
}

/// Somebody who belongs to an organisation.
///
/// | field | Confluent Cloud (`/iam/v2/users`) | ClickHouse Cloud (`…/members`) |
/// |---|---|---|
/// | `id` | `id` (`u-…`) | `userId` |
/// | `name` | `full_name` | `name` |
/// | `auth_type` | `auth_type` | – |
/// | `joined_at` | `metadata.created_at` | `joinedAt` |
/// | `roles` | – (see [`MemberProvider::member_roles`]) | `assignedRoles` |
/// | `legacy_role` | – | `role` |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Member {
    /// The provider's id of the person.
    pub id: MemberId,
    /// The person's address.
    pub email: String,
    /// What the person is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How the person logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// Since when the person is a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<DateTime<Utc>>,
    /// The person's roles, where the list of members tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<RoleAssignment>>,
    /// The deprecated single role, where the provider reports one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy_role: Option<String>,
    /// Every property that has no field here, as it came.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Member {
    /// A member of whom only id and address are known; the other fields are public.
    pub fn new(id: MemberId, email: impl Into<String>) -> Self {
        Self {
            id,
            email: email.into(),
            name: None,
            auth_type: None,
            joined_at: None,
            roles: None,
            legacy_role: None,
            extra: Extra::default(),
        }
    }
}

impl ListItem for Member {
    const PLURAL: &'static str = "members";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn email(&self) -> Option<&str> {
        Some(&self.email)
    }
}

/// A person joined an organisation or left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MembershipEvent {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: MembershipEventKind,
}

impl MembershipEvent {
    /// Something that happened at this time.
    pub fn new(at: DateTime<Utc>, kind: MembershipEventKind) -> Self {
        Self { at, kind }
    }
}

/// What happened to a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MembershipEventKind {
    /// The person accepted an invitation.
    Joined,
    /// The person left.
    Left,
}
