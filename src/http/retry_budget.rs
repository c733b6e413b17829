//! A budget of retries over many calls.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// One retry, in the unit of the bucket.
const RETRY: u64 = 1_000;

/// A budget of retries over all calls of a provider, its clones, and whatever else it is given to: when a service is
/// down, many calls do not become many times as many.
///
/// It is a token bucket, as gRPC's retry throttling is. It begins full; each retry takes one token, and each success gives
/// a part of one back. When it is empty, a failed attempt is the last of its call, whose error is that of the attempt.
/// First attempts, and the request that replaces a rejected token, take nothing. Clones share the bucket.
///
/// ```
/// use org_invitations::{Confluent, RetryBudget};
///
/// // 50 retries at once, and in the long run one for every ten successes.
/// let budget = RetryBudget::new(50, 0.1);
/// let provider = Confluent::builder()
///     .api_key("KEY", "a-secret")
///     .retry_budget(budget.clone())
///     .build()?;
/// assert_eq!(budget.remaining(), 50);
/// # drop(provider);
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone)]
pub struct RetryBudget(Arc<Bucket>);

struct Bucket {
    tokens: AtomicU64,
    capacity: u64,
    refill: u64,
}

impl RetryBudget {
    pub(crate) const RETRIES: u32 = 20;
    pub(crate) const PER_SUCCESS: f64 = 0.1;

    /// A budget of `retries`, of which each success gives back `per_success` retries, between 0 and 1.
    pub fn new(retries: u32, per_success: f64) -> Self {
        let capacity = u64::from(retries) * RETRY;
        // A cast of a float saturates, and NaN is 0.
        let refill = (per_success.clamp(0.0, 1.0) * RETRY as f64).round() as u64;
        Self(Arc::new(Bucket {
            tokens: AtomicU64::new(capacity),
            capacity,
            refill,
        }))
    }

    /// How many retries are left.
    pub fn remaining(&self) -> u32 {
        let retries = self.0.tokens.load(Ordering::Relaxed) / RETRY;
        u32::try_from(retries).unwrap_or(u32::MAX)
    }

    /// Takes a retry; false if none is left.
    pub(crate) fn take(&self) -> bool {
        let take = |tokens: u64| tokens.checked_sub(RETRY);
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        self.0.tokens.fetch_update(success, failure, take).is_ok()
    }

    /// Gives back what a success is worth.
    pub(crate) fn refill(&self) {
        let bucket = &*self.0;
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        let fill = |tokens: u64| {
            let filled = (tokens + bucket.refill).min(bucket.capacity);
            (filled != tokens).then_some(filled)
        };
        // Full already, if it fails.
        let _ = bucket.tokens.fetch_update(success, failure, fill);
    }
}

/// 20 retries, and one for every ten successes.
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(Self::RETRIES, Self::PER_SUCCESS)
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget")
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_empty_a_budget_and_successes_fill_it() {
        let budget = RetryBudget::new(2, 0.5);
        let other = budget.clone();
        assert!(budget.take() && other.take() && !budget.take());
        budget.refill();
        assert!(!other.take(), "half a retry is none");
        budget.refill();
        assert!(other.take());
        for _ in 0..9 {
            budget.refill();
        }
        assert_eq!(budget.remaining(), 2, "never more than at first");
    }

    #[test]
    fn odd_numbers_are_clamped() {
        for (per_success, retries) in [(f64::NAN, 0), (-1.0, 0), (f64::INFINITY, 1)] {
            let budget = RetryBudget::new(1, per_success);
            assert!(budget.take());
            budget.refill();
            assert_eq!(budget.remaining(), retries, "{per_success}");
        }
        assert!(!RetryBudget::new(0, 1.0).take());
    }
}
