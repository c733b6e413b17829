//! Setting up a Confluent provider.

use secrecy::SecretString;

use crate::{
    client::{Connection, Credentials, Dialect, Endpoint, Settings, common_setters},
    config::{ConfluentConfig, process_environment},
    confluent::{Confluent, failure},
    error::{Error, ErrorKind, Operation, Result},
};

const DEFAULT_BASE_URL: &str = "https://api.confluent.cloud";

/// Sets up a [`Confluent`] provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConfluentBuilder {
    base_url: String,
    credentials: Option<Credentials>,
    settings: Settings,
}

impl ConfluentBuilder {
    pub(super) fn new() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            credentials: None,
            settings: Settings::default(),
        }
    }

    /// Starts from the environment; see [`Confluent::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the variable that is missing.
    pub fn from_env() -> Result<Self> {
        ConfluentConfig::from_variables(process_environment())?.into_builder()
    }

    /// Authenticates with a Cloud API key and its secret (HTTP Basic).
    pub fn api_key(self, key: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::api_key(key, secret))
    }

    /// Authenticates with an access token of Confluent's Security Token Service (HTTP Bearer).
    pub fn access_token(self, token: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::bearer(token))
    }

    /// Sends requests elsewhere. Default: `https://api.confluent.cloud`. Plain http is for loopback
    /// addresses only.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    common_setters!();

    /// Checks everything and makes the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for missing or unusable credentials and for a base URL that is not
    /// https.
    pub fn build(self) -> Result<Confluent> {
        let credentials = self.credentials.ok_or_else(|| {
            let missing = "no credentials; set an API key and its secret, or an access token";
            Error::new(ErrorKind::Config, Operation::Configure, missing)
                .with_provider(Confluent::NAME)
        })?;
        let endpoint = Endpoint::new(&self.base_url, None)
            .map_err(|error| error.with_provider(Confluent::NAME))?;
        let dialect = Dialect {
            provider: Confluent::NAME,
            published_rate: None,
            request_id: |reply| reply.header("x-request-id").map(str::to_owned),
            failure: failure::failure,
        };
        Connection::new(dialect, endpoint, &credentials, self.settings).map(Confluent::new)
    }
}
