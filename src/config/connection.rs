//! What every provider's configuration has: limits in time, size and rate.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    config::refuse,
    error::Result,
    http::{ClientOptions, Rate},
};

/// Limits of a provider's connection. What is left out has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// How long one request may take in all, in seconds. Default: 60.
    pub timeout_seconds: Option<f64>,
    /// How long connecting may take, in seconds. Default: 10.
    pub connect_timeout_seconds: Option<f64>,
    /// How long the server may keep silent, in seconds. Default: 30.
    pub read_timeout_seconds: Option<f64>,
    /// The largest body that is read from the server, in bytes. Default: 32 MiB.
    pub max_body_bytes: Option<usize>,
    /// How many requests may be under way at once; at least 1. Default: 16.
    pub max_concurrency: Option<usize>,
    /// A rate that holds whatever the vendor publishes and the server says. Default: none.
    pub rate_limit: Option<RateLimitConfig>,
    /// Further rates that hold at the same time, over other windows: an hour's and a day's, for example. Default: none.
    pub rate_limits: Vec<RateLimitConfig>,
    /// How often and how patiently a call is repeated.
    pub retry: RetryConfig,
}

/// At most so many requests in any window.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RateLimitConfig {
    /// How many requests; 0 counts as 1.
    pub requests: usize,
    /// The length of the window, in seconds; at most a day.
    pub window_seconds: f64,
}

/// The numbers of a [`RetryPolicy`](crate::RetryPolicy).
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryConfig {
    /// How many requests are sent for one call at most; 1 switches retries off. Default: 5.
    pub max_attempts: Option<u32>,
    /// The longest delay before the second attempt, in seconds. Default: 0.25.
    pub initial_delay_seconds: Option<f64>,
    /// The longest delay before any attempt, in seconds. Default: 30.
    pub max_delay_seconds: Option<f64>,
    /// How long a call may take in all, in seconds. Default: 120.
    pub deadline_seconds: Option<f64>,
    /// How long a create whose answer was lost is looked for before it is sent again, in seconds. Default: 5.
    pub settle_for_seconds: Option<f64>,
}

impl ConnectionConfig {
    /// The options of a provider's client, as far as they are given here.
    pub(super) fn options(self, provider: &'static str) -> Result<ClientOptions> {
        let seconds = |field: &str, given: Option<f64>, default: Duration| match given {
            None => Ok(default),
            Some(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| {
                let wrong = format!("`{field}` is {seconds}, which is no length of time");
                refuse(provider, &wrong)
            }),
        };
        let mut options = ClientOptions::default();
        for (field, given, option) in [
            (
                "timeout_seconds",
                self.timeout_seconds,
                &mut options.timeout,
            ),
            (
                "connect_timeout_seconds",
                self.connect_timeout_seconds,
                &mut options.connect_timeout,
            ),
            (
                "read_timeout_seconds",
                self.read_timeout_seconds,
                &mut options.read_timeout,
            ),
            (
                "initial_delay_seconds",
                self.retry.initial_delay_seconds,
                &mut options.retry.initial_delay,
            ),
            (
                "max_delay_seconds",
                self.retry.max_delay_seconds,
                &mut options.retry.max_delay,
            ),
            (
                "deadline_seconds",
                self.retry.deadline_seconds,
                &mut options.retry.deadline,
            ),
            (
                "settle_for_seconds",
                self.retry.settle_for_seconds,
                &mut options.retry.settle_for,
            ),
        ] {
            *option = seconds(field, given, *option)?;
        }
        if let Some(attempts) = self.retry.max_attempts {
            options.retry.max_attempts = attempts;
        }
        if let Some(bytes) = self.max_body_bytes {
            options.max_body_bytes = bytes;
        }
        if let Some(requests) = self.max_concurrency {
            options.max_concurrency = requests;
        }
        for limit in self.rate_limit.into_iter().chain(self.rate_limits) {
            let given = Some(limit.window_seconds);
            let window = seconds("window_seconds", given, Duration::ZERO)?;
            options.rates.push(Rate::at_most(limit.requests, window));
        }
        Ok(options)
    }
}
