//! The provider that writes the audit log.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::BoxFuture;
use org_invitations::{
    ApiKey, Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider,
    ListQuery, Member, MemberId, MemberProvider, MembershipEvent, NewInvitation, Operation,
    OrganizationProvider, Page, PageToken, Result, Role, RoleAssignment, RoleChange, RoleGrant,
    normalize_email,
};

use super::{
    AuditLog, Origin,
    change::{Change, names_of, roles_of},
    exchanges::Exchanges,
    record::AuditAction,
};

/// A provider whose changes are written to the audit log. While the log cannot be written, no change is begun; a person
/// whose invitation this provider has withdrawn may be invited again all the same.
pub(crate) struct Audited {
    inner: Arc<dyn OrganizationProvider>,
    log: AuditLog,
    origin: Origin,
    /// The addresses by the ids of invitations and members that were read: whoever is removed is named.
    addresses: Mutex<HashMap<String, String>>,
    /// Whose invitation was withdrawn and not created again.
    withdrawn: Mutex<HashSet<String>>,
}

impl Audited {
    pub fn new(inner: Arc<dyn OrganizationProvider>, log: AuditLog, origin: Origin) -> Self {
        Self {
            inner,
            log,
            origin,
            addresses: Mutex::default(),
            withdrawn: Mutex::default(),
        }
    }

