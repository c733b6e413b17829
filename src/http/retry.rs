//! The retry policy: plain data and a pure decision.

use std::time::Duration;

use reqwest::StatusCode;

use crate::http::TransportErrorKind;

/// When and how often a request is retried.
///
/// A request with an idempotent method (GET, PUT, DELETE) is retried after connect errors, timeouts, broken
/// connections, 408, 429, 500, 502, 503 and 504. A request with another method (POST, PATCH) is retried only where the
/// server cannot have executed it: after connect errors and 429. If another failure leaves open whether an invitation
/// was created, `InvitationProvider::create` looks for the invitation for [`settle_for`](Self::settle_for), and sends
/// the request again only if there is none.
///
/// A rejected token (401) of a token service is replaced and the request sent once more, once per call, in addition to
/// these attempts and also when retries are off: a rejected request was not executed.
///
/// The delay before attempt *n* is random between zero and `initial_delay` × 2ⁿ⁻², or what the server asks for
/// (`Retry-After`, or `X-RateLimit-Reset` on a 429) if that is longer; at most `max_delay`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The largest number of requests of one call, including the first; 0 counts as 1. Default: 5.
    pub max_attempts: u32,
    /// The longest delay before the second attempt. Default: 250 ms.
    pub initial_delay: Duration,
    /// The longest delay before any attempt, even if the server asks for more. Default: 30 s.
    pub max_delay: Duration,
    /// The total time limit of a call, including delays. Default: 2 min.
    pub deadline: Duration,
    /// How long an invitation is looked for after a create without a response, before the create is sent again: until
    /// a server lists a new invitation, it may also accept a second one. Default: 5 s.
    ///
    /// The lookups are spread over this time, the first one at once and the last one at its end; concurrent lookups of
    /// one provider share one list. Zero means one lookup. If the time does not fit before the deadline, or a lookup
    /// fails, the create is not sent again, and its error has `may_have_executed`.
    pub settle_for: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(30),
            deadline: Duration::from_secs(120),
            settle_for: Duration::from_secs(5),
        }
    }
}

setters!(RetryPolicy {
    max_attempts: u32,
    initial_delay: Duration,
    max_delay: Duration,
    deadline: Duration,
    settle_for: Duration,
});

impl RetryPolicy {
    /// Disables retries: every call is one request, plus one after a rejected token. A create without a response is an
    /// error.
    pub fn none() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }

    /// The delays between the lookups after a create without a response: each about twice the one before, `settle_for`
    /// in total.
    pub(crate) fn lookup_delays(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let unit = self.settle_for / 15;
        let waits = [unit, unit * 2, unit * 4, self.settle_for - unit * 7];
        waits.into_iter().filter(|wait| !wait.is_zero())
    }

    /// The delay before the next attempt, or `None` if there should be none.
    ///
    /// `attempts` requests were sent, the last one with this `outcome`; `idempotent` says whether the request may be
    /// executed twice, `left` is the time until the deadline, and `random` is between 0 and 1.
    pub(crate) fn delay(
        &self,
        outcome: &Outcome,
        idempotent: bool,
        attempts: u32,
        left: Duration,
        random: f64,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts || !outcome.kind.is_retryable(idempotent) {
            return None;
        }
        let backoff = self.max_backoff(attempts).mul_f64(random);
        let delay = outcome.requested_delay.unwrap_or_default();
        let delay = delay.max(backoff).min(self.max_delay);
        (delay < left).then_some(delay)
    }

    /// The longest delay after `attempts` requests.
    fn max_backoff(&self, attempts: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        self.initial_delay
            .saturating_mul(doubled)
            .min(self.max_delay)
    }
}

/// The outcome of an attempt, as far as the decision to retry needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub kind: OutcomeKind,
    /// The delay that the server asked for.
    pub requested_delay: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutcomeKind {
    /// A complete response.
    Status(StatusCode),
    Failed(TransportErrorKind),
}

impl Outcome {
    /// The outcome of a request that was not executed, with the delay that the server asked for.
    pub fn unsent(requested_delay: Option<Duration>) -> Self {
        Self {
            kind: OutcomeKind::Failed(TransportErrorKind::Connect),
            requested_delay,
        }
    }
}

