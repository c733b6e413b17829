//! How long is waited, for one request and for what comes before it.

use std::{pin::pin, task::Poll, time::Duration};

use tokio::time::{Instant, error::Elapsed, timeout_at};

use crate::client::Settings;

/// How long one request may take: as a whole, and until each next sign of life.
pub(crate) struct Patience {
    end: Instant,
    silence: Duration,
}

impl Patience {
    /// For a request that is about to be sent.
    pub fn new(settings: &Settings) -> Self {
        Self {
            end: Instant::now() + settings.timeout.min(LONGEST),
            silence: settings.read_timeout.min(LONGEST),
        }
    }

    /// Not beyond `end` either.
    pub fn until(self, end: Instant) -> Self {
        Self {
            end: self.end.min(end),
            ..self
        }
    }

    /// Waits for the next sign of life.
    pub async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        before(|| self.end.min(Instant::now() + self.silence), work).await
    }
}

/// More is as good as for ever.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Waits for `work`, but not beyond `end`.
pub(crate) async fn before<T>(
    end: impl FnOnce() -> Instant,
    work: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    // Mostly there is nothing to wait for, and no timer to set.
    if let Poll::Ready(done) = futures_util::poll!(work.as_mut()) {
        return Ok(done);
    }
    timeout_at(end(), work).await
}
