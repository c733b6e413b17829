//! The builder of a Confluent provider.

use std::sync::Arc;

use secrecy::SecretString;

#[cfg(feature = "sts")]
use crate::confluent::StsCredentials;
use crate::{
    config::{ConfluentConfig, ProviderKind, process_env},
    confluent::{Confluent, ConfluentCredentials, error},
    error::{Error, ErrorKind, Operation, Result},
    http::{
        BaseUrl, ClientOptions, CredentialProvider, Credentials, Endpoint, HttpClient, ProxyUrl,
        Service, common_setters,
    },
};

/// Builds a [`Confluent`] provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConfluentBuilder {
    base_url: Result<BaseUrl>,
    credentials: Option<ConfluentCredentials>,
    options: ClientOptions,
    proxy: Result<Option<ProxyUrl>>,
}

impl ConfluentBuilder {
    pub(super) fn new() -> Self {
        Self {
            base_url: ProviderKind::Confluent.default_base_url().try_into(),
            credentials: None,
            options: ClientOptions::default(),
            proxy: Ok(None),
        }
    }

    /// Starts from environment variables; see [`Confluent::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the missing or invalid variable.
    pub fn from_env() -> Result<Self> {
        ConfluentConfig::from_env_with(process_env())?.into_builder(None)
    }

    /// Authenticates with [`Credentials`], [`IssuedCredentials`](crate::IssuedCredentials) or [`StsCredentials`], in place
    /// of what was set before. The other methods for credentials are short forms of this one.
    pub fn credentials(mut self, credentials: impl Into<ConfluentCredentials>) -> Self {
        self.credentials = Some(credentials.into());
        self
    }

    /// Authenticates with credentials that a source of the program's issues, and that may change. Example:
    /// [`CredentialProvider`].
    pub fn credential_provider(self, provider: impl CredentialProvider) -> Self {
        self.credentials(ConfluentCredentials::Provider(Arc::new(provider)))
    }

    /// Authenticates with a Cloud API key and its secret (HTTP Basic).
    pub fn api_key(self, key: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::api_key(key, secret))
    }

    /// Authenticates with an access token of Confluent's Security Token Service (HTTP Bearer).
    pub fn access_token(self, token: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::bearer(token))
    }

    /// Authenticates through an identity pool, with tokens that are refreshed before they expire (feature `sts`).
    #[cfg(feature = "sts")]
    pub fn sts(self, credentials: StsCredentials) -> Self {
        self.credentials(credentials)
    }

    /// Sets the base URL of the API, with or without `/iam/v2`: https, or plain http to a loopback address. Default:
    /// `https://api.confluent.cloud`. [`build`](Self::build) reports an invalid URL.
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
    /// let builder = org_invitations::Confluent::builder()
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
    /// [`ErrorKind::Config`] for missing or invalid credentials, an invalid base URL, token URL or proxy, root certificates
    /// that are not PEM, and a zero timeout;
    /// [`ErrorKind::Unsupported`] for STS credentials if the document that this crate was built from has no token
    /// exchange.
    pub fn build(mut self) -> Result<Confluent> {
        let with_provider = |error: Error| error.with_provider(Confluent::NAME);
        if let Some(proxy) = self.proxy.map_err(with_provider)? {
            self.options.proxy = Some(proxy);
        }
        let endpoint = Endpoint::new(&self.base_url.map_err(with_provider)?, Some("/iam/v2"));
        let credentials = self.credentials.ok_or_else(|| {
            let message = "no credentials; set an API key, an access token, or STS credentials";
            with_provider(Error::new(ErrorKind::Config, Operation::Configure, message))
        })?;
        let authorization = credentials.authorization(&endpoint, &self.options);
        let (authorization, key_id) = authorization.map_err(with_provider)?;
        let service = Service {
            name: Confluent::NAME,
            published_rate: None,
            request_id: error::request_id,
            is_own_refusal: error::is_own_refusal,
        };
        let client = HttpClient::new(service, endpoint, authorization, self.options);
        Ok(Confluent::new(
            client.map_err(|error| with_provider(error.into()))?,
            key_id,
        ))
    }
}
