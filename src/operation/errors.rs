//! The errors of an operation, from responses and from the transport.

use std::{borrow::Cow, time::Duration};

use chrono::{TimeDelta, Utc};
use reqwest::{StatusCode, header::HeaderMap};

use crate::{
    error::{Error, ErrorKind, LONG_WAIT, Operation, excerpt},
    http::{Reply, TransportError, TransportErrorKind, headers},
    operation::OperationContext,
};

/// The statuses that, in a vendor's own form, mean that the request was not executed.
const REJECTION_STATUSES: [u16; 8] = [400, 401, 402, 403, 404, 409, 422, 429];

impl OperationContext<'_> {
    /// An error of this operation without a response.
    pub fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let error = Error::new(kind, self.operation, message)
            .with_provider(self.client.service.name)
            .with_attempts(self.call.attempts())
            .with_may_have_executed(self.call.is_ambiguous());
        match self.target {
            Some(target) => error.with_target(target),
            None => error,
        }
    }

    /// An error with the status and headers of a reply.
    pub fn error_from_reply(
        &self,
        reply: &Reply,
        kind: ErrorKind,
        message: impl Into<String>,
    ) -> Error {
        // Only a documented rejection means that the request was not executed.
        if self.is_mutating() && !REJECTION_STATUSES.contains(&reply.status.as_u16()) {
            self.call.mark_ambiguous();
        }
        let mut message = message.into();
        let requested_delay = headers::retry_after(&reply.headers, Utc::now());
        if let Some(wait) = requested_delay.filter(|_| kind == ErrorKind::RateLimited) {
            message = with_end_time(&message, wait);
        }
        let error = self.error(kind, message);
        let request_id = reply.request_id(self.client.service.request_id);
        self.with_reply_head(error, reply.status, &reply.headers, request_id)
    }

    /// The error for a reply that is not in the provider's own form, such as a gateway's page or a redirect.
    ///
    /// The kind follows from the status, except that "not found" is about the URL, not about an invitation.
    pub fn unexpected_response(&self, reply: &Reply) -> Error {
        // A gateway cannot say that the request was not executed.
        self.mark_ambiguous();
        let kind = kind_of_status(reply.status, self.operation)
            .filter(|kind| *kind != ErrorKind::NotFound);
        let message = match reply.header("location") {
            Some(target) if reply.status.is_redirection() => {
                let target = self.redact(target);
                format!("redirected to {target}, which was not followed; check the base URL")
            }
            _ if reply.body.is_empty() => "the answer has no body".to_owned(),
            _ => "the answer is not in the provider's form; check the base URL and any proxy"
                .to_owned(),
        };
        self.error_from_reply(reply, kind.unwrap_or(ErrorKind::Unexpected), message)
            .with_body_excerpt(&reply.body)
    }

    /// The error for a success whose body is not in the documented form. The message of serde may quote the body, so it
    /// is redacted and truncated.
    pub fn decode_error(&self, reply: &Reply, why: &str) -> Error {
        let why = excerpt(&self.redact(why));
        self.error_from_reply(reply, ErrorKind::Decode, why)
            .with_body_excerpt(&self.redact_body(&reply.body))
    }

    /// The error of a call without a complete response.
    pub fn transport_error(&self, error: &TransportError) -> Error {
        let kind = match error.kind() {
            TransportErrorKind::Credentials => return self.credentials_error(error),
            TransportErrorKind::Connect | TransportErrorKind::Certificate => ErrorKind::Connect,
            TransportErrorKind::RateLimitDeadline if error.wait().is_some() => {
                ErrorKind::RateLimited
            }
            TransportErrorKind::Timeout | TransportErrorKind::RateLimitDeadline => {
                ErrorKind::Timeout
            }
            TransportErrorKind::Transport => ErrorKind::Transport,
            TransportErrorKind::BodyTooLarge => ErrorKind::Decode,
            TransportErrorKind::InvalidRequest => ErrorKind::InvalidInput,
            TransportErrorKind::NoRuntime => ErrorKind::Config,
            TransportErrorKind::CredentialsExpired => ErrorKind::Unauthenticated,
            TransportErrorKind::Intercepted => ErrorKind::PermissionDenied,
        };
        let facade = match error.wait() {
            Some(wait) => self
                .error(kind, with_end_time(error.message(), wait))
                .with_retry_after(wait),
            None => self.error(kind, error.message()),
        };
        let facade = facade.with_shared_source(error.shared_source().cloned());
        match (error.status(), error.headers()) {
            (Some(status), Some(headers)) => {
                let request_id = (self.client.service.request_id)(headers, &[]);
                self.with_reply_head(facade, status, headers, request_id)
            }
            _ => facade,
        }
    }

    pub(super) fn communication_error(&self, error: reqwest::Error) -> Error {
        match TransportError::find(&error) {
            Some(error) => self.transport_error(error),
            // The generated code could not build the request.
            None => self.transport_error(&TransportError::from_reqwest(error)),
        }
    }

    /// The token provider's own error, with the ambiguity of this operation.
    fn credentials_error(&self, error: &TransportError) -> Error {
        let source = error.shared_source();
        let source_error = source.and_then(|source| source.downcast_ref::<Error>());
        let source_error = source_error.cloned().unwrap_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                Operation::Authenticate,
                error.message(),
            )
            .with_provider(self.client.service.name)
            .with_shared_source(source.cloned())
        });
        source_error.with_may_have_executed(self.call.is_ambiguous())
    }

    fn with_reply_head(
        &self,
        mut error: Error,
        status: StatusCode,
        headers: &HeaderMap,
        request_id: Option<String>,
    ) -> Error {
        error = error.with_status(status.as_u16());
        if let Some(id) = request_id {
            error = error.with_request_id(self.redact(&id));
        }
        if let Some(limit) = headers::rate_limit(headers) {
            error = error.with_rate_limit(limit);
        }
        if let Some(delay) = headers::retry_after(headers, Utc::now()) {
            error = error.with_retry_after(delay);
        }
        if let Some(challenge) = headers::text(headers, "www-authenticate") {
            error = error.with_challenge(self.redact(challenge));
        }
        error
    }

    /// Redacts a text.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.client.authorization.redactor().redact(text)
    }

    /// Redacts the id of a request.
    pub fn redact_id(&self, id: Option<String>) -> Option<String> {
        id.map(|id| self.redact(&id).into_owned())
    }

    /// Redacts a body.
    pub fn redact_body(&self, body: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(body);
        self.redact(&text).into_owned().into_bytes()
    }
}

/// A message about a rate limit, with the time at which it ends if the wait is long.
fn with_end_time(message: &str, wait: Duration) -> String {
    let end = TimeDelta::from_std(wait)
        .ok()
        .filter(|_| wait >= LONG_WAIT)
        .and_then(|wait| Utc::now().checked_add_signed(wait));
    match end {
        // Rounds up to a whole second.
        Some(end) => {
            let end = (end + TimeDelta::seconds(1)).format("%Y-%m-%dT%H:%M:%SZ");
            format!("{message}; go on after {end}")
        }
        None => message.to_owned(),
    }
}

/// The kind of an error that has this status; `None` if neither vendor documents it.
pub(crate) fn kind_of_status(status: StatusCode, operation: Operation) -> Option<ErrorKind> {
    Some(match status.as_u16() {
        400 | 422 => ErrorKind::InvalidInput,
        401 => ErrorKind::Unauthenticated,
        402 => ErrorKind::QuotaExceeded,
        403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        // The status does not say what the request conflicts with.
        409 if operation.is_mutating() => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        500 | 502 | 503 | 504 => ErrorKind::Unavailable,
        _ => return None,
    })
}
