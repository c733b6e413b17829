//! An organisation in memory (feature `memory`): a provider for tests of programs that do not want HTTP.
//!
//! [`InMemory`] is an [`InvitationProvider`] and a [`MemberProvider`] with invitations,
//! members, roles and API keys. It passes the suite that every provider is put through. Clones share one
//! organisation, so a test keeps a clone, gives another to the program, and then accepts invitations, moves the
//! clock, injects failures, and reads the calls:
//!
//! ```
//! use std::time::Duration;
//!
//! use org_invitations::{
//!     ErrorKind, InvitationProvider, InvitationStatus, MemberProviderExt, NewInvitation, Operation,
//!     memory::{Failure, InMemory},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let organisation = InMemory::builder()
//!     .member("root@example.com", ["Admin"])
//!     .invitation(NewInvitation::new("bob@example.com"))
//!     .build()?;
//!
//! organisation.fail(Failure::new(ErrorKind::Unavailable).on(Operation::Create));
//! let ann = || NewInvitation::new("ann@example.com").roles(["Developer"]);
//! assert_eq!(organisation.create(ann()).await.unwrap_err().kind(), ErrorKind::Unavailable);
//!
//! organisation.create(ann()).await?;
//! organisation.accept("ann@example.com")?;
//! assert!(organisation.find_member("ann@example.com").await?.is_some());
//!
//! organisation.advance(Duration::from_secs(8 * 24 * 60 * 60));
//! let bob = organisation.get(&"i-1".parse()?).await?;
//! assert_eq!(bob.status, Some(InvitationStatus::Expired));
//! # Ok(())
//! # }
//! ```
//!
//! A test of what goes over the wire needs the sandbox: see [testing](crate::guide::testing).

mod builder;
mod failure;
mod members;
mod organization;
mod pages;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use self::organization::Organization;
pub use self::{
    builder::InMemoryBuilder,
    failure::{Call, Failure},
};
use crate::{
    capabilities::Capabilities,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    list::{ListQuery, Page, PageToken},
    lock::lock,
    member::{Member, MemberProvider},
    provider::InvitationProvider,
};

/// An organisation in memory. Clones share it.
///
/// What it offers is a matter of its [capabilities](InMemoryBuilder::capabilities); by default, everything. Ids count
/// from 1: the first invitation is `i-1`, and its user, who is a member after the acceptance, `u-1`. Addresses
/// compare as [`normalize_email`](crate::normalize_email) has them. An invitation expires after [seven
/// days](InMemoryBuilder::valid_for) of its own [clock](Self::now). Nothing is sent, so
/// [`CallOptions`](crate::CallOptions) have no effect.
///
/// ```
/// use org_invitations::{InvitationProvider, NewInvitation, memory::InMemory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> org_invitations::Result<()> {
/// let organisation = InMemory::new();
/// let ann = organisation.create(NewInvitation::new("ann@example.com")).await?;
/// assert_eq!(ann.id.as_str(), "i-1");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct InMemory {
    organization: Arc<Mutex<Organization>>,
    capabilities: Arc<Capabilities>,
}

impl InMemory {
    /// The name in errors and logs.
    pub const NAME: &'static str = "memory";

    /// An empty organisation that offers everything, with the roles `Admin` and `Developer`.
    pub fn new() -> Self {
        Self::over(Organization::default())
    }

    /// Sets up an organisation with other capabilities, people, roles or time.
    pub fn builder() -> InMemoryBuilder {
        InMemoryBuilder::default()
    }

    fn over(organization: Organization) -> Self {
        Self {
            capabilities: Arc::new(organization.capabilities.clone()),
            organization: Arc::new(Mutex::new(organization)),
        }
    }

    /// Accepts the invitation of an address, as the invitee would: the person is a member, with the roles of the
    /// invitation. Without [`reports_status`](Capabilities::reports_status), the invitation is gone then.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound): no invitation of the address can be accepted.
    pub fn accept(&self, email: &str) -> Result<Member> {
        self.lock().accept(email)
    }

    /// Moves the clock forward; invitations expire. It stands still otherwise.
    pub fn advance(&self, by: Duration) {
        self.lock().advance(by);
    }

    /// The time by the organisation's clock. It begins at the time of the [build](InMemoryBuilder::build), unless
    /// [another](InMemoryBuilder::starts_at) is set.
    pub fn now(&self) -> DateTime<Utc> {
        self.lock().now
    }

    /// Injects a failure. Of several that match a call, the one that was injected first happens.
    pub fn fail(&self, failure: Failure) {
        self.lock().failures.push(failure);
    }

