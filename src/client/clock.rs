//! How far the server's clock is from ours: needed to tell an invitation that was there before a
//! request from one that the request made.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

/// What is known of the server's clock, learnt from the times of creation in its answers.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(Mutex<Option<Offset>>);

/// No server's clock is wrong by more.
const ABSURD: TimeDelta = TimeDelta::days(3_650);

/// The server's time is ours plus something between these two.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Offset {
    least: TimeDelta,
    most: TimeDelta,
}

/// Where a time of the server lies, compared with a time of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Before,
    /// If the clocks are as right as most are.
    ProbablyBefore,
    /// Closer than the server tells its times.
    Unknown,
    ProbablyNotBefore,
    NotBefore,
}

impl ServerClock {
    /// Takes in that the server's clock showed `time` at some moment between `sent` and `received` of
    /// ours.
    pub fn observe(&self, time: DateTime<Utc>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        let seen = Offset {
            least: time - received,
            most: time - sent + resolution(time),
        };
        // A clock that is off by years says nothing.
        if seen.least.abs() > ABSURD || seen.most.abs() > ABSURD {
            return;
        }
        let mut known = self.lock();
        *known = Some(match *known {
            // Both hold, as long as they can both be true; else a clock was set, and the newer holds.
            Some(known) if known.least <= seen.most && seen.least <= known.most => Offset {
                least: known.least.max(seen.least),
                most: known.most.min(seen.most),
            },
            _ => seen,
        });
    }

    /// Compares a time of the server's with one of ours.
    pub fn compare(&self, server: DateTime<Utc>, ours: DateTime<Utc>) -> Order {
        // It may have been anything up to the next time that the server could have told.
        let latest = server
            .checked_add_signed(resolution(server))
            .unwrap_or(server);
        let earliest = server;
        let offset = *self.lock();
        if let Some(offset) = offset {
            if latest <= ours + offset.least {
                return Order::Before;
            }
            if earliest >= ours + offset.most {
                return Order::NotBefore;
            }
        }
        // Most clocks are right. Of one that is not, a request reaches the server soon, so the least
        // offset that is possible is the best guess.
        let none = TimeDelta::zero();
        let guess = match offset {
            Some(offset) if offset.least > none || offset.most < none => offset.least,
            _ => none,
        };
        if latest <= ours + guess {
            Order::ProbablyBefore
        } else if earliest >= ours + guess {
            Order::ProbablyNotBefore
        } else {
            Order::Unknown
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Offset>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// How finely the server tells its times, by what it left out of this one.
fn resolution(time: DateTime<Utc>) -> TimeDelta {
    match time.timestamp_subsec_nanos() {
        0 => TimeDelta::seconds(1),
        nanos if nanos % 1_000_000 == 0 => TimeDelta::milliseconds(1),
        _ => TimeDelta::microseconds(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time that is told to the microsecond.
    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_700_000_000_000_000 + millis * 1_000 + 1).unwrap()
    }

    #[test]
    fn a_clock_that_is_unknown_is_taken_as_right() {
        let clock = ServerClock::default();
        assert_eq!(clock.compare(at(-1), at(0)), Order::ProbablyBefore);
        assert_eq!(clock.compare(at(0), at(0)), Order::ProbablyNotBefore);
        let millisecond = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
        assert_eq!(clock.compare(millisecond, at(0)), Order::Unknown);
    }

    #[test]
    fn a_skewed_clock_is_learnt_and_narrowed() {
        let clock = ServerClock::default();
        // The server is an hour ahead, by a header with whole seconds.
        let hour = 3_600_000;
        let whole = DateTime::from_timestamp(1_700_003_600, 0).unwrap();
        clock.observe(whole, at(0), at(20));
        assert_eq!(clock.compare(at(hour - 50), at(0)), Order::Before);
        assert_eq!(clock.compare(at(hour + 1_001), at(0)), Order::NotBefore);
        assert_eq!(
            clock.compare(at(hour + 500), at(0)),
            Order::ProbablyNotBefore
        );
        // A time of creation is more precise.
        clock.observe(at(hour + 110), at(100), at(120));
        assert_eq!(clock.compare(at(hour - 11), at(0)), Order::Before);
        assert_eq!(clock.compare(at(hour + 12), at(0)), Order::NotBefore);
    }

    #[test]
    fn a_clock_that_was_set_is_learnt_anew() {
        let clock = ServerClock::default();
        clock.observe(at(0), at(0), at(1));
        clock.observe(at(90_000), at(10), at(11));
        assert_eq!(clock.compare(at(89_000), at(0)), Order::Before);
    }
}
