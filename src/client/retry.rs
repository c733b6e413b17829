//! When to try again, and after how long: plain data and a pure decision.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Operation};

/// How often and how patiently a call is repeated.
///
/// Get, list and delete are repeated after connect errors, timeouts, broken connections, 429, 500,
/// 502, 503 and 504. A create is repeated only where the server cannot have acted: connect errors and
/// 429. After any other failure that leaves it open whether a create was carried out, the library
/// looks for the invitation and sends again only when it is not there.
///
/// A token that is renewed ([`StsCredentials`](crate::StsCredentials)) and was refused (401) is replaced
/// and the request sent once more, one time in a call, beside these attempts and also when retries are
/// off: a refused request was not carried out.
///
/// The delay before attempt *n* is random between zero and `initial_delay` × 2ⁿ⁻², at most
/// `max_delay`; what the server asks for (`Retry-After`, or `X-RateLimit-Reset` on a 429) is waited for
/// instead, at most `max_delay` too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many requests are sent for one call at most, the first one included. Default: 5.
    pub max_attempts: u32,
    /// The longest delay before the second attempt. Default: 250 ms.
    pub initial_delay: Duration,
    /// The longest delay before any attempt, even if the server asks for more. Default: 30 s.
    pub max_delay: Duration,
    /// How long a call may take in all, delays included. Default: 2 min.
    pub deadline: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(30),
            deadline: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// Every call is one request, but for the one more after a refused token; a create whose answer was
    /// lost is an error.
    pub fn off() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }

    /// Sets how many requests are sent for one call at most; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the longest delay before the second attempt.
    #[must_use]
    pub fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = delay;
        self
    }

    /// Sets the longest delay before any attempt.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets how long a call may take in all.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The delay before the next attempt, when there should be one.
    ///
    /// `sent` requests failed, the last one with `error`, and `left` is the time until the deadline;
    /// `random` is between 0 and 1.
    pub(crate) fn delay(
        &self,
        error: &Error,
        sent: u32,
        left: Duration,
        random: f64,
    ) -> Option<Duration> {
        if sent >= self.max_attempts || !is_repeatable(error) {
            return None;
        }
        let delay = match asked_for(error) {
            Some(delay) => delay.min(self.max_delay),
            None => self.ceiling(sent).mul_f64(random),
        };
        (delay < left).then_some(delay)
    }

    /// The longest delay after `sent` requests.
    fn ceiling(&self, sent: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(sent.saturating_sub(1));
        self.initial_delay
            .saturating_mul(doubled)
            .min(self.max_delay)
    }
}

/// Whether repeating the same request is safe and may help.
fn is_repeatable(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect | ErrorKind::RateLimited => true,
        ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Unavailable => {
            error.operation() != Operation::Create
        }
        _ => false,
    }
}

fn asked_for(error: &Error) -> Option<Duration> {
    let reset = || match error.kind() {
        ErrorKind::RateLimited => error.rate_limit()?.reset,
        _ => None,
    };
    error.retry_after().or_else(reset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RateLimit;

    const LONG: Duration = Duration::from_secs(3600);

    fn error(kind: ErrorKind, operation: Operation) -> Error {
        Error::new(kind, operation, "")
    }

    #[test]
    fn delays_double_up_to_the_cap_with_full_jitter() {
        let policy = RetryPolicy::default().max_attempts(99);
        let failed = error(ErrorKind::Unavailable, Operation::Get);
        let most = |sent| policy.delay(&failed, sent, LONG, 1.0).unwrap().as_millis();
        assert_eq!(
            [1, 2, 3, 8, 50].map(most),
            [250, 500, 1_000, 30_000, 30_000]
        );
        assert_eq!(policy.delay(&failed, 3, LONG, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn what_the_server_asks_for_rules_and_is_capped() {
        let policy = RetryPolicy::default();
        let wait = |error: Error| policy.delay(&error, 1, LONG, 0.5).unwrap().as_secs_f64();
        let limited = || error(ErrorKind::RateLimited, Operation::Create);
        assert_eq!(
            wait(limited().with_retry_after(Duration::from_secs(7))),
            7.0
        );
        assert_eq!(wait(limited().with_retry_after(LONG)), 30.0);
        let reset = RateLimit {
            reset: Some(Duration::from_millis(1_500)),
            ..RateLimit::default()
        };
        assert_eq!(wait(limited().with_rate_limit(reset)), 1.5);
        // On other failures the window says nothing.
        let down = error(ErrorKind::Unavailable, Operation::Get).with_rate_limit(reset);
        assert_eq!(wait(down), 0.125);
    }

    #[test]
    fn a_create_is_repeated_only_where_the_server_cannot_have_acted() {
        let policy = RetryPolicy::default();
        let repeated = |kind, operation| {
            policy
                .delay(&error(kind, operation), 1, LONG, 0.5)
                .is_some()
        };
        for kind in [ErrorKind::Connect, ErrorKind::RateLimited] {
            assert!(repeated(kind, Operation::Create), "{kind}");
        }
        for kind in [
            ErrorKind::Timeout,
            ErrorKind::Transport,
            ErrorKind::Unavailable,
        ] {
            assert!(!repeated(kind, Operation::Create), "{kind}");
            for operation in [Operation::Get, Operation::List, Operation::Delete] {
                assert!(repeated(kind, operation), "{kind} {operation}");
            }
        }
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::Decode,
            ErrorKind::PermissionDenied,
        ] {
            assert!(!repeated(kind, Operation::Get), "{kind}");
        }
    }

    #[test]
    fn attempts_and_time_run_out() {
        let policy = RetryPolicy::default();
        let failed = error(ErrorKind::Connect, Operation::Get);
        assert!(policy.delay(&failed, 4, LONG, 0.5).is_some());
        assert!(policy.delay(&failed, 5, LONG, 0.5).is_none());
        let soon = Duration::from_millis(10);
        assert!(policy.delay(&failed, 1, soon, 1.0).is_none());
        assert!(RetryPolicy::off().delay(&failed, 1, LONG, 0.5).is_none());
    }
}
