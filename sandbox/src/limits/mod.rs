//! Rate limits, which count the requests of each credential.

mod headers;
mod limiter;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::provider::Provider;

pub(crate) use headers::{remove_headers, set_headers};
pub(crate) use limiter::{Allowance, Limiter};

/// The rate limit of each API. Default none.
///
/// In JSON `{"confluent": {"requests": 20, "window_ms": 1000}, "clickhouse": null}`; an absent API has no limit.
/// Several windows at once: `{"requests": 10, "window_ms": 10000, "also": [{"requests": 500, "window_ms": 3600000}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// The limit of Confluent Cloud.
    pub confluent: Option<Limit>,
    /// The limit of ClickHouse Cloud. The real service allows 10 requests in 10 seconds.
    pub clickhouse: Option<Limit>,
}

/// A number of requests in a fixed window, for each credential.
///
/// A window begins with the first request after the previous one has ended. A request does not count if it is answered
/// with 429, if its credentials are invalid, or if a fault keeps it from being carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Limit {
    /// The number of requests that a window allows.
    pub requests: u32,
    /// The length of the window, in milliseconds.
    pub window_ms: u64,
    /// Whether successes and 429 have the vendor's rate-limit headers. Default true.
    ///
    /// The headers describe the window that runs out first: the one with the fewest requests left, and of those with
    /// none left the one that ends last. ClickHouse's `X-RateLimit-Policy` names all windows.
    #[serde(default = "yes")]
    pub headers: bool,
    /// More windows that apply at the same time: every window must allow a request. Default none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Window>,
}

/// One more window of a [`Limit`], such as a quota for a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Window {
    /// The number of requests that the window allows.
    pub requests: u32,
    /// The length of the window, in milliseconds.
    pub window_ms: u64,
}

impl Limits {
    /// Sets the limit of Confluent Cloud.
    #[must_use]
    pub fn confluent(self, limit: Limit) -> Self {
        Self {
            confluent: Some(limit),
            ..self
        }
    }

    /// Sets the limit of ClickHouse Cloud.
    #[must_use]
    pub fn clickhouse(self, limit: Limit) -> Self {
        Self {
            clickhouse: Some(limit),
            ..self
        }
    }

    fn of(&self, provider: Provider) -> Option<&Limit> {
        match provider {
            Provider::Confluent => self.confluent.as_ref(),
            Provider::ClickHouse => self.clickhouse.as_ref(),
        }
    }
}

impl Limit {
    /// Creates a limit with one window, and with headers.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self {
            requests,
            window_ms: millis(window),
            headers: true,
            also: Vec::new(),
        }
    }

    /// Adds a window.
    #[must_use]
    pub fn and(mut self, requests: u32, window: Duration) -> Self {
        self.also.push(Window {
            requests,
            window_ms: millis(window),
        });
        self
    }

    /// Omits the rate-limit headers.
    #[must_use]
    pub fn without_headers(self) -> Self {
        Self {
            headers: false,
            ..self
        }
    }

    fn windows(&self) -> impl Iterator<Item = Window> {
        let first = Window {
            requests: self.requests,
            window_ms: self.window_ms,
        };
        std::iter::once(first).chain(self.also.iter().copied())
    }
}

impl Window {
    fn length(self) -> Duration {
        Duration::from_millis(self.window_ms)
    }

    /// The window in the form of `X-RateLimit-Policy`.
    fn policy(self) -> String {
        format!("{};w={}", self.requests, self.length().as_secs_f64())
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

fn yes() -> bool {
    true
}
