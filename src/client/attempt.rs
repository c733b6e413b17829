//! One attempt: the request goes out, the reply is read whole under its limits, and what came of it is
//! one event.

use std::{mem, pin::Pin, time::Instant};

use bytes::Bytes;
use progenitor_client::Error as ClientError;
use reqwest::{Response, header::HeaderValue};

use crate::{
    client::{
        Call, Reply, ReplyInfo,
        failure::LATE,
        headers,
        hooks::AUTHORIZATION_OF_ATTEMPT,
        limiter::Permit,
        patience::Patience,
        reply::{BodyError, read_body},
    },
    error::{Error, ErrorKind, Operation},
};

/// What a generated client's method gives.
pub(crate) type Sent = Result<Response, ClientError<()>>;

impl Call<'_> {
    /// Sends, and reads the reply, before the deadline; only a 2xx is `Ok`. Tells the limiter what the
    /// reply said.
    pub async fn attempt(
        &self,
        permit: Permit<'_>,
        authorization: Option<HeaderValue>,
        sent: Pin<&mut (dyn Future<Output = Sent> + Send)>,
        resent: u32,
        deadline: tokio::time::Instant,
    ) -> Result<Reply, Error> {
        let start = Instant::now();
        let waited = permit.waited();
        let outcome = self
            .exchange(permit, authorization, sent, start, deadline)
            .await;
        let (status, error) = match &outcome {
            Ok(reply) => (Some(reply.status.as_u16()), None),
            Err(error) => (error.status(), Some(error)),
        };
        tracing::debug!(
            http.request.method = self.method(),
            http.request.resend_count = resent,
            http.response.status_code = status,
            server.address = self.connection.endpoint.host(),
            error.r#type = error.map(|error| tracing::field::debug(error.kind())),
            request_id = outcome.as_ref().map_or_else(
                |error| error.request_id().map(str::to_owned),
                |reply| { (self.connection.dialect.request_id)(reply) }
            ),
            waited_ms = waited.as_millis() as u64,
            elapsed_ms = start.elapsed().as_millis() as u64,
            "attempt"
        );
        outcome
    }

    async fn exchange(
        &self,
        permit: Permit<'_>,
        authorization: Option<HeaderValue>,
        sent: Pin<&mut (dyn Future<Output = Sent> + Send)>,
        start: Instant,
        deadline: tokio::time::Instant,
    ) -> Result<Reply, Error> {
        let patience = Patience::new(&self.connection.settings).until(deadline);
        let sent = AUTHORIZATION_OF_ATTEMPT.scope(authorization, sent);
        let outcome = match patience.wait(sent).await {
            Ok(Ok(response)) => self.read(response, &patience).await,
            Err(_) => {
                let error = self.error(ErrorKind::Timeout, LATE);
                Err(error.with_may_have_executed(self.changes_state()))
            }
            Ok(Err(ClientError::CommunicationError(error))) => Err(self.broken(error)),
            Ok(Err(other)) => {
                let error = self.error(ErrorKind::InvalidInput, "the request cannot be built");
                Err(error.with_source(other.into_untyped()).with_attempts(0))
            }
        };
        let outcome = outcome.and_then(|reply| {
            self.observe(&reply, start);
            if reply.status.is_success() {
                Ok(reply)
            } else {
                Err((self.connection.dialect.failure)(self, &reply))
            }
        });
        match &outcome {
            Ok(reply) => permit.answered(headers::rate_limit(&reply.headers), None),
            Err(error) => {
                let refused = error.kind() == ErrorKind::RateLimited;
                permit.answered(error.rate_limit(), refused.then(|| error.retry_after()));
            }
        }
        outcome
    }

    async fn read(&self, mut response: Response, patience: &Patience) -> Result<Reply, Error> {
        let limit = self.connection.settings.max_body_bytes;
        let body = read_body(&mut response, limit, patience).await;
        let (status, headers) = (response.status(), mem::take(response.headers_mut()));
        let reply = |body| Reply::new(status, headers, body);
        let problem = match body {
            Ok(body) if status.is_success() => return Ok(reply(body)),
            Ok(body) => return Ok(reply(self.redacted(&body))),
            Err(problem) => problem,
        };
        let reply = reply(Bytes::new());
        if !status.is_success() {
            // What its status says holds without the body.
            return Err(self.foreign(&reply));
        }
        Err(match problem {
            BodyError::Late => self.error_from(&reply, ErrorKind::Timeout, LATE),
            BodyError::Broken(error) => self.broken_within(&reply, error),
            BodyError::TooLarge => {
                let message = format!("the answer has more than {limit} bytes");
                self.error_from(&reply, ErrorKind::Decode, message)
            }
        })
    }

    fn observe(&self, reply: &Reply, start: Instant) {
        let Some(observer) = &self.connection.settings.observer else {
            return;
        };
        let dialect = &self.connection.dialect;
        let request_id = (dialect.request_id)(reply);
        observer(&ReplyInfo {
            provider: dialect.provider,
            operation: self.operation,
            status: reply.status.as_u16(),
            request_id: request_id.as_deref(),
            rate_limit: headers::rate_limit(&reply.headers),
            location: reply.header("location"),
            date: headers::date(&reply.headers),
            elapsed: start.elapsed(),
        });
    }

    fn method(&self) -> &'static str {
        match self.operation {
            Operation::Create | Operation::Authenticate => "POST",
            Operation::Delete => "DELETE",
            _ => "GET",
        }
    }
}
