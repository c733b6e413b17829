//! A client-side rate limiter, which makes a 429 the exception.
//!
//! A request reserves a slot of the allowance from when it is sent until the server's window that counted it
//! ends. The response says when that is (`X-RateLimit-Reset`); after a response that does not, a whole window
//! passes. Among any `limit + 1` requests, the last is therefore sent when the first no longer counts,
//! however the server places its windows; the server's figure is late by the way back, so waiting until then
//! is never too short. Requests that the server counted beyond this client's own were sent by others with the
//! same credential: those reserve slots too.
//!
//! A caller may fix several windows, such as one of seconds and one of a day: a request waits for all of them. A request
//! that cannot be admitted before its deadline fails at once, with the wait.
//!
//! Requests are admitted in order of arrival, and bulk requests one after another, each once no other request waits: a
//! single request waits for the requests in flight and one of a bulk run, not for the rest of it.

#[cfg(feature = "shared-limits")]
mod file_store;
#[cfg(feature = "redis")]
mod redis_store;
#[cfg(feature = "shared-limits")]
mod shared;
#[cfg(feature = "shared-limits")]
mod snapshot;
mod windows;

use std::{pin::pin, sync::Mutex, time::Duration};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};

#[cfg(feature = "shared-limits")]
pub use self::shared::SharedRateLimit;
use self::windows::{Admission, State, Window};
use crate::call::{CallPriority, RateLimit};
use crate::http::timeout::timeout_at;

/// Added to the reported end of a window, which may be rounded down to the millisecond.
const ROUNDING: Duration = Duration::from_millis(1);

/// The longest reservation of a slot, whatever a server reports.
const MAX_WINDOW: Duration = Duration::from_secs(120);

/// The largest number of slots of a window.
const MAX_SLOTS: usize = 100_000;

/// How long the first 429 without rate limit headers blocks all requests.
const FIRST_BLOCK: Duration = Duration::from_secs(1);

/// A rate that is known before the first response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rate {
    pub requests: usize,
    pub window: Duration,
}

impl Rate {
    /// A caller's rate: at least one request, and a window of at most a day.
    pub fn at_most(requests: usize, window: Duration) -> Self {
        Self {
            requests: requests.max(1),
            window: window.min(Duration::from_secs(86_400)),
        }
    }
}

/// The allowance of one credential.
#[derive(Debug)]
pub(crate) struct Limiter {
    concurrency: Semaphore,
    /// Held by the one bulk request that waits for a permit.
    bulk: tokio::sync::Mutex<()>,
    /// Only the first request of the queue tries to reserve a slot.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    completed: Notify,
    /// What other processes share.
    #[cfg(feature = "shared-limits")]
    shared: Option<std::sync::Arc<shared::SharedWindows>>,
}

/// A request that cannot be admitted before its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLate {
    /// The minimum wait, if a window is the reason.
    pub wait: Option<Duration>,
}

/// The right to send one request; its response is reported with [`Permit::complete`].
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    waited: Duration,
    /// When its slot becomes free, according to the response.
    free_at: Option<Instant>,
    /// Whether nothing is sent after all.
    is_unused: bool,
    #[cfg(feature = "shared-limits")]
    shared: Option<shared::SharedPermit>,
    _concurrency: Option<SemaphorePermit<'a>>,
}