    /// The number of injected failures that have yet to happen, each as often as it is to happen.
    pub fn remaining_failures(&self) -> usize {
        let times = |failure: &Failure| usize::try_from(failure.times).unwrap_or(usize::MAX);
        self.lock().failures.iter().map(times).sum()
    }

    /// The calls so far, oldest first. A call that was refused for its input or for a lack of
    /// [capabilities](InMemoryBuilder::capabilities), before a server would have seen it, is none.
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, NewInvitation, Operation, memory::InMemory};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> org_invitations::Result<()> {
    /// let organisation = InMemory::new();
    /// organisation.create(NewInvitation::new("ann@example.com")).await?;
    /// organisation.create(NewInvitation::new("nobody")).await.unwrap_err();
    /// let calls = organisation.calls();
    /// assert_eq!(calls.len(), 1);
    /// assert_eq!(calls[0].operation, Operation::Create);
    /// assert_eq!(calls[0].target.as_deref(), Some("ann@example.com"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Organization> {
        lock(&self.organization)
    }

    /// Makes a call: records it, and runs `work` unless a failure comes before it.
    fn call<T>(
        &self,
        operation: Operation,
        target: Option<&str>,
        work: impl FnOnce(&mut Organization) -> Result<T>,
    ) -> Result<T> {
        let mut organization = self.lock();
        organization.calls.push(Call {
            operation,
            target: target.map(str::to_owned),
        });
        let failure = failure::take(&mut organization.failures, operation, target);
        let outcome = match &failure {
            Some(failure) if !failure.is_after => Err(failure.error(operation)),
            Some(failure) => work(&mut organization).and_then(|_| Err(failure.error(operation))),
            None => work(&mut organization),
        };
        outcome
            .map_err(|error| error.with_attempts(1))
            .map_err(named(operation, target))
    }

    /// Refuses what the capabilities do not offer.
    fn require(
        &self,
        is_offered: bool,
        what: &str,
        operation: Operation,
        target: Option<&str>,
    ) -> Result<()> {
        if is_offered {
            return Ok(());
        }
        let message = format!("the provider has no {what}");
        let error = Error::new(ErrorKind::Unsupported, operation, message);
        Err(named(operation, target)(error))
    }

    /// What can be checked of an invitation before it is made.
    fn check_new(&self, new: &NewInvitation) -> Result<()> {
        let checked = new.check(&self.capabilities);
        checked.map_err(named(Operation::Create, Some(&new.email)))?;
        let unknown = new.extra.keys().next();
        let property = format!("property `{}`", unknown.map_or("", String::as_str));
        let target = Some(new.email.as_str());
        self.require(unknown.is_none(), &property, Operation::Create, target)
    }
}

/// Adds the provider, the operation and its target to an error.
fn named(operation: Operation, target: Option<&str>) -> impl Fn(Error) -> Error {
    move |error| {
        let error = error
            .with_provider(InMemory::NAME)
            .with_operation(operation);
        match target {
            Some(target) => error.with_target(target),
            None => error,
        }
    }
}

#[async_trait]
impl InvitationProvider for InMemory {
    fn capabilities(&self) -> Capabilities {
        (*self.capabilities).clone()
    }

    fn members(&self) -> Option<&dyn MemberProvider> {
        let members: &dyn MemberProvider = self;
        self.capabilities.members.then_some(members)
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        self.check_new(&new)?;
        self.call(Operation::Create, Some(&new.email), |organization| {
            organization.create(&new)
        })
    }

    async fn check(&self, new: &NewInvitation) -> Result<()> {
        self.check_new(new)?;
        let checked = self.lock().resolve(new.roles.as_ref()).map(drop);
        checked.map_err(named(Operation::Create, Some(&new.email)))
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        self.call(Operation::Get, Some(id.as_str()), |organization| {
            organization.get(id)
        })
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let named = named(Operation::List, None);
        query.check(&self.capabilities).map_err(&named)?;
        if let Some(name) = query.extra.keys().next() {
            let what = format!("query parameter `{name}`");
            self.require(false, &what, Operation::List, None)?;
        }
        let after = pages::position(token).map_err(&named)?;
        self.call(Operation::List, None, |organization| {
            Ok(organization.list(query, after))
        })
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        self.call(Operation::Delete, Some(id.as_str()), |organization| {
            organization.delete(id)
        })
    }
}

impl Default for InMemory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAME)
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let organization = self.lock();
        f.debug_struct("InMemory")
            .field("invitations", &organization.invitations.len())
            .field("members", &organization.members.len())
            .field("now", &organization.now)
            .finish_non_exhaustive()
    }
}
