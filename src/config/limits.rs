//! The rate limits and retries of a configuration.

use std::path::PathBuf;

#[cfg(feature = "redis")]
use secrecy::ExposeSecret;
use serde::Deserialize;

#[cfg(not(feature = "redis"))]
use crate::config::missing_feature;
#[cfg(feature = "shared-limits")]
use crate::http::SharedRateLimit;
use crate::{
    config::{SecretSource, config_error},
    error::Result,
    http::{ClientOptions, RetryBudget},
};

/// A rate limit: at most `requests` in any window of `window_seconds`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RateLimitConfig {
    /// The number of requests; 0 counts as 1.
    pub requests: usize,
    /// The length of the window, in seconds; at most a day.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub window_seconds: f64,
}

impl RateLimitConfig {
    /// At most `requests` in any window of `window_seconds`.
    pub fn new(requests: usize, window_seconds: f64) -> Self {
        Self {
            requests,
            window_seconds,
        }
    }
}

/// The fields of a [`RetryPolicy`](crate::RetryPolicy).
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryConfig {
    /// The largest number of requests of one call; 1 disables retries. Default: 5.
    pub max_attempts: Option<u32>,
    /// The longest delay before the second attempt, in seconds. Default: 0.25.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub initial_delay_seconds: Option<f64>,
    /// The longest delay before any attempt, in seconds. Default: 30.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub max_delay_seconds: Option<f64>,
    /// The total time limit of a call, in seconds. Default: 120.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub deadline_seconds: Option<f64>,
    /// How long an invitation is looked for after a create without a response before the create is sent again, in
    /// seconds. Default: 5.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0)))]
    pub settle_for_seconds: Option<f64>,
}

/// A [`RetryBudget`](crate::RetryBudget) of one provider.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryBudgetConfig {
    /// The number of retries at first, and at most. Default: 20.
    pub retries: u32,
    /// How many retries each success gives back, between 0 and 1. Default: 0.1.
    #[cfg_attr(feature = "schemars", schemars(range(min = 0.0, max = 1.0)))]
    pub per_success: f64,
}

impl RetryBudgetConfig {
    /// A budget of `retries`, of which each success gives back `per_success`.
    pub fn new(retries: u32, per_success: f64) -> Self {
        Self {
            retries,
            per_success,
        }
    }

    pub(super) fn budget(self, provider: &'static str) -> Result<RetryBudget> {
        let per_success = self.per_success;
        if !(0.0..=1.0).contains(&per_success) {
            let wrong = format!("`per_success` is {per_success}, which is not between 0 and 1");
            return Err(config_error(provider, &wrong));
        }
        Ok(RetryBudget::new(self.retries, per_success))
    }
}

/// That of [`RetryBudget::default`](crate::RetryBudget).
impl Default for RetryBudgetConfig {
    fn default() -> Self {
        Self::new(RetryBudget::RETRIES, RetryBudget::PER_SUCCESS)
    }
}

/// Where a `SharedRateLimit` is: a table with one of these names. Each credential at each
/// vendor has one of its own.
///
/// ```
/// let config: org_invitations::ProviderConfig = serde_json::from_str(
///     r#"{
///         "provider": "clickhouse",
///         "organization_id": "11111111-2222-3333-4444-555555555555",
///         "api_key": "ABCDEFGH",
///         "api_secret": "a-secret",
///         "connection": {
///             "retry_budget": { "retries": 50 },
///             "shared_rate_limit": { "file": "/run/roster-sync/clickhouse-key-1.limit" }
///         }
///     }"#,
/// )?;
/// # #[cfg(feature = "shared-limits")]
/// config.build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SharedRateLimitConfig {
    /// The path of a file on a local disk, for the processes of one machine (feature `shared-limits`).
    File(PathBuf),
    /// A key of a Redis server, for the processes of many machines (feature `redis`).
    Redis {
        /// The URL, such as `redis://host:6379/0`.
        url: SecretSource,
        /// The key that the state is kept under.
        key: String,
    },
}

impl SharedRateLimitConfig {
    #[cfg(feature = "shared-limits")]
    pub(super) fn apply(self, provider: &'static str, options: &mut ClientOptions) -> Result<()> {
        let limit = match self {
            Self::File(path) if path.as_os_str().is_empty() => {
                let wrong = "the path of the file of the shared rate limit is empty";
                return Err(config_error(provider, wrong).with_target("shared rate limit"));
            }
            Self::File(path) => SharedRateLimit::file(path),
            #[cfg(feature = "redis")]
            Self::Redis { url, key } => {
                let url = url.read(provider, "shared rate limit")?;
                let limit = SharedRateLimit::redis(url.expose_secret(), key);
                limit.map_err(|error| error.with_provider(provider))?
            }
            #[cfg(not(feature = "redis"))]
            Self::Redis { .. } => {
                return Err(missing_feature(
                    provider,
                    "shared_rate_limit.redis",
                    "redis",
                ));
            }
        };
        options.shared_rate_limit = Some(limit);
        Ok(())
    }

    #[cfg(not(feature = "shared-limits"))]
    pub(super) fn apply(self, provider: &'static str, _: &mut ClientOptions) -> Result<()> {
        Err(missing_feature(
            provider,
            "shared_rate_limit",
            "shared-limits",
        ))
    }
}
