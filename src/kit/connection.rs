//! The connection of a provider: credentials, options and the rate limit of one vendor.

use std::{fmt, sync::Arc};

use crate::{
    capabilities::Capabilities,
    config::ConnectionConfig,
    error::{Error, ErrorKind, Operation, Result},
    http::{
        BaseUrl, ClientOptions, CredentialProvider, CredentialSource, Endpoint, HttpClient,
        IssuedCredentials, ProxyUrl, Rate, Service, SetupError, common_setters,
    },
    kit::{
        Call, Vendor,
        vendor::{error_of, is_own_refusal},
    },
    lookup::SharedLookups,
    operation::ReadFailure,
};

/// The connection of a provider to its vendor's service. Cheap to clone; `Debug` shows no secret.
///
/// ```
/// use org_invitations::{Credentials, ErrorKind, InvitationStatus, ListQuery, Operation, kit::Connection};
/// # use org_invitations::{Capabilities, kit::{Failure, Rejection, Vendor}};
/// # struct Acme;
/// # impl Vendor for Acme {
/// #     const NAME: &'static str = "acme";
/// #     const BASE_URL: &'static str = "https://api.acme.example";
/// #     fn capabilities() -> Capabilities { Capabilities::default() }
/// #     fn failure(_: &Rejection<'_>) -> Option<Failure> { None }
/// # }
///
/// let builder = Connection::builder::<Acme>().rate_limit(100, std::time::Duration::from_secs(60));
/// let connection = builder.credentials(Credentials::bearer("a-secret")).build()?;
/// assert!(!format!("{connection:?}").contains("a-secret"));
///
/// // Nothing is sent before the provider's checks are passed.
/// let call = connection.call(Operation::List, None);
/// let error = call.check_query(&ListQuery::new().status(InvitationStatus::Sent)).unwrap_err();
/// assert_eq!((error.kind(), error.provider()), (ErrorKind::Unsupported, Some("acme")));
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone)]
pub struct Connection {
    client: Arc<HttpClient>,
    pub(super) lookups: Arc<SharedLookups>,
    pub(super) capabilities: fn() -> Capabilities,
    read_failure: ReadFailure,
}

impl Connection {
    /// Sets up a connection to a vendor.
    pub fn builder<V: Vendor>() -> ConnectionBuilder {
        ConnectionBuilder {
            service: || Service {
                name: V::NAME,
                published_rate: V::PUBLISHED_RATE
                    .map(|(requests, window)| Rate::at_most(requests, window)),
                request_id: V::request_id,
                is_own_refusal: is_own_refusal::<V>,
            },
            base_url: V::BASE_URL.try_into(),
            credentials: None,
            options: ClientOptions::default(),
            proxy: Ok(None),
            capabilities: V::capabilities,
            read_failure: error_of::<V>,
        }
    }

    /// Starts one operation. `target` is what messages name: the address of a create, the id of a get or delete.
    pub fn call<'a>(&'a self, operation: Operation, target: Option<&'a str>) -> Call<'a> {
        Call::new(self, &self.client, self.read_failure, operation, target)
    }

    pub(super) fn client(&self) -> &Arc<HttpClient> {
        &self.client
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.client, f)
    }
}

