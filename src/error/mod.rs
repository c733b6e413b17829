//! The error type of the crate.

mod build;
mod detail;
mod excerpt;
mod kind;
mod serialize;

use std::{
    borrow::Cow, convert::Infallible, error::Error as StdError, fmt, sync::Arc, time::Duration,
};

pub(crate) use self::excerpt::excerpt;
pub use self::{
    detail::ErrorDetail,
    kind::{ErrorKind, Operation},
};
pub use crate::call::RateLimit;

#[cfg(feature = "transport")]
use crate::http::SetupError;
use crate::invitation::InvitationId;

/// The result of the fallible functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation: its kind, operation, target and message, and everything that the server said.
///
/// A program decides by [`kind`](Error::kind). `Display` is one line with status and request id, and never holds a
/// secret.
#[derive(Clone)]
pub struct Error(Box<Inner>);

/// A shared error of any type.
type Cause = Arc<dyn StdError + Send + Sync>;

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    provider: Option<Cow<'static, str>>,
    operation: Operation,
    target: Option<String>,
    message: String,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    details: Vec<ErrorDetail>,
    challenge: Option<String>,
    retry_after: Option<Duration>,
    rate_limit: Option<RateLimit>,
    conflicting_id: Option<InvitationId>,
    body_excerpt: Option<String>,
    attempts: u32,
    may_have_executed: bool,
    cause: Option<Cause>,
}

impl Error {
    /// The kind of the failure, which tells the caller what to do.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the provider (`confluent`, `clickhouse`); `None` if the value failed a check before any provider got
    /// it.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// The attempted operation.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// The target of the operation: an id, an email address, the name of a variable.
    pub fn target(&self) -> Option<&str> {
        self.0.target.as_deref()
    }

    /// The error message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status, if there was a response.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's own error code, such as `resource_already_exists` or `BAD_REQUEST`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The id under which the provider's support finds this request (Confluent: the header
    /// `X-Request-Id`; ClickHouse: `requestId` in the body).
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The entries of the failure, in order; empty if the provider sent no list.
    pub fn details(&self) -> &[ErrorDetail] {
        &self.0.details
    }

    /// The `WWW-Authenticate` header of a 401.
    pub fn challenge(&self) -> Option<&str> {
        self.0.challenge.as_deref()
    }

    /// The delay that the server asked for (`Retry-After`, seconds or a date), or the time until the rate limit
    /// admits a request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The rate limit that the server reported (`X-RateLimit-*`).
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.0.rate_limit
    }

    /// The id of the conflicting invitation, from the `Location` header of a 409 or from a lookup.
    pub fn conflicting_id(&self) -> Option<&InvitationId> {
        self.0.conflicting_id.as_ref()
    }

    /// The first 200 bytes of a body that could not be read.
    pub fn body_excerpt(&self) -> Option<&str> {
        self.0.body_excerpt.as_deref()
    }

    /// The number of requests sent for this operation; 0 if it failed before sending.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The error that led to this one, of whatever type: for a look at an [`io::Error`](std::io::Error), for example.
    /// It is [`source`](StdError::source) too, unless the message of this error has its text already.
    ///
    /// ```
    /// use std::{error::Error as _, io};
    ///
    /// use org_invitations::{Error, ErrorKind, Operation};
    ///
    /// let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
    /// let message = format!("the server could not be reached: {refused}");
    /// let error = Error::new(ErrorKind::Connect, Operation::Get, message).with_source(refused);
    /// let cause: Option<&io::Error> = error.cause().and_then(|cause| cause.downcast_ref());
    /// assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
    /// assert!(error.source().is_none(), "`Display` has it");
    /// ```
    pub fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.0.cause.as_deref()?;
        Some(cause)
    }

    /// Whether the server may have executed the operation despite the failure.
    ///
    /// `false` is a promise: nothing was created or deleted.
    pub fn may_have_executed(&self) -> bool {
        self.0.may_have_executed
    }

    /// Whether the same call may succeed later: the server is away, overloaded, or limits the rate.
    ///
    /// A create that is retried by the caller may invite twice if this one
    /// [may have been executed](Self::may_have_executed):
    /// [`create_if_not_exists`](crate::InvitationProviderExt::create_if_not_exists) looks first.
    ///
    /// ```
    /// use org_invitations::{Error, ErrorKind, Operation};
    ///
    /// let error = |kind| Error::new(kind, Operation::Get, "an example");
    /// assert!(error(ErrorKind::Timeout).is_retryable());
    /// assert!(!error(ErrorKind::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Connect
                | ErrorKind::RateLimited
                | ErrorKind::Timeout
                | ErrorKind::Transport
                | ErrorKind::Unavailable
        )
    }

    /// Whether the vendor says that something is in the way: the person, or what is not known.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict)
    }

    /// Whether every further call of a run would fail too: the credential or the configuration is invalid, or the
    /// rate limit is exhausted for a minute or longer ([`retry_after`](Self::retry_after)), such as a daily quota.
    /// The message then has the time at which to continue.
    pub fn is_fatal(&self) -> bool {
        match self.kind() {
            ErrorKind::Unauthenticated | ErrorKind::Config => true,
            ErrorKind::RateLimited => self.retry_after().is_some_and(|wait| wait >= LONG_WAIT),
            _ => false,
        }
    }
}

/// A rate limit with at least this wait, such as a daily quota, ends a run.
pub(crate) const LONG_WAIT: Duration = Duration::from_secs(60);

/// The error of a client that cannot be built.
#[cfg(feature = "transport")]
impl From<SetupError> for Error {
    fn from(setup: SetupError) -> Self {
        let error = Self::new(ErrorKind::Config, Operation::Configure, setup.message);
        let mut error = error.with_shared_source(setup.source);
        error.0.target = setup.target.map(str::to_owned);
        error
    }
}

/// Lets builders take a value that is converted already.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// `confluent create ann@example.com: already exists: This user … (status 409, code …, request id …)`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(provider) = &inner.provider {
            write!(f, "{provider} ")?;
        }
        write!(f, "{}", inner.operation)?;
        if let Some(target) = &inner.target {
            write!(f, " {target}")?;
        }
        write!(f, ": {}: {}", inner.kind, inner.message)?;
        let mut facts = Vec::new();
        if let Some(status) = inner.status {
            facts.push(format!("status {status}"));
        }
        if let Some(code) = &inner.code {
            facts.push(format!("code {code}"));
        }
        if let Some(request_id) = &inner.request_id {
            facts.push(format!("request id {request_id}"));
        }
        if inner.attempts > 1 {
            facts.push(format!("{} attempts", inner.attempts));
        }
        // What was carried out and what was not, an incomplete change says itself.
        if inner.may_have_executed && inner.kind != ErrorKind::Incomplete {
            facts.push("it may have been carried out".to_owned());
        }
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl StdError for Error {
    /// The [cause](Self::cause), unless `Display` says already what is at its root: a report that prints an error and
    /// its sources prints nothing twice.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause().filter(|cause| !self.tells(*cause))
    }
}

impl Error {
    /// Whether the message has the text of what is at the root of a cause.
    fn tells(&self, cause: &(dyn StdError + 'static)) -> bool {
        let mut root = cause;
        while let Some(deeper) = root.source() {
            root = deeper;
        }
        match root.downcast_ref::<Self>() {
            Some(root) => self.message().contains(root.message()),
            None => self.message().contains(&root.to_string()),
        }
    }
}
