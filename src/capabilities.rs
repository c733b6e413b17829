//! What the providers do differently.

use serde::{Deserialize, Serialize};

/// What a provider offers, as far as providers differ. What is not offered is refused with
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) before any request is sent.
///
/// The built-in providers reflect the document that the library was built from: an option that an older document lacks
/// is not offered. A provider of one's own starts from the default, which offers nothing:
///
/// ```
/// use org_invitations::Capabilities;
///
/// let capabilities = Capabilities::default().roles(true).max_page_size(Some(50));
/// assert!(capabilities.roles && !capabilities.auth_type);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Capabilities {
    /// [`NewInvitation::auth_type`](crate::NewInvitation::auth_type) can be set.
    pub auth_type: bool,
    /// Roles can be given ([`Roles::Grants`](crate::Roles::Grants)).
    pub roles: bool,
    /// Roles can be given for a part of the organisation ([`RoleGrant::scope`](crate::RoleGrant::scope)).
    pub role_scopes: bool,
    /// The roles that the organisation has can be listed
    /// ([`list_roles`](crate::MemberProvider::list_roles)).
    pub list_roles: bool,
    /// Members can be listed, changed and removed ([`MemberProvider`](crate::MemberProvider)).
    pub members: bool,
    /// Removing a member also deletes what the member owns, API keys included.
    pub removal_deletes_owned: bool,
    /// The provider tells who joined and left
    /// ([`membership_events`](crate::MemberProvider::membership_events)).
    pub membership_events: bool,
    /// The API keys of a member can be listed ([`api_keys`](crate::MemberProvider::api_keys)), and the owner of the key in
    /// use can be found ([`key_owner`](crate::MemberProvider::key_owner)).
    pub api_keys: bool,
    /// The deprecated single role can be given ([`Roles::Legacy`](crate::Roles::Legacy)).
    pub legacy_role: bool,
    /// Lists can be filtered by [`ListQuery::email`](crate::ListQuery::email).
    pub filter_email: bool,
    /// Lists can be filtered by [`ListQuery::status`](crate::ListQuery::status).
    pub filter_status: bool,
    /// Lists can be filtered by [`ListQuery::user`](crate::ListQuery::user).
    pub filter_user: bool,
    /// Lists can be filtered by [`ListQuery::creator`](crate::ListQuery::creator).
    pub filter_creator: bool,
    /// The server applies the filters; otherwise the library fetches everything and applies them.
    pub server_side_filters: bool,
    /// The server reports a status; otherwise it is derived from the time of expiry, so only `Sent`
    /// and `Expired` occur.
    pub reports_status: bool,
    /// The largest [`ListQuery::page_size`](crate::ListQuery::page_size); `None` where the provider
    /// sends everything at once and the library cuts the pages.
    pub max_page_size: Option<u32>,
}

impl Capabilities {
    /// Whether roles are given to users, also to invited ones, and are no part of their invitations.
    pub(crate) fn gives_roles_to_users(&self) -> bool {
        self.role_scopes && self.members
    }
}

setters!(Capabilities {
    auth_type: bool,
    roles: bool,
    role_scopes: bool,
    list_roles: bool,
    members: bool,
    removal_deletes_owned: bool,
    membership_events: bool,
    api_keys: bool,
    legacy_role: bool,
    filter_email: bool,
    filter_status: bool,
    filter_user: bool,
    filter_creator: bool,
    server_side_filters: bool,
    reports_status: bool,
    max_page_size: Option<u32>,
});
