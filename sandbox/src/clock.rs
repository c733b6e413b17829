//! The sandbox's time: the machine's, moved by tests.

use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// Far enough for any test, near enough that no sum of times overflows.
const MAX_OFFSET: TimeDelta = TimeDelta::days(36_500);

/// Tells the time of the emulated servers.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// How far a test has moved the time on.
    advanced: TimeDelta,
    /// How far the servers' clock is off on top of that.
    skew: TimeDelta,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            advanced: TimeDelta::zero(),
            skew: TimeDelta::zero(),
        }
    }
}

impl Clock {
    /// The time that the servers tell, in the microseconds that travel on the wire.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (Utc::now() + self.advanced + self.skew).trunc_subsecs(6)
    }

    /// Time since the start, which [`Clock::advance`] moves and a skew does not.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed() + self.advanced.to_std().unwrap_or_default()
    }

    /// Moves the time on, a century at most in all.
    pub(crate) fn advance(&mut self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(MAX_OFFSET);
        let sum = self.advanced.checked_add(&by).unwrap_or(MAX_OFFSET);
        self.advanced = sum.min(MAX_OFFSET);
    }

    pub(crate) fn set_skew(&mut self, seconds: i64) {
        let limit = MAX_OFFSET.num_seconds();
        self.skew = TimeDelta::seconds(seconds.clamp(-limit, limit));
    }

    /// The value of a `Date` header; `None` when it is the machine's time, which the server tells anyway.
    pub(crate) fn date(&self) -> Option<HeaderValue> {
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
    fn the_time_moves_on_and_a_skew_shows_without_moving_it() {
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
    fn absurd_distances_are_cut() {
        let mut clock = Clock::default();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        clock.set_skew(i64::MAX);
        clock.now();
        clock.set_skew(i64::MIN);
        clock.now();
        assert!(clock.date().is_some());
    }
}
