//! The builder of a ClickHouse provider.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;

use crate::{
    builder::{ClientSetup, common_setters, no_credentials},
    clickhouse::{ClickHouse, error},
    config::{ClickHouseConfig, ProviderKind, process_env},
    error::{Error, ErrorKind, Operation, Result},
    http::{CredentialProvider, CredentialSource, Credentials, IssuedCredentials, Rate, Service},
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
    credentials: Option<CredentialSource>,
    setup: ClientSetup,
}

impl ClickHouseBuilder {
    pub(super) fn new(organization_id: String) -> Self {
        Self {
            organization_id,
            credentials: None,
            setup: ClientSetup::new(ProviderKind::ClickHouse.default_base_url()),
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

    common_setters! {
        /// Sets the base URL of the API, with or without `/v1`: https, or plain http to a loopback address. Default:
        /// `https://api.clickhouse.cloud`. [`build`](Self::build) reports an invalid URL.
        base_url;
        ///
        /// ```
        /// let builder = org_invitations::ClickHouse::builder("11111111-2222-3333-4444-555555555555")
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
    /// [`ErrorKind::Config`] for missing or invalid credentials, an organisation id that cannot be part of a path, an
    /// invalid base URL or proxy, root certificates that are not PEM, and a zero timeout.
    pub fn build(self) -> Result<ClickHouse> {
        let service = Service {
            name: ClickHouse::NAME,
            published_rate: Some(PUBLISHED_RATE),
            request_id: error::request_id,
            is_own_refusal: error::is_own_refusal,
        };
        let client = self.setup.connect(service, Some("/v1"), |_, _| {
            let missing = "no credentials; set an API key and its secret";
            let credentials = self.credentials.ok_or_else(|| no_credentials(missing))?;
            // The organisation id is a path segment, as an invitation id is.
            InvitationId::new(self.organization_id.as_str()).map_err(|error| {
                let wrong = "the organisation id is invalid";
                Error::new(ErrorKind::Config, Operation::Configure, wrong)
                    .with_target("organisation id")
                    .with_source(error)
            })?;
            Ok(credentials.authorization()?)
        })?;
        Ok(ClickHouse::new(client, &self.organization_id))
    }
}
