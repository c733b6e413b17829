//! Setting up a Confluent provider.

use secrecy::SecretString;

use crate::{
    config::{ConfluentConfig, ProviderKind, process_env},
    confluent::{Confluent, StsCredentials, error},
    error::{Error, ErrorKind, Operation, Result},
    http::{
        Authorization, BaseUrl, ClientOptions, Credentials, Endpoint, HttpClient, Service,
        common_setters,
    },
};

/// Sets up a [`Confluent`] provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConfluentBuilder {
    base_url: BaseUrl,
    credentials: Option<Credentials>,
    sts: Option<StsCredentials>,
    options: ClientOptions,
}

impl ConfluentBuilder {
    pub(super) fn new() -> Self {
        Self {
            base_url: ProviderKind::Confluent.default_base_url().into(),
            credentials: None,
            sts: None,
            options: ClientOptions::default(),
        }
    }

    /// Starts from the environment; see [`Confluent::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the variable that is missing.
    pub fn from_env() -> Result<Self> {
        ConfluentConfig::from_env_with(process_env())?.into_builder(None)
    }

    /// Authenticates with a Cloud API key and its secret (HTTP Basic).
    pub fn api_key(self, key: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::api_key(key, secret))
    }

    /// Authenticates with an access token of Confluent's Security Token Service (HTTP Bearer).
    pub fn access_token(self, token: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::bearer(token))
    }

    /// Authenticates through an identity pool, with tokens that are renewed in time.
    pub fn sts(mut self, credentials: StsCredentials) -> Self {
        self.sts = Some(credentials);
        self
    }

    /// Sends requests elsewhere. Default: `https://api.confluent.cloud`. Plain http is for loopback
    /// addresses only.
    pub fn base_url(mut self, base_url: impl Into<BaseUrl>) -> Self {
        self.base_url = base_url.into();
        self
    }

    common_setters!();

    /// Checks everything and makes the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for missing or unusable credentials and for a base URL, or an identity
    /// provider's token URL, that is not https; [`ErrorKind::Unsupported`] for STS credentials where the document that
    /// this crate was built from has no exchange of tokens.
    pub fn build(self) -> Result<Confluent> {
        let named = |error: Error| error.with_provider(Confluent::NAME);
        let endpoint = Endpoint::new(&self.base_url, None).map_err(|error| named(error.into()))?;
        let authorization = match (self.credentials, self.sts) {
            (Some(credentials), None) => {
                Authorization::fixed(&credentials).map_err(|error| named(error.into()))?
            }
            (None, Some(sts)) => {
                let provider = sts.provider(&endpoint, &self.options).map_err(named)?;
                Authorization::refreshed(provider)
            }
            _ => {
                let missing = "it needs one of an API key, an access token, and STS credentials";
                return Err(named(Error::new(
                    ErrorKind::Config,
                    Operation::Configure,
                    missing,
                )));
            }
        };
        let service = Service {
            name: Confluent::NAME,
            published_rate: None,
            request_id: error::request_id,
            is_own_refusal: error::is_own_refusal,
        };
        let client = HttpClient::new(service, endpoint, authorization, self.options);
        Ok(Confluent::new(client.map_err(|error| named(error.into()))?))
    }
}
