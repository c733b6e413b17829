//! The builder of a Confluent provider.

use std::sync::Arc;

use secrecy::SecretString;

#[cfg(feature = "sts")]
use crate::confluent::StsCredentials;
use crate::{
    builder::{ClientSetup, common_setters, no_credentials},
    config::{ConfluentConfig, ProviderKind, process_env},
    confluent::{Confluent, ConfluentCredentials, error},
    error::Result,
    http::{ClientOptions, CredentialProvider, Credentials, Endpoint, Service},
};

/// Builds a [`Confluent`] provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConfluentBuilder {
    credentials: Option<ConfluentCredentials>,
    setup: ClientSetup,
}

impl ConfluentBuilder {
    pub(super) fn new() -> Self {
        Self {
            credentials: None,
            setup: ClientSetup::new(ProviderKind::Confluent.default_base_url()),
        }
    }

    /// Starts from environment variables; see [`Confluent::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the missing or invalid variable.
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

    common_setters! {
        /// Sets the base URL of the API, with or without `/iam/v2`: https, or plain http to a loopback address. Default:
        /// `https://api.confluent.cloud`. [`build`](Self::build) reports an invalid URL.
        base_url;
        ///
        /// ```
        /// let builder = org_invitations::Confluent::builder()
        ///     .api_key("KEY", "a-secret")
        ///     .proxy("socks5h://user:password@127.0.0.1:1080");
        /// assert!(!format!("{builder:?}").contains("password"));
        /// builder.build()?;
        /// # Ok::<(), org_invitations::Error>(())
        /// ```
        proxy;
    }

    /// Validates the settings and builds the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for missing or invalid credentials, an invalid base URL, token URL
    /// or proxy, root certificates that are not PEM, and a zero timeout;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for STS credentials if the document that this crate was
    /// built from has no token exchange.
    pub fn build(self) -> Result<Confluent> {
        let mut key_id = None;
        let authorize = |endpoint: &Endpoint, options: &ClientOptions| {
            let missing = "no credentials; set an API key, an access token, or STS credentials";
            let credentials = self.credentials.ok_or_else(|| no_credentials(missing))?;
            let (authorization, id) = credentials.authorization(endpoint, options)?;
            key_id = id;
            Ok(authorization)
        };
        let client = self.setup.connect(service(), Some("/iam/v2"), authorize)?;
        Ok(Confluent::new(client, key_id))
    }
}

/// The service of the API and of its token exchange.
pub(super) fn service() -> Service {
    Service {
        name: Confluent::NAME,
        published_rate: None,
        request_id: error::request_id,
        is_own_refusal: error::is_own_refusal,
    }
}
