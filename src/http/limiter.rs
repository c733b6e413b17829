//! A client-side rate limit, so that a 429 is the exception.
//!
//! A request reserves a slot of the allowance from when it is sent until the server's window that counted it
//! ends. The response says when that is (`X-RateLimit-Reset`); after a response that does not, a whole window
//! passes. Among any `limit + 1` requests, the last is therefore sent when the first no longer counts,
//! however the server places its windows; the server's figure is late by the way back, so waiting until then
//! is never too short. Requests that the server counted beyond this client's own were sent by others with the
//! same credential: those reserve slots too.
//!
//! Requests are admitted in the order they came, so a single one does not wait behind all of a bulk run, only
//! behind those in flight.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::http::RateLimit;

/// Added to what a server says of its window: its figure may be rounded down to the millisecond.
const ROUNDING: Duration = Duration::from_millis(1);

/// No slot is reserved for longer than this, whatever a server says.
const MAX_WINDOW: Duration = Duration::from_secs(120);

/// A larger limit counts as this.
const MAX_SLOTS: usize = 100_000;

/// How long the first 429 without any figures blocks all requests.
const FIRST_BLOCK: Duration = Duration::from_secs(1);

/// A rate that is known before the first response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub requests: usize,
    pub window: Duration,
}

impl Rate {
    /// A caller's rate: at least one request, in a day at most.
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
    /// Only the first in the queue looks at the allowance.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    completed: Notify,
}

/// What is known of the server's counting.
#[derive(Debug)]
struct State {
    /// The number of slots, once that is known.
    limit: Option<usize>,
    /// How long a request is counted if its response does not say.
    window: Duration,
    /// Whether the caller fixed the rate, so that headers do not change it.
    fixed: bool,
    /// Whether the server rounds the seconds to the end of its window down.
    rounds_down: bool,
    /// When the slots of completed requests, and those of others, become free; the earliest first.
    reserved_until: VecDeque<Instant>,
    in_flight: usize,
    /// Whether the server's behaviour is known: at first, and after a 429, one request probes alone.
    probed: bool,
    blocked_until: Option<Instant>,
    /// How many 429 came since the last other response.
    rejections: u32,
    /// The longest that a 429 blocks all requests.
    max_block: Duration,
}

/// The right to send one request; its response is reported with [`Permit::complete`].
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    waited: Duration,
    /// When its slot becomes free, according to the response.
    free_at: Option<Instant>,
    _concurrency: Option<SemaphorePermit<'a>>,
}

impl Limiter {
    /// `published` is the vendor's documented rate, `fixed` the caller's; a 429 blocks all requests for
    /// `max_block` at most.
    pub fn new(
        published: Option<Rate>,
        fixed: Option<Rate>,
        concurrency: usize,
        max_block: Duration,
    ) -> Self {
        let rate = fixed.or(published);
        Self {
            concurrency: Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            queue: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                limit: rate.map(|rate| rate.requests),
                window: rate.map_or(FIRST_BLOCK, |rate| rate.window),
                fixed: fixed.is_some(),
                rounds_down: false,
                reserved_until: VecDeque::new(),
                in_flight: 0,
                probed: rate.is_some(),
                blocked_until: None,
                rejections: 0,
                max_block: max_block.min(MAX_WINDOW),
            }),
            completed: Notify::new(),
        }
    }

    /// Waits until a request may be sent.
    pub async fn acquire(&self) -> Permit<'_> {
        let asked = Instant::now();
        // The semaphore is never closed.
        let concurrency = self.concurrency.acquire().await.ok();
        let _first = self.queue.lock().await;
        loop {
            // Registered before looking, so that no completion is missed in between.
            let completed = self.completed.notified();
            let admission = self.with_state(|state| state.admit(Instant::now()));
            match admission {
                Admission::Granted => {
                    return Permit {
                        limiter: self,
                        waited: asked.elapsed(),
                        free_at: None,
                        _concurrency: concurrency,
                    };
                }
                Admission::At(time) => {
                    let _ = tokio::time::timeout_at(time, completed).await;
                }
                Admission::AfterCompletion => completed.await,
            }
        }
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // A panic while the lock is held cannot leave the state inconsistent in a way that matters.
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

    /// Reports what the response said of the allowance; `rejected` is a 429, with the delay it asked for.
    pub fn complete(mut self, reported: Option<RateLimit>, rejected: Option<Option<Duration>>) {
        let limiter = self.limiter;
        self.free_at = limiter.with_state(|state| {
            let now = Instant::now();
            state.probed = rejected.is_none();
            let free_at = reported.and_then(|reported| state.update_from_headers(reported, now));
            match rejected {
                Some(delay) => state.reject(delay.or(free_at.map(|free_at| free_at - now)), now),
                None => state.rejections = 0,
            }
            free_at
        });
    }
}

