//! One call: the attempt, what is logged of it, and what its failure means.

use std::time::Instant;

use chrono::Utc;
use progenitor_client::{ByteStream, Error as ClientError, ResponseValue};
use reqwest::StatusCode;
use tracing::Instrument;

use crate::{
    client::{
        Connection, Reply, ReplyInfo, headers,
        reply::{BodyError, read_body},
    },
    error::{Error, ErrorKind, Operation},
};

/// One operation on one subject, over one connection.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub connection: &'a Connection,
    pub operation: Operation,
    pub subject: Option<&'a str>,
}

type Sent = Result<ResponseValue<ByteStream>, ClientError<()>>;

impl Call<'_> {
    /// Awaits what a generated client sends, and reads the reply whole; only a 2xx is `Ok`.
    pub async fn send(&self, sent: impl Future<Output = Sent>) -> Result<Reply, Error> {
        let span = tracing::debug_span!(
            "invitation",
            provider = self.connection.dialect.provider,
            operation = %self.operation,
        );
        self.send_in_span(sent).instrument(span).await
    }

    async fn send_in_span(&self, sent: impl Future<Output = Sent>) -> Result<Reply, Error> {
        let start = Instant::now();
        let outcome = match sent.await {
            Ok(success) => self.read(success).await,
            Err(ClientError::UnexpectedResponse(response)) => {
                self.read(ResponseValue::<ByteStream>::stream(response))
                    .await
            }
            Err(ClientError::CommunicationError(error)) => Err(self.broken(error)),
            Err(other) => {
                let error = self.error(ErrorKind::InvalidInput, "the request cannot be built");
                Err(error.with_source(other.into_untyped()).with_attempts(0))
            }
        };
        let reply = match outcome {
            Ok(reply) => reply,
            Err(error) => {
                tracing::debug!(error.kind = %error.kind(), "no reply");
                return Err(error);
            }
        };
        self.observe(&reply, start);
        if reply.status.is_success() {
            return Ok(reply);
        }
        Err((self.connection.dialect.failure)(self, &reply))
    }

    async fn read(&self, response: ResponseValue<ByteStream>) -> Result<Reply, Error> {
        let (status, headers) = (response.status(), response.headers().clone());
        let limit = self.connection.settings.max_body_bytes;
        let body = read_body(response.into_inner_stream(), limit).await;
        let incomplete = |error: Error| {
            let error = error.with_status(status.as_u16());
            match headers::text(&headers, "x-request-id") {
                Some(id) => error.with_request_id(id),
                None => error,
            }
        };
        match body {
            Ok(body) => Ok(Reply {
                status,
                headers,
                body,
            }),
            Err(BodyError::Broken(error)) => Err(incomplete(self.broken(error))),
            Err(BodyError::TooLarge) => {
                let message = format!("the answer has more than {limit} bytes");
                let error = self.error(ErrorKind::Decode, message);
                Err(incomplete(
                    error.with_may_have_executed(self.changes_state()),
                ))
            }
        }
    }

    fn observe(&self, reply: &Reply, start: Instant) {
        let observer = self.connection.settings.observer.as_ref();
        if observer.is_none() && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let dialect = &self.connection.dialect;
        let request_id = (dialect.request_id)(reply);
        let info = ReplyInfo {
            provider: dialect.provider,
            operation: self.operation,
            status: reply.status.as_u16(),
            request_id: request_id.as_deref(),
            rate_limit: headers::rate_limit(&reply.headers),
            location: reply.header("location"),
            elapsed: start.elapsed(),
        };
        tracing::debug!(
            http.response.status_code = info.status,
            request_id = info.request_id,
            elapsed_ms = info.elapsed.as_millis() as u64,
            "reply"
        );
        if let Some(observer) = observer {
            observer(&info);
        }
    }

    /// Passes an outcome of checking the input on, as an error of this call.
    pub fn check(&self, checked: Result<(), Error>) -> Result<(), Error> {
        checked.map_err(|error| {
            error
                .with_operation(self.operation)
                .with_provider(self.connection.dialect.provider)
        })
    }

    /// Refuses an option that this provider does not have.
    pub fn offered(&self, offered: bool, option: &str) -> Result<(), Error> {
        if offered {
            return Ok(());
        }
        Err(self.refuse(ErrorKind::Unsupported, format!("it has no {option}")))
    }

    /// Whether a success without anything to read is one: no body, or JSON; not a page of a proxy.
    pub fn done(&self, reply: &Reply) -> Result<(), Error> {
        if reply.body.is_empty() || reply.json().is_some() {
            return Ok(());
        }
        let why = "the answer is neither empty nor JSON";
        Err(self
            .error_from(reply, ErrorKind::Decode, why)
            .with_body_excerpt(&reply.body))
    }

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
        let no_refusal = status.is_success() || status.is_server_error();
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
            error = error.with_challenge(challenge);
        }
        error
    }

    /// A reply that is not in the provider's own form: a gateway's page, a redirect.
    ///
    /// Its status still says what to do, except that "not found" is then about the URL and says
    /// nothing of an invitation.
    pub fn foreign(&self, reply: &Reply) -> Error {
        let kind = kind_of_status(reply.status).filter(|kind| *kind != ErrorKind::NotFound);
        let message = match reply.header("location") {
            Some(target) if reply.status.is_redirection() => {
                format!("redirected to {target}, which was not followed; check the base URL")
            }
            _ if reply.body.is_empty() => "the answer has no body".to_owned(),
            _ => "the answer is not in the provider's form; check the base URL and any proxy"
                .to_owned(),
        };
        self.error_from(reply, kind.unwrap_or(ErrorKind::Unexpected), message)
            .with_body_excerpt(&reply.body)
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        let (kind, message) = if error.is_connect() {
            (ErrorKind::Connect, "the server could not be reached")
        } else if error.is_timeout() {
            (ErrorKind::Timeout, "the server did not answer in time")
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

    fn changes_state(&self) -> bool {
        matches!(self.operation, Operation::Create | Operation::Delete)
    }
}

/// What a status means when nothing else is known; `None` where it means nothing to either vendor.
pub(crate) fn kind_of_status(status: StatusCode) -> Option<ErrorKind> {
    Some(match status.as_u16() {
        400 | 422 => ErrorKind::InvalidInput,
        401 => ErrorKind::Unauthenticated,
        402 => ErrorKind::QuotaExceeded,
        403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
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