impl OutcomeKind {
    /// Whether sending the same request again is safe and may help.
    fn is_retryable(self, idempotent: bool) -> bool {
        match self {
            Self::Failed(TransportErrorKind::Connect)
            | Self::Status(StatusCode::TOO_MANY_REQUESTS) => true,
            Self::Failed(TransportErrorKind::Timeout | TransportErrorKind::Transport) => idempotent,
            Self::Status(status) => {
                idempotent && matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504)
            }
            Self::Failed(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn status(code: u16) -> Outcome {
        Outcome {
            kind: OutcomeKind::Status(StatusCode::from_u16(code).unwrap()),
            requested_delay: None,
        }
    }

    fn failed(kind: TransportErrorKind) -> Outcome {
        Outcome {
            kind: OutcomeKind::Failed(kind),
            requested_delay: None,
        }
    }

    #[test]
    fn delays_double_up_to_the_cap_with_full_jitter() {
        let policy = RetryPolicy::default().max_attempts(99);
        let delay = |sent, random| policy.delay(&status(503), true, sent, LONG, random);
        let max_delay = |sent| delay(sent, 1.0).unwrap().as_millis();
        assert_eq!(
            [1, 2, 3, 8, 50].map(max_delay),
            [250, 500, 1_000, 30_000, 30_000]
        );
        assert_eq!(delay(3, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn the_delay_is_the_larger_of_retry_after_and_backoff_capped() {
        let policy = RetryPolicy::default();
        for (asked, waited) in [
            (Some(Duration::from_secs(7)), 7.0),
            (Some(LONG), 30.0),
            (Some(Duration::ZERO), 0.125),
            (Some(Duration::from_millis(20)), 0.125),
            (None, 0.125),
        ] {
            let limited = Outcome {
                requested_delay: asked,
                ..status(429)
            };
            let delay = policy.delay(&limited, false, 1, LONG, 0.5);
            assert_eq!(delay.map(|delay| delay.as_secs_f64()), Some(waited));
        }
    }

    #[test]
    fn a_post_is_retried_only_if_it_cannot_have_executed() {
        use TransportErrorKind::*;
        let always = [failed(Connect), status(429)];
        let if_idempotent = [408, 500, 502, 503, 504].map(status);
        let if_idempotent = [&if_idempotent[..], &[failed(Timeout), failed(Transport)]].concat();
        let never = [200, 204, 303, 307, 400, 401, 403, 404, 409, 422, 501].map(status);
        let failures = [
            Certificate,
            BodyTooLarge,
            RateLimitDeadline,
            Credentials,
            InvalidRequest,
        ];
        let failures = failures.map(failed);
        let never = [&never[..], &failures].concat();
        let policy = RetryPolicy::default();
        for method in [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::PUT,
            Method::DELETE,
            Method::POST,
            Method::PATCH,
        ] {
            let idempotent = method.is_idempotent();
            assert_eq!(
                idempotent,
                method != Method::POST && method != Method::PATCH
            );
            let repeated =
                |outcome: &Outcome| policy.delay(outcome, idempotent, 1, LONG, 0.5).is_some();
            for (outcomes, expected) in [
                (&always[..], true),
                (&if_idempotent, idempotent),
                (&never, false),
            ] {
                for outcome in outcomes {
                    assert_eq!(repeated(outcome), expected, "{method} {outcome:?}");
                }
            }
        }
    }

    #[test]
    fn looks_are_spread_over_the_time_to_settle() {
        for millis in [60, 5_000, 90_000] {
            let settle_for = Duration::from_millis(millis);
            let policy = RetryPolicy::default().settle_for(settle_for);
            let delays: Vec<_> = policy.lookup_delays().collect();
            assert_eq!(delays.iter().sum::<Duration>(), settle_for);
            assert!(delays.is_sorted() && delays.len() == 4, "{delays:?}");
        }
        let policy = RetryPolicy::default().settle_for(Duration::ZERO);
        assert_eq!(policy.lookup_delays().count(), 0);
        let policy = RetryPolicy::default().settle_for(Duration::MAX);
        assert_eq!(policy.lookup_delays().count(), 4);
    }

    #[test]
    fn attempts_and_time_run_out() {
        let policy = RetryPolicy::default();
        let unsent = Outcome::unsent(None);
        assert!(policy.delay(&unsent, false, 4, LONG, 0.5).is_some());
        assert!(policy.delay(&unsent, false, 5, LONG, 0.5).is_none());
        let soon = Duration::from_millis(10);
        assert!(policy.delay(&unsent, false, 1, soon, 1.0).is_none());
        let off = RetryPolicy::none();
        assert!(off.delay(&unsent, false, 1, LONG, 0.5).is_none());
    }
}
