//! The provider under test, and what behaviours need besides it.

use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::report::{CaseResult, FailReason, Violation};
use crate::{
    error::{ErrorKind, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    lock::lock,
    member::{Member, MemberId, MemberProvider, MemberProviderExt},
    provider::InvitationProvider,
    role::RoleGrant,
};

/// Accepts the invitation of an address.
type Accept<'a> = Box<dyn Fn(&str) + Send + Sync + 'a>;

/// The provider under test and the settings of the suite.
pub struct TestContext<'a> {
    pub(super) provider: &'a dyn InvitationProvider,
    pub(super) roles: Vec<RoleGrant>,
    pub(super) legacy_role: Option<String>,
    prefix: String,
    domain: String,
    requests: Option<Box<dyn Fn() -> usize + Send + Sync + 'a>>,
    accept: Option<Accept<'a>>,
    addresses: AtomicU64,
    created: Mutex<Vec<InvitationId>>,
    joined: Mutex<Vec<MemberId>>,
}

impl<'a> TestContext<'a> {
    /// Tests a provider whose organisation may get invitations. Behaviours that share a context must not run
    /// concurrently.
    pub fn new(provider: &'a dyn InvitationProvider) -> Self {
        Self {
            provider,
            roles: Vec::new(),
            legacy_role: Some("developer".to_owned()),
            prefix: format!("conformance-{:012x}", fastrand::u64(..1 << 48)),
            domain: "example.com".to_owned(),
            requests: None,
            accept: None,
            addresses: AtomicU64::new(0),
            created: Mutex::new(Vec::new()),
            joined: Mutex::new(Vec::new()),
        }
    }

    /// Sets the prefix of the invited addresses. Default: `conformance-` and a random number.
    #[must_use]
    pub fn email_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the domain of the invited addresses. Default: `example.com`, which receives no mail.
    #[must_use]
    pub fn email_domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self
    }

    /// Sets a function that returns how many requests the server has received, so that the suite can check that an
    /// unsupported option sends none. Default: not checked.
    #[must_use]
    pub fn count_requests(mut self, count: impl Fn() -> usize + Send + Sync + 'a) -> Self {
        self.requests = Some(Box::new(count));
        self
    }

    /// Sets a function that accepts the invitation of an address in the invitee's place, so that the suite has members.
    /// Default: none; behaviours that need a member then check nothing.
    #[must_use]
    pub fn accept(mut self, accept: impl Fn(&str) + Send + Sync + 'a) -> Self {
        self.accept = Some(Box::new(accept));
        self
    }

    /// Sets role ids that the organisation has. Default: none; the suite then tries an empty list of roles only.
    #[must_use]
    pub fn roles<I, T>(mut self, grants: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<RoleGrant>,
    {
        self.roles = grants.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a legacy role that the organisation accepts, or `None` if it accepts none. Default: `developer`.
    #[must_use]
    pub fn legacy_role(mut self, role: Option<&str>) -> Self {
        self.legacy_role = role.map(str::to_owned);
        self
    }

    /// A new address, in lower case.
    pub(super) fn address(&self) -> String {
        let number = self.addresses.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}@{}", self.prefix, self.domain).to_lowercase()
    }

    /// Creates an invitation, and deletes it at the end of the behaviour.
    pub(super) async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let created = self.provider.create(new).await?;
        self.track(&created.id);
        Ok(created)
    }

    /// Creates an invitation of an address of its own.
    pub(super) async fn create_new(&self) -> Result<Invitation> {
        self.create(NewInvitation::new(self.address())).await
    }

    /// Makes a member, who is removed at the end of the behaviour; `None` if the provider or the context cannot.
    pub(super) async fn join(&self) -> CaseResult<Option<(&'a dyn MemberProvider, Member)>> {
        let members = self.provider.members();
        let members = members.filter(|_| self.provider.capabilities().members);
        let (Some(members), Some(accept)) = (members, &self.accept) else {
            return Ok(None);
        };
        let email = self.address();
        let invitation = self.create(NewInvitation::new(&email)).await?;
        accept(&email);
        let found = members.find_member(&email).await?;
        let member = found.ok_or_else(|| {
            FailReason(format!(
                "{email} accepted {} and is no member",
                invitation.id
            ))
        })?;
        lock(&self.joined).push(member.id.clone());
        Ok(Some((members, member)))
    }

    /// Registers an invitation for deletion at the end of the behaviour.
    pub(super) fn track(&self, id: &InvitationId) {
        lock(&self.created).push(id.clone());
    }

    /// Runs `work`, and fails if it sends a request and requests are counted.
    pub(super) async fn without_a_request<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> CaseResult<T> {
        let count = || self.requests.as_ref().map(|count| count());
        let before = count();
        let outcome = work.await;
        match (before, count()) {
            (Some(before), Some(after)) if before != after => {
                let sent = after.saturating_sub(before);
                Err(FailReason(format!(
                    "it sent {sent} requests, expected none"
                )))
            }
            _ => Ok(outcome),
        }
    }

    /// Runs a behaviour, and deletes its invitations.
    pub(super) async fn run_case(
        &self,
        behaviour: &'static str,
        run: impl Future<Output = CaseResult>,
    ) -> Result<(), Violation> {
        let result = run.await;
        let joined = std::mem::take(&mut *lock(&self.joined));
        let created = std::mem::take(&mut *lock(&self.created));
        let mut cleanup = Ok(());
        for id in joined {
            let Some(members) = self.provider.members() else {
                continue;
            };
            match members.remove_member(&id).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    cleanup = Err(FailReason(format!(
                        "the member {id} could not be removed: {error}"
                    )));
                }
                _ => {}
            }
        }
        for id in created {
            match self.provider.delete(&id).await {
                // Who accepted has no invitation to delete.
                Err(error)
                    if !matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::AlreadyAccepted
                    ) =>
                {
                    cleanup = Err(FailReason(format!(
                        "the invitation {id} could not be deleted: {error}"
                    )));
                }
                _ => {}
            }
        }
        result
            .and(cleanup)
            .map_err(|FailReason(message)| Violation { behaviour, message })
    }
}

impl fmt::Debug for TestContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestContext")
            .field("provider", &self.provider)
            .field("prefix", &self.prefix)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}
