//! One call: refused before sending, or attempted as often as its retry policy allows.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use tracing::Instrument;

use crate::{
    client::{Connection, Reply, attempt::Sent},
    error::{Error, ErrorKind, Operation},
};

/// One operation on one subject, over one connection.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub connection: &'a Connection,
    pub operation: Operation,
    pub subject: Option<&'a str>,
}

/// How far a call has come.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    /// Requests sent so far.
    pub sent: u32,
    /// Whether one of them may have been carried out although its answer was lost.
    pub lost: bool,
    /// Whether a refused token was replaced by a fresh one; that is tried once.
    renewed: bool,
    /// When the first one went out.
    pub first_sent: DateTime<Utc>,
    /// When the latest one went out.
    pub last_sent: DateTime<Utc>,
}

impl Call<'_> {
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

    /// Sends what `send` makes, again and again as far as the policy allows; the last error says how
    /// often, and whether any of the attempts may have been carried out.
    pub async fn send<Fut>(&self, send: impl Fn() -> Fut) -> Result<Reply, Error>
    where
        Fut: Future<Output = Sent>,
    {
        let mut progress = Progress::start();
        self.send_on(&mut progress, send).await
    }

    /// As [`send`](Self::send), as a part of a call that is under way.
    pub async fn send_on<Fut>(
        &self,
        progress: &mut Progress,
        send: impl Fn() -> Fut,
    ) -> Result<Reply, Error>
    where
        Fut: Future<Output = Sent>,
    {
        let span = tracing::info_span!(
            "invitation",
            otel.kind = "client",
            provider = self.connection.dialect.provider,
            operation = %self.operation,
        );
        async {
            loop {
                let authorization = self.authorize(progress).await?;
                let attempt = self.attempt_on(progress, authorization.clone(), send());
                let error = match attempt.await {
                    Ok(reply) => return Ok(reply),
                    Err(error) => error,
                };
                progress.lost |= error.may_have_executed();
                if error.kind() == ErrorKind::Unauthenticated
                    && !progress.renewed
                    && self
                        .connection
                        .authorization
                        .refused(authorization.as_ref())
                {
                    progress.renewed = true;
                    continue;
                }
                match self.delay(progress, &error) {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(progress.account_for(error)),
                }
            }
        }
        .instrument(span)
        .await
    }

    /// The delay before the next attempt, when there should be one.
    pub fn delay(&self, progress: &Progress, error: &Error) -> Option<Duration> {
        let policy = &self.connection.settings.retry;
        let left = policy.deadline.saturating_sub(progress.started.elapsed());
        policy.delay(error, progress.sent, left, fastrand::f64())
    }

    /// The delay before sending again what was looked for and not found.
    pub fn delay_after_loss(&self, progress: &Progress) -> Option<Duration> {
        // As safe to repeat as a request that never went out.
        self.delay(progress, &self.error(ErrorKind::Connect, ""))
    }

    /// What to authenticate with. When there is nothing, the call fails; its source has tried enough.
    async fn authorize(&self, progress: &Progress) -> Result<Option<HeaderValue>, Error> {
        let header = self.connection.authorization.header();
        let outcome = tokio::time::timeout_at(self.end(progress), header).await;
        let error = match outcome {
            Ok(Ok(header)) => return Ok(header),
            Ok(Err(error)) => error,
            Err(_) => self.refuse(
                ErrorKind::Timeout,
                "the deadline passed before a token came",
            ),
        };
        Err(error.with_may_have_executed(progress.lost))
    }

    /// One attempt, cut off at the deadline of the call.
    async fn attempt_on(
        &self,
        progress: &mut Progress,
        authorization: Option<HeaderValue>,
        sent: impl Future<Output = Sent>,
    ) -> Result<Reply, Error> {
        let resent = progress.sent;
        progress.last_sent = Utc::now();
        if resent == 0 {
            progress.first_sent = progress.last_sent;
        }
        progress.sent += 1;
        let attempt = self.attempt(authorization, sent, resent);
        match tokio::time::timeout_at(self.end(progress), attempt).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let message = "the deadline of the call passed before the server answered";
                Err(self
                    .error(ErrorKind::Timeout, message)
                    .with_may_have_executed(self.changes_state()))
            }
        }
    }

    fn end(&self, progress: &Progress) -> tokio::time::Instant {
        (progress.started + self.connection.settings.retry.deadline).into()
    }
}

impl Progress {
    pub fn start() -> Self {
        let now = Utc::now();
        Self {
            started: Instant::now(),
            sent: 0,
            lost: false,
            renewed: false,
            first_sent: now,
            last_sent: now,
        }
    }

    /// The error of the last attempt, with what is to be said of all of them.
    pub fn account_for(&self, error: Error) -> Error {
        error
            .with_attempts(self.sent)
            .with_may_have_executed(self.lost)
    }
}
