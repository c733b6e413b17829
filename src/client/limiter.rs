//! Waiting before sending, so that being refused is the exception.
//!
//! Two rules can say when the next request is sure to be within the allowance:
//!
//! - *Spacing*, from the limit alone: among any `limit + 1` requests, the last is sent a whole window
//!   after the first one was answered. However the server places its windows, it counts no more than
//!   `limit` in one.
//! - *Window*, from the headers: the server said how many are left and when the window ends. What it
//!   said is late by the way back, so waiting until then is never too short.
//!
//! A server that tells its window to the fraction of a second (ClickHouse) is believed; the length of
//! a window is then known less exactly than its end. With whole seconds (Confluent) the length is known
//! and the end is not, so spacing is enough there, and it is all there is without headers.
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

/// A window is never thought shorter or longer than this, whatever a server says.
const LONGEST_WINDOW: Duration = Duration::from_secs(120);

/// A rate that is known before the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub requests: usize,
    pub window: Duration,
}

/// How many answers are remembered while no limit is known.
const MIN_HISTORY: usize = 256;

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
    rate: Option<Rate>,
    /// Whether the caller fixed the rate, so that headers do not change it.
    fixed: bool,
    /// Whether the server tells its windows to the fraction of a second.
    exact: bool,
    /// When the latest requests were answered, oldest first.
    answers: VecDeque<Instant>,
    under_way: usize,
    /// The window that the server is in, by its headers.
    window: Option<Window>,
    /// How many windows went by; an answer to a request of an earlier one says nothing of this one.
    epoch: u64,
    blocked_until: Option<Instant>,
    /// How long a refusal stops everything at most.
    longest_block: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    end: Instant,
    /// How many are left, by the latest that the server said.
    left: usize,
    /// How many were let through that the server may not have counted in that.
    spent: usize,
    /// Whether the server said so, or it only follows from the end of the window before.
    told: bool,
}

/// The right to send one request; the answer is to be reported with [`Permit::answered`].
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    epoch: u64,
    waited: Duration,
    _concurrency: Option<SemaphorePermit<'a>>,
}

impl Limiter {
    /// `published` is what the vendor documents, `fixed` what the caller set.
    pub fn new(published: Option<Rate>, fixed: Option<Rate>, concurrency: usize) -> Self {
        Self {
            concurrency: Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            line: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                rate: fixed.or(published),
                fixed: fixed.is_some(),
                exact: false,
                answers: VecDeque::new(),
                under_way: 0,
                window: None,
                epoch: 0,
                blocked_until: None,
                longest_block: LONGEST_WINDOW,
            }),
            answered: Notify::new(),
        }
    }

    /// Sets how long a refusal stops everything at most.
    pub fn with_longest_block(mut self, longest: Duration) -> Self {
        let state = self
            .state
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        state.longest_block = longest.min(LONGEST_WINDOW);
        self
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
            let wait = match self.with_state(|state| state.admit(Instant::now())) {
                Admission::Granted(epoch) => {
                    return Permit {
                        limiter: self,
                        epoch,
                        waited: asked.elapsed(),
                        _concurrency: concurrency,
                    };
                }
                Admission::At(time) => Some(time),
                Admission::AfterAnswer => None,
            };
            match wait {
                Some(time) => {
                    let _ = tokio::time::timeout_at(time, answered).await;
                }
                None => answered.await,
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
    pub fn answered(self, limit: Option<RateLimit>, refused: Option<Option<Duration>>) {
        self.limiter.with_state(|state| {
            let now = Instant::now();
            if let Some(limit) = limit {
                state.learn(limit, self.epoch, now);
            }
            if let Some(delay) = refused {
                state.refused(delay, limit, now);
            }
        });
    }
}

/// Also when the request was abandoned: the server may have counted it.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter
            .with_state(|state| state.finish(Instant::now()));
        self.limiter.answered.notify_waiters();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    /// In this epoch.
    Granted(u64),
    At(Instant),
    /// Everything that is allowed is under way.
    AfterAnswer,
}

impl State {
    fn admit(&mut self, now: Instant) -> Admission {
        if let Some(until) = self.blocked_until {
            if now < until {
                return Admission::At(until);
            }
            self.blocked_until = None;
        }
        let time = match self.rate {
            Some(rate) if self.exact => self.next_by_window(rate, now),
            Some(rate) => self.next_by_spacing(rate, now),
            // The first answer may tell the rate, so only one request goes ahead of it.
            None if self.answers.is_empty() && self.under_way > 0 => None,
            None => Some(now),
        };
        match time {
            None if self.under_way > 0 => Admission::AfterAnswer,
            Some(time) if time > now => Admission::At(time),
            // Without anything to wait for, there is nothing against it.
            Some(_) | None => {
                self.under_way += 1;
                if let Some(window) = &mut self.window {
                    window.spent += 1;
                }
                Admission::Granted(self.epoch)
            }
        }
    }

