//! The windows of a server's rate limit, as they are known from its responses.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{FIRST_BLOCK, MAX_SLOTS, MAX_WINDOW, ROUNDING, Rate};
use crate::call::RateLimit;

/// What the limiter knows of the server's windows.
#[derive(Debug)]
pub(super) struct State {
    /// The window that the server reports, or those that the caller fixed.
    pub(super) windows: Vec<Window>,
    /// Whether the caller fixed the windows, so that headers do not change them.
    pub(super) fixed: bool,
    /// Whether the server rounds the seconds to the end of its window down.
    pub(super) rounds_down: bool,
    pub(super) in_flight: usize,
    /// How many requests wait in the queue.
    pub(super) waiting: usize,
    /// How many of them are interactive.
    pub(super) interactive: usize,
    /// Whether the server's behaviour is known: at first, and after a 429, one request probes alone.
    pub(super) probed: bool,
    pub(super) blocked_until: Option<Instant>,
    /// The end of a spent window, as the server reports it: such as the end of the day. Requests are sent earlier, since
    /// the figure may be wrong; whoever cannot wait is told it.
    pub(super) spent_until: Option<Instant>,
    /// The number of 429s since the last other response.
    pub(super) rejections: u32,
    /// The longest that a 429 blocks all requests.
    pub(super) max_block: Duration,
}

/// One rate limit window.
#[derive(Debug)]
pub(super) struct Window {
    /// The number of slots, if known.
    pub(super) limit: Option<usize>,
    /// How long a slot is reserved if the response does not say.
    pub(super) length: Duration,
    /// When the slots of completed requests, and those of others, become free; the earliest first.
    pub(super) reserved_until: VecDeque<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    At(Instant),
    /// The whole allowance is in flight.
    AfterCompletion,
}

impl State {
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        if let Some(until) = self.blocked_until.filter(|until| now < *until) {
            return Admission::At(until);
        }
        if !self.probed && self.in_flight > 0 {
            return Admission::AfterCompletion;
        }
        let (mut until, mut is_full) = (None, false);
        for window in &mut self.windows {
            while (window.reserved_until.front()).is_some_and(|free_at| *free_at <= now) {
                window.reserved_until.pop_front();
            }
            match window.free_slot(self.in_flight) {
                None => {}
                Some(Some(free_at)) => until = until.max(Some(free_at)),
                Some(None) => is_full = true,
            }
        }
        match until {
            Some(until) => Admission::At(until),
            None if is_full => Admission::AfterCompletion,
            None => {
                self.in_flight += 1;
                Admission::Granted
            }
        }
    }

    /// Takes in a response; returns when its slot becomes free, if the headers say so.
    pub(super) fn complete(
        &mut self,
        reported: Option<RateLimit>,
        rejected: Option<Option<Duration>>,
        now: Instant,
    ) -> Option<Instant> {
        self.probed = rejected.is_none();
        let free_at = reported.and_then(|reported| self.update_from_headers(reported, now));
        match rejected {
            Some(delay) => {
                // A zero delay is no information after a rejection.
                let delay = delay.filter(|delay| !delay.is_zero());
                self.reject(delay.or(free_at.map(|free_at| free_at - now)), now);
            }
            None => self.rejections = 0,
        }
        free_at
    }

    /// The earliest time, if known, at which a request can be admitted behind those in flight and `ahead` others.
    pub(super) fn earliest(&self, ahead: usize) -> Option<Instant> {
        let counted = self.in_flight + ahead;
        let slots = self.windows.iter().map(|window| window.free_slot(counted));
        let free_at = slots.flatten().flatten().max();
        free_at.max(self.blocked_until)
    }

    /// The earliest time at which the slots of the requests in flight become free.
    pub(super) fn after_in_flight(&self) -> Option<Instant> {
        let windows = self.windows.iter().filter(|window| window.limit.is_some());
        let longest = windows.map(|window| window.length).max()?;
        Some(self.earliest(0).unwrap_or(Instant::now() + longest))
    }

    pub(super) fn finish(&mut self, free_at: Option<Instant>, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        for window in self
            .windows
            .iter_mut()
            .filter(|window| window.limit.is_some())
        {
            window.reserve(free_at.unwrap_or(now + window.length), 1);
        }
    }

    /// Updates the window from the headers of a response; returns the end of the window, if they have it.
    pub(super) fn update_from_headers(
        &mut self,
        reported: RateLimit,
        now: Instant,
    ) -> Option<Instant> {
        let reset = reported.reset.filter(|_| !self.fixed)?;
        let is_spent = reported.remaining == Some(0);
        self.spent_until = is_spent.then(|| now.checked_add(reset)).flatten();
        let reset = reset.min(MAX_WINDOW);
        // A server that rounds up never reports 0 seconds.
        self.rounds_down |= reset.is_zero();
        let whole = reset.subsec_nanos() == 0;
        let missing = Duration::from_secs(u64::from(whole && self.rounds_down));
        let left = reset + missing + ROUNDING;
        let free_at = now + left;
        let in_flight = self.in_flight;
        let window = self.windows.first_mut()?;
        // Adopts a longer window at once and a shorter one slowly.
        let shorter = window.length - window.length.saturating_sub(left) / 8;
        window.length = left.max(shorter);
        if let Some(limit) = reported.limit.filter(|limit| *limit > 0) {
            let slots = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let capped = slots(limit).min(MAX_SLOTS);
            window.limit = Some(capped);
            let remaining = reported.remaining.unwrap_or(limit);
            let counted = slots(limit.saturating_sub(remaining)).min(capped);
            let own = window.reserved_until.len() + in_flight;
            window.reserve(free_at, counted.saturating_sub(own));
        }
        Some(free_at)
    }

    pub(super) fn reject(&mut self, delay: Option<Duration>, now: Instant) {
        let doubled = 2_u32.saturating_pow(self.rejections);
        self.rejections = self.rejections.saturating_add(1);
        let window = self.windows.iter().map(|window| window.length).min();
        let window = window.unwrap_or(FIRST_BLOCK);
        let delay = delay.unwrap_or_else(|| window.saturating_mul(doubled));
        let until = now + delay.min(self.max_block) + ROUNDING;
        self.blocked_until = self.blocked_until.max(Some(until));
    }
}

impl Window {
    pub(super) fn of(rate: Option<Rate>) -> Self {
        Self {
            limit: rate.map(|rate| rate.requests),
            length: rate.map_or(FIRST_BLOCK, |rate| rate.window),
            reserved_until: VecDeque::new(),
        }
    }

    /// `None` if a slot is free; otherwise the time at which one becomes free, or `Some(None)` if that depends on one of
    /// the `counted` requests.
    pub(super) fn free_slot(&self, counted: usize) -> Option<Option<Instant>> {
        let excess = (self.reserved_until.len() + counted).checked_sub(self.limit?)?;
        Some(self.reserved_until.get(excess).copied())
    }

    pub(super) fn reserve(&mut self, free_at: Instant, slots: usize) {
        let index = self
            .reserved_until
            .partition_point(|earlier| *earlier <= free_at);
        for _ in 0..slots {
            self.reserved_until.insert(index, free_at);
        }
    }
}
