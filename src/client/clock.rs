//! How far the server's clock is from ours: needed to tell an invitation that was there before a
//! request from one that the request made.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

/// What is known of the server's clock, learnt from the times in its answers.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(Mutex<Option<Offset>>);

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
    /// Too close to tell; taking the clocks as well as they are known, it is before or not.
    Unclear {
        before: bool,
    },
    NotBefore,
}

impl ServerClock {
    /// Takes in that the server's clock showed `time`, or up to `resolution` later, at some moment
    /// between `sent` and `received` of ours.
    pub fn observe(
        &self,
        time: DateTime<Utc>,
        resolution: TimeDelta,
        sent: DateTime<Utc>,
        received: DateTime<Utc>,
    ) {
        let seen = Offset {
            least: time - received,
            most: time + resolution - sent,
        };
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
        let Some(offset) = *self.lock() else {
            return Order::Unclear {
                before: server < ours,
            };
        };
        if server < ours + offset.least {
            return Order::Before;
        }
        if server >= ours + offset.most {
            return Order::NotBefore;
        }
        // Most clocks are right, so no offset is the best guess where it is a possible one.
        let none = TimeDelta::zero();
        let guess = none.clamp(offset.least, offset.most);
        Order::Unclear {
            before: server < ours + guess,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Offset>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + millis).unwrap()
    }

    fn millis(millis: i64) -> TimeDelta {
        TimeDelta::milliseconds(millis)
    }

    #[test]
    fn a_clock_that_is_unknown_is_taken_as_right_but_unclear() {
        let clock = ServerClock::default();
        assert_eq!(
            clock.compare(at(-1), at(0)),
            Order::Unclear { before: true }
        );
        assert_eq!(
            clock.compare(at(0), at(0)),
            Order::Unclear { before: false }
        );
    }

    #[test]
    fn a_skewed_clock_is_learnt_and_narrowed() {
        let clock = ServerClock::default();
        // The server is an hour ahead, by a header with whole seconds.
        let hour = 3_600_000;
        clock.observe(at(hour), millis(1_000), at(0), at(20));
        assert_eq!(clock.compare(at(hour - 50), at(0)), Order::Before);
        assert_eq!(clock.compare(at(hour + 1_001), at(0)), Order::NotBefore);
        assert!(matches!(
            clock.compare(at(hour + 500), at(0)),
            Order::Unclear { .. }
        ));
        // A time of creation is more precise.
        clock.observe(at(hour + 110), millis(1), at(100), at(120));
        assert_eq!(clock.compare(at(hour - 11), at(0)), Order::Before);
        assert_eq!(clock.compare(at(hour + 12), at(0)), Order::NotBefore);
    }

    #[test]
    fn a_clock_that_was_set_is_learnt_anew() {
        let clock = ServerClock::default();
        clock.observe(at(0), millis(1), at(0), at(1));
        clock.observe(at(90_000), millis(1), at(10), at(11));
        assert_eq!(clock.compare(at(89_000), at(0)), Order::Before);
    }
}
