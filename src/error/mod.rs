//! What can go wrong, in one type.

mod kind;

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

pub use self::kind::{ErrorKind, Operation};
pub use crate::http::RateLimit;

use crate::{http::SetupError, invitation::InvitationId};

/// The result of everything fallible in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation: what was attempted, on what, what came back, and what to do about it.
///
/// Decide by [`kind`](Error::kind); the other accessors hold everything else that the server said.
/// `Display` is one line for people, with status and request id, and never holds a secret.
#[derive(Clone)]
pub struct Error(Box<Inner>);

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
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// One entry of a failure that lists several, such as a 422.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The provider's identifier of this occurrence.
    pub id: Option<String>,
    /// The HTTP status that applies to this entry, as the provider wrote it.
    pub status: Option<String>,
    /// The provider's error code.
    pub code: Option<String>,
    /// A short summary that is the same for every occurrence.
    pub title: Option<String>,
    /// What happened this time.
    pub detail: Option<String>,
    /// A JSON pointer to the property of the request body that is at fault.
    pub pointer: Option<String>,
    /// The query parameter that is at fault.
    pub parameter: Option<String>,
}

impl ErrorDetail {
    fn cut(&mut self) {
        for text in [
            &mut self.id,
            &mut self.status,
            &mut self.code,
            &mut self.title,
            &mut self.detail,
            &mut self.pointer,
            &mut self.parameter,
        ]
        .into_iter()
        .flatten()
        {
            *text = excerpt(text);
        }
    }
}

impl Error {
    /// An error of `kind` while attempting `operation`. The first 2 KiB of the message are kept.
    ///
    /// The `with_…` methods add what is known; implementors of a provider of their own use them too.
    pub fn new(kind: ErrorKind, operation: Operation, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            provider: None,
            operation,
            target: None,
            message: cut(message.into()),
            status: None,
            code: None,
            request_id: None,
            details: Vec::new(),
            challenge: None,
            retry_after: None,
            rate_limit: None,
            conflicting_id: None,
            body_excerpt: None,
            attempts: 0,
            may_have_executed: false,
            source: None,
        }))
    }

    /// What the failure means for the caller.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The provider, as it displays itself (`confluent`, `clickhouse`); `None` for values that were
    /// refused before any provider saw them.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// What was attempted.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// What it was attempted on: an id, an email, a variable's name.
    pub fn target(&self) -> Option<&str> {
        self.0.target.as_deref()
    }

    /// What came back, or what is wrong, in words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status, when there was a reply.
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

    /// Every entry of the failure, in order; empty when the provider sent no list.
    pub fn details(&self) -> &[ErrorDetail] {
        &self.0.details
    }

    /// The `WWW-Authenticate` header of a 401.
    pub fn challenge(&self) -> Option<&str> {
        self.0.challenge.as_deref()
    }

    /// How long the server asked to wait (`Retry-After`, seconds or a date), or how long the rate limit is spent.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The allowance that the server reported (`X-RateLimit-*`).
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.0.rate_limit
    }

    /// The invitation that is in the way, from the `Location` of a 409.
    pub fn conflicting_id(&self) -> Option<&InvitationId> {
        self.0.conflicting_id.as_ref()
    }

    /// The first 200 bytes of a body that could not be read.
    pub fn body_excerpt(&self) -> Option<&str> {
        self.0.body_excerpt.as_deref()
    }

    /// How many requests were sent for this operation; 0 when it was refused before sending.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the server may have carried the operation out in spite of the failure.
    ///
    /// `false` is a promise: nothing was created or deleted.
    pub fn may_have_executed(&self) -> bool {
        self.0.may_have_executed
    }

    /// Whether every further call of a run would fail alike for now: the credential does not work, the provider is not
    /// set up right, or the rate limit is spent and [`retry_after`](Self::retry_after) is a minute or more, as that of a
    /// daily quota. The message then says when to go on.
    pub fn is_fatal(&self) -> bool {
        match self.kind() {
            ErrorKind::Unauthenticated | ErrorKind::Config => true,
            ErrorKind::RateLimited => self.retry_after().is_some_and(|wait| wait >= LONG_WAIT),
            _ => false,
        }
    }

    /// Changes what the failure means for the caller.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Names the provider.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Into<Cow<'static, str>>) -> Self {
        self.0.provider = Some(provider.into());
        self
    }

    /// Changes what was attempted.
    #[must_use]
    pub fn with_operation(mut self, operation: Operation) -> Self {
        self.0.operation = operation;
        self
    }

    /// Names what it was attempted on.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.0.target = Some(target.into());
        self
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds the provider's own error code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(excerpt(&code.into()));
        self
    }

    /// Adds the request id.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(excerpt(&request_id.into()));
        self
    }

    /// Adds the entries of a failure that lists several; the first 50 are kept, and at most 200 bytes of each
    /// text in them.
    #[must_use]
    pub fn with_details(mut self, mut details: Vec<ErrorDetail>) -> Self {
        details.truncate(MAX_DETAILS);
        for detail in &mut details {
            detail.cut();
        }
        self.0.details = details;
        self
    }

    /// Adds the invitation that is in the way.
    #[must_use]
    pub fn with_conflicting_id(mut self, id: InvitationId) -> Self {
        self.0.conflicting_id = Some(id);
        self
    }

    /// Adds how long the server asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Adds the allowance that the server reported.
    #[must_use]
    pub fn with_rate_limit(mut self, rate_limit: RateLimit) -> Self {
        self.0.rate_limit = Some(rate_limit);
        self
    }

    /// Adds the `WWW-Authenticate` header of a 401.
    #[must_use]
    pub fn with_challenge(mut self, challenge: impl Into<String>) -> Self {
        self.0.challenge = Some(excerpt(&challenge.into()));
        self
    }

    /// Adds the beginning of a body that could not be read; at most 200 bytes are kept.
    #[must_use]
    pub fn with_body_excerpt(mut self, body: &[u8]) -> Self {
        let head = &body[..body.len().min(EXCERPT_BYTES)];
        self.0.body_excerpt = Some(String::from_utf8_lossy(head).into_owned());
        self
    }

    /// Says how many requests were sent.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Says whether the server may have carried the operation out.
    #[must_use]
    pub fn with_may_have_executed(mut self, may_have_executed: bool) -> Self {
        self.0.may_have_executed = may_have_executed;
        self
    }

    /// Adds the error below this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Adds the error below this one, which another error shares.
    #[must_use]
    pub(crate) fn with_shared_source(
        mut self,
        source: Option<Arc<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = source;
        self
    }
}

