//! The state of one operation, shared by all its requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use crate::call::CallOptions;
use crate::http::{Reply, TransportError, timeout::MAX_TIMEOUT};

/// The state of one operation: attempts, deadline, ambiguity and the latest reply.
///
/// An operation may send several requests of several kinds: a create that is reconciled is one `CallState`.
#[derive(Debug)]
pub struct CallState {
    deadline: Instant,
    options: Arc<CallOptions>,
    safe: bool,
    idempotent: bool,
    /// Query parameters that are added to those of the bindings.
    query: BTreeMap<String, String>,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    attempts: u32,
    ambiguous: bool,
    token_replaced: bool,
    first_sent: SystemTime,
    last_sent: SystemTime,
    reply: Option<Reply>,
}

impl CallState {
    /// Starts an operation with the options of the current task, or that has to end within `limit`.
    pub fn new(limit: Duration) -> Self {
        let now = SystemTime::now();
        let options = CallOptions::current();
        let limit = options.deadline.unwrap_or(limit);
        Self {
            deadline: Instant::now() + limit.min(MAX_TIMEOUT),
            options,
            safe: false,
            idempotent: false,
            query: BTreeMap::new(),
            progress: Mutex::new(Progress {
                attempts: 0,
                ambiguous: false,
                token_replaced: false,
                first_sent: now,
                last_sent: now,
                reply: None,
            }),
        }
    }

    /// Declares the operation safe whatever its method, such as a POST that fetches a token.
    pub fn safe(mut self) -> Self {
        self.safe = true;
        self
    }

    /// Declares the operation idempotent whatever its method, such as a POST that withdraws something.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Adds query parameters to every request.
    pub fn with_query(mut self, query: BTreeMap<String, String>) -> Self {
        self.query = query;
        self
    }

    pub(super) fn query(&self) -> &BTreeMap<String, String> {
        &self.query
    }

    /// The options of the operation.
    pub fn options(&self) -> &CallOptions {
        &self.options
    }

    /// Whether the operation was declared safe.
    pub fn is_safe(&self) -> bool {
        self.safe
    }

    /// Whether the operation was declared idempotent or safe.
    pub fn is_idempotent(&self) -> bool {
        self.idempotent || self.safe
    }

    /// The deadline of the operation.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time left until the deadline.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// How many requests were sent.
    pub fn attempts(&self) -> u32 {
        self.progress().attempts
    }

    /// Whether an attempt without a usable response may have been executed.
    pub fn is_ambiguous(&self) -> bool {
        self.progress().ambiguous
    }

    /// Records that an attempt without a usable response may have been executed.
    pub fn mark_ambiguous(&self) {
        self.progress().ambiguous = true;
    }

    /// When the first request was sent; the start of the operation if none was.
    pub fn first_sent(&self) -> SystemTime {
        self.progress().first_sent
    }

    /// When the latest request was sent; the start of the operation if none was.
    pub fn last_sent(&self) -> SystemTime {
        self.progress().last_sent
    }

    /// Takes the reply of the latest `send`; `None` if that got no complete reply.
    pub fn take_reply(&self) -> Option<Reply> {
        self.progress().reply.take()
    }

    pub(super) fn set_reply(&self, reply: Option<Reply>) {
        self.progress().reply = reply;
    }

    /// Records that a request is about to be sent; returns how many were sent before it.
    pub fn record_attempt(&self) -> u32 {
        let now = SystemTime::now();
        let mut progress = self.progress();
        progress.last_sent = now;
        if progress.attempts == 0 {
            progress.first_sent = now;
        }
        progress.attempts += 1;
        progress.attempts - 1
    }

    /// Claims the one replacement of a rejected token; false if it was used before.
    pub(super) fn claim_token_replacement(&self) -> bool {
        !std::mem::replace(&mut self.progress().token_replaced, true)
    }

    /// Adds the number of attempts and the ambiguity of the whole call to the error of the last attempt.
    pub(super) fn annotate(&self, error: TransportError) -> TransportError {
        let progress = self.progress();
        let span = tracing::Span::current();
        if !span.is_disabled() {
            span.record("attempts", progress.attempts);
            span.record("outcome", format!("{:?}", error.kind()));
        }
        error
            .with_attempts(progress.attempts)
            .with_may_have_executed(progress.ambiguous)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
