//! The options of a client.

use std::{fmt, time::Duration};

use crate::http::{
    Interceptors, ProxyUrl, Rate, RetryBudget, RetryPolicy, SetupError, SharedHttpClient,
    shared_client::{CONNECT_TIMEOUT, build, cannot_set_up, new_builder},
};

/// The options of every client.
#[derive(Clone)]
pub(crate) struct ClientOptions {
    /// The total time limit of one request including its response. Default: 60 s.
    pub timeout: Duration,
    /// The time limit of connecting. Default: 10 s, or that of the `http_client`.
    pub connect_timeout: Option<Duration>,
    /// The longest time without a byte from the server, before or within its response. Default: 30 s.
    pub read_timeout: Duration,
    /// The largest response body, in bytes. Default: 32 MiB.
    pub max_body_bytes: usize,
    /// When and how often a request is retried.
    pub retry: RetryPolicy,
    /// The caller's rate limits, in place of the vendor's published rate and the server's headers.
    pub rates: Vec<Rate>,
    /// What other processes share of the rate limit. Default: nothing.
    #[cfg(feature = "shared-limits")]
    pub shared_rate_limit: Option<crate::http::SharedRateLimit>,
    /// The largest number of concurrent requests. Default: 16.
    pub max_concurrency: usize,
    /// Root certificates in PEM that are accepted besides the platform's. Default: none.
    pub ca_certificates: Vec<u8>,
    /// The proxy, in place of that of the environment. Default: none.
    pub proxy: Option<ProxyUrl>,
    /// The client of the caller's that requests go through. Default: one of this provider's own.
    pub http_client: Option<SharedHttpClient>,
    /// The budget that retries are taken from. Default: none, so that only the policy limits them.
    pub retry_budget: Option<RetryBudget>,
    /// What is called around each attempt. Default: none.
    pub interceptors: Interceptors,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: None,
            read_timeout: Duration::from_secs(30),
            max_body_bytes: 32 << 20,
            retry: RetryPolicy::default(),
            rates: Vec::new(),
            #[cfg(feature = "shared-limits")]
            shared_rate_limit: None,
            max_concurrency: 16,
            ca_certificates: Vec::new(),
            proxy: None,
            http_client: None,
            retry_budget: None,
            interceptors: Vec::new(),
        }
    }
}

impl ClientOptions {
    /// Rejects limits under which no call can succeed.
    ///
    /// # Errors
    ///
    /// A timeout or the deadline is zero.
    pub fn validate(&self) -> Result<(), SetupError> {
        for (name, time) in [
            ("timeout", self.timeout),
            (
                "connect_timeout",
                self.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
            ),
            ("read_timeout", self.read_timeout),
            ("deadline", self.retry.deadline),
        ] {
            if time.is_zero() {
                let wrong = format!("`{name}` is zero; no call could succeed");
                return Err(SetupError::new(wrong).about(name));
            }
        }
        Ok(())
    }

    /// The HTTP client of these options: the caller's, or a new one. It enforces the connect timeout; the transport
    /// enforces the others for each attempt. The client follows no redirect, which could carry a secret elsewhere, and
    /// uses no proxy over plain http (`is_plain`, loopback).
    ///
    /// # Errors
    ///
    /// A certificate cannot be read, a proxy is set for plain http, an option is set that the caller's client has, or
    /// TLS cannot be set up.
    pub fn http_client(&self, is_plain: bool) -> Result<reqwest::Client, SetupError> {
        if let Some(shared) = &self.http_client {
            for (name, is_set) in [
                ("connect_timeout", self.connect_timeout.is_some()),
                ("root certificates", !self.ca_certificates.is_empty()),
                ("proxy", self.proxy.is_some()),
            ] {
                if is_set {
                    let wrong = format!(
                        "the {name} and an HTTP client of the program's are set; set the {name} of that client"
                    );
                    return Err(SetupError::new(wrong).about(name));
                }
            }
            return shared.client(is_plain);
        }
        let http = match &self.proxy {
            Some(_) if is_plain => {
                let wrong = "a proxy is for https, and the base URL is plain http to this machine; leave one of them out";
                return Err(SetupError::new(wrong).about("proxy"));
            }
            Some(proxy) => new_builder().proxy(proxy.to_reqwest().map_err(cannot_set_up)?),
            None => new_builder(),
        };
        let http = match self.connect_timeout {
            Some(timeout) => http.connect_timeout(timeout),
            None => http,
        };
        build(self.trust(http)?, is_plain)
    }

    /// Accepts the certificates of `ca_certificates`.
    #[cfg(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ))]
    fn trust(&self, http: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, SetupError> {
        let invalid = |wrong: &str| {
            SetupError::new(format!("the root certificates {wrong}")).about("root certificates")
        };
        let read = reqwest::Certificate::from_pem_bundle(&self.ca_certificates);
        let read = read.map_err(|error| invalid("are not valid PEM").with_source(error))?;
        if read.is_empty() && !self.ca_certificates.is_empty() {
            return Err(invalid(
                "have no `BEGIN CERTIFICATE`; they are expected in PEM",
            ));
        }
        Ok(http.tls_certs_merge(read))
    }

    #[cfg(not(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    )))]
    fn trust(&self, http: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, SetupError> {
        Ok(http)
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("max_body_bytes", &self.max_body_bytes)
            .field("retry", &self.retry)
            .field("rates", &self.rates)
            .field("max_concurrency", &self.max_concurrency)
            .field("ca_certificates", &self.ca_certificates.len())
            .field("proxy", &self.proxy)
            .field("http_client", &self.http_client)
            .field("retry_budget", &self.retry_budget)
            .field("interceptors", &self.interceptors.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::RetryPolicy;

    #[test]
    fn limits_of_zero_are_refused_by_name() {
        let zero = Duration::ZERO;
        let default = ClientOptions::default;
        default().validate().unwrap();
        for (name, options) in [
            (
                "timeout",
                ClientOptions {
                    timeout: zero,
                    ..default()
                },
            ),
            (
                "connect_timeout",
                ClientOptions {
                    connect_timeout: Some(zero),
                    ..default()
                },
            ),
            (
                "read_timeout",
                ClientOptions {
                    read_timeout: zero,
                    ..default()
                },
            ),
            (
                "deadline",
                ClientOptions {
                    retry: RetryPolicy::default().deadline(zero),
                    ..default()
                },
            ),
        ] {
            let error = options.validate().unwrap_err();
            assert_eq!(error.target, Some(name));
            assert!(error.message.contains(&format!("`{name}`")), "{error}");
        }
        // Delays may be zero.
        let retry = RetryPolicy::default().initial_delay(zero).max_delay(zero);
        let options = ClientOptions {
            retry: retry.settle_for(zero),
            ..default()
        };
        options.validate().unwrap();
    }

    #[test]
    fn without_tls_a_client_is_for_loopback_only() {
        let has_tls = cfg!(any(
            feature = "rustls",
            feature = "rustls-no-provider",
            feature = "native-tls"
        ));
        ClientOptions::default().http_client(true).unwrap();
        let https = ClientOptions::default().http_client(false);
        assert_eq!(https.is_ok(), has_tls, "{:?}", https.err());
    }
}