    /// `limit` requests before this one have to be answered a window ago.
    fn next_by_spacing(&self, rate: Rate, now: Instant) -> Option<Instant> {
        let earlier = self.answers.len() + self.under_way;
        if earlier < rate.requests {
            return Some(now);
        }
        // The latest `limit` are those under way and the last of the answered.
        let answered = self.answers.get(earlier - rate.requests)?;
        Some(*answered + rate.window)
    }

    /// What the server said is left, and all of it again once the window is over.
    fn next_by_window(&mut self, rate: Rate, now: Instant) -> Option<Instant> {
        let window = self.window.as_mut()?;
        if now >= window.end {
            self.epoch += 1;
            *window = Window {
                end: now + rate.window,
                left: rate.requests,
                // What is under way may count in the new window.
                spent: self.under_way,
                told: false,
            };
        }
        if window.spent < window.left {
            return Some(now);
        }
        // The end of a window that the server has said nothing of yet is a guess: better ask.
        (window.told || self.under_way == 0).then_some(window.end)
    }

    fn finish(&mut self, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        self.answers.push_back(now);
        let kept = self
            .rate
            .map_or(MIN_HISTORY, |rate| rate.requests.max(MIN_HISTORY));
        while self.answers.len() > kept {
            self.answers.pop_front();
        }
    }

