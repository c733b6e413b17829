//! What the builders of all providers have: the base URL, the proxy and the options of the client.

use std::sync::Arc;

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    http::{Authorization, BaseUrl, ClientOptions, Endpoint, HttpClient, ProxyUrl, Service},
};

/// The settings of a client that is not built yet. A wrong URL is an error of [`connect`](Self::connect).
#[derive(Clone, Debug)]
pub(crate) struct ClientSetup {
    pub base_url: Result<BaseUrl>,
    pub proxy: Result<Option<ProxyUrl>>,
    pub options: ClientOptions,
}

impl ClientSetup {
    /// The defaults, for the API at this base URL.
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.try_into(),
            proxy: Ok(None),
            options: ClientOptions::default(),
        }
    }

    /// Validates the settings and sets up the client. Sends nothing. `suffix` is the part of the base URL that callers may
    /// write too; `authorize` tells how the client authenticates.
    ///
    /// # Errors
    ///
    /// A setting is invalid, or `authorize` failed. Each error names the provider.
    pub fn connect(
        self,
        service: Service,
        suffix: Option<&str>,
        authorize: impl FnOnce(&Endpoint, &ClientOptions) -> Result<Authorization>,
    ) -> Result<Arc<HttpClient>> {
        let provider = service.name;
        let connect = || -> Result<_> {
            let mut options = self.options;
            if let Some(proxy) = self.proxy? {
                options.proxy = Some(proxy);
            }
            let endpoint = Endpoint::new(&self.base_url?, suffix);
            let authorization = authorize(&endpoint, &options)?;
            Ok(HttpClient::new(service, endpoint, authorization, options)?)
        };
        connect().map_err(|error| error.with_provider(provider))
    }
}

/// The error of a builder without credentials.
pub(crate) fn no_credentials(message: &str) -> Error {
    Error::new(ErrorKind::Config, Operation::Configure, message)
}

