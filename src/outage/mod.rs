//! A circuit breaker for runs over many items: pauses, probes, and gives up.

mod options;

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};

use crate::{
    error::{Error, ErrorKind, Result},
    list::ListQuery,
    lock::lock,
    provider::InvitationProvider,
    time::{self, Instant},
};

pub use self::options::{OutageEvent, OutageOptions};

/// The delay before the first probe of a pause. Each further delay is twice as long.
const FIRST_PROBE_DELAY: Duration = Duration::from_secs(1);

/// The longest delay between two probes.
const MAX_PROBE_DELAY: Duration = Duration::from_secs(30);

/// The interval at which a pause checks whether the run was stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(200);

/// Pauses a run while its server is unreachable. All calls of a run share one `Outage`.
///
/// `create_many`, `delete_many` and [`Plan::apply`](crate::Plan::apply) create their own from
/// [`BulkOptions::outage`](crate::BulkOptions::outage).
pub struct Outage {
    options: OutageOptions,
    stop: Arc<AtomicBool>,
    state: Mutex<State>,
    /// Held by the call that probes the server; the other calls wait for it.
    probe: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of consecutive calls that failed to connect.
    failures: usize,
    /// The start of the pause.
    paused_since: Option<Instant>,
    /// The error of the latest call that failed to connect.
    latest_error: Option<Error>,
    gave_up: bool,
}

/// What the outcome of a call shows about the server.
pub(crate) enum Reachability<'a> {
    /// Nothing was sent.
    Unknown,
    /// The server answered.
    Reached,
    /// The call could not connect.
    Unreachable(&'a Error),
}

impl<'a> Reachability<'a> {
    /// What an error shows about the server.
    pub fn of_error(error: &'a Error) -> Self {
        match error.kind() {
            ErrorKind::Connect => Self::Unreachable(error),
            // These fail before a request is sent.
            ErrorKind::Config | ErrorKind::Unsupported => Self::Unknown,
            ErrorKind::InvalidInput if error.status().is_none() => Self::Unknown,
            _ => Self::Reached,
        }
    }
}

/// What the outcome of one request shows about the server.
pub(crate) fn reachability<T>(result: &Result<T>) -> Reachability<'_> {
    result
        .as_ref()
        .err()
        .map_or(Reachability::Reached, Reachability::of_error)
}

/// A function that returns what an outcome shows about the server.
pub(crate) type ReachabilityOf<T> = fn(&Result<T>) -> Reachability<'_>;

impl Outage {
    /// Creates the `Outage` of one run. Once `stop` is true, a pause ends and no further call starts.
    pub fn new(options: OutageOptions, stop: Arc<AtomicBool>) -> Self {
        Self {
            options,
            stop,
            state: Mutex::default(),
            probe: tokio::sync::Mutex::default(),
        }
    }

    /// Whether a pause lasted too long, so that no further call starts.
    pub fn gave_up(&self) -> bool {
        self.state().gave_up
    }

    /// Runs `work`, after waiting while the server is unreachable. If the run pauses because `work` could not connect,
    /// and it was not executed, runs it again after the pause. Returns `None` if `work` was not started, because the
    /// run gave up or was stopped.
    pub async fn call<P, T, Fut>(&self, provider: &P, work: impl Fn() -> Fut) -> Option<Result<T>>
    where
        P: InvitationProvider + ?Sized,
        Fut: Future<Output = Result<T>>,
    {
        self.call_with(provider, work, reachability).await
    }

    /// The same for work of several requests; `reachability` returns what its outcome shows about the server.
    pub(crate) async fn call_with<P, T, Fut>(
        &self,
        provider: &P,
        work: impl Fn() -> Fut,
        reachability: ReachabilityOf<T>,
    ) -> Option<Result<T>>
    where
        P: InvitationProvider + ?Sized,
        Fut: Future<Output = Result<T>>,
    {
        let mut last_error = None;
        loop {
            if !self.wait_for_server(provider).await {
                return last_error.map(Err);
            }
            let result = work().await;
            self.record(&reachability(&result));
            match result {
                Err(error)
                    if self.is_paused()
                        && error.kind() == ErrorKind::Connect
                        && !error.may_have_executed() =>
                {
                    last_error = Some(error);
                }
                result => return Some(result),
            }
        }
    }

    /// Waits while the run is paused. Returns whether further calls may start.
    async fn wait_for_server<P>(&self, provider: &P) -> bool
    where
        P: InvitationProvider + ?Sized,
    {
        if !self.is_paused() {
            return !self.is_stopped();
        }
        let _probe = self.probe.lock().await;
        let mut delay = FIRST_PROBE_DELAY;
        loop {
            if self.is_stopped() {
                return false;
            }
            let Some(left) = self.time_left() else {
                return true;
            };
            if left.is_zero() {
                self.give_up();
                return false;
            }
            let pause = delay.min(left);
            let probe = async {
                time::sleep(pause).await;
                let query = ListQuery::new().page_size(1);
                provider.list_page(&query, None).await.map(drop)
            };
            let probe = pin!(time::timeout(left, probe));
            match select(probe, pin!(self.stopped())).await {
                Either::Left((Ok(answer), _)) => self.record(&reachability(&answer)),
                // The time is up, or the run was stopped.
                Either::Left((Err(_), _)) | Either::Right(_) => {}
            }
            delay = (delay * 2).min(MAX_PROBE_DELAY);
        }
    }

    fn record(&self, reachability: &Reachability<'_>) {
        let mut state = self.state();
        match reachability {
            Reachability::Unknown => {}
            Reachability::Reached => {
                state.failures = 0;
                if state.paused_since.take().is_some() {
                    drop(state);
                    (self.options.observer)(OutageEvent::Resumed);
                }
            }
            Reachability::Unreachable(error) => {
                state.failures += 1;
                state.latest_error = Some((*error).clone());
                if state.failures >= self.options.failures.max(1) && state.paused_since.is_none() {
                    state.paused_since = Some(Instant::now());
                    drop(state);
                    (self.options.observer)(OutageEvent::Paused(error));
                }
            }
        }
    }

    fn give_up(&self) {
        let mut state = self.state();
        state.gave_up = true;
        if let Some(error) = state.latest_error.clone() {
            drop(state);
            (self.options.observer)(OutageEvent::GaveUp(&error));
        }
    }

    fn is_paused(&self) -> bool {
        self.state().paused_since.is_some()
    }

    /// Whether no further call may start.
    fn is_stopped(&self) -> bool {
        self.gave_up() || self.stop.load(Ordering::Relaxed)
    }

    /// The rest of the longest pause; `None` if the run is not paused.
    fn time_left(&self) -> Option<Duration> {
        let since = self.state().paused_since?;
        Some(self.options.give_up_after.saturating_sub(since.elapsed()))
    }

    async fn stopped(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            time::sleep(STOP_INTERVAL).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl fmt::Debug for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outage")
            .field("options", &self.options)
            .field("state", &*self.state())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
