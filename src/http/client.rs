//! The client of one service, shared by its clones.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::header::HeaderMap;

use crate::http::{
    Authorization, CallState, ClientOptions, ClockSkew, Endpoint, ProxyUrl, Rate, RetryPolicy,
    SetupError, limiter::Limiter, proxy_in_use, retry::Outcome, shared_limiter::SharedLimiters,
};

/// The properties of a service that the transport needs.
#[derive(Debug)]
pub(crate) struct Service {
    /// The provider's name.
    pub name: &'static str,
    /// The rate limit that the vendor publishes.
    pub published_rate: Option<Rate>,
    /// Finds the id of the request in the headers and body of a response.
    pub request_id: fn(&HeaderMap, &[u8]) -> Option<String>,
    /// Whether headers and body of a 429 are in the vendor's own form, which means that the request was not executed. A
    /// gateway may send a 429 after the request was executed.
    pub is_own_refusal: fn(&HeaderMap, &[u8]) -> bool,
}

/// The endpoint, credentials, options and rate limit of a service.
pub struct HttpClient {
    pub service: Service,
    pub endpoint: Endpoint,
    pub options: ClientOptions,
    pub authorization: Authorization,
    pub clock_skew: ClockSkew,
    pub(super) http: reqwest::Client,
    /// The proxy in use without its credentials, for messages.
    pub(super) proxy: Option<String>,
    /// The limiter of the credential, which other clients with the same credential have too.
    pub(super) limiter: Arc<Limiter>,
}

impl HttpClient {
    /// Builds a client. Sends nothing.
    ///
    /// # Errors
    ///
    /// A limit is zero, a certificate or the proxy cannot be used, or TLS cannot be set up.
    pub fn new(
        service: Service,
        endpoint: Endpoint,
        authorization: Authorization,
        options: ClientOptions,
    ) -> Result<Arc<Self>, SetupError> {
        options.validate()?;
        let http = options.http_client(endpoint.is_plain())?;
        if let Some(password) = options.proxy.as_ref().and_then(ProxyUrl::password) {
            authorization.redactor().register_secret(password);
        }
        if let Authorization::Refreshed(cache) = &authorization {
            cache.report_to(service.name, &options.interceptors);
        }
        let limiter = SharedLimiters::get(&service, &endpoint, &authorization, &options);
        Ok(Arc::new(Self {
            limiter,
            // The proxy of the caller's client is not known.
            proxy: match options.http_client {
                Some(_) => None,
                None => proxy_in_use(&endpoint, options.proxy.as_ref()),
            },
            clock_skew: ClockSkew::default(),
            service,
            endpoint,
            options,
            authorization,
            http,
        }))
    }

    /// The underlying HTTP client, as the generated clients take it.
    pub fn reqwest_client(&self) -> &reqwest::Client {
        &self.http
    }

    /// Starts an operation with the deadline of the client's options.
    pub fn start_call(&self) -> CallState {
        CallState::new(self.options.retry.deadline)
    }

    /// The retry policy of a call: the client's, with the options of the call.
    pub fn retry(&self, call: &CallState) -> RetryPolicy {
        let mut policy = self.options.retry.clone();
        let options = call.options();
        policy.deadline = options.deadline.unwrap_or(policy.deadline);
        policy.max_attempts = options.max_attempts.unwrap_or(policy.max_attempts);
        policy
    }

    /// The delay before a request that was not executed is sent again, or `None` if it should not be; `requested` is the
    /// delay that the server asked for.
    pub fn delay_unsent(&self, call: &CallState, requested: Option<Duration>) -> Option<Duration> {
        self.delay(call, &Outcome::unsent(requested), false)
    }

    /// The delay before the next attempt of a call, or `None` if there should be none.
    pub(super) fn delay(
        &self,
        call: &CallState,
        outcome: &Outcome,
        idempotent: bool,
    ) -> Option<Duration> {
        let (attempts, left) = (call.attempts(), call.time_left());
        let policy = self.retry(call);
        let delay = policy.delay(outcome, idempotent, attempts, left, fastrand::f64())?;
        match &self.options.retry_budget {
            Some(budget) if !budget.take() => {
                tracing::debug!(provider = self.service.name, "the retry budget is empty");
                None
            }
            _ => Some(delay),
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("provider", &self.service.name)
            .field("base_url", &self.endpoint.as_base())
            .field("options", &self.options)
            .field("authorization", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}
