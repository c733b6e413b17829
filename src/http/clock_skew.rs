//! The skew between the server's clock and the local one, which tells a resource that existed before a request from
//! one that the request created.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

/// The skew of the server's clock, learnt from `Date` headers and creation times in its responses.
#[derive(Debug, Default)]
pub(crate) struct ClockSkew(Mutex<Observed>);

/// What the server's times have shown so far.
#[derive(Debug, Default)]
struct Observed {
    offset: Option<Offset>,
    /// The finest resolution of a creation time. One time in a thousand has no milliseconds, though its server
    /// writes them.
    finest: Option<TimeDelta>,
}

impl Observed {
    /// The resolution of a creation time, which is as fine as that of any earlier one.
    fn resolution(&mut self, time: DateTime<Utc>) -> TimeDelta {
        let shown = resolution(time);
        let finest = self.finest.map_or(shown, |finest| finest.min(shown));
        *self.finest.insert(finest)
    }
}

/// A larger skew is ignored.
const MAX_PLAUSIBLE_SKEW: TimeDelta = TimeDelta::days(3_650);

/// Bounds of the difference between the server's time and the local time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Offset {
    min: TimeDelta,
    max: TimeDelta,
}

/// The position of a server's time relative to a local one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelativeTime {
    Before,
    /// Before, assuming that both clocks are right.
    ProbablyBefore,
    /// Closer than the resolution of the server's times.
    Unknown,
    ProbablyNotBefore,
    NotBefore,
}

impl ClockSkew {
    /// Records that the server's clock showed `time` at some moment between the local times `sent` and `received`.
    pub fn observe(&self, time: DateTime<Utc>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        let observed = Offset {
            min: time - received,
            max: time - sent + resolution(time),
        };
        // A clock that is off by years is ignored.
        if observed.min.abs() > MAX_PLAUSIBLE_SKEW || observed.max.abs() > MAX_PLAUSIBLE_SKEW {
            return;
        }
        let mut known = self.lock();
        known.offset = Some(match known.offset {
            // Overlapping bounds narrow each other. Otherwise a clock was set, and the newer bounds hold.
            Some(known) if known.min <= observed.max && observed.min <= known.max => Offset {
                min: known.min.max(observed.min),
                max: known.max.min(observed.max),
            },
            _ => observed,
        });
    }

    /// Whether any observation was recorded.
    pub fn is_known(&self) -> bool {
        self.lock().offset.is_some()
    }

    /// Compares a creation time of the server with a local time.
    pub fn compare(&self, server: DateTime<Utc>, local: DateTime<Utc>) -> RelativeTime {
        let (resolution, offset) = {
            let mut known = self.lock();
            (known.resolution(server), known.offset)
        };
        // The exact time lies before the next time that the server's resolution can express.
        let latest = server.checked_add_signed(resolution).unwrap_or(server);
        let earliest = server;
        if let Some(offset) = offset {
            if latest <= local + offset.min {
                return RelativeTime::Before;
            }
            if earliest >= local + offset.max {
                return RelativeTime::NotBefore;
            }
        }
        let estimate = estimate(offset);
        if latest <= local + estimate {
            RelativeTime::ProbablyBefore
        } else if earliest >= local + estimate {
            RelativeTime::ProbablyNotBefore
        } else {
            RelativeTime::Unknown
        }
    }

    /// The best estimate of the server's time at a local time.
    pub fn server_time(&self, local: DateTime<Utc>) -> DateTime<Utc> {
        let estimate = estimate(self.lock().offset);
        local.checked_add_signed(estimate).unwrap_or(local)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Observed> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The estimated difference between the server's time and the local time: zero if the bounds allow it, since most
/// clocks are right, else the lower bound, since a request reaches the server soon.
fn estimate(offset: Option<Offset>) -> TimeDelta {
    let none = TimeDelta::zero();
    match offset {
        Some(offset) if offset.min > none || offset.max < none => offset.min,
        _ => none,
    }
}

/// The resolution of the server's times, inferred from the digits of `time`.
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

    /// A time with a resolution of a microsecond.
    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_700_000_000_000_000 + millis * 1_000 + 1).unwrap()
    }

    #[test]
    fn an_unknown_clock_is_assumed_to_be_right() {
        let clock = ClockSkew::default();
        assert_eq!(clock.compare(at(-1), at(0)), RelativeTime::ProbablyBefore);
        assert_eq!(clock.compare(at(0), at(0)), RelativeTime::ProbablyNotBefore);
        let clock = ClockSkew::default();
        let millisecond = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
        assert_eq!(clock.compare(millisecond, at(0)), RelativeTime::Unknown);
    }

    #[test]
    fn a_skew_is_learnt_and_narrowed() {
        let clock = ClockSkew::default();
        // The server is an hour ahead, by a header with whole seconds.
        let hour = 3_600_000;
        let whole = DateTime::from_timestamp(1_700_003_600, 0).unwrap();
        clock.observe(whole, at(0), at(20));
        assert_eq!(clock.compare(at(hour - 50), at(0)), RelativeTime::Before);
        assert_eq!(
            clock.compare(at(hour + 1_001), at(0)),
            RelativeTime::NotBefore
        );
        assert_eq!(
            clock.compare(at(hour + 500), at(0)),
            RelativeTime::ProbablyNotBefore
        );
        // A time of creation is more precise.
        clock.observe(at(hour + 110), at(100), at(120));
        assert_eq!(clock.compare(at(hour - 11), at(0)), RelativeTime::Before);
        assert_eq!(clock.compare(at(hour + 12), at(0)), RelativeTime::NotBefore);
    }

    #[test]
    fn server_time_is_local_time_unless_a_skew_is_known() {
        let clock = ClockSkew::default();
        assert_eq!(clock.server_time(at(0)), at(0));
        // A header with whole seconds does not rule out equal clocks.
        let whole = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        clock.observe(whole, at(10), at(20));
        assert_eq!(clock.server_time(at(0)), at(0));
        let hour = 3_600_000;
        for ahead in [hour, -hour] {
            clock.observe(at(ahead), at(0), at(0));
            assert_eq!(clock.server_time(at(5)), at(ahead + 5));
        }
    }

    #[test]
    fn a_whole_second_is_as_precise_as_the_other_times_of_its_server() {
        let clock = ClockSkew::default();
        let second = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        clock.observe(second, at(0), at(0));
        assert_eq!(clock.compare(second, at(5)), RelativeTime::Unknown);
        let millis = DateTime::from_timestamp_millis(1_700_000_000_020).unwrap();
        clock.compare(millis, at(20));
        assert_eq!(clock.compare(second, at(5)), RelativeTime::Before);
    }

    #[test]
    fn a_clock_that_was_set_is_learnt_anew() {
        let clock = ClockSkew::default();
        clock.observe(at(0), at(0), at(1));
        clock.observe(at(90_000), at(10), at(11));
        assert_eq!(clock.compare(at(89_000), at(0)), RelativeTime::Before);
    }
}
