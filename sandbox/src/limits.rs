//! Rate limits: how many requests each credential may make, and the headers that tell.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::state::Provider;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("x-ratelimit-policy");

/// The rate limit of each API. Default none.
///
/// In JSON `{"confluent": {"requests": 20, "window_ms": 1000}, "clickhouse": null}`; what is left out has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Confluent Cloud's.
    pub confluent: Option<Limit>,
    /// ClickHouse Cloud's; the real one is 10 requests in 10 seconds.
    pub clickhouse: Option<Limit>,
}

/// So many requests in a fixed window, for each credential.
///
/// The window begins with the first request after the one before has ended. A refused request does not count,
/// nor does one without good credentials, or one that a fault keeps from being carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Limit {
    /// How many requests are carried out in a window.
    pub requests: u32,
    /// The length of the window, in milliseconds.
    pub window_ms: u64,
    /// Whether the vendor's headers tell of the limit, on successes and refusals. Default true.
    #[serde(default = "yes")]
    pub headers: bool,
}

impl Limits {
    /// A limit for Confluent Cloud.
    #[must_use]
    pub fn confluent(self, limit: Limit) -> Self {
        Self {
            confluent: Some(limit),
            ..self
        }
    }

    /// A limit for ClickHouse Cloud.
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
    /// So many requests in a window of this length, told of by headers.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self {
            requests,
            window_ms: u64::try_from(window.as_millis()).unwrap_or(u64::MAX),
            headers: true,
        }
    }

    /// The same, and no headers tell.
    #[must_use]
    pub fn without_headers(self) -> Self {
        Self {
            headers: false,
            ..self
        }
    }
}

/// Counts the requests of every credential.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    limits: Limits,
    windows: HashMap<(Provider, String), Window>,
}

#[derive(Debug)]
struct Window {
    ends: Duration,
    used: u32,
}

/// What is left to a credential once a request has been counted.
#[derive(Debug)]
pub(crate) struct Allowance {
    limit: u32,
    window: Duration,
    /// `None`: this request is one too many.
    remaining: Option<u32>,
    resets_in: Duration,
    headers: bool,
}

impl Limiter {
    /// Sets limits and forgets what was counted.
    pub(crate) fn set(&mut self, limits: Limits) {
        *self = Self {
            limits,
            windows: HashMap::new(),
        };
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn has(&self, provider: Provider) -> bool {
        self.limits.of(provider).is_some()
    }

    /// Counts a request at a time that never goes back.
    pub(crate) fn take(
        &mut self,
        provider: Provider,
        credential: String,
        now: Duration,
    ) -> Option<Allowance> {
        let limit = self.limits.of(provider)?;
        let length = Duration::from_millis(limit.window_ms);
        let fresh = || Window {
            ends: now.saturating_add(length),
            used: 0,
        };
        let window = self
            .windows
            .entry((provider, credential))
            .or_insert_with(fresh);
        if window.ends <= now {
            *window = fresh();
        }
        let remaining = limit.requests.checked_sub(window.used + 1);
        if remaining.is_some() {
            window.used += 1;
        }
        Some(Allowance {
            limit: limit.requests,
            window: length,
            remaining,
            resets_in: window.ends.saturating_sub(now),
            headers: limit.headers,
        })
    }
}

impl Allowance {
    /// None left, and this long to wait.
    pub(crate) fn spent(wait: Duration) -> Self {
        Self {
            limit: 10,
            window: Duration::from_secs(10),
            remaining: None,
            resets_in: wait,
            headers: true,
        }
    }

    pub(crate) fn is_granted(&self) -> bool {
        self.remaining.is_some()
    }
}

/// Tells of an allowance on a refusal, and on those answers that tell of the limit anyway.
pub(crate) fn mark(response: &mut Response, provider: Provider, allowance: &Allowance) {
    let refused = response.status() == StatusCode::TOO_MANY_REQUESTS;
    let told = refused || response.headers().contains_key(LIMIT);
    unmark(response);
    if !told || !allowance.headers {
        return;
    }
    let headers = response.headers_mut();
    headers.insert(LIMIT, allowance.limit.into());
    headers.insert(REMAINING, allowance.remaining.unwrap_or(0).into());
    // Rounded up, so that who waits as long as told has waited long enough.
    let millis = allowance.resets_in.as_micros().div_ceil(1000);
    match provider {
        Provider::Confluent => {
            let seconds = u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX);
            headers.insert(RESET, seconds.into());
            if refused {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
        }
        Provider::ClickHouse => {
            let reset = format!("{}.{:03}", millis / 1000, millis % 1000);
            let window = allowance.window.as_secs_f64();
            let policy = format!("{};w={window}", allowance.limit);
            for (name, text) in [(RESET, reset), (POLICY, policy)] {
                if let Ok(value) = HeaderValue::try_from(text) {
                    headers.insert(name, value);
                }
            }
        }
    }
}

/// Takes every header away that tells of a limit.
pub(crate) fn unmark(response: &mut Response) {
    for name in [LIMIT, REMAINING, RESET, POLICY, header::RETRY_AFTER] {
        response.headers_mut().remove(name);
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_window_begins_with_its_first_request() {
        let mut limiter = Limiter::default();
        limiter.set(Limits::default().clickhouse(Limit::new(2, millis(100))));
        let mut take = |now| {
            let allowance = limiter.take(Provider::ClickHouse, "key".to_owned(), millis(now));
            let allowance = allowance.unwrap();
            (allowance.remaining, allowance.resets_in)
        };
        assert_eq!(take(1050), (Some(1), millis(100)));
        assert_eq!(take(1149), (Some(0), millis(1)));
        assert_eq!(take(1149), (None, millis(1)));
        assert_eq!(take(1150), (Some(1), millis(100)));
        assert_eq!(take(9000), (Some(1), millis(100)));
    }

    #[test]
    fn credentials_and_providers_are_counted_apart() {
        let mut limiter = Limiter::default();
        limiter.set(Limits::default().confluent(Limit::new(1, millis(100))));
        let mut granted = |provider, credential: &str| {
            let allowance = limiter.take(provider, credential.to_owned(), millis(0));
            allowance.map(|allowance| allowance.is_granted())
        };
        assert_eq!(granted(Provider::Confluent, "key"), Some(true));
        assert_eq!(granted(Provider::Confluent, "key"), Some(false));
        assert_eq!(granted(Provider::Confluent, "token"), Some(true));
        assert_eq!(granted(Provider::ClickHouse, "key"), None);
    }
}
