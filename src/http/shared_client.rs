//! The HTTP client below the transport: one of a provider's own, or one that the program configures and providers share.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, ClientBuilder};

use crate::http::SetupError;

/// The default time limit of connecting.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a message about a failed set-up begins with.
const CANNOT_SET_UP: &str = "cannot set up the HTTP client";

/// What configures a client.
type Configure = dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync;

/// An HTTP client of the program's, for one provider or many: certificates, proxies and a client identity are loaded
/// once, and connections are shared.
///
/// The program configures what a [`reqwest::ClientBuilder`] has: root certificates, a client identity, proxies, further
/// headers, the `User-Agent`, the pool, HTTP/2, the local address, a resolver. Before it does, the connect timeout is
/// 10 s and the `User-Agent` is [`USER_AGENT`](Self::USER_AGENT).
///
/// What the library promises is set afterwards, so that no configuration changes it. The client
///
/// - follows no redirect: the transport does, within the origin of the base URL;
/// - repeats no request: the transport does, and counts it;
/// - sends no `Referer`, and leaves bodies as they are, so that their limit is that of what arrives;
/// - verifies certificates and host names, unless the program gives it a TLS configuration of its own;
/// - uses no proxy for plain http, which goes to this machine;
/// - keeps no cookies: [`build`](crate::ConfluentBuilder::build) refuses a client with a cookie store.
///
/// The timeouts and the limit of the body are the providers', and hold for each attempt. A shorter timeout of the client's
/// ends an attempt as `Timeout`. Headers of the client's go to every server that its providers talk to, such as an
/// identity provider; those that a request has of its own win, so that credentials are always the provider's.
///
/// The client is built with the first provider that uses it, and its connections live in that runtime: programs with
/// several runtimes, such as tests, have one for each.
///
/// ```
/// use std::time::Duration;
///
/// use org_invitations::{ClickHouse, Confluent, SharedHttpClient};
///
/// let client = SharedHttpClient::new(|builder| {
///     let agent = format!("{} roster-sync/2.1", SharedHttpClient::USER_AGENT);
///     builder.user_agent(agent).pool_idle_timeout(Duration::from_secs(20))
/// });
/// let confluent = Confluent::builder()
///     .api_key("KEY", "a-secret")
///     .http_client(client.clone())
///     .build()?;
/// let clickhouse = ClickHouse::builder("11111111-2222-3333-4444-555555555555")
///     .api_key("KEY", "a-secret")
///     .http_client(client)
///     .build()?;
/// # drop((confluent, clickhouse));
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedHttpClient(Arc<Inner>);

struct Inner {
    configure: Box<Configure>,
    /// The clients for https and for plain http, once they are built.
    built: Mutex<[Option<Client>; 2]>,
}

impl SharedHttpClient {
    /// The `User-Agent` of the library.
    pub const USER_AGENT: &'static str = concat!("org-invitations/", env!("CARGO_PKG_VERSION"));

    /// A client with what `configure` sets. It is called when the first provider is built, and once more for the first
    /// provider of a base URL in plain http.
    pub fn new(configure: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            configure: Box::new(configure),
            built: Mutex::default(),
        }))
    }

    /// The client for https, or for plain http.
    ///
    /// # Errors
    ///
    /// It cannot be built from what `configure` set.
    pub(super) fn client(&self, is_plain: bool) -> Result<Client, SetupError> {
        let built = self.0.built.lock();
        let mut built = built.unwrap_or_else(PoisonError::into_inner);
        let [https, plain] = &mut *built;
        let slot = if is_plain { plain } else { https };
        if let Some(client) = slot {
            return Ok(client.clone());
        }
        let http = (self.0.configure)(new_builder()).retry(reqwest::retry::never());
        if keeps_cookies(&http) {
            let wrong = "it has a cookie store, and the transport sends no cookies";
            return Err(SetupError::new(format!("{CANNOT_SET_UP}: {wrong}")).about("HTTP client"));
        }
        let client = build(http, is_plain)?;
        Ok(slot.insert(client).clone())
    }
}

/// A client with the library's defaults.
impl Default for SharedHttpClient {
    fn default() -> Self {
        Self::new(|builder| builder)
    }
}

/// Shows nothing of the configuration, which may hold secrets.
impl fmt::Debug for SharedHttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHttpClient").finish_non_exhaustive()
    }
}

/// A builder with the library's defaults.
pub(super) fn new_builder() -> ClientBuilder {
    Client::builder()
        .user_agent(SharedHttpClient::USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
}

/// Builds a client after setting what the transport relies on.
///
/// # Errors
///
/// The configuration is invalid, or TLS cannot be set up.
pub(super) fn build(http: ClientBuilder, is_plain: bool) -> Result<Client, SetupError> {
    #[cfg(not(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    )))]
    if !is_plain {
        let missing = "the base URL is https, and this program was built without TLS: enable one of the features \
             `rustls`, `rustls-no-provider` and `native-tls`";
        return Err(SetupError::new(format!("{CANNOT_SET_UP}: {missing}")));
    }
    // Without a provider, reqwest panics.
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let missing = "the program has not installed a crypto provider for rustls";
        return Err(SetupError::new(format!("{CANNOT_SET_UP}: {missing}")));
    }
    let http = http
        .referer(false)
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate();
    #[cfg(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ))]
    let http = http
        .tls_danger_accept_invalid_certs(false)
        .tls_danger_accept_invalid_hostnames(false);
    let http = if is_plain { http.no_proxy() } else { http };
    http.build().map_err(cannot_set_up)
}

pub(super) fn cannot_set_up(error: reqwest::Error) -> SetupError {
    SetupError::new(format!("{CANNOT_SET_UP}: {error}")).with_source(error)
}

/// Whether a client gets a cookie store. Only a program that switches on the feature of the HTTP client's can set one;
/// the builder tells it in its `Debug` form alone.
fn keeps_cookies(http: &ClientBuilder) -> bool {
    format!("{http:?}").contains("cookie_store: true")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_client_is_configured_once_for_each_scheme() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let shared = SharedHttpClient::new(move |builder| {
            counted.fetch_add(1, Ordering::Relaxed);
            builder
        });
        for _ in 0..3 {
            shared.clone().client(true).unwrap();
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_client_that_cannot_be_built_says_why() {
        let shared = SharedHttpClient::new(|builder| builder.user_agent("line\nbreak"));
        let error = shared.client(true).unwrap_err();
        assert!(error.message.starts_with(CANNOT_SET_UP), "{error}");
    }
}
