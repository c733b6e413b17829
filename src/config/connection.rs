//! Timeouts, limits, retries and the way to the server: the configuration that all providers share.

use std::{fs, path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::{
    config::{
        RateLimitConfig, RetryBudgetConfig, RetryConfig, SharedRateLimitConfig, config_error,
    },
    error::Result,
    http::{ClientOptions, ProxyUrl, Rate},
};

/// Timeouts, limits, retries and the way to the server. Every field is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// The total time limit of one request including its response, in seconds. Default: 60.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub timeout_seconds: Option<f64>,
    /// The time limit of connecting, in seconds. Default: 10.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub connect_timeout_seconds: Option<f64>,
    /// The longest time without a byte from the server, in seconds. Default: 30.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub read_timeout_seconds: Option<f64>,
    /// The largest response body, in bytes. Default: 32 MiB.
    pub max_body_bytes: Option<usize>,
    /// The largest number of concurrent requests; at least 1. Default: 16.
    pub max_concurrency: Option<usize>,
    /// A rate limit in place of the vendor's published rate and the server's headers. Default: none.
    pub rate_limit: Option<RateLimitConfig>,
    /// Further rate limits over other windows, such as an hour and a day. Default: none.
    pub rate_limits: Vec<RateLimitConfig>,
    /// A file of root certificates in PEM that are accepted besides the platform's. Default: none.
    pub ca_file: Option<PathBuf>,
    /// The proxy, in place of the one that HTTPS_PROXY or ALL_PROXY names: `http://`, `https://`, `socks5://` or
    /// `socks5h://`.
    pub proxy: Option<ProxyUrl>,
    /// When and how often a request is retried.
    pub retry: RetryConfig,
    /// A budget that the retries of all calls are taken from. Default: none, so that only `retry` limits them.
    pub retry_budget: Option<RetryBudgetConfig>,
    /// Where the rate limit is that other processes with the same credential share. Default: nowhere.
    pub shared_rate_limit: Option<SharedRateLimitConfig>,
}

impl ConnectionConfig {
    /// The client options that the configuration stands for.
    pub(crate) fn options(self, provider: &'static str) -> Result<ClientOptions> {
        let seconds = |field: &str, value: Option<f64>, default: Duration| match value {
            None => Ok(default),
            Some(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| {
                let message = format!("`{field}` is {seconds}, which is not a valid duration");
                config_error(provider, &message)
            }),
        };
        let mut options = ClientOptions::default();
        for (field, value, option) in [
            (
                "timeout_seconds",
                self.timeout_seconds,
                &mut options.timeout,
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
            *option = seconds(field, value, *option)?;
        }
        if self.connect_timeout_seconds.is_some() {
            let (field, value) = ("connect_timeout_seconds", self.connect_timeout_seconds);
            options.connect_timeout = Some(seconds(field, value, Duration::ZERO)?);
        }
        if let Some(attempts) = self.retry.max_attempts {
            options.retry.max_attempts = attempts;
        }
        if let Some(file) = self.ca_file {
            options.ca_certificates = fs::read(&file).map_err(|error| {
                let message = format!(
                    "cannot read the root certificates {}: {error}",
                    file.display()
                );
                config_error(provider, &message)
                    .with_target("root certificates")
                    .with_source(error)
            })?;
        }
        options.proxy = self.proxy;
        if let Some(bytes) = self.max_body_bytes {
            options.max_body_bytes = bytes;
        }
        if let Some(requests) = self.max_concurrency {
            options.max_concurrency = requests;
        }
        for limit in self.rate_limit.into_iter().chain(self.rate_limits) {
            let value = Some(limit.window_seconds);
            let window = seconds("window_seconds", value, Duration::ZERO)?;
            options.rates.push(Rate::at_most(limit.requests, window));
        }
        if let Some(budget) = self.retry_budget {
            options.retry_budget = Some(budget.budget(provider)?);
        }
        if let Some(place) = self.shared_rate_limit {
            place.apply(provider, &mut options)?;
        }
        Ok(options)
    }
}
