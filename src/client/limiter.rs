//! Waiting before sending, so that being refused is the exception.
//!
//! A request takes a place in the allowance from when it is sent until the server's window that
//! counted it is over. The answer says when that is (`X-RateLimit-Reset`); after an answer that does
//! not, a whole window goes by. Among any `limit + 1` requests, the last is therefore sent when the
//! first no longer counts, however the server places its windows; what it says is late by the way
//! back, so waiting until then is never too short. What the server counted beyond our own requests,
//! others sent with the same credential: those take places too.
//!
//! Requests are let through in the order they came, so a single one does not wait behind all of a bulk
//! run, only behind those that are under way.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::error::RateLimit;

/// Added to what a server says of its window: its figure may be rounded down to the millisecond.
const ROUNDING: Duration = Duration::from_millis(1);

/// No place is taken for longer than this, whatever a server says.
const LONGEST_WINDOW: Duration = Duration::from_secs(120);

/// A limit beyond this counts as this.
const MOST_PLACES: usize = 100_000;

/// How long the first refusal without any figures stops everything.
const FIRST_BLOCK: Duration = Duration::from_secs(1);

/// A rate that is known before the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub requests: usize,
    pub window: Duration,
}

impl Rate {
    /// What a caller asks for: at least one request, in a day at most.
    pub fn at_most(requests: usize, window: Duration) -> Self {
        Self {
            requests: requests.max(1),
            window: window.min(Duration::from_secs(86_400)),
        }
    }
}

/// One credential's allowance.
#[derive(Debug)]
pub(crate) struct Limiter {
    concurrency: Semaphore,
    /// Only the first in line looks at the allowance.
    line: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    answered: Notify,
}

/// What is known of the server's counting.
#[derive(Debug)]
struct State {
    /// How many places there are, once that is known.
    limit: Option<usize>,
    /// How long a request is counted when its answer does not say.
    window: Duration,
    /// Whether the caller fixed the rate, so that headers do not change it.
    fixed: bool,
    /// Whether the server rounds the seconds to the end of its window down.
    rounds_down: bool,
    /// When the places of answered requests, and those of others, become free; the earliest first.
    taken: VecDeque<Instant>,
    under_way: usize,
    /// Whether it is known how the server answers: before, and after a refusal, one goes ahead alone.
    open: bool,
    blocked_until: Option<Instant>,
    /// Refusals since the last other answer.
    refusals: u32,
    /// How long a refusal stops everything at most.
    longest_block: Duration,
}

/// The right to send one request; the answer is to be reported with [`Permit::answered`].
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    waited: Duration,
    /// When its place becomes free, as the answer said.
    free: Option<Instant>,
    _concurrency: Option<SemaphorePermit<'a>>,
}

impl Limiter {
    /// `published` is what the vendor documents, `fixed` what the caller set; a refusal stops
    /// everything for `longest_block` at most.
    pub fn new(
        published: Option<Rate>,
        fixed: Option<Rate>,
        concurrency: usize,
        longest_block: Duration,
    ) -> Self {
        let rate = fixed.or(published);
        Self {
            concurrency: Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            line: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                limit: rate.map(|rate| rate.requests),
                window: rate.map_or(FIRST_BLOCK, |rate| rate.window),
                fixed: fixed.is_some(),
                rounds_down: false,
                taken: VecDeque::new(),
                under_way: 0,
                open: rate.is_some(),
                blocked_until: None,
                refusals: 0,
                longest_block: longest_block.min(LONGEST_WINDOW),
            }),
            answered: Notify::new(),
        }
    }

    /// Waits until a request may be sent.
    pub async fn acquire(&self) -> Permit<'_> {
        let asked = Instant::now();
        // The semaphore is never closed.
        let concurrency = self.concurrency.acquire().await.ok();
        let _first = self.line.lock().await;
        loop {
            // Registered before looking, so that no answer is missed in between.
            let answered = self.answered.notified();
            let admission = self.with_state(|state| state.admit(Instant::now()));
            match admission {
                Admission::Granted => {
                    return Permit {
                        limiter: self,
                        waited: asked.elapsed(),
                        free: None,
                        _concurrency: concurrency,
                    };
                }
                Admission::At(time) => {
                    let _ = tokio::time::timeout_at(time, answered).await;
                }
                Admission::AfterAnswer => answered.await,
            }
        }
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // A panic while holding the lock cannot leave it half changed in a way that matters.
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        act(&mut state)
    }
}

