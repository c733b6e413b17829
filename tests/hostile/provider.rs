//! Providers with short delays, pointed at a server of these tests.

use std::time::Duration;

use org_invitations::{ClickHouse, Confluent, InvitationProvider, RetryPolicy};

use crate::server::{ORGANIZATION, Server, Vendor};

/// How long a provider waits for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one request.
    pub timeout: Duration,
    pub attempts: u32,
    /// The longest delay before the second attempt; no delay is longer than ten times that.
    pub delay: Duration,
    /// For one call in all.
    pub deadline: Duration,
    /// How long the library looks for an invitation before it sends a create again.
    pub settle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            attempts: 4,
            delay: Duration::from_millis(5),
            deadline: Duration::from_secs(15),
            settle: Duration::from_millis(60),
        }
    }
}

/// Stands in for [`RetryPolicy`]'s own method where the library does not have it.
#[allow(dead_code)]
trait SettleFor: Sized {
    fn settle_for(self, _: Duration) -> Self {
        self
    }
}

impl SettleFor for RetryPolicy {}

impl Patience {
    /// The policy of these numbers.
    pub fn policy(&self) -> RetryPolicy {
        RetryPolicy::default()
            .max_attempts(self.attempts)
            .initial_delay(self.delay)
            .max_delay(self.delay * 10)
            .deadline(self.deadline)
            .settle_for(self.settle)
    }
}

/// A provider of the server's vendor.
pub fn connect(server: &Server, patience: Patience) -> Box<dyn InvitationProvider> {
    // More than any test sends; on ClickHouse the published limit would hold otherwise.
    let (requests, window) = (100_000, Duration::from_secs(1));
    let vendor = server.truth().vendor;
    match vendor {
        Vendor::Confluent => {
            let builder = Confluent::builder()
                .api_key("KEY", "secret-of-the-key")
                .base_url(server.url())
                .rate_limit(requests, window)
                .timeout(patience.timeout)
                .retry(patience.policy());
            Box::new(builder.build().expect("a provider"))
        }
        Vendor::ClickHouse => {
            let builder = ClickHouse::builder(ORGANIZATION)
                .api_key("KEY", "secret-of-the-key")
                .base_url(server.url())
                .rate_limit(requests, window)
                .timeout(patience.timeout)
                .retry(patience.policy());
            Box::new(builder.build().expect("a provider"))
        }
    }
}