/// The setters that every builder has, over its field `setup`.
macro_rules! common_setters {
    (
        $(#[$base_url:meta])* base_url;
        $(#[$proxy_example:meta])* proxy;
    ) => {
        $(#[$base_url])*
        pub fn base_url<U>(mut self, base_url: U) -> Self
        where
            U: TryInto<$crate::BaseUrl>,
            U::Error: Into<$crate::Error>,
        {
            self.setup.base_url = base_url.try_into().map_err(Into::into);
            self
        }

        /// Sends all requests through this proxy, in place of the one that HTTPS_PROXY or ALL_PROXY names: `http://`,
        /// `https://`, `socks5://`, or `socks5h://`, which resolves names at the proxy. NO_PROXY has no effect on it, and
        /// the proxy sees the host of the API and no request, since TLS goes through it. [`build`](Self::build) reports an
        /// invalid URL, and a proxy for a base URL in plain http.
        $(#[$proxy_example])*
        pub fn proxy<U>(mut self, proxy: U) -> Self
        where
            U: TryInto<$crate::ProxyUrl>,
            U::Error: Into<$crate::Error>,
        {
            self.setup.proxy = proxy.try_into().map(Some).map_err(Into::into);
            self
        }

        pub(crate) fn options(mut self, options: $crate::http::ClientOptions) -> Self {
            self.setup.options = options;
            self
        }

        /// Sets when and how often a request is retried. Default: see [`RetryPolicy`](crate::RetryPolicy).
        pub fn retry(mut self, policy: $crate::http::RetryPolicy) -> Self {
            self.setup.options.retry = policy;
            self
        }

        /// Limits requests to `requests` in any `window`, in place of the vendor's published rate and the server's
        /// headers. Default: no limit of the caller's.
        ///
        /// All clones of the provider share the limit, and so do other providers of the process with this credential at
        /// this base URL and the same limits. `requests` of 0 counts as 1, and a window of more than a day as
        /// a day. For several windows, see [`rate_limits`](Self::rate_limits).
        pub fn rate_limit(self, requests: usize, window: std::time::Duration) -> Self {
            self.rate_limits([(requests, window)])
        }

        /// Limits requests in several windows at once, such as 10 in 10 seconds and 5 000 in a day. An empty list removes
        /// the caller's limit. Otherwise as [`rate_limit`](Self::rate_limit).
        ///
        /// A call that cannot be sent before its deadline fails at once with `RateLimited` and the wait.
        pub fn rate_limits(
            mut self,
            limits: impl IntoIterator<Item = (usize, std::time::Duration)>,
        ) -> Self {
            let rate = |(requests, window)| $crate::http::Rate::at_most(requests, window);
            self.setup.options.rates = limits.into_iter().map(rate).collect();
            self
        }

        /// Shares the rate limit with other processes, which use the same credential. Default: only this process's
        /// providers share it. Example: [`SharedRateLimit`](crate::SharedRateLimit).
        #[cfg(feature = "shared-limits")]
        pub fn shared_rate_limit(mut self, limit: $crate::http::SharedRateLimit) -> Self {
            self.setup.options.shared_rate_limit = Some(limit);
            self
        }

        /// Sets the largest number of concurrent requests, over all that share the [rate limit](Self::rate_limit).
        /// Default: 16.
        pub fn max_concurrency(mut self, requests: usize) -> Self {
            self.setup.options.max_concurrency = requests;
            self
        }

        /// Sets the total time limit of one request including its response. Default: 60 s.
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.setup.options.timeout = timeout;
            self
        }

        /// Sets the time limit of connecting. Default: 10 s.
        pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.setup.options.connect_timeout = Some(timeout);
            self
        }

        /// Sets the longest time without a byte from the server, before or within its response. Default: 30 s.
        pub fn read_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.setup.options.read_timeout = timeout;
            self
        }

        /// Sets the largest response body, in bytes. Default: 32 MiB.
        pub fn max_body_bytes(mut self, bytes: usize) -> Self {
            self.setup.options.max_body_bytes = bytes;
            self
        }

        /// Accepts certificates of these roots, in PEM, besides those that the platform trusts: for a proxy that
        /// looks into TLS, or an API behind a private authority. Several calls add up. [`build`](Self::build) reports
        /// what is not PEM.
        ///
        /// ```no_run
        /// let builder = org_invitations::Confluent::builder()
        ///     .api_key("KEY", "a-secret")
        ///     .ca_certificates(std::fs::read("company-ca.pem")?);
        /// # drop(builder);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn ca_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
            self.setup.options.ca_certificates.extend_from_slice(pem.as_ref());
            self.setup.options.ca_certificates.push(b'\n');
            self
        }

        /// Sends requests through this client, whose connections, certificates and proxies other providers may share.
        /// Default: a client of this provider's own. Example: [`SharedHttpClient`](crate::SharedHttpClient).
        ///
        /// What the client has is set on the client: [`build`](Self::build) refuses a connect timeout, root certificates
        /// and a proxy beside it.
        pub fn http_client(mut self, client: $crate::http::SharedHttpClient) -> Self {
            self.setup.options.http_client = Some(client);
            self
        }

        /// Takes retries from this budget, which other calls and providers may share. Default: none, so that only the
        /// [`RetryPolicy`](crate::RetryPolicy) limits them. Example: [`RetryBudget`](crate::RetryBudget).
        pub fn retry_budget(mut self, budget: $crate::http::RetryBudget) -> Self {
            self.setup.options.retry_budget = Some(budget);
            self
        }

        /// Adds an interceptor, which is called around each attempt, after those that were added before. Example:
        /// [`Interceptor`](crate::Interceptor). An `Arc<dyn Interceptor>` is one too, for several providers.
        pub fn interceptor(mut self, interceptor: impl $crate::http::Interceptor) -> Self {
            self.setup.options
                .interceptors
                .push(std::sync::Arc::new(interceptor));
            self
        }
    };
}
pub(crate) use common_setters;
