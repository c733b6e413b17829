//! Sets up an organisation in memory.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    InMemory, named,
    organization::{Organization, role},
};
use crate::{
    api_key::ApiKey,
    capabilities::Capabilities,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{NewInvitation, Roles},
    member::MemberId,
    role::{Role, RoleGrant, RoleIndex},
};

/// Sets up an [`InMemory`] organisation.
///
/// ```
/// use org_invitations::{
///     ApiKey, Capabilities, InvitationProvider, NewInvitation, memory::InMemory,
/// };
///
/// # fn main() -> org_invitations::Result<()> {
/// let organisation = InMemory::builder()
///     .roles(["Operator", "Viewer"])
///     .member("root@example.com", ["Operator"])
///     .api_key("root@example.com", ApiKey::new("KEY"))
///     .key_owner("root@example.com")
///     .invitation(NewInvitation::new("ann@example.com").roles(["Operator"]))
///     .capabilities(Capabilities::default().roles(true).list_roles(true).members(true))
///     .build()?;
/// assert!(!organisation.capabilities().auth_type);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct InMemoryBuilder {
    capabilities: Option<Capabilities>,
    roles: Vec<Role>,
    members: Vec<(String, Vec<RoleGrant>)>,
    invitations: Vec<NewInvitation>,
    keys: Vec<(String, ApiKey)>,
    key_owner: Option<String>,
    starts_at: Option<DateTime<Utc>>,
    valid_for: Option<Duration>,
    quota: Option<usize>,
}

impl InMemoryBuilder {
    /// Sets what the organisation offers; everything else is refused. Default: everything, with at most 100 on a page.
    ///
    /// Give it the [`capabilities`](crate::InvitationProvider::capabilities) of a vendor's provider to refuse what
    /// that vendor would refuse.
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    /// Adds roles that the organisation has, by name; their ids count from `r-1`. Default: `Admin` and `Developer`,
    /// if none is added.
    pub fn roles<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        for name in names {
            self.roles.push(role(self.roles.len() + 1, name));
        }
        self
    }

    /// Adds a role with an id and a kind of its own.
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Adds a member with these roles.
    pub fn member<I>(mut self, email: impl Into<String>, roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<RoleGrant>,
    {
        let roles = roles.into_iter().map(Into::into).collect();
        self.members.push((email.into(), roles));
        self
    }

    /// Adds a pending invitation.
    pub fn invitation(mut self, new: NewInvitation) -> Self {
        self.invitations.push(new);
        self
    }

    /// Adds an API key of a member.
    pub fn api_key(mut self, owner: impl Into<String>, key: ApiKey) -> Self {
        self.keys.push((owner.into(), key));
        self
    }

    /// Sets the member who owns the key in use, and is the creator of what is created. Default: nobody.
    pub fn key_owner(mut self, email: impl Into<String>) -> Self {
        self.key_owner = Some(email.into());
        self
    }

    /// Sets the time at which the clock begins. Default: the time of the build.
    pub fn starts_at(mut self, time: DateTime<Utc>) -> Self {
        self.starts_at = Some(time);
        self
    }

    /// Sets how long an invitation can be accepted. Default: seven days.
    pub fn valid_for(mut self, lifetime: Duration) -> Self {
        self.valid_for = Some(lifetime);
        self
    }

    /// Sets how many invitations may be pending; the next create is [`QuotaExceeded`](ErrorKind::QuotaExceeded).
    /// Default: any number.
    pub fn quota(mut self, invitations: usize) -> Self {
        self.quota = Some(invitations);
        self
    }

    /// Builds the organisation.
    ///
    /// # Errors
    ///
    /// Those of a create: an address is invalid or there twice, or the organisation does not have a role or an
    /// option. An owner of a key who is no member is [`InvalidInput`](ErrorKind::InvalidInput).
    pub fn build(self) -> Result<InMemory> {
        let mut organization = Organization::default();
        if let Some(capabilities) = self.capabilities {
            organization.capabilities = capabilities;
        }
        if !self.roles.is_empty() {
            organization.roles = RoleIndex::new(self.roles);
        }
        if let Some(start) = self.starts_at {
            organization.now = start;
        }
        if let Some(lifetime) = self.valid_for {
            organization.valid_for = lifetime;
        }
        for (email, roles) in self.members {
            let mut new = NewInvitation::new(&email);
            if !roles.is_empty() {
                new.roles = Some(Roles::Grants(roles));
            }
            let named = named(Operation::Configure, Some(&email));
            let joined = new.validate().and_then(|()| organization.join(&new));
            joined.map_err(named)?;
        }
        for (email, key) in self.keys {
            let owner = owner(&organization, &email)?;
            organization.keys.push((owner, key));
        }
        if let Some(email) = self.key_owner {
            organization.key_owner = Some(owner(&organization, &email)?);
        }
        let provider = InMemory::over(organization);
        for new in self.invitations {
            provider.check_new(&new)?;
            let created = provider.lock().create(&new).map(drop);
            created.map_err(named(Operation::Configure, Some(&new.email)))?;
        }
        provider.lock().quota = self.quota;
        Ok(provider)
    }
}

fn owner(organization: &Organization, email: &str) -> Result<MemberId> {
    let owner = organization.member_by_email(email);
    let owner = owner.map(|member| member.id.clone());
    owner.ok_or_else(|| {
        let message = "the owner of an API key has to be a member";
        let error = Error::new(ErrorKind::InvalidInput, Operation::Configure, message);
        named(Operation::Configure, Some(email))(error)
    })
}