/// Builds a [`Connection`], with the options that every provider of this crate has. `Debug` shows no secret.
///
/// ```
/// use std::time::Duration;
///
/// use org_invitations::{ConnectionConfig, Credentials, RetryPolicy, kit::Connection};
/// # use org_invitations::{Capabilities, kit::{Failure, Rejection, Vendor}};
/// # struct Acme;
/// # impl Vendor for Acme {
/// #     const NAME: &'static str = "acme";
/// #     const BASE_URL: &'static str = "https://api.acme.example";
/// #     fn capabilities() -> Capabilities { Capabilities::default() }
/// #     fn failure(_: &Rejection<'_>) -> Option<Failure> { None }
/// # }
///
/// let config: ConnectionConfig = serde_json::from_str(r#"{"timeout_seconds": 20}"#)?;
/// let connection = Connection::builder::<Acme>()
///     .config(config)?
///     .credentials(Credentials::bearer("a-secret"))
///     .base_url("https://eu.acme.example")
///     .retry(RetryPolicy::default().deadline(Duration::from_secs(30)))
///     .build()?;
/// # drop(connection);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ConnectionBuilder {
    service: fn() -> Service,
    base_url: Result<BaseUrl>,
    credentials: Option<CredentialSource>,
    options: ClientOptions,
    proxy: Result<Option<ProxyUrl>>,
    capabilities: fn() -> Capabilities,
    read_failure: ReadFailure,
}

impl ConnectionBuilder {
    /// Takes the options from a configuration, in place of all that were set before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the field that is invalid.
    pub fn config(self, config: ConnectionConfig) -> Result<Self> {
        let options = config.options((self.service)().name)?;
        Ok(self.options(options))
    }

    /// Sets the base URL of the API: https, or plain http to a loopback address. Default: [`Vendor::BASE_URL`].
    /// [`build`](Self::build) reports an invalid URL.
    pub fn base_url<U>(mut self, base_url: U) -> Self
    where
        U: TryInto<BaseUrl>,
        U::Error: Into<Error>,
    {
        self.base_url = base_url.try_into().map_err(Into::into);
        self
    }

    /// Sends all requests through this proxy, in place of the one that HTTPS_PROXY or ALL_PROXY names: `http://`,
    /// `https://`, `socks5://` or `socks5h://`. [`build`](Self::build) reports an invalid URL, and a proxy for a base URL in
    /// plain http.
    pub fn proxy<U>(mut self, proxy: U) -> Self
    where
        U: TryInto<ProxyUrl>,
        U::Error: Into<Error>,
    {
        self.proxy = proxy.try_into().map(Some).map_err(Into::into);
        self
    }

    /// Authenticates with [`Credentials`](crate::Credentials) or [`IssuedCredentials`], in place of what was set before.
    pub fn credentials(mut self, credentials: impl Into<IssuedCredentials>) -> Self {
        self.credentials = Some(CredentialSource::Issued(credentials.into()));
        self
    }

    /// Authenticates with credentials that a source of the program's issues, and that may change. Example:
    /// [`CredentialProvider`].
    pub fn credential_provider(mut self, provider: impl CredentialProvider) -> Self {
        self.credentials = Some(CredentialSource::Provider(Arc::new(provider)));
        self
    }

    common_setters!();

    /// Validates the settings and builds the connection. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for missing or invalid credentials, an invalid base URL or proxy, root certificates that are
    /// not PEM, and a zero timeout.
    pub fn build(mut self) -> Result<Connection> {
        let service = (self.service)();
        let name = service.name;
        let of_provider = |error: Error| error.with_provider(name);
        let setup_error = |error: SetupError| of_provider(Error::from(error));
        if let Some(proxy) = self.proxy.map_err(of_provider)? {
            self.options.proxy = Some(proxy);
        }
        let credentials = self.credentials.ok_or_else(|| {
            let missing = "no credentials were set";
            of_provider(Error::new(ErrorKind::Config, Operation::Configure, missing))
        })?;
        let endpoint = Endpoint::new(&self.base_url.map_err(of_provider)?, None);
        let authorization = credentials.authorization().map_err(setup_error)?;
        let client = HttpClient::new(service, endpoint, authorization, self.options);
        Ok(Connection {
            client: client.map_err(setup_error)?,
            lookups: Arc::default(),
            capabilities: self.capabilities,
            read_failure: self.read_failure,
        })
    }
}

impl fmt::Debug for ConnectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionBuilder")
            .field("provider", &(self.service)().name)
            .field("base_url", &self.base_url)
            .field("credentials", &self.credentials)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
