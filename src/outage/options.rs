//! The options and events of an [`Outage`](crate::Outage).

use std::{fmt, sync::Arc, time::Duration};

use crate::error::Error;

/// When a run over many items pauses because its server is unreachable, and when it gives up.
#[derive(Clone)]
#[non_exhaustive]
pub struct OutageOptions {
    /// The number of consecutive items that fail with [`Connect`](crate::ErrorKind::Connect) before the run pauses; 0
    /// counts as 1. Default: 5.
    pub failures: usize,
    /// The longest pause, after which the run gives up. Default: 10 minutes.
    pub give_up_after: Duration,
    /// Receives the events of the run. Default: ignores them.
    pub observer: Arc<dyn Fn(OutageEvent<'_>) + Send + Sync>,
}

impl Default for OutageOptions {
    fn default() -> Self {
        Self {
            failures: 5,
            give_up_after: Duration::from_secs(600),
            observer: Arc::new(|_| ()),
        }
    }
}

setters!(OutageOptions {
    failures: usize,
    give_up_after: Duration,
});

impl OutageOptions {
    /// Sets the observer of the run's events.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(OutageEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }
}

impl fmt::Debug for OutageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutageOptions")
            .field("failures", &self.failures)
            .field("give_up_after", &self.give_up_after)
            .finish_non_exhaustive()
    }
}

/// An event of a run whose server is unreachable.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OutageEvent<'a> {
    /// The run pauses, and probes the server with lists of one invitation. Has the latest connect error.
    Paused(&'a Error),
    /// The server answers again, and the run continues.
    Resumed,
    /// The pause lasted too long, and no further call starts. Has the latest connect error.
    GaveUp(&'a Error),
}
