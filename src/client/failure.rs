//! What the failure of a call means, as far as the vendors agree.

use bytes::Bytes;
use chrono::Utc;
use reqwest::StatusCode;

use crate::{
    client::{Call, Reply, headers},
    error::{Error, ErrorKind, Operation},
};

/// What is said of a server that is too slow.
pub(crate) const LATE: &str = "the server did not answer in time";

impl Call<'_> {
    /// An error of this call, after one request.
    pub fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let error = Error::new(kind, self.operation, message)
            .with_provider(self.connection.dialect.provider)
            .with_attempts(1);
        match self.subject {
            Some(subject) => error.with_subject(subject),
            None => error,
        }
    }

    /// An error of this call, before any request.
    pub fn refuse(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.error(kind, message).with_attempts(0)
    }

    /// An error that a reply stands behind: everything that its status and headers say.
    pub fn error_from(&self, reply: &Reply, kind: ErrorKind, message: impl Into<String>) -> Error {
        let status = reply.status;
        // "Done, see elsewhere" is no refusal; "ask elsewhere" (307, 308) is.
        let elsewhere = matches!(status.as_u16(), 300..=303);
        let no_refusal = status.is_success() || status.is_server_error() || elsewhere;
        let mut error = self
            .error(kind, message)
            .with_status(status.as_u16())
            .with_may_have_executed(self.changes_state() && no_refusal);
        if let Some(id) = (self.connection.dialect.request_id)(reply) {
            error = error.with_request_id(id);
        }
        if let Some(limit) = headers::rate_limit(&reply.headers) {
            error = error.with_rate_limit(limit);
        }
        if let Some(delay) = headers::retry_after(&reply.headers, Utc::now()) {
            error = error.with_retry_after(delay);
        }
        if let Some(challenge) = reply.header("www-authenticate") {
            error = error.with_challenge(self.connection.authorization.redact(challenge));
        }
        error
    }

    /// A reply that is not in the provider's own form: a gateway's page, a redirect.
    ///
    /// Its status still says what to do, except that "not found" is then about the URL and says
    /// nothing of an invitation.
    pub fn foreign(&self, reply: &Reply) -> Error {
        let kind = kind_of_status(reply.status, self.operation)
            .filter(|kind| *kind != ErrorKind::NotFound);
        let message = match reply.header("location") {
            Some(target) if reply.status.is_redirection() => {
                let target = self.connection.authorization.redact(target);
                format!("redirected to {target}, which was not followed; check the base URL")
            }
            _ if reply.body.is_empty() => "the answer has no body".to_owned(),
            _ => "the answer is not in the provider's form; check the base URL and any proxy"
                .to_owned(),
        };
        self.error_from(reply, kind.unwrap_or(ErrorKind::Unexpected), message)
            .with_body_excerpt(&reply.body)
    }

    /// A body that goes into errors, without the secrets that were sent.
    pub fn redacted(&self, body: &[u8]) -> Bytes {
        let text = String::from_utf8_lossy(body);
        self.connection.authorization.redact(&text).into()
    }

    /// A success that broke off within its body.
    pub fn broken_within(&self, reply: &Reply, error: reqwest::Error) -> Error {
        let broken = self.broken(error);
        let error = self.error_from(reply, broken.kind(), broken.message());
        error.with_source(broken)
    }

    /// A request that got no whole answer.
    pub fn broken(&self, error: reqwest::Error) -> Error {
        let (kind, message) = if error.is_connect() {
            (ErrorKind::Connect, "the server could not be reached")
        } else if error.is_timeout() {
            (ErrorKind::Timeout, LATE)
        } else {
            (
                ErrorKind::Transport,
                "the connection broke before the answer was complete",
            )
        };
        let message = match root_cause(&error) {
            Some(cause) => format!("{message}: {cause}"),
            None => message.to_owned(),
        };
        self.error(kind, message)
            .with_may_have_executed(kind != ErrorKind::Connect && self.changes_state())
            .with_source(error.without_url())
    }

    /// Whether carrying it out twice, or not knowing, matters.
    pub fn changes_state(&self) -> bool {
        matches!(self.operation, Operation::Create | Operation::Delete)
    }
}

/// What a status means when nothing else is known; `None` where it means nothing to either vendor.
pub(crate) fn kind_of_status(status: StatusCode, operation: Operation) -> Option<ErrorKind> {
    Some(match status.as_u16() {
        400 | 422 => ErrorKind::InvalidInput,
        401 => ErrorKind::Unauthenticated,
        402 => ErrorKind::QuotaExceeded,
        403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 if operation == Operation::Create => ErrorKind::AlreadyExists,
        429 => ErrorKind::RateLimited,
        500 | 502 | 503 | 504 => ErrorKind::Unavailable,
        _ => return None,
    })
}

/// The innermost error, which is the one that says what happened.
fn root_cause(error: &reqwest::Error) -> Option<String> {
    let mut cause = std::error::Error::source(error)?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}