impl Limiter {
    /// `published` is the vendor's documented rate, `fixed` are the caller's; a 429 blocks all requests for
    /// `max_block` at most.
    pub fn new(
        published: Option<Rate>,
        fixed: &[Rate],
        concurrency: usize,
        max_block: Duration,
    ) -> Self {
        let rates = match fixed {
            [] => published.as_slice(),
            fixed => fixed,
        };
        let mut windows: Vec<_> = rates.iter().map(|rate| Window::of(Some(*rate))).collect();
        if windows.is_empty() {
            windows.push(Window::of(None));
        }
        Self {
            concurrency: Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            bulk: tokio::sync::Mutex::new(()),
            queue: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                windows,
                fixed: !fixed.is_empty(),
                rounds_down: false,
                in_flight: 0,
                waiting: 0,
                interactive: 0,
                probed: !rates.is_empty(),
                blocked_until: None,
                spent_until: None,
                rejections: 0,
                max_block: max_block.min(MAX_WINDOW),
            }),
            completed: Notify::new(),
            #[cfg(feature = "shared-limits")]
            shared: None,
        }
    }

    /// Shares the limit with other processes too.
    #[cfg(feature = "shared-limits")]
    pub fn shared_by(mut self, limit: Option<SharedRateLimit>) -> Self {
        self.shared = limit.map(|limit| {
            let windows = self.with_state(|state| shared::SharedWindows::new(limit, state));
            std::sync::Arc::new(windows)
        });
        self
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    ///
    /// `deadline` is too early: at once if the wait is known, else at the deadline.
    pub async fn acquire(
        &self,
        deadline: Instant,
        priority: CallPriority,
    ) -> Result<Permit<'_>, TooLate> {
        let requested_at = Instant::now();
        let late = |at: Option<Instant>| {
            let at = at.map(|at| self.with_state(|state| at.max(state.spent_until.unwrap_or(at))));
            TooLate {
                wait: at.map(|at| at.saturating_duration_since(Instant::now())),
            }
        };
        let waiting = Waiting::begin(self, priority);
        let earliest = self.with_state(|state| state.earliest(waiting.before));
        if earliest.is_some_and(|at| at > deadline) {
            return Err(late(earliest));
        }
        let _bulk = match priority {
            CallPriority::Bulk => {
                let turn = pin!(self.bulk_turn());
                let Ok(turn) = timeout_at(|| deadline, turn).await else {
                    return Err(late(self.with_state(|state| state.after_in_flight())));
                };
                Some(turn)
            }
            CallPriority::Interactive => None,
        };
        let concurrency = timeout_at(|| deadline, pin!(self.concurrency.acquire())).await;
        let Ok(concurrency) = concurrency else {
            return Err(late(None));
        };
        let turn = timeout_at(|| deadline, pin!(self.queue.lock())).await;
        let Ok(_first) = turn else {
            return Err(late(self.with_state(|state| state.after_in_flight())));
        };
        loop {
            // Registered before the check, so that no completion in between is missed.
            let completed = self.completed.notified();
            let admission = self.with_state(|state| state.admit(Instant::now()));
            match admission {
                Admission::Granted => {
                    // Unused until nothing is left to wait for.
                    let mut permit = Permit {
                        limiter: self,
                        waited: Duration::ZERO,
                        free_at: None,
                        is_unused: true,
                        #[cfg(feature = "shared-limits")]
                        shared: None,
                        // The semaphore is never closed.
                        _concurrency: concurrency.ok(),
                    };
                    #[cfg(feature = "shared-limits")]
                    if let Some(shared) = &self.shared {
                        // Boxed, because it is large, and rare.
                        permit.shared = Box::pin(shared.admit(deadline)).await?;
                    }
                    permit.is_unused = false;
                    permit.waited = requested_at.elapsed();
                    return Ok(permit);
                }
                Admission::At(time) if time > deadline => return Err(late(Some(time))),
                Admission::At(time) => {
                    let _ = tokio::time::timeout_at(time, completed).await;
                }
                Admission::AfterCompletion => {
                    if tokio::time::timeout_at(deadline, completed).await.is_err() {
                        return Err(late(self.with_state(|state| state.after_in_flight())));
                    }
                }
            }
        }
    }

    /// Waits until it is the turn of a bulk request, and no interactive one waits.
    async fn bulk_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        let turn = self.bulk.lock().await;
        loop {
            let completed = self.completed.notified();
            if self.with_state(|state| state.interactive == 0) {
                return turn;
            }
            completed.await;
        }
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // The state stays usable after a panic of a holder of the lock.
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        act(&mut state)
    }
}

impl Permit<'_> {
    /// How long the request waited for this permit.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Gives the slot back, as nothing is sent.
    pub fn release(mut self) {
        self.is_unused = true;
    }

    /// Reports the rate limit headers of the response; `rejected` is a 429, with the delay that it asked for.
    pub fn complete(mut self, reported: Option<RateLimit>, rejected: Option<Option<Duration>>) {
        let limiter = self.limiter;
        self.free_at =
            limiter.with_state(|state| state.complete(reported, rejected, Instant::now()));
    }

    /// Reports the same to the processes that share the limit.
    #[cfg(feature = "shared-limits")]
    pub async fn complete_shared(
        &mut self,
        reported: Option<RateLimit>,
        rejected: Option<Option<Duration>>,
    ) {
        if let Some(shared) = self.shared.take() {
            // Boxed, because it is large, and rare.
            Box::pin(shared.complete(reported, rejected)).await;
        }
    }
}

/// An abandoned request keeps its slot, since the server may have counted it.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "shared-limits")]
        if let Some(shared) = self.shared.take() {
            shared.abandon(self.is_unused);
        }
        self.limiter.with_state(|state| match self.is_unused {
            true => state.in_flight = state.in_flight.saturating_sub(1),
            false => state.finish(self.free_at, Instant::now()),
        });
        self.limiter.completed.notify_waiters();
    }
}

/// Counts one request in the queue until it is dropped.
struct Waiting<'a> {
    limiter: &'a Limiter,
    is_interactive: bool,
    /// How many requests were in the queue before it.
    before: usize,
}

impl<'a> Waiting<'a> {
    fn begin(limiter: &'a Limiter, priority: CallPriority) -> Self {
        let is_interactive = priority == CallPriority::Interactive;
        let before = limiter.with_state(|state| {
            state.waiting += 1;
            state.interactive += usize::from(is_interactive);
            match is_interactive {
                true => state.interactive - 1,
                false => state.waiting - 1,
            }
        });
        Self {
            limiter,
            is_interactive,
            before,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let was_last = self.limiter.with_state(|state| {
            state.waiting = state.waiting.saturating_sub(1);
            state.interactive -= usize::from(self.is_interactive);
            self.is_interactive && state.interactive == 0 && state.waiting > 0
        });
        if was_last {
            self.limiter.completed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
