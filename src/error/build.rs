//! The construction of errors.

use std::{borrow::Cow, error::Error as StdError, sync::Arc, time::Duration};

use crate::{
    call::RateLimit,
    error::{
        Error, ErrorDetail, ErrorKind, Inner, Operation,
        excerpt::{EXCERPT_BYTES, excerpt, truncate_message},
    },
    invitation::InvitationId,
};

/// The largest number of entries of an error.
const MAX_DETAILS: usize = 50;

impl Error {
    /// Creates an error of `kind` for `operation`. At most 2 KiB of the message are kept.
    ///
    /// The `with_…` methods add further properties, also for providers outside this crate.
    pub fn new(kind: ErrorKind, operation: Operation, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            provider: None,
            operation,
            target: None,
            message: truncate_message(message.into()),
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
            cause: None,
        }))
    }

    /// Changes the kind of the error.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Sets the name of the provider.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Into<Cow<'static, str>>) -> Self {
        self.0.provider = Some(provider.into());
        self
    }

    /// Changes the attempted operation.
    #[must_use]
    pub fn with_operation(mut self, operation: Operation) -> Self {
        self.0.operation = operation;
        self
    }

    /// Sets the target of the operation.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.0.target = Some(target.into());
        self
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets the provider's own error code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(excerpt(&code.into()));
        self
    }

    /// Sets the request id.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(excerpt(&request_id.into()));
        self
    }

    /// Sets the entries of the error. The first 50 are kept, with at most 200 bytes of each text.
    #[must_use]
    pub fn with_details(mut self, mut details: Vec<ErrorDetail>) -> Self {
        details.truncate(MAX_DETAILS);
        for detail in &mut details {
            detail.truncate();
        }
        self.0.details = details;
        self
    }

    /// Sets the id of the conflicting invitation.
    #[must_use]
    pub fn with_conflicting_id(mut self, id: InvitationId) -> Self {
        self.0.conflicting_id = Some(id);
        self
    }

    /// Sets the delay that the server asked for.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Sets the rate limit that the server reported.
    #[must_use]
    pub fn with_rate_limit(mut self, rate_limit: RateLimit) -> Self {
        self.0.rate_limit = Some(rate_limit);
        self
    }

    /// Sets the `WWW-Authenticate` header of a 401.
    #[must_use]
    pub fn with_challenge(mut self, challenge: impl Into<String>) -> Self {
        self.0.challenge = Some(excerpt(&challenge.into()));
        self
    }

    /// Sets the body that could not be read. At most 200 bytes are kept.
    #[must_use]
    pub fn with_body_excerpt(mut self, body: &[u8]) -> Self {
        let head = &body[..body.len().min(EXCERPT_BYTES)];
        self.0.body_excerpt = Some(String::from_utf8_lossy(head).into_owned());
        self
    }

    /// Leaves the body that could not be read out of the error.
    #[must_use]
    pub(crate) fn without_body_excerpt(mut self) -> Self {
        self.0.body_excerpt = None;
        self
    }

    /// Sets the number of requests sent.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets whether the server may have executed the operation.
    #[must_use]
    pub fn with_may_have_executed(mut self, may_have_executed: bool) -> Self {
        self.0.may_have_executed = may_have_executed;
        self
    }

    /// Sets the [cause](Self::cause) of the error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(Arc::from(source.into()));
        self
    }

    /// Sets a source that another error shares.
    #[must_use]
    pub(crate) fn with_shared_source(
        mut self,
        source: Option<Arc<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.cause = source;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::excerpt::MESSAGE_BYTES;

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
        let text = format!("{error} {error:?}");
        assert!(text.len() < 64 << 10, "{} bytes", text.len());
        let short = Error::new(ErrorKind::Unexpected, Operation::List, "no").with_code("c");
        assert_eq!((short.message(), short.code()), ("no", Some("c")));
    }
}