    /// Begins a change, about an id whose address is known if it was read.
    ///
    /// # Errors
    ///
    /// The log cannot be written; the change must not be made.
    fn begin(&self, action: AuditAction, id: Option<&str>) -> Result<Change<'_>> {
        self.log.ready().map_err(|why| {
            let operation = match action {
                AuditAction::Create => Operation::Create,
                AuditAction::Delete => Operation::Delete,
                AuditAction::RemoveMember => Operation::RemoveMember,
                AuditAction::RevokeRole => Operation::RevokeRole,
                AuditAction::GrantRole | AuditAction::SetRoles => Operation::GrantRole,
            };
            let error = Error::new(ErrorKind::Config, operation, why);
            let error = error.with_provider(self.inner.to_string());
            match id {
                Some(id) => error.with_target(id),
                None => error,
            }
        })?;
        Ok(self.change(action, id))
    }

    /// A change that is made whether its line can be written or not.
    fn change(&self, action: AuditAction, id: Option<&str>) -> Change<'_> {
        Change {
            log: &self.log,
            origin: &self.origin,
            action,
            email: id.and_then(|id| self.addresses().get(id).cloned()),
            id: id.map(str::to_owned),
            roles: Vec::new(),
            exchanges: Exchanges::default(),
            is_finished: false,
        }
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<String, String>> {
        let addresses = self.addresses.lock();
        addresses.unwrap_or_else(PoisonError::into_inner)
    }

    fn withdrawn(&self) -> MutexGuard<'_, HashSet<String>> {
        let withdrawn = self.withdrawn.lock();
        withdrawn.unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers whom invitations and the users that they created are about.
    fn remember_invitations<'i>(&self, read: impl IntoIterator<Item = &'i Invitation>) {
        let ids = |one: &'i Invitation| {
            let user = one.user.as_ref().map(|user| user.id.as_str());
            let ids = [Some(one.id.as_str()), user].into_iter().flatten();
            ids.map(|id| (id, one.email.as_str()))
        };
        self.remember(read.into_iter().flat_map(ids));
    }

    fn remember<'i>(&self, read: impl IntoIterator<Item = (&'i str, &'i str)>) {
        let mut addresses = self.addresses();
        for (id, email) in read {
            addresses.insert(id.to_owned(), email.to_owned());
        }
    }

    async fn change_roles(
        &self,
        id: &MemberId,
        grants: &[RoleGrant],
        change: BoxFuture<'_, Result<RoleChange>>,
    ) -> Result<RoleChange> {
        let mut line = self.begin(AuditAction::SetRoles, Some(id.as_str()))?;
        line.roles = names_of(grants);
        let result = line.exchanges.clone().collect(change).await;
        line.finish_roles(&result);
        result
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl InvitationProvider for Audited {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn members(&self) -> Option<&dyn MemberProvider> {
        self.inner.members().map(|_| self as &dyn MemberProvider)
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let email = normalize_email(&new.email);
        let is_begun = self.withdrawn().contains(&email);
        let mut change = match is_begun {
            // Half a renewal is not stopped.
            true => {
                // Whoever stops the run between the withdrawal and the create stops it here, where nothing is sent.
                tokio::task::yield_now().await;
                self.change(AuditAction::Create, None)
            }
            false => self.begin(AuditAction::Create, None)?,
        };
        change.email = Some(new.email.clone());
        change.roles = roles_of(&new);
        let exchanges = change.exchanges.clone();
        let result = exchanges.collect(self.inner.create(new)).await;
        change.finish_create(&result);
        if result.is_ok() {
            self.withdrawn().remove(&email);
        }
        self.remember_invitations(&result);
        result
    }

    async fn check(&self, new: &NewInvitation) -> Result<()> {
        self.inner.check(new).await
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let found = self.inner.get(id).await?;
        self.remember_invitations([&found]);
        Ok(found)
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let page = self.inner.list_page(query, token).await?;
        self.remember_invitations(page.items.iter().flatten());
        Ok(page)
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        let change = self.begin(AuditAction::Delete, Some(id.as_str()))?;
        let exchanges = change.exchanges.clone();
        let email = change.email.as_deref().map(normalize_email);
        let result = exchanges.collect(self.inner.delete(id)).await;
        let is_gone = match &result {
            Ok(()) => true,
            Err(error) => error.may_have_executed() || error.kind() == ErrorKind::NotFound,
        };
        if is_gone {
            self.withdrawn().extend(email);
        }
        change.finish_delete(&result);
        result
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl MemberProvider for Audited {
    async fn list_members_page(&self, token: Option<&PageToken>) -> Result<Page<Member>> {
        let page = self.inner.list_members_page(token).await?;
        let read = page.items.iter().flatten();
        self.remember(read.map(|one| (one.id.as_str(), one.email.as_str())));
        Ok(page)
    }

    async fn get_member(&self, id: &MemberId) -> Result<Member> {
        let found = self.inner.get_member(id).await?;
        self.remember([(found.id.as_str(), found.email.as_str())]);
        Ok(found)
    }

    async fn member_roles(&self, id: &MemberId) -> Result<Vec<RoleAssignment>> {
        self.inner.member_roles(id).await
    }

    async fn membership_events(&self, email: &str) -> Result<Vec<MembershipEvent>> {
        self.inner.membership_events(email).await
    }

    async fn list_member_roles(&self) -> Result<HashMap<MemberId, Vec<RoleAssignment>>> {
        self.inner.list_member_roles().await
    }

    async fn grant_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        let change = self.inner.grant_roles(id, grants);
        self.change_roles(id, grants, change).await
    }

    async fn set_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        let change = self.inner.set_roles(id, grants);
        self.change_roles(id, grants, change).await
    }

    async fn remove_member(&self, id: &MemberId) -> Result<()> {
        let change = self.begin(AuditAction::RemoveMember, Some(id.as_str()))?;
        let exchanges = change.exchanges.clone();
        let result = exchanges.collect(self.inner.remove_member(id)).await;
        change.finish_delete(&result);
        result
    }

    async fn list_roles(&self) -> Result<Vec<Role>> {
        self.inner.list_roles().await
    }

    async fn api_keys(&self, member: &MemberId) -> Result<Vec<ApiKey>> {
        self.inner.api_keys(member).await
    }

    async fn key_owner(&self) -> Result<Option<MemberId>> {
        self.inner.key_owner().await
    }

    async fn key_roles(&self) -> Result<Option<Vec<RoleAssignment>>> {
        self.inner.key_roles().await
    }
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl fmt::Debug for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