    /// Takes in what the headers of an answer to a request of `epoch` say.
    fn learn(&mut self, said: RateLimit, epoch: u64, now: Instant) {
        if self.fixed {
            return;
        }
        let number = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok());
        let (Some(limit), Some(left), Some(reset)) = (
            number(said.limit).filter(|limit| *limit > 0),
            number(said.remaining),
            said.reset,
        ) else {
            return;
        };
        let reset = reset.min(LONGEST_WINDOW);
        self.exact |= reset.subsec_nanos() != 0;
        // The longest time to a window's end that was ever said is the best guess of its length.
        let known = self
            .rate
            .filter(|rate| rate.requests == limit && self.window.is_some());
        let length = known
            .map_or(reset, |rate| rate.window.max(reset))
            .max(ROUNDING);
        self.rate = Some(Rate {
            requests: limit,
            window: length,
        });
        if epoch != self.epoch {
            return;
        }
        // This one is answered; the others under way may or may not be in what the server counted.
        let others = self.under_way.saturating_sub(1);
        let end = now + reset + ROUNDING;
        self.window = Some(match self.window {
            // The next window began a moment before it was expected to.
            Some(window) if window.told && end > window.end + length / 4 => Window {
                end,
                left,
                spent: others,
                told: true,
            },
            // An older answer that comes late says less than is known.
            Some(window) if window.told && left >= window.left => Window {
                end: end.min(window.end),
                ..window
            },
            // The same window, told again: the earliest end is the least late.
            Some(window) if window.told => Window {
                end: end.min(window.end),
                left,
                spent: others,
                told: true,
            },
            _ => Window {
                end,
                left,
                spent: others,
                told: true,
            },
        });
    }

    fn refused(&mut self, delay: Option<Duration>, said: Option<RateLimit>, now: Instant) {
        let reset = said.and_then(|said| said.reset);
        let length = self.rate.map(|rate| rate.window);
        let delay = delay.or(reset).or(length).unwrap_or(Duration::from_secs(1));
        let until = now + delay.min(self.longest_block) + ROUNDING;
        self.blocked_until = self.blocked_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::StreamExt;
    use tokio::time::sleep;

    use super::*;

    /// How a server writes `X-RateLimit-Reset`.
    #[derive(Clone, Copy, Debug)]
    enum Style {
        WholeSeconds,
        Fraction,
        Silent,
    }

    /// A server that counts in fixed windows.
    struct Server {
        rate: Rate,
        style: Style,
        start: Instant,
        /// The window's number, and what was counted in it.
        window: Mutex<(u128, usize)>,
        served: AtomicUsize,
        refused: AtomicUsize,
    }

    impl Server {
        fn new(rate: Rate, style: Style) -> Self {
            // Its windows began before the client.
            let start = Instant::now() - rate.window.mul_f64(0.37);
            Self {
                rate,
                style,
                start,
                window: Mutex::new((0, 0)),
                served: AtomicUsize::new(0),
                refused: AtomicUsize::new(0),
            }
        }

        /// Answers a request that arrives now; false is a 429.
        fn answer(&self) -> (bool, Option<RateLimit>) {
            let age = self.start.elapsed().as_nanos();
            let length = self.rate.window.as_nanos();
            let mut window = self.window.lock().unwrap();
            if window.0 != age / length {
                *window = (age / length, 0);
            }
            window.1 += 1;
            let served = window.1 <= self.rate.requests;
            let counter = if served { &self.served } else { &self.refused };
            counter.fetch_add(1, Ordering::Relaxed);
            let left = Duration::from_nanos((length - age % length) as u64);
            let reset = match self.style {
                Style::Silent => return (served, None),
                Style::WholeSeconds => Duration::from_secs(left.as_secs_f64().ceil() as u64),
                Style::Fraction => Duration::from_millis(left.as_millis() as u64),
            };
            let said = RateLimit {
                limit: Some(self.rate.requests as u64),
                remaining: Some(self.rate.requests.saturating_sub(window.1) as u64),
                reset: Some(reset),
            };
            (served, Some(said))
        }
    }

    async fn call(server: &Server, limiter: &Limiter) {
        let permit = limiter.acquire().await;
        sleep(Duration::from_micros(200 + fastrand::u64(0..600))).await;
        let (served, said) = server.answer();
        sleep(Duration::from_micros(200 + fastrand::u64(0..600))).await;
        permit.answered(said, (!served).then_some(None));
    }

    /// The share of what was permitted that was used in 50 windows, and how many were refused.
    async fn fifty_windows(server: Server, limiter: Limiter) -> (f64, usize) {
        let (server, limiter) = (Arc::new(server), Arc::new(limiter));
        let run = futures::stream::repeat(()).for_each_concurrent(16, |()| {
            let (server, limiter) = (Arc::clone(&server), Arc::clone(&limiter));
            async move { call(&server, &limiter).await }
        });
        let length = server.rate.window * 50;
        let _ = tokio::time::timeout(length, run).await;
        let served = server.served.load(Ordering::Relaxed) as f64;
        let permitted = (server.rate.requests * 50) as f64;
        (served / permitted, server.refused.load(Ordering::Relaxed))
    }

    fn rate(requests: usize, millis: u64) -> Rate {
        Rate {
            requests,
            window: Duration::from_millis(millis),
        }
    }

    const PUBLISHED: Rate = Rate {
        requests: 10,
        window: Duration::from_secs(10),
    };

    #[tokio::test(start_paused = true)]
    async fn the_allowance_is_spent_without_being_refused() {
        for (server, style, published, fixed) in [
            (rate(10, 200), Style::Fraction, Some(PUBLISHED), None),
            (rate(10, 10_000), Style::Fraction, Some(PUBLISHED), None),
            (rate(60, 1_000), Style::WholeSeconds, None, None),
            (rate(10, 10_000), Style::Silent, Some(PUBLISHED), None),
            (
                rate(25, 500),
                Style::Silent,
                Some(PUBLISHED),
                Some(rate(25, 500)),
            ),
        ] {
            for seed in 0..5 {
                fastrand::seed(seed);
                let limiter = Limiter::new(published, fixed, 16);
                let (share, refused) = fifty_windows(Server::new(server, style), limiter).await;
                assert_eq!(refused, 0, "{server:?} {style:?} seed {seed}: {share}");
                assert!(share >= 0.97, "{server:?} {style:?} seed {seed}: {share}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_request_does_not_wait_behind_a_bulk_run() {
        let limiter = Arc::new(Limiter::new(None, Some(rate(10, 1_000)), 16));
        let server = Arc::new(Server::new(rate(10, 1_000), Style::Silent));
        let bulk = futures::stream::repeat(()).for_each_concurrent(4, |()| {
            let (server, limiter) = (Arc::clone(&server), Arc::clone(&limiter));
            async move { call(&server, &limiter).await }
        });
        let single = async {
            sleep(Duration::from_millis(4_321)).await;
            let start = Instant::now();
            call(&server, &limiter).await;
            start.elapsed()
        };
        let waited = tokio::select! {
            waited = single => waited,
            () = bulk => unreachable!("it has no end"),
        };
        assert!(waited <= Duration::from_millis(1_100), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_request_gives_its_place_back() {
        let limiter = Limiter::new(None, Some(rate(1, 1_000)), 1);
        drop(limiter.acquire().await);
        let start = Instant::now();
        drop(limiter.acquire().await);
        assert_eq!(start.elapsed().as_millis(), 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_stops_everything_for_as_long_as_it_says() {
        let limiter = Limiter::new(None, None, 16);
        limiter.acquire().await.answered(None, None);
        limiter
            .acquire()
            .await
            .answered(None, Some(Some(Duration::from_secs(7))));
        let start = Instant::now();
        drop(limiter.acquire().await);
        assert_eq!(start.elapsed().as_secs(), 7);
    }
}