/// An abandoned request keeps its slot too: the server may have counted it.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter
            .with_state(|state| state.finish(self.free_at, Instant::now()));
        self.limiter.completed.notify_waiters();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Granted,
    At(Instant),
    /// The whole allowance is in flight.
    AfterCompletion,
}

impl State {
    fn admit(&mut self, now: Instant) -> Admission {
        if let Some(until) = self.blocked_until.filter(|until| now < *until) {
            return Admission::At(until);
        }
        if !self.probed && self.in_flight > 0 {
            return Admission::AfterCompletion;
        }
        while self
            .reserved_until
            .front()
            .is_some_and(|free_at| *free_at <= now)
        {
            self.reserved_until.pop_front();
        }
        let reserved = self.reserved_until.len() + self.in_flight;
        let excess = self.limit.and_then(|limit| reserved.checked_sub(limit));
        match excess.map(|excess| self.reserved_until.get(excess)) {
            None => {
                self.in_flight += 1;
                Admission::Granted
            }
            Some(Some(free_at)) => Admission::At(*free_at),
            Some(None) => Admission::AfterCompletion,
        }
    }

    fn finish(&mut self, free_at: Option<Instant>, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.limit.is_some() {
            self.reserve(free_at.unwrap_or(now + self.window), 1);
        }
    }

    fn reserve(&mut self, free_at: Instant, slots: usize) {
        let index = self
            .reserved_until
            .partition_point(|earlier| *earlier <= free_at);
        for _ in 0..slots {
            self.reserved_until.insert(index, free_at);
        }
    }

    /// Learns from the headers of a response; returns when its window ends, if they say so.
    fn update_from_headers(&mut self, reported: RateLimit, now: Instant) -> Option<Instant> {
        let reset = reported.reset.filter(|_| !self.fixed)?.min(MAX_WINDOW);
        // Whole seconds that are rounded up are never 0.
        self.rounds_down |= reset.is_zero();
        let whole = reset.subsec_nanos() == 0;
        let missing = Duration::from_secs(u64::from(whole && self.rounds_down));
        let left = reset + missing + ROUNDING;
        let free_at = now + left;
        // Follows longer windows at once and shorter ones slowly.
        self.window = left.max(self.window - self.window.saturating_sub(left) / 8);
        if let Some(limit) = reported.limit.filter(|limit| *limit > 0) {
            let slots = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let capped = slots(limit).min(MAX_SLOTS);
            self.limit = Some(capped);
            let remaining = reported.remaining.unwrap_or(limit);
            let counted = slots(limit.saturating_sub(remaining)).min(capped);
            let own = self.reserved_until.len() + self.in_flight;
            self.reserve(free_at, counted.saturating_sub(own));
        }
        Some(free_at)
    }

    fn reject(&mut self, delay: Option<Duration>, now: Instant) {
        let doubled = 2_u32.saturating_pow(self.rejections);
        self.rejections = self.rejections.saturating_add(1);
        let delay = delay.unwrap_or_else(|| self.window.saturating_mul(doubled));
        let until = now + delay.min(self.max_block) + ROUNDING;
        self.blocked_until = self.blocked_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests;