impl Permit<'_> {
    /// How long it took to get it.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Reports what the answer said of the allowance; `refused` is a 429, with the delay it asked for.
    pub fn answered(mut self, said: Option<RateLimit>, refused: Option<Option<Duration>>) {
        let limiter = self.limiter;
        self.free = limiter.with_state(|state| {
            let now = Instant::now();
            state.open = refused.is_none();
            let free = said.and_then(|said| state.learn(said, now));
            match refused {
                Some(delay) => state.refused(delay.or(free.map(|free| free - now)), now),
                None => state.refusals = 0,
            }
            free
        });
    }
}

/// Also when the request was abandoned: the server may have counted it.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter
            .with_state(|state| state.finish(self.free, Instant::now()));
        self.limiter.answered.notify_waiters();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Granted,
    At(Instant),
    /// Everything that is allowed is under way.
    AfterAnswer,
}

impl State {
    fn admit(&mut self, now: Instant) -> Admission {
        if let Some(until) = self.blocked_until.filter(|until| now < *until) {
            return Admission::At(until);
        }
        if !self.open && self.under_way > 0 {
            return Admission::AfterAnswer;
        }
        while self.taken.front().is_some_and(|free| *free <= now) {
            self.taken.pop_front();
        }
        let places = self.taken.len() + self.under_way;
        let beyond = self.limit.and_then(|limit| places.checked_sub(limit));
        match beyond.map(|beyond| self.taken.get(beyond)) {
            None => {
                self.under_way += 1;
                Admission::Granted
            }
            Some(Some(free)) => Admission::At(*free),
            Some(None) => Admission::AfterAnswer,
        }
    }

    fn finish(&mut self, free: Option<Instant>, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        if self.limit.is_some() {
            self.take(free.unwrap_or(now + self.window), 1);
        }
    }

    fn take(&mut self, free: Instant, places: usize) {
        let index = self.taken.partition_point(|earlier| *earlier <= free);
        for _ in 0..places {
            self.taken.insert(index, free);
        }
    }

    /// Takes in what the headers of an answer say; gives when its window is over, if they say that.
    fn learn(&mut self, said: RateLimit, now: Instant) -> Option<Instant> {
        let told = said.reset.filter(|_| !self.fixed)?.min(LONGEST_WINDOW);
        // In whole seconds and rounded up, it would never be 0.
        self.rounds_down |= told.is_zero();
        let whole = told.subsec_nanos() == 0;
        let missing = Duration::from_secs(u64::from(whole && self.rounds_down));
        let left = told + missing + ROUNDING;
        let free = now + left;
        // Nearly the longest of the latest.
        self.window = left.max(self.window - self.window.saturating_sub(left) / 8);
        if let Some(limit) = said.limit.filter(|limit| *limit > 0) {
            let places = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let limit_here = places(limit).min(MOST_PLACES);
            self.limit = Some(limit_here);
            let remaining = said.remaining.unwrap_or(limit);
            let counted = places(limit.saturating_sub(remaining)).min(limit_here);
            let ours = self.taken.len() + self.under_way;
            self.take(free, counted.saturating_sub(ours));
        }
        Some(free)
    }

    fn refused(&mut self, delay: Option<Duration>, now: Instant) {
        let doubled = 2_u32.saturating_pow(self.refusals);
        self.refusals = self.refusals.saturating_add(1);
        let delay = delay.unwrap_or_else(|| self.window.saturating_mul(doubled));
        let until = now + delay.min(self.longest_block) + ROUNDING;
        self.blocked_until = self.blocked_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests;
