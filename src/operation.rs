//! One operation of the facade: its errors, and what the results of the bindings mean for it.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use progenitor_client::{Error as ClientError, ResponseValue};
use reqwest::{StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tracing::Span;

use crate::{
    address::same_email,
    decode::parse,
    error::{Error, ErrorKind, LONG_WAIT, Operation, Result, excerpt},
    extra::Extra,
    http::{
        CallState, HttpClient, OperationSpec, Reply, TransportError, TransportErrorKind, headers,
    },
    invitation::{Invitation, InvitationId},
    list::{ListQuery, Page},
};

/// Reads a reply that is no success.
pub(crate) type ReadFailure = fn(&OperationContext<'_>, &Reply) -> Error;

/// One operation on one target, over one client. Every error that it makes says how many requests were sent for
/// it so far, and whether one of them may have been executed.
pub(crate) struct OperationContext<'a> {
    pub client: &'a HttpClient,
    pub operation: Operation,
    /// What the operation is about, for messages.
    pub target: Option<&'a str>,
    /// What was sent and came back, shared with the transport.
    pub call: Arc<CallState>,
    read_failure: ReadFailure,
}

/// A success, decoded as a type of the bindings.
pub(crate) struct Success<T> {
    /// The value, or why the body is not of that type.
    pub value: Result<T, String>,
    pub reply: Reply,
}

impl<T: DeserializeOwned> Success<T> {
    fn decode(reply: Reply) -> Self {
        let value = parse(&reply.body).map_err(|error| error.to_string());
        Self { value, reply }
    }
}

impl<'a> OperationContext<'a> {
    pub fn new(
        client: &'a HttpClient,
        read_failure: ReadFailure,
        operation: Operation,
        target: Option<&'a str>,
    ) -> Self {
        let call = client.start_call();
        // An exchange of tokens changes nothing, although it is a POST.
        let call = match operation {
            Operation::Authenticate => call.safe(),
            _ => call,
        };
        Self {
            client,
            operation,
            target,
            call: Arc::new(call),
            read_failure,
        }
    }

    /// The span of the operation, within which everything that it sends happens.
    pub fn span(&self) -> Span {
        tracing::info_span!(
            "invitation",
            otel.kind = "client",
            provider = self.client.service.name,
            operation = %self.operation,
        )
    }

    /// Adds operation and provider to the error of a check of the input.
    pub fn with_context<T>(&self, checked: Result<T>) -> Result<T> {
        checked.map_err(|error| {
            error
                .with_operation(self.operation)
                .with_provider(self.client.service.name)
        })
    }

    /// Refuses an option that this provider does not have.
    pub fn require_supported(&self, supported: bool, option: &str) -> Result<()> {
        if supported {
            return Ok(());
        }
        Err(self.error(ErrorKind::Unsupported, format!("it has no {option}")))
    }

    /// Sends these query parameters too, after checking that the operation has them.
    ///
    /// # Errors
    ///
    /// The document has no such parameter, or it is one of `fields`, which are set otherwise.
    pub fn with_query(
        mut self,
        operations: &[OperationSpec],
        operation: &str,
        query: &BTreeMap<String, String>,
        fields: &[&str],
    ) -> Result<Self> {
        if query.is_empty() {
            return Ok(self);
        }
        let mut known = operations.iter().filter(|spec| spec.name == operation);
        let known = known.next().map_or(&[][..], |spec| spec.queries);
        for name in query.keys().map(String::as_str) {
            self.refuse_field(name, fields)?;
            let option = format!("query parameter `{name}`");
            self.require_supported(known.contains(&name), &option)?;
        }
        let call = self.client.start_call().with_query(query.clone());
        self.call = Arc::new(call);
        Ok(self)
    }

    /// A request body of `fields` and further properties, which may be none of `names`.
    ///
    /// # Errors
    ///
    /// A property is not of the type that the document gives it, or one that it requires is missing.
    pub fn request_body<T: DeserializeOwned>(
        &self,
        fields: Map<String, Value>,
        extra: &Extra,
        names: &[&str],
    ) -> Result<T> {
        for name in extra.keys() {
            self.refuse_field(name, names)?;
        }
        let mut body = Map::from(extra.clone());
        body.extend(fields);
        self.complete(serde_json::from_value(Value::Object(body)))
    }

    /// Accepts an invitation that was asked for by its id.
    pub fn expect_id(&self, asked: &InvitationId, found: Invitation) -> Result<Invitation> {
        if found.id == *asked {
            return Ok(found);
        }
        let other = excerpt(found.id.as_str());
        if is_respelt(asked.as_str(), found.id.as_str()) {
            let message = format!("no invitation has this id; spelt otherwise, {other} is one");
            return Err(self.error(ErrorKind::NotFound, message));
        }
        let message = format!("the answer is about another invitation: {other}");
        Err(self.error(ErrorKind::Decode, message))
    }

    /// Accepts an invitation that was created for an address.
    pub fn expect_address(&self, asked: &str, created: Invitation) -> Result<Invitation> {
        if same_email(asked, &created.email) {
            return Ok(created);
        }
        // Whether somebody else was invited, or nobody, the answer does not say.
        self.mark_ambiguous();
        let message = format!(
            "the answer is about another address: {}",
            excerpt(&created.email)
        );
        Err(self.error(ErrorKind::Decode, message))
    }

    /// Leaves out of a page what the query did not ask for: the server ignored a filter.
    pub fn drop_mismatches(&self, query: &ListQuery, page: &mut Page) {
        let before = page.items.len();
        let asked_for =
            |item: &Result<Invitation>| item.as_ref().map_or(true, |it| query.matches(it));
        page.items.retain(asked_for);
        let dropped = before - page.items.len();
        if dropped > 0 {
            // It counts what was not asked for.
            page.total = None;
            tracing::warn!(
                provider = self.client.service.name,
                dropped,
                "the server returned invitations that the filter does not match; they are left out"
            );
        }
    }

    /// Accepts a request that has all that the document requires.
    pub fn complete<T, E: fmt::Display>(&self, body: Result<T, E>) -> Result<T> {
        body.map_err(|error| {
            let message = format!("the document asks for another request: {error}");
            self.error(ErrorKind::InvalidInput, message)
        })
    }

    /// Accepts a request body without properties that the document does not have.
    pub fn require_known<'n>(&self, unknown: impl IntoIterator<Item = &'n String>) -> Result<()> {
        match unknown.into_iter().next() {
            Some(name) => self.require_supported(false, &format!("property `{name}`")),
            None => Ok(()),
        }
    }

    fn refuse_field(&self, name: &str, fields: &[&str]) -> Result<()> {
        if !fields.contains(&name) {
            return Ok(());
        }
        let message = format!("`{name}` has a field of its own");
        Err(self.error(ErrorKind::InvalidInput, message))
    }

    /// What the bindings make of a reply, without sending anything.
    #[cfg(any(test, fuzzing))]
    pub fn decoded<T: DeserializeOwned>(&self, reply: Reply) -> Result<Success<T>> {
        self.accept(reply).map(Success::decode)
    }

    /// The success that a request of the bindings ended with, decoded as the type that the bindings give it.
    ///
    /// # Errors
    ///
    /// As those of [`reply`](Self::reply).
    pub fn outcome<T: DeserializeOwned, E>(
        &self,
        sent: Result<ResponseValue<T>, ClientError<E>>,
    ) -> Result<Success<T>> {
        self.reply(sent).map(Success::decode)
    }

    /// The reply that a request of the bindings ended with, if that is a success.
    ///
    /// # Errors
    ///
    /// A failure of the transport, or what the provider makes of a reply that is no success.
    pub fn reply<T, E>(&self, sent: Result<ResponseValue<T>, ClientError<E>>) -> Result<Reply> {
        // The transport leaves the reply in the call, whatever the bindings return.
        match (self.call.take_reply(), sent) {
            (Some(reply), _) => self.accept(reply),
            (
                None,
                Err(
                    ClientError::CommunicationError(error)
                    | ClientError::ResponseBodyError(error)
                    | ClientError::InvalidUpgrade(error),
                ),
            ) => Err(self.communication_error(error)),
            (None, Err(ClientError::InvalidRequest(why) | ClientError::Custom(why))) => {
                Err(self.error(ErrorKind::InvalidInput, why))
            }
            (None, _) => {
                let lost = "the answer was not handed over";
                Err(self.error(ErrorKind::Unexpected, lost))
            }
        }
    }

    fn accept(&self, reply: Reply) -> Result<Reply> {
        if reply.status.is_success() {
            Ok(reply)
        } else {
            Err((self.read_failure)(self, &reply))
        }
    }

    /// The server's time at which it answered: its `Date` or, without one, this machine's time and what is known of the
    /// difference. What a provider derives from the time is then right whatever this machine's clock shows.
    pub fn server_time(&self, reply: &Reply) -> DateTime<Utc> {
        let date = headers::date(&reply.headers);
        date.unwrap_or_else(|| self.client.clock_skew.server_time(Utc::now()))
    }

    /// Accepts the answer to a delete: 200 or 204, and no body or JSON that tells of no failure. "Accepted" (202) and
    /// the other successes say that something is still to be done, or was done in part.
    pub fn expect_deleted(&self, reply: &Reply) -> Result<()> {
        if !matches!(reply.status.as_u16(), 200 | 204) {
            let why = "the answer does not say that it is deleted";
            return Err(self.error_from_reply(reply, ErrorKind::Unexpected, why));
        }
        if reply.body.is_empty() {
            return Ok(());
        }
        let Some(body) = reply.json() else {
            return Err(self.decode_error(reply, "the answer is neither empty nor JSON"));
        };
        if tells_of_failure(|name| body.get(name)) {
            return Err(self.decode_error(reply, FAILURE_IN_SUCCESS));
        }
        Ok(())
    }

    /// Accepts a get or create whose body has, beside the invitation, no property that reports a failure; `unknown`
    /// holds the properties that the bindings do not know.
    pub fn expect_no_failure(&self, reply: &Reply, unknown: &Map<String, Value>) -> Result<()> {
        if !unknown.is_empty() && tells_of_failure(|name| unknown.get(name)) {
            return Err(self.decode_error(reply, FAILURE_IN_SUCCESS));
        }
        Ok(())
    }

    /// Accepts a list whose envelope tells of no failure: one that does may lack people. A secret that the server
    /// repeats in the request's id is removed.
    pub fn expect_whole<T>(&self, mut page: Page<T>) -> Result<Page<T>> {
        if tells_of_failure(|name| page.extra.get(name)) {
            return Err(self.error(ErrorKind::Decode, FAILURE_IN_SUCCESS));
        }
        page.request_id = self.redact_id(page.request_id);
        Ok(page)
    }

    /// An error of this operation without a reply.
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

    /// An error with everything that the status and headers of a reply say.
    pub fn error_from_reply(
        &self,
        reply: &Reply,
        kind: ErrorKind,
        message: impl Into<String>,
    ) -> Error {
        // Only a refusal that the vendors document says that nothing was executed.
        if self.is_mutating() && !REFUSALS.contains(&reply.status.as_u16()) {
            self.call.mark_ambiguous();
        }
        let mut message = message.into();
        let asked = headers::retry_after(&reply.headers, Utc::now());
        if let Some(wait) = asked.filter(|_| kind == ErrorKind::RateLimited) {
            message = until(&message, wait);
        }
        let error = self.error(kind, message);
        let request_id = reply.request_id(self.client.service.request_id);
        self.with_head(error, reply.status, &reply.headers, request_id)
    }

    /// The error for a reply that is not in the provider's own form: a gateway's page, a redirect.
    ///
    /// Its status still says what to do, except that "not found" is then about the URL and says nothing of an
    /// invitation.
    pub fn unexpected_response(&self, reply: &Reply) -> Error {
        // Whoever wrote it, it is not the vendor who says that nothing was executed.
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

    /// The error for a success whose body is not what the provider documents. What serde says may quote the
    /// body, so only the beginning of it is kept.
    pub fn decode_error(&self, reply: &Reply, why: &str) -> Error {
        let why = excerpt(&self.redact(why));
        self.error_from_reply(reply, ErrorKind::Decode, why)
            .with_body_excerpt(&self.redact_body(&reply.body))
    }

    /// The error of a call without a complete reply.
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
        };
        let facade = match error.wait() {
            Some(wait) => self
                .error(kind, until(error.message(), wait))
                .with_retry_after(wait),
            None => self.error(kind, error.message()),
        };
        let facade = facade.with_shared_source(error.shared_source().cloned());
        match (error.status(), error.headers()) {
            (Some(status), Some(headers)) => {
                let request_id = (self.client.service.request_id)(headers, &[]);
                self.with_head(facade, status, headers, request_id)
            }
            _ => facade,
        }
    }

    /// A text without the secrets that were sent.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.client.authorization.redactor().redact(text)
    }

    /// The id of a request without the secrets that were sent.
    pub fn redact_id(&self, id: Option<String>) -> Option<String> {
        id.map(|id| self.redact(&id).into_owned())
    }

    /// A body that goes into an error, without the secrets that were sent.
    pub fn redact_body(&self, body: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(body);
        self.redact(&text).into_owned().into_bytes()
    }

    /// Leaves it open whether an operation that changes something was executed.
    pub fn mark_ambiguous(&self) {
        if self.is_mutating() {
            self.call.mark_ambiguous();
        }
    }

    /// Whether executing it twice, or not knowing, matters.
    pub fn is_mutating(&self) -> bool {
        is_mutating(self.operation)
    }

    fn communication_error(&self, error: reqwest::Error) -> Error {
        match TransportError::find(&error) {
            Some(error) => self.transport_error(error),
            // The generated code could not build the request.
            None => self.transport_error(&TransportError::from_reqwest(error)),
        }
    }

    /// The token provider's own error, with what it means for this operation.
    fn credentials_error(&self, error: &TransportError) -> Error {
        let source = error.shared_source();
        let own = source.and_then(|source| source.downcast_ref::<Error>());
        let own = own.cloned().unwrap_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                Operation::Authenticate,
                error.message(),
            )
            .with_provider(self.client.service.name)
            .with_shared_source(source.cloned())
        });
        own.with_may_have_executed(self.call.is_ambiguous())
    }

    fn with_head(
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
}

