//! How long what is new does not take effect everywhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long one part of the service does not know of a new invitation.
///
/// It ends when both the time and the requests are over. In JSON `{"for_ms": 500, "requests": 3}`; what is left out
/// is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Lag {
    /// How long after the create, in milliseconds of the sandbox's clock. Default 0.
    pub for_ms: u64,
    /// For how many requests, to either API, that arrive after the create. Default 0.
    pub requests: u64,
}

/// A point in the life of the sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogicalTime {
    /// Time since the start.
    pub(crate) elapsed: Duration,
    /// How many requests have arrived.
    pub(crate) requests: u64,
}

/// When an invitation takes effect in the parts of the service that lag; `None` for at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EffectiveFrom {
    /// For the check that an address is invited only once.
    pub(crate) unique_from: Option<LogicalTime>,
    /// In lists.
    pub(crate) listed_from: Option<LogicalTime>,
}

impl Lag {
    /// This long after the create, by the sandbox's clock.
    pub fn time(length: Duration) -> Self {
        Self {
            for_ms: u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
            requests: 0,
        }
    }

    /// For so many requests after the create.
    pub fn requests(count: u64) -> Self {
        Self {
            for_ms: 0,
            requests: count,
        }
    }

    /// The logical_time from which an invitation made at this one takes effect.
    pub(crate) fn end(self, created: LogicalTime) -> LogicalTime {
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

    pub(crate) fn is_unique(self, at: LogicalTime) -> bool {
        self.unique_from.is_none_or(|from| at.has_reached(from))
    }

    pub(crate) fn is_listed(self, at: LogicalTime) -> bool {
        self.listed_from.is_none_or(|from| at.has_reached(from))
    }
}
