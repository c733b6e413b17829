//! One call: refused before sending, or attempted as often as its retry policy allows.

use std::{
    pin::pin,
    time::{Duration, Instant, SystemTime},
};

use reqwest::header::HeaderValue;
use tracing::{Instrument, Span};

use crate::{
    client::{
        Connection, Reply,
        attempt::Sent,
        limiter::Permit,
        patience::{LONGEST, before},
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
    pub first_sent: SystemTime,
    /// When the latest one went out.
    pub last_sent: SystemTime,
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
        if reply.body.is_empty() || reply.is_json() {
            return Ok(());
        }
        let why = "the answer is neither empty nor JSON";
        Err(self
            .error_from(reply, ErrorKind::Decode, why)
            .with_body_excerpt(&self.redacted(&reply.body)))
    }

    /// The span of this call, within which all that it sends is to happen.
    pub fn span(&self) -> Span {
        tracing::info_span!(
            "invitation",
            otel.kind = "client",
            provider = self.connection.dialect.provider,
            operation = %self.operation,
        )
    }

    /// Sends what `send` makes, again and again as far as the policy allows; the last error says how
    /// often, and whether any of the attempts may have been carried out.
    pub async fn send<Fut>(&self, send: impl Fn() -> Fut) -> Result<Reply, Error>
    where
        Fut: Future<Output = Sent> + Send,
    {
        let mut progress = Progress::start();
        // In its place from the beginning: a future is large, and is copied whole when it is moved.
        pin!(self.send_on(&mut progress, send))
            .instrument(self.span())
            .await
    }

    /// As [`send`](Self::send), as a part of a call that is under way.
    pub async fn send_on<Fut>(
        &self,
        progress: &mut Progress,
        send: impl Fn() -> Fut,
    ) -> Result<Reply, Error>
    where
        Fut: Future<Output = Sent> + Send,
    {
        let mut last = None;
        loop {
            // Nobody's turn is held up while a token is fetched.
            self.authorize(progress).await?;
            let permit = match self.permit(progress).await {
                Ok(permit) => permit,
                // What the server said last says more than that there was no time left.
                Err(error) => return Err(last.map_or(error, |last| progress.account_for(last))),
            };
            // It may have expired during the wait.
            let authorization = self.authorize(progress).await?;
            let resent = progress.sending();
            let end = self.end(progress);
            let sent = pin!(send());
            let attempt = self.attempt(permit, authorization.clone(), sent, resent, end);
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
            last = Some(error);
        }
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

    /// The right to send. Waiting for it longer than the call may take sends nothing.
    async fn permit(&self, progress: &Progress) -> Result<Permit<'_>, Error> {
        let permit = self.connection.limiter.acquire();
        self.before_deadline(progress, permit, "the rate limit left no room")
            .await
    }

    /// What to authenticate with. When there is nothing, the call fails; its source has tried enough.
    async fn authorize(&self, progress: &Progress) -> Result<Option<HeaderValue>, Error> {
        let header = self.connection.authorization.header();
        let header = self
            .before_deadline(progress, header, "no token came")
            .await?;
        header.map_err(|error| error.with_may_have_executed(progress.lost))
    }

    /// What has to happen before anything is sent.
    async fn before_deadline<T>(
        &self,
        progress: &Progress,
        work: impl Future<Output = T>,
        otherwise: &str,
    ) -> Result<T, Error> {
        before(|| self.end(progress), work).await.map_err(|_| {
            let message = format!("{otherwise} before the deadline of the call");
            progress.account_for(self.refuse(ErrorKind::Timeout, message))
        })
    }

    /// When the call has to be over.
    pub fn end(&self, progress: &Progress) -> tokio::time::Instant {
        let started = tokio::time::Instant::from_std(progress.started);
        let deadline = self.connection.settings.retry.deadline.min(LONGEST);
        started + deadline
    }
}

impl Progress {
    pub fn start() -> Self {
        let now = SystemTime::now();
        Self {
            started: Instant::now(),
            sent: 0,
            lost: false,
            renewed: false,
            first_sent: now,
            last_sent: now,
        }
    }

    /// Notes that a request goes out; gives how many went before it.
    fn sending(&mut self) -> u32 {
        self.last_sent = SystemTime::now();
        if self.sent == 0 {
            self.first_sent = self.last_sent;
        }
        self.sent += 1;
        self.sent - 1
    }

    /// The error of the last attempt, with what is to be said of all of them.
    pub fn account_for(&self, error: Error) -> Error {
        error
            .with_attempts(self.sent)
            .with_may_have_executed(self.lost)
    }
}
