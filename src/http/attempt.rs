//! One attempt: sends the request, reads the whole response within its limits, and reports the result to the rate
//! limiter, the trace and the interceptors.

use std::{borrow::Cow, pin::pin, time::Instant};

use bytes::Bytes;
use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, HeaderValue},
};

use crate::http::{
    BodyError, CallState, HttpClient, Reply, RequestTimeouts, TransportError, TransportErrorKind,
    attempt_report::AttemptReport, headers, limiter::Permit, outgoing::Outgoing, read_body,
    response::redact_headers,
};

/// A complete reply of any status, or the error in its place.
pub(super) type AttemptResult = Result<Reply, TransportError>;

/// One attempt of a call.
pub(super) struct Attempt<'a> {
    pub client: &'a HttpClient,
    pub authorization: Option<&'a HeaderValue>,
    /// The headers that interceptors add.
    pub added: HeaderMap,
    /// How many requests of the call were sent before this one.
    pub resend_count: u32,
    pub call: &'a CallState,
}

impl Attempt<'_> {
    pub async fn send(
        &self,
        outgoing: &mut Outgoing,
        permit: Permit<'_>,
        report: Option<AttemptReport<'_>>,
    ) -> AttemptResult {
        let start = Instant::now();
        let waited = permit.waited();
        let options = self.call.options();
        let timeouts = RequestTimeouts::new(&self.client.options, options.timeout);
        let timeouts = timeouts.until(self.call.deadline());
        let result = {
            let follow = pin!(
                self.client
                    .follow(outgoing, self.authorization, &self.added)
            );
            match timeouts.wait(follow).await {
                Ok(Ok(response)) => self.read(response, &timeouts).await,
                Ok(Err(error)) => Err(error),
                Err(_) => Err(TransportError::timeout()),
            }
        };
        if let Some(report) = report {
            report.finish(&result);
        }
        let elapsed = start.elapsed();
        report_rate_limit(permit, &result).await;
        let error_type = error_type(&result);
        record_outcome(self.resend_count + 1, error_type.as_deref());
        tracing::debug!(
            http.request.method = outgoing.method().as_str(),
            http.request.resend_count = self.resend_count,
            http.response.status_code = status(&result).map(|status| status.as_u16()),
            server.address = self.client.endpoint.host(),
            error.r#type = error_type.as_deref(),
            request_id = request_id(self.client, &result),
            tag = options.tag.as_deref(),
            waited_ms = waited.as_millis() as u64,
            elapsed_ms = elapsed.as_millis() as u64,
            "attempt"
        );
        result
    }

    async fn read(&self, mut response: Response, timeouts: &RequestTimeouts) -> AttemptResult {
        let limit = self.client.options.max_body_bytes;
        let status = response.status();
        let error = match read_body(&mut response, limit, timeouts).await {
            Ok(body) if status.is_success() => return Ok(Reply::complete(response, body)),
            Ok(body) => return Ok(self.redacted(Reply::complete(response, body))),
            // The status of a failure is meaningful without the body.
            Err(_) if !status.is_success() => {
                return Ok(self.redacted(Reply::complete(response, Bytes::new())));
            }
            Err(BodyError::Timeout) => TransportError::timeout(),
            Err(BodyError::Transport(error)) => TransportError::from_reqwest(error),
            Err(BodyError::TooLarge) => {
                let message = format!("the answer has more than {limit} bytes");
                TransportError::new(TransportErrorKind::BodyTooLarge, message)
            }
        };
        Err(error.with_head(status, std::mem::take(response.headers_mut())))
    }

    /// Redacts the reply of a failure: its text goes into errors and logs.
    fn redacted(&self, mut reply: Reply) -> Reply {
        let redactor = self.client.authorization.redactor();
        let text = String::from_utf8_lossy(&reply.body);
        if let Cow::Owned(clean) = redactor.redact(&text) {
            reply.body = clean.into();
        }
        redact_headers(&mut reply.headers, |value| match redactor.redact(value) {
            Cow::Owned(clean) => Some(clean),
            Cow::Borrowed(_) => None,
        });
        reply
    }
}

/// The server's id of the request, redacted.
pub(super) fn request_id(client: &HttpClient, result: &AttemptResult) -> Option<String> {
    let request_id = client.service.request_id;
    let id = match result {
        Ok(reply) => reply.request_id(request_id),
        Err(error) => request_id(error.headers()?, &[]),
    }?;
    let redactor = client.authorization.redactor();
    Some(redactor.redact(&id).into_owned())
}

/// Records in the span of the call how many requests it sent and what came of the last one.
fn record_outcome(attempts: u32, error_type: Option<&str>) {
    let span = tracing::Span::current();
    if !span.is_disabled() {
        span.record("attempts", attempts);
        span.record("outcome", error_type.unwrap_or("ok"));
    }
}

/// Passes the rate limit headers of the response to the limiter.
#[cfg_attr(
    not(feature = "shared-limits"),
    allow(unused_mut, clippy::unused_async)
)]
async fn report_rate_limit(mut permit: Permit<'_>, result: &AttemptResult) {
    let headers = match result {
        Ok(reply) => Some(&reply.headers),
        Err(error) => error.headers(),
    };
    let rejected = status(result) == Some(StatusCode::TOO_MANY_REQUESTS);
    let rejected = rejected.then(|| headers::retry_after(headers?, chrono::Utc::now()));
    let reported = headers.and_then(headers::rate_limit);
    #[cfg(feature = "shared-limits")]
    permit.complete_shared(reported, rejected).await;
    permit.complete(reported, rejected);
}

fn status(result: &AttemptResult) -> Option<StatusCode> {
    match result {
        Ok(reply) => Some(reply.status),
        Err(error) => error.status(),
    }
}

/// The `error.type` of OpenTelemetry: the status of a failure, or the kind of the transport error.
fn error_type(result: &AttemptResult) -> Option<String> {
    match result {
        Ok(reply) if reply.status.is_success() => None,
        Ok(reply) => Some(reply.status.as_str().to_owned()),
        Err(error) => Some(format!("{:?}", error.kind())),
    }
}
