//! The builder of a ClickHouse provider.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;

use crate::{
    clickhouse::{ClickHouse, error},
    config::{ClickHouseConfig, ProviderKind, process_env},
    error::{Error, ErrorKind, Operation, Result},
    http::{
        BaseUrl, ClientOptions, CredentialProvider, CredentialSource, Credentials, Endpoint,
        HttpClient, IssuedCredentials, ProxyUrl, Rate, Service, SetupError, common_setters,
    },
    invitation::InvitationId,
};

/// The rate limit per API key, from the vendor's overview page; the OpenAPI document does not have it.
const PUBLISHED_RATE: Rate = Rate {
    requests: 10,
    window: Duration::from_secs(10),
};

/// Builds a [`ClickHouse`] provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClickHouseBuilder {
    organization_id: String,
    base_url: Result<BaseUrl>,
    credentials: Option<CredentialSource>,
    options: ClientOptions,
    proxy: Result<Option<ProxyUrl>>,
}

impl ClickHouseBuilder {
    pub(super) fn new(organization_id: String) -> Self {
        Self {
            organization_id,
            base_url: ProviderKind::ClickHouse.default_base_url().try_into(),
            credentials: None,
            options: ClientOptions::default(),
            proxy: Ok(None),
        }
    }

    /// Starts from environment variables; see [`ClickHouse::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the missing or invalid variable.
    pub fn from_env() -> Result<Self> {
        ClickHouseConfig::from_env_with(process_env())?.into_builder(None)
    }

    /// Authenticates with [`Credentials`] or [`IssuedCredentials`], in place of what was set before. The other methods for
    /// credentials are short forms of this one.
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

    /// Authenticates with the id of an API key and its secret (HTTP Basic).
    pub fn api_key(self, key: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::api_key(key, secret))
    }

    /// Sets the base URL of the API, with or without `/v1`: https, or plain http to a loopback address. Default:
    /// `https://api.clickhouse.cloud`. [`build`](Self::build) reports an invalid URL.
    pub fn base_url<U>(mut self, base_url: U) -> Self
    where
        U: TryInto<BaseUrl>,
        U::Error: Into<Error>,
    {
        self.base_url = base_url.try_into().map_err(Into::into);
        self
    }

    /// Sends all requests through this proxy, in place of the one that HTTPS_PROXY or ALL_PROXY names: `http://`,
    /// `https://`, `socks5://`, or `socks5h://`, which resolves names at the proxy. NO_PROXY has no effect on it, and
    /// the proxy sees the host of the API and no request, since TLS goes through it. [`build`](Self::build) reports an
    /// invalid URL, and a proxy for a base URL in plain http.
    ///
    /// ```
    /// let builder = org_invitations::ClickHouse::builder("11111111-2222-3333-4444-555555555555")
    ///     .api_key("KEY", "a-secret")
    ///     .proxy("socks5h://user:password@127.0.0.1:1080");
    /// assert!(!format!("{builder:?}").contains("password"));
    /// builder.build()?;
    /// # Ok::<(), org_invitations::Error>(())
    /// ```
    pub fn proxy<U>(mut self, proxy: U) -> Self
    where
        U: TryInto<ProxyUrl>,
        U::Error: Into<Error>,
    {
        self.proxy = proxy.try_into().map(Some).map_err(Into::into);
        self
    }

    common_setters!();

    /// Validates the settings and builds the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for missing or invalid credentials, an organisation id that cannot be part of a path, an
    /// invalid base URL or proxy, root certificates that are not PEM, and a zero timeout.
    pub fn build(mut self) -> Result<ClickHouse> {
        let proxy = self.proxy;
        if let Some(proxy) = proxy.map_err(|error| error.with_provider(ClickHouse::NAME))? {
            self.options.proxy = Some(proxy);
        }
        let config_error = |wrong: &str| {
            Error::new(ErrorKind::Config, Operation::Configure, wrong)
                .with_provider(ClickHouse::NAME)
        };
        let credentials = self
            .credentials
            .ok_or_else(|| config_error("no credentials; set an API key and its secret"))?;
        // The organisation id is a path segment, as an invitation id is.
        InvitationId::new(self.organization_id.as_str()).map_err(|error| {
            config_error("the organisation id is invalid")
                .with_target("organisation id")
                .with_source(error)
        })?;
        let setup_error = |error: SetupError| Error::from(error).with_provider(ClickHouse::NAME);
        let base_url = self.base_url;
        let base_url = base_url.map_err(|error| error.with_provider(ClickHouse::NAME))?;
        let endpoint = Endpoint::new(&base_url, Some("/v1"));
        let authorization = credentials.authorization().map_err(setup_error)?;
        let service = Service {
            name: ClickHouse::NAME,
            published_rate: Some(PUBLISHED_RATE),
            request_id: error::request_id,
            is_own_refusal: error::is_own_refusal,
        };
        let client = HttpClient::new(service, endpoint, authorization, self.options);
        Ok(ClickHouse::new(
            client.map_err(setup_error)?,
            &self.organization_id,
        ))
    }
}
