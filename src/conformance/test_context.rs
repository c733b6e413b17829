//! The provider under test, and what a behaviour may use of it.

use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::report::{Verdict, Violation, Why};
use crate::{
    error::{ErrorKind, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    provider::InvitationProvider,
    role::RoleGrant,
};

/// A provider to put through the suite.
pub struct TestContext<'a> {
    pub(super) provider: &'a dyn InvitationProvider,
    pub(super) roles: Vec<RoleGrant>,
    pub(super) legacy_role: Option<String>,
    prefix: String,
    domain: String,
    requests: Option<Box<dyn Fn() -> usize + Send + Sync + 'a>>,
    addresses: AtomicU64,
    made: Mutex<Vec<InvitationId>>,
}

impl<'a> TestContext<'a> {
    /// A provider whose organisation may get invitations. Behaviours of one subject must not run at
    /// the same time.
    pub fn new(provider: &'a dyn InvitationProvider) -> Self {
        Self {
            provider,
            roles: Vec::new(),
            legacy_role: Some("developer".to_owned()),
            prefix: format!("conformance-{:012x}", fastrand::u64(..1 << 48)),
            domain: "example.com".to_owned(),
            requests: None,
            addresses: AtomicU64::new(0),
            made: Mutex::new(Vec::new()),
        }
    }

    /// Invites addresses that begin so. Default: `conformance-` and a number that is random.
    #[must_use]
    pub fn email_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Invites addresses of this domain. Default: `example.com`, which gets no mail.
    #[must_use]
    pub fn email_domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self
    }

    /// How many requests the server has received so far, to see that a refusal cost none. Default: not
    /// known, and not looked at.
    #[must_use]
    pub fn count_requests(mut self, count: impl Fn() -> usize + Send + Sync + 'a) -> Self {
        self.requests = Some(Box::new(count));
        self
    }

    /// Roles that the organisation has. Default: none, and then only an empty list of roles is tried.
    #[must_use]
    pub fn roles<I, T>(mut self, grants: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<RoleGrant>,
    {
        self.roles = grants.into_iter().map(Into::into).collect();
        self
    }

    /// A legacy role that the organisation takes, or `None` where it takes none any more. Default:
    /// `developer`.
    #[must_use]
    pub fn legacy_role(mut self, role: Option<&str>) -> Self {
        self.legacy_role = role.map(str::to_owned);
        self
    }

    /// An address that was not used before, in lower case.
    pub(super) fn address(&self) -> String {
        let number = self.addresses.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}@{}", self.prefix, self.domain).to_lowercase()
    }

    /// Creates an invitation that is deleted when the behaviour is done.
    pub(super) async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let made = self.provider.create(new).await?;
        self.made(&made.id);
        Ok(made)
    }

    /// Notes what is to be deleted.
    pub(super) fn made(&self, id: &InvitationId) {
        let mut made = self
            .made
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        made.push(id.clone());
    }

    /// The outcome of something that must not cost a request, where that can be seen.
    pub(super) async fn without_a_request<T>(&self, work: impl Future<Output = T>) -> Verdict<T> {
        let count = || self.requests.as_ref().map(|count| count());
        let before = count();
        let outcome = work.await;
        match (before, count()) {
            (Some(before), Some(after)) if before != after => {
                let sent = after.saturating_sub(before);
                Err(Why(format!(
                    "it sent {sent} requests, and should have sent none"
                )))
            }
            _ => Ok(outcome),
        }
    }

    /// Runs a behaviour, and deletes what it made.
    pub(super) async fn judge(
        &self,
        behaviour: &'static str,
        run: impl Future<Output = Verdict>,
    ) -> Result<(), Violation> {
        let verdict = run.await;
        let made = std::mem::take(
            &mut *self
                .made
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        );
        let mut left = Ok(());
        for id in made {
            match self.provider.delete(&id).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    left = Err(Why(format!(
                        "the invitation {id} could not be deleted: {error}"
                    )));
                }
                _ => {}
            }
        }
        verdict
            .and(left)
            .map_err(|Why(message)| Violation { behaviour, message })
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