/// A client that cannot be set up.
impl From<SetupError> for Error {
    fn from(setup: SetupError) -> Self {
        let error = Self::new(ErrorKind::Config, Operation::Configure, setup.message);
        let mut error = error.with_shared_source(setup.source);
        error.0.target = setup.target.map(str::to_owned);
        error
    }
}

/// How much of a message is kept, in bytes.
const MESSAGE_BYTES: usize = 2_048;

/// How many entries of a failure are kept.
const MAX_DETAILS: usize = 50;

/// A wait that a run does not sit out.
pub(crate) const LONG_WAIT: Duration = Duration::from_secs(60);

/// How much of what came from outside an error repeats.
const EXCERPT_BYTES: usize = 200;

/// The beginning of a text that may be long.
pub(crate) fn excerpt(text: &str) -> String {
    if text.len() <= EXCERPT_BYTES {
        return text.to_owned();
    }
    format!("{}…", beginning(text, EXCERPT_BYTES))
}

/// A message without what is too much of it.
fn cut(message: String) -> String {
    if message.len() <= MESSAGE_BYTES {
        return message;
    }
    let begin = beginning(&message, MESSAGE_BYTES);
    format!("{begin}… ({} bytes more)", message.len() - begin.len())
}

fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
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
        if inner.may_have_executed {
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
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_cut() {
        let long = "é".repeat(1 << 20);
        let entry = "é".repeat(500);
        let detail = ErrorDetail {
            detail: Some(entry.clone()),
            pointer: Some(entry),
            ..ErrorDetail::default()
        };
        let error = Error::new(ErrorKind::Unexpected, Operation::List, long.as_str())
            .with_code(long.as_str())
            .with_request_id(long.as_str())
            .with_challenge(long.as_str())
            .with_details(vec![detail; 1_000]);
        let more = format!("… ({} bytes more)", long.len() - MESSAGE_BYTES);
        assert!(error.message().ends_with(&more), "{}", error.message());
        assert_eq!(error.details().len(), MAX_DETAILS);
        let shown = format!("{error} {error:?}");
        assert!(shown.len() < 64 << 10, "{} bytes", shown.len());
        let short = Error::new(ErrorKind::Unexpected, Operation::List, "no").with_code("c");
        assert_eq!((short.message(), short.code()), ("no", Some("c")));
    }
}
