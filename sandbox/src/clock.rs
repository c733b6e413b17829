//! The sandbox's clock: the machine's time, which tests can move.

use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The largest offset: far enough for tests, and no sum of times overflows.
const MAX_OFFSET: TimeDelta = TimeDelta::days(36_500);

/// The clock of the emulated servers.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// How long earlier processes ran.
    before: Duration,
    /// By how much the time was advanced.
    advanced: TimeDelta,
    /// By how much the clock is wrong in addition.
    skew: TimeDelta,
}

/// How far a clock has come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ClockPosition {
    running: Duration,
    advanced: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            before: Duration::ZERO,
            advanced: TimeDelta::zero(),
            skew: TimeDelta::zero(),
        }
    }
}

impl Clock {
    /// The time that the servers show, in the microseconds that travel on the wire.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let now = (Utc::now() + self.advanced + self.skew).trunc_subsecs(6);
        // The first millisecond of a second lasts two: without milliseconds, a time looks less precise than it is.
        let first = now.trunc_subsecs(0) + TimeDelta::milliseconds(1);
        now.max(first)
    }

    /// Time since the start. [`Clock::advance`] moves it and a skew does not.
    pub(crate) fn elapsed(&self) -> Duration {
        self.before + self.started.elapsed() + self.advanced.to_std().unwrap_or_default()
    }

    /// Advances the time, by a century at most in all.
    pub(crate) fn advance(&mut self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(MAX_OFFSET);
        let sum = self.advanced.checked_add(&by).unwrap_or(MAX_OFFSET);
        self.advanced = sum.min(MAX_OFFSET);
    }

    /// A clock that continues from here, without a skew.
    pub(crate) fn continue_from(position: ClockPosition) -> Self {
        let mut clock = Self {
            before: position.running,
            ..Self::default()
        };
        clock.advance(position.advanced);
        clock
    }

    /// Where the next process continues.
    pub(crate) fn position(&self) -> ClockPosition {
        ClockPosition {
            running: self.before + self.started.elapsed(),
            advanced: self.advanced.to_std().unwrap_or_default(),
        }
    }

    /// By how many seconds the time was advanced.
    pub(crate) fn advanced_seconds(&self) -> i64 {
        self.advanced.num_seconds()
    }

    pub(crate) fn set_skew(&mut self, seconds: i64) {
        let limit = MAX_OFFSET.num_seconds();
        self.skew = TimeDelta::seconds(seconds.clamp(-limit, limit));
    }

    /// The value of the `Date` header; `None` if it is the machine's time, which the HTTP server sends anyway.
    pub(crate) fn date_header(&self) -> Option<HeaderValue> {
        if self.advanced.is_zero() && self.skew.is_zero() {
            return None;
        }
        let text = self.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        HeaderValue::try_from(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skew_moves_the_time_but_not_what_has_elapsed() {
        let mut clock = Clock::default();
        clock.advance(Duration::from_secs(3600));
        let ahead = clock.now() - Utc::now();
        assert!((3599..=3601).contains(&ahead.num_seconds()), "{ahead}");
        assert!(clock.elapsed() >= Duration::from_secs(3600));

        clock.set_skew(-7200);
        let behind = Utc::now() - clock.now();
        assert!((3599..=3601).contains(&behind.num_seconds()), "{behind}");
        assert!(clock.elapsed() >= Duration::from_secs(3600));
    }

    #[test]
    fn extreme_offsets_are_clamped() {
        let mut clock = Clock::default();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        clock.set_skew(i64::MAX);
        clock.now();
        clock.set_skew(i64::MIN);
        clock.now();
        assert!(clock.date_header().is_some());
    }
}
