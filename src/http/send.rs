//! The retry loop of a call.

use std::pin::pin;

use chrono::Utc;
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderValue},
};
use tokio::runtime::Handle;

use crate::http::{
    CallState, HttpClient, Reply, TransportError, TransportErrorKind,
    attempt::{Attempt, AttemptResult},
    attempt_report::AttemptReport,
    headers,
    interceptor::AttemptInfo,
    limiter::Permit,
    outgoing::Outgoing,
    retry::{Outcome, OutcomeKind},
    timeout::timeout_at,
};

impl HttpClient {
    /// Sends a request, and retries it as the retry policy and the deadline of `call` allow.
    ///
    /// The result is that of the last attempt: a complete reply of any status, or an error that says how many
    /// attempts were made and whether one of them may have been executed.
    ///
    /// # Errors
    ///
    /// Those of the last attempt; [`Credentials`](TransportErrorKind::Credentials) when no token is available;
    /// [`Timeout`](TransportErrorKind::Timeout) or [`RateLimitDeadline`](TransportErrorKind::RateLimitDeadline)
    /// when the deadline left no room for the first attempt.
    pub async fn send(
        &self,
        call: &CallState,
        operation: &'static str,
        outgoing: &mut Outgoing,
    ) -> Result<Reply, TransportError> {
        // The bindings check this too, but the hook that leads here is public.
        if !outgoing.is_for(&self.endpoint) {
            let message = "the request is for another origin than the configured one";
            let error = TransportError::new(TransportErrorKind::InvalidRequest, message);
            return Err(call.annotate(error));
        }
        // Without this check, the first timer panics.
        if Handle::try_current().is_err() {
            let message = "the call runs outside of a Tokio runtime, which its timers and sockets need; await it in one, such as \
                           under `#[tokio::main]` or in `Runtime::block_on`";
            let error = TransportError::new(TransportErrorKind::NoRuntime, message);
            return Err(call.annotate(error));
        }
        outgoing.set_headers(call.options().headers());
        let is_mutating = !(call.is_safe() || outgoing.method().is_safe());
        let is_idempotent = call.is_idempotent() || outgoing.method().is_idempotent();
        let mut last: Option<AttemptResult> = None;
        loop {
            // A slot of the rate limit is not held while a token is fetched.
            self.await_token(call).await?;
            let permit = match self.permit(call).await {
                Ok(permit) => permit,
                // The last response says more than that no time was left.
                Err(error) => return annotated(call, last.unwrap_or(Err(error))),
            };
            // The token may have expired during the wait.
            let authorization = self.authorize(call).await?;
            let (report, added) = match self.report(call, operation, outgoing, &permit) {
                Ok(report) => report,
                Err(error) => {
                    permit.release();
                    return annotated(call, Err(error));
                }
            };
            let attempt = Attempt {
                client: self,
                authorization: authorization.as_ref(),
                added,
                resend_count: call.record_attempt(),
                call,
            };
            let result = attempt.send(outgoing, permit, report).await;
            if let Ok(reply) = &result
                && !self.clock_skew.is_known()
                && let Some(date) = headers::date(&reply.headers)
            {
                let sent = call.last_sent().into();
                self.clock_skew.observe(date, sent, chrono::Utc::now());
            }
            if let Ok(reply) = &result
                && reply.status.is_success()
            {
                if let Some(budget) = &self.options.retry_budget {
                    budget.refill();
                }
                return result;
            }
            let is_ambiguous = is_mutating && self.is_ambiguous(&result);
            if is_ambiguous {
                call.mark_ambiguous();
            }
            if !outgoing.is_repeatable() || is_ambiguous && !is_idempotent {
                return annotated(call, result);
            }
            if self.replaces_token(call, &result, authorization.as_ref()) {
                // What was rejected once is not sent again.
                if self.authorize(call).await? == authorization {
                    return annotated(call, result);
                }
                last = Some(result);
                continue;
            }
            match self.delay(call, &outcome(&result), is_idempotent) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return annotated(call, result),
            }
            last = Some(result);
        }
    }

    /// Tells the interceptors of an attempt, if there are any; also returns the headers that they add.
    fn report<'a>(
        &'a self,
        call: &'a CallState,
        operation: &'static str,
        outgoing: &Outgoing,
        permit: &Permit<'_>,
    ) -> Result<(Option<AttemptReport<'a>>, HeaderMap), TransportError> {
        if self.options.interceptors.is_empty() {
            return Ok((None, HeaderMap::new()));
        }
        let info = AttemptInfo {
            provider: self.service.name,
            operation,
            tag: call.options().tag.as_deref(),
            method: outgoing.method().clone(),
            number: call.attempts() + 1,
            waited: permit.waited(),
        };
        let (report, added) = AttemptReport::begin(self, info, outgoing)?;
        Ok((Some(report), added))
    }

    /// Invalidates a token that the server rejected, once per call; returns whether to send the request again.
    fn replaces_token(
        &self,
        call: &CallState,
        result: &AttemptResult,
        authorization: Option<&HeaderValue>,
    ) -> bool {
        let rejected = matches!(result, Ok(reply) if reply.status == StatusCode::UNAUTHORIZED);
        if !rejected || !self.authorization.is_renewable() || !call.claim_token_replacement() {
            return false;
        }
        self.authorization.invalidate(authorization);
        true
    }

    /// Whether the server may have executed the request of a failed attempt.
    fn is_ambiguous(&self, result: &AttemptResult) -> bool {
        match result {
            Ok(reply) if reply.status == StatusCode::TOO_MANY_REQUESTS => {
                !(self.service.is_own_refusal)(&reply.headers, &reply.body)
            }
            Ok(reply) => {
                let status = reply.status;
                // 300 to 303 may follow an execution; 307 and 308 ask for the request elsewhere.
                status.is_server_error() || matches!(status.as_u16(), 300..=303)
            }
            Err(error) => !matches!(
                error.kind(),
                TransportErrorKind::Connect
                    | TransportErrorKind::Certificate
                    | TransportErrorKind::InvalidRequest
                    | TransportErrorKind::NoRuntime
            ),
        }
    }

    /// Waits for a permit of the rate limiter, until the deadline.
    async fn permit(&self, call: &CallState) -> Result<Permit<'_>, TransportError> {
        let permit = pin!(
            self.limiter
                .acquire(call.deadline(), call.options().priority.unwrap_or_default())
        )
        .await;
        permit.map_err(|late| match late.wait {
            Some(wait) => {
                let message = "the rate limit leaves no room before the deadline of the call";
                TransportError::new(TransportErrorKind::RateLimitDeadline, message).with_wait(wait)
            }
            None => {
                let message =
                    "too many other requests were in flight until the deadline of the call";
                TransportError::new(TransportErrorKind::RateLimitDeadline, message)
            }
        })
    }

    /// Waits for a token. The call fails without one: the token provider has its own retries.
    async fn await_token(&self, call: &CallState) -> Result<(), TransportError> {
        let ready = pin!(self.authorization.ready());
        let ready = timeout_at(|| call.deadline(), ready).await;
        let ready = ready.unwrap_or_else(|_| Err(no_token_in_time()));
        ready.map_err(|error| call.annotate(error))
    }

    /// The header to authenticate with.
    async fn authorize(&self, call: &CallState) -> Result<Option<HeaderValue>, TransportError> {
        let header = pin!(self.authorization.header());
        let header = timeout_at(|| call.deadline(), header).await;
        let header = header.unwrap_or_else(|_| Err(no_token_in_time()));
        header.map_err(|error| call.annotate(error))
    }
}

fn no_token_in_time() -> TransportError {
    let message = "no token came before the deadline of the call";
    TransportError::new(TransportErrorKind::Timeout, message)
}

fn annotated(call: &CallState, result: AttemptResult) -> AttemptResult {
    result.map_err(|error| call.annotate(error))
}

/// The outcome of an attempt, as far as the decision to retry needs it.
fn outcome(result: &AttemptResult) -> Outcome {
    let (kind, headers) = match result {
        Ok(reply) => (OutcomeKind::Status(reply.status), Some(&reply.headers)),
        Err(error) => (OutcomeKind::Failed(error.kind()), error.headers()),
    };
    let requested_delay = headers.and_then(|headers| {
        headers::retry_after(headers, Utc::now()).or_else(|| match kind {
            // The window is the reason of a 429 only.
            OutcomeKind::Status(StatusCode::TOO_MANY_REQUESTS) => {
                headers::rate_limit(headers)?.reset
            }
            _ => None,
        })
    });
    Outcome {
        kind,
        requested_delay,
    }
}
