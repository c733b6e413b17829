//! Counting requests in windows.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use super::{Limits, Window};
use crate::provider::Provider;

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

/// What remains to a credential after a request was counted.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub(super) limit: u32,
    pub(super) policy: String,
    /// `None` if this request exceeds the limit.
    pub(super) remaining: Option<u32>,
    pub(super) resets_in: Duration,
    pub(super) headers: bool,
}

impl Limiter {
    /// Sets limits and forgets all requests counted before.
    pub(crate) fn set(&mut self, limits: Limits) {
        *self = Self {
            limits,
            counts: HashMap::new(),
        };
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn applies_to(&self, provider: Provider) -> bool {
        self.limits.of(provider).is_some()
    }

    /// Counts a request at a time that never goes back; `None` if the API has no limit.
    pub(crate) fn acquire(
        &mut self,
        provider: Provider,
        credential: String,
        now: Duration,
    ) -> Option<Allowance> {
        let limit = self.limits.of(provider)?;
        let open = |window: Window| WindowCounter {
            window,
            ends: now.saturating_add(window.length()),
            used: 0,
        };
        let counts = self
            .counts
            .entry((provider, credential))
            .or_insert_with(|| limit.windows().map(open).collect());
        for count in counts.iter_mut().filter(|count| count.ends <= now) {
            *count = open(count.window);
        }
        let granted = counts.iter().all(|count| count.remaining() > 0);
        for count in counts.iter_mut().filter(|_| granted) {
            count.used += 1;
        }
        let tightest = counts
            .iter()
            .min_by_key(|count| (count.remaining(), Reverse(count.ends)))?;
        let policies: Vec<_> = limit.windows().map(Window::policy).collect();
        Some(Allowance {
            limit: tightest.window.requests,
            policy: policies.join(", "),
            remaining: granted.then(|| tightest.remaining()),
            resets_in: tightest.ends.saturating_sub(now),
            headers: limit.headers,
        })
    }
}

impl WindowCounter {
    fn remaining(&self) -> u32 {
        self.window.requests.saturating_sub(self.used)
    }
}

impl Allowance {
    /// An allowance without requests left, for this long.
    pub(crate) fn exhausted(wait: Duration) -> Self {
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

#[cfg(test)]
mod tests {
    use super::super::Limit;
    use super::*;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_window_begins_with_its_first_request() {
        let mut limiter = Limiter::default();
        limiter.set(Limits::default().clickhouse(Limit::new(2, millis(100))));
        let mut acquire = |now| {
            let allowance = limiter.acquire(Provider::ClickHouse, "key".to_owned(), millis(now));
            let allowance = allowance.unwrap();
            (allowance.remaining, allowance.resets_in)
        };
        assert_eq!(acquire(1050), (Some(1), millis(100)));
        assert_eq!(acquire(1149), (Some(0), millis(1)));
        assert_eq!(acquire(1149), (None, millis(1)));
        assert_eq!(acquire(1150), (Some(1), millis(100)));
        assert_eq!(acquire(9000), (Some(1), millis(100)));
    }

    #[test]
    fn a_request_needs_room_in_every_window() {
        let mut limiter = Limiter::default();
        let limit = Limit::new(2, millis(100)).and(3, millis(1000));
        limiter.set(Limits::default().clickhouse(limit));
        let mut acquire = |now| {
            let allowance = limiter.acquire(Provider::ClickHouse, "key".to_owned(), millis(now));
            let allowance = allowance.unwrap();
            assert_eq!(allowance.policy, "2;w=0.1, 3;w=1");
            (allowance.limit, allowance.remaining, allowance.resets_in)
        };
        assert_eq!(acquire(0), (2, Some(1), millis(100)));
        assert_eq!(acquire(0), (2, Some(0), millis(100)));
        assert_eq!(acquire(0), (2, None, millis(100)), "counts in no window");
        assert_eq!(acquire(100), (3, Some(0), millis(900)));
        assert_eq!(acquire(100), (3, None, millis(900)));
        assert_eq!(
            acquire(500),
            (3, None, millis(500)),
            "the short window has ended"
        );
        assert_eq!(acquire(1000), (2, Some(1), millis(100)));
    }

    #[test]
    fn credentials_and_providers_are_counted_apart() {
        let mut limiter = Limiter::default();
        limiter.set(Limits::default().confluent(Limit::new(1, millis(100))));
        let mut granted = |provider, credential: &str| {
            let allowance = limiter.acquire(provider, credential.to_owned(), millis(0));
            allowance.map(|allowance| allowance.is_granted())
        };
        assert_eq!(granted(Provider::Confluent, "key"), Some(true));
        assert_eq!(granted(Provider::Confluent, "key"), Some(false));
        assert_eq!(granted(Provider::Confluent, "token"), Some(true));
        assert_eq!(granted(Provider::ClickHouse, "key"), None);
    }
}
