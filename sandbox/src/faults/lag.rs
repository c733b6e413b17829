//! Lags: how long a new invitation does not take effect everywhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long one part of the service does not know of a new invitation.
///
/// A lag ends when both its time and its requests are over. In JSON `{"for_ms": 500, "requests": 3}`; an absent member
/// is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Lag {
    /// Time after the create, in milliseconds of the sandbox's clock. Default 0.
    pub for_ms: u64,
    /// Number of requests, to either API, that arrive after the create. Default 0.
    pub requests: u64,
}

/// A time by which lags are measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogicalTime {
    /// Time since the start.
    pub(crate) elapsed: Duration,
    /// Number of requests so far.
    pub(crate) requests: u64,
}

/// When an invitation takes effect in each part of the service that may lag; `None` for at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EffectiveFrom {
    /// In the check that an address is invited only once.
    pub(crate) unique: Option<LogicalTime>,
    /// In lists.
    pub(crate) listed: Option<LogicalTime>,
}

impl Lag {
    /// A lag of this length, by the sandbox's clock.
    pub fn time(length: Duration) -> Self {
        Self {
            for_ms: u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
            requests: 0,
        }
    }

    /// A lag of this many requests after the create.
    pub fn requests(count: u64) -> Self {
        Self {
            for_ms: 0,
            requests: count,
        }
    }

    /// The time from which an invitation takes effect.
    pub(crate) fn ends_at(self, created: LogicalTime) -> LogicalTime {
        let time = Duration::from_millis(self.for_ms);
        LogicalTime {
            elapsed: created.elapsed.saturating_add(time),
            requests: match self.requests {
                0 => 0,
                count => created.requests.saturating_add(count).saturating_add(1),
            },
        }
    }
}

impl LogicalTime {
    pub(crate) fn has_reached(self, other: Self) -> bool {
        self.elapsed >= other.elapsed && self.requests >= other.requests
    }
}

impl EffectiveFrom {
    pub(crate) fn is_delayed(self) -> bool {
        self != Self::default()
    }

    pub(crate) fn is_unique(self, now: LogicalTime) -> bool {
        self.unique.is_none_or(|from| now.has_reached(from))
    }

    pub(crate) fn is_listed(self, now: LogicalTime) -> bool {
        self.listed.is_none_or(|from| now.has_reached(from))
    }
}
