//! Deadlines and idle timeouts.

use std::{pin::pin, task::Poll, time::Duration};

use tokio::time::{Instant, error::Elapsed};

use crate::http::ClientOptions;

/// Longer durations are clamped, so that `Instant` cannot overflow.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The time limits of one request: in total, and between two reads.
#[derive(Debug)]
pub(crate) struct RequestTimeouts {
    deadline: Instant,
    read_timeout: Duration,
}

impl RequestTimeouts {
    /// The time limits of a request that is about to be sent, in total `timeout` if that is set.
    pub fn new(options: &ClientOptions, timeout: Option<Duration>) -> Self {
        let timeout = timeout.unwrap_or(options.timeout);
        Self {
            deadline: Instant::now() + timeout.min(MAX_TIMEOUT),
            read_timeout: options.read_timeout.min(MAX_TIMEOUT),
        }
    }

    /// Moves the deadline forward to `deadline`, if that is earlier.
    pub fn until(self, deadline: Instant) -> Self {
        Self {
            deadline: self.deadline.min(deadline),
            ..self
        }
    }

    /// Waits for the next read.
    pub async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        timeout_at(
            || self.deadline.min(Instant::now() + self.read_timeout),
            work,
        )
        .await
    }
}

/// Waits for `work`, but not beyond the deadline.
pub(crate) async fn timeout_at<T>(
    deadline: impl FnOnce() -> Instant,
    work: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    // `work` is mostly ready at once, and then needs no timer.
    if let Poll::Ready(done) = futures_util::poll!(work.as_mut()) {
        return Ok(done);
    }
    tokio::time::timeout_at(deadline(), work).await
}