pub(crate) const FAILURE_IN_SUCCESS: &str = "the answer tells of a failure";

/// Whether a body of this property tells of a failure, in spite of the status of its reply.
fn tells_of_failure<'v>(property: impl Fn(&str) -> Option<&'v Value>) -> bool {
    let failed = ["error", "errors"].iter().any(|name| match property(name) {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    });
    let status = property("status").and_then(Value::as_u64);
    failed || status.is_some_and(|status| status >= 300)
}

/// A message about a limit, with the time at which it ends if that is worth a date.
fn until(message: &str, wait: Duration) -> String {
    let end = TimeDelta::from_std(wait)
        .ok()
        .filter(|_| wait >= LONG_WAIT)
        .and_then(|wait| Utc::now().checked_add_signed(wait));
    match end {
        // The next whole second.
        Some(end) => {
            let end = (end + TimeDelta::seconds(1)).format("%Y-%m-%dT%H:%M:%SZ");
            format!("{message}; go on after {end}")
        }
        None => message.to_owned(),
    }
}

/// Whether two ids are one UUID in two spellings, of which a server may take the one for the other.
fn is_respelt(one: &str, other: &str) -> bool {
    let digits = |id: &str| {
        let id = id.to_ascii_lowercase();
        id.trim_start_matches("urn:uuid:")
            .replace(['-', '{', '}'], "")
    };
    digits(one) == digits(other)
}

/// With these statuses, in a vendor's own form, nothing was executed.
const REFUSALS: [u16; 8] = [400, 401, 402, 403, 404, 409, 422, 429];

/// Whether an operation changes something at the server.
fn is_mutating(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Create
            | Operation::Delete
            | Operation::RemoveMember
            | Operation::GrantRole
            | Operation::RevokeRole
    )
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
        // What it is in conflict with, a status does not say.
        409 if is_mutating(operation) => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        500 | 502 | 503 | 504 => ErrorKind::Unavailable,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
