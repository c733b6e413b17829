//! Failures that a test injects, and the record of calls.

use crate::{
    address::same_email,
    error::{Error, ErrorKind, Operation},
};

/// A call of a provider in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// What was called.
    pub operation: Operation,
    /// The address or the id that it was about; none of a list.
    pub target: Option<String>,
}

/// A failure that is to happen once, instead of the next call or after it.
///
/// ```
/// use org_invitations::{
///     ErrorKind, InvitationProvider, InvitationProviderExt, NewInvitation, Operation,
///     memory::{Failure, InMemory},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> org_invitations::Result<()> {
/// let organisation = InMemory::new();
/// // The organisation invites the person, and the answer is lost.
/// organisation.fail(Failure::new(ErrorKind::Timeout).on(Operation::Create).after());
/// let error = organisation.create(NewInvitation::new("ann@example.com")).await.unwrap_err();
/// assert!(error.may_have_executed());
/// assert!(organisation.find_by_email("ann@example.com").await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Failure {
    error: Error,
    operation: Option<Operation>,
    target: Option<String>,
    pub(super) is_after: bool,
    pub(super) times: u32,
}

impl Failure {
    /// A failure of this kind, without the call being carried out. As over a network, the error of a call that
    /// changes something [may have been executed](Error::may_have_executed) where the kind leaves that open:
    /// `Timeout`, `Transport`, `Unavailable`, `Decode` and `Unexpected`.
    pub fn new(kind: ErrorKind) -> Self {
        let message = "a failure that the test injected";
        Self::with_error(Error::new(kind, Operation::Validate, message))
    }

    /// This error, for a status, a message or a wait of its own. Its operation and provider are set to those of the
    /// call.
    pub fn with_error(error: Error) -> Self {
        Self {
            error,
            operation: None,
            target: None,
            is_after: false,
            times: 1,
        }
    }

    /// Lets only calls of this operation fail. Default: any.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Lets only calls about this address or id fail. Default: any.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Lets the call be carried out before it fails, as if its answer were lost. Default: it is not carried out.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.is_after = true;
        self
    }

    /// Sets how many calls fail. Default: 1.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    fn matches(&self, operation: Operation, target: Option<&str>) -> bool {
        let same_target = |wanted: &str| target.is_some_and(|found| same_email(wanted, found));
        self.times > 0
            && self.operation.is_none_or(|wanted| wanted == operation)
            && self.target.as_deref().is_none_or(same_target)
    }

    /// The error of a call that fails.
    pub(super) fn error(&self, operation: Operation) -> Error {
        let is_open = matches!(
            self.error.kind(),
            ErrorKind::Timeout
                | ErrorKind::Transport
                | ErrorKind::Unavailable
                | ErrorKind::Decode
                | ErrorKind::Unexpected
        );
        let is_open = self.is_after || is_open && operation.is_mutating();
        let may_have_executed = self.error.may_have_executed() || is_open;
        self.error.clone().with_may_have_executed(may_have_executed)
    }
}

/// The first failure that matches a call, counted down.
pub(super) fn take(
    failures: &mut Vec<Failure>,
    operation: Operation,
    target: Option<&str>,
) -> Option<Failure> {
    let mut matching = failures.iter_mut();
    let found = matching.find(|failure| failure.matches(operation, target))?;
    found.times -= 1;
    let taken = found.clone();
    failures.retain(|failure| failure.times > 0);
    Some(taken)
}
