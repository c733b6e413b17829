//! The connection of a provider: credentials, options and the rate limit of one vendor.

use std::{fmt, sync::Arc};

use crate::{
    builder::{ClientSetup, common_setters, no_credentials},
    capabilities::Capabilities,
    config::ConnectionConfig,
    error::{Operation, Result},
    http::{CredentialProvider, CredentialSource, HttpClient, IssuedCredentials, Rate, Service},
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
            credentials: None,
            setup: ClientSetup::new(V::BASE_URL),
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
    credentials: Option<CredentialSource>,
    setup: ClientSetup,
    capabilities: fn() -> Capabilities,
    read_failure: ReadFailure,
}

impl ConnectionBuilder {
    /// Takes the options from a configuration, in place of all that were set before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the field that is invalid.
    pub fn config(self, config: ConnectionConfig) -> Result<Self> {
        let options = config.options((self.service)().name)?;
        Ok(self.options(options))
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

    common_setters! {
        /// Sets the base URL of the API: https, or plain http to a loopback address. Default: [`Vendor::BASE_URL`].
        /// [`build`](Self::build) reports an invalid URL.
        base_url;
        proxy;
    }

    /// Validates the settings and builds the connection. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for missing or invalid credentials, an invalid base URL or proxy,
    /// root certificates that are not PEM, and a zero timeout.
    pub fn build(self) -> Result<Connection> {
        let client = self.setup.connect((self.service)(), None, |_, _| {
            let credentials = self.credentials;
            let credentials =
                credentials.ok_or_else(|| no_credentials("no credentials were set"))?;
            Ok(credentials.authorization()?)
        })?;
        Ok(Connection {
            client,
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
            .field("credentials", &self.credentials)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}
