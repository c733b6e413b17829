//! What can be set on every provider.

use std::{error::Error, fmt, time::Duration};

use crate::client::{Observer, Rate, RetryPolicy};

/// Limits that every provider has.
#[derive(Clone)]
pub(crate) struct Settings {
    /// How long one request may take in all, its answer included. Default: 60 s.
    pub timeout: Duration,
    /// How long connecting may take. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long the server may keep silent, before its answer or within it. Default: 30 s.
    pub read_timeout: Duration,
    /// The largest body that is read from the server, in bytes. Default: 32 MiB.
    pub max_body_bytes: usize,
    /// How often and how patiently a call is repeated.
    pub retry: RetryPolicy,
    /// The rate that the caller set, in place of what the vendor publishes and the server says.
    pub rate: Option<Rate>,
    /// How many requests may be under way at once. Default: 16.
    pub max_concurrency: usize,
    /// Sees every reply. Default: nothing does.
    pub observer: Option<Observer>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            max_body_bytes: 32 << 20,
            retry: RetryPolicy::default(),
            rate: None,
            max_concurrency: 16,
            observer: None,
        }
    }
}

impl Settings {
    /// A client for requests with these limits, of which whoever waits keeps all but that for
    /// connecting. It follows no redirect, so that no secret goes along one; to this
    /// machine (`is_plain`: http) it uses no proxy.
    pub fn http_client(
        &self,
        is_plain: bool,
    ) -> Result<reqwest::Client, Box<dyn Error + Send + Sync>> {
        // reqwest would panic.
        #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err("the program has not installed a crypto provider for rustls".into());
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("org-invitations/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .referer(false)
            .redirect(reqwest::redirect::Policy::none());
        let http = if is_plain { http.no_proxy() } else { http };
        Ok(http.build()?)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("max_body_bytes", &self.max_body_bytes)
            .field("retry", &self.retry)
            .field("rate", &self.rate)
            .field("max_concurrency", &self.max_concurrency)
            .finish_non_exhaustive()
    }
}

/// The setters that every builder has, over its fields `base_url`, `credentials` and `settings`.
macro_rules! common_setters {
    () => {
        pub(crate) fn settings(mut self, settings: crate::client::Settings) -> Self {
            self.settings = settings;
            self
        }

        /// Authenticates with these credentials.
        pub fn credentials(mut self, credentials: crate::Credentials) -> Self {
            self.credentials = Some(credentials);
            self
        }

        /// How often and how patiently a call is repeated. Default: see [`RetryPolicy`](crate::RetryPolicy).
        pub fn retry(mut self, policy: crate::RetryPolicy) -> Self {
            self.settings.retry = policy;
            self
        }

        /// Sends at most `requests` in any `window`, whatever the vendor publishes and the server says.
        ///
        /// Shared by all clones of the provider. `requests` of 0 counts as 1, and a window of
        /// more than a day as a day.
        pub fn rate_limit(mut self, requests: usize, window: std::time::Duration) -> Self {
            self.settings.rate = Some(crate::client::Rate::at_most(requests, window));
            self
        }

        /// How many requests may be under way at once, over all clones. Default: 16.
        pub fn max_concurrency(mut self, requests: usize) -> Self {
            self.settings.max_concurrency = requests;
            self
        }

        /// How long one request may take in all, its answer included. Default: 60 s.
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.settings.timeout = timeout;
            self
        }

        /// How long connecting may take. Default: 10 s.
        pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.settings.connect_timeout = timeout;
            self
        }

        /// How long the server may keep silent, before its answer or within it. Default: 30 s.
        pub fn read_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.settings.read_timeout = timeout;
            self
        }

        /// The largest body that is read from the server, in bytes. Default: 32 MiB.
        pub fn max_body_bytes(mut self, bytes: usize) -> Self {
            self.settings.max_body_bytes = bytes;
            self
        }

        /// Shows every reply's status, request id and allowance to `observer`.
        pub fn observer(mut self, observer: crate::Observer) -> Self {
            self.settings.observer = Some(observer);
            self
        }
    };
}
pub(crate) use common_setters;
