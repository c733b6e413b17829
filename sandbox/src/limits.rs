//! Rate limits: how many requests each credential may make, and the headers that tell.

use std::cmp::Reverse;
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
/// Several windows at once: `{"requests": 10, "window_ms": 10000, "also": [{"requests": 500, "window_ms": 3600000}]}`.
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
/// The window begins with the first request after the one before has ended. A refused request does not count in any
/// window, nor does one without good credentials, or one that a fault keeps from being carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Limit {
    /// How many requests are carried out in a window.
    pub requests: u32,
    /// The length of the window, in milliseconds.
    pub window_ms: u64,
    /// Whether the vendor's headers tell of the limit, on successes and refusals. Default true.
    ///
    /// They tell of the window that is the first to refuse a request: the one with the fewest requests left, and
    /// of those with none left the one that lasts longest. ClickHouse's `X-RateLimit-Policy` names all windows.
    #[serde(default = "yes")]
    pub headers: bool,
    /// More windows, which apply at the same time: a request is carried out if every one has room for it. Default
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Window>,
}

/// One more window of a [`Limit`], such as a quota for a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Window {
    /// How many requests are carried out in it.
    pub requests: u32,
    /// Its length, in milliseconds.
    pub window_ms: u64,
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
            window_ms: millis(window),
            headers: true,
            also: Vec::new(),
        }
    }

    /// The same, and no more than so many requests in a window of this length.
    #[must_use]
    pub fn and(mut self, requests: u32, window: Duration) -> Self {
        self.also.push(Window {
            requests,
            window_ms: millis(window),
        });
        self
    }

    /// The same, and no headers tell.
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

    /// As a rate-limit policy names it.
    fn policy(self) -> String {
        format!("{};w={}", self.requests, self.length().as_secs_f64())
    }
}

/// Counts the requests of every credential.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    limits: Limits,
    counts: HashMap<(Provider, String), Vec<WindowCounter>>,
}

/// The requests of one credential in one window.
#[derive(Debug)]
struct WindowCounter {
    window: Window,
    ends: Duration,
    used: u32,
}

/// What is left to a credential once a request has been counted.
#[derive(Debug)]
pub(crate) struct Allowance {
    limit: u32,
    policy: String,
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
            counts: HashMap::new(),
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
        let begin = |window: Window| WindowCounter {
            window,
            ends: now.saturating_add(window.length()),
            used: 0,
        };
        let counts = self
            .counts
            .entry((provider, credential))
            .or_insert_with(|| limit.windows().map(begin).collect());
        for count in counts.iter_mut().filter(|count| count.ends <= now) {
            *count = begin(count.window);
        }
        let granted = counts.iter().all(|count| count.left() > 0);
        for count in counts.iter_mut().filter(|_| granted) {
            count.used += 1;
        }
        let first_to_refuse = counts
            .iter()
            .min_by_key(|count| (count.left(), Reverse(count.ends)))?;
        let policies: Vec<_> = limit.windows().map(Window::policy).collect();
        Some(Allowance {
            limit: first_to_refuse.window.requests,
            policy: policies.join(", "),
            remaining: granted.then(|| first_to_refuse.left()),
            resets_in: first_to_refuse.ends.saturating_sub(now),
            headers: limit.headers,
        })
    }
}

impl WindowCounter {
    fn left(&self) -> u32 {
        self.window.requests.saturating_sub(self.used)
    }
}

impl Allowance {
    /// None left, and this long to wait.
    pub(crate) fn spent(wait: Duration) -> Self {
        Self {
            limit: 10,
            policy: "10;w=10".to_owned(),
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
            for (name, text) in [(RESET, reset), (POLICY, allowance.policy.clone())] {
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

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
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
    fn a_request_needs_room_in_every_window() {
        let mut limiter = Limiter::default();
        let limit = Limit::new(2, millis(100)).and(3, millis(1000));
        limiter.set(Limits::default().clickhouse(limit));
        let mut take = |now| {
            let allowance = limiter.take(Provider::ClickHouse, "key".to_owned(), millis(now));
            let allowance = allowance.unwrap();
            assert_eq!(allowance.policy, "2;w=0.1, 3;w=1");
            (allowance.limit, allowance.remaining, allowance.resets_in)
        };
        assert_eq!(take(0), (2, Some(1), millis(100)));
        assert_eq!(take(0), (2, Some(0), millis(100)));
        assert_eq!(take(0), (2, None, millis(100)), "counts in no window");
        assert_eq!(take(100), (3, Some(0), millis(900)));
        assert_eq!(take(100), (3, None, millis(900)));
        assert_eq!(take(500), (3, None, millis(500)), "the short one is over");
        assert_eq!(take(1000), (2, Some(1), millis(100)));
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
