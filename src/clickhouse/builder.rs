//! Setting up a ClickHouse provider.

use std::time::Duration;

use secrecy::SecretString;

use crate::{
    clickhouse::{ClickHouse, error},
    config::{ClickHouseConfig, ProviderKind, process_env},
    error::{Error, ErrorKind, Operation, Result},
    http::{
        Authorization, BaseUrl, ClientOptions, Credentials, Endpoint, HttpClient, Rate, Service,
        SetupError, common_setters,
    },
    invitation::InvitationId,
};

/// Per API key, as the vendor's overview page has it; the OpenAPI document does not.
const PUBLISHED_RATE: Rate = Rate {
    requests: 10,
    window: Duration::from_secs(10),
};

/// Sets up a [`ClickHouse`] provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClickHouseBuilder {
    organization_id: String,
    base_url: BaseUrl,
    credentials: Option<Credentials>,
    options: ClientOptions,
}

impl ClickHouseBuilder {
    pub(super) fn new(organization_id: String) -> Self {
        Self {
            organization_id,
            base_url: ProviderKind::ClickHouse.default_base_url().into(),
            credentials: None,
            options: ClientOptions::default(),
        }
    }

    /// Starts from the environment; see [`ClickHouse::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the variable that is missing.
    pub fn from_env() -> Result<Self> {
        ClickHouseConfig::from_env_with(process_env())?.into_builder(None)
    }

    /// Authenticates with the id of an API key and its secret (HTTP Basic).
    pub fn api_key(self, key: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials(Credentials::api_key(key, secret))
    }

    /// Sends requests elsewhere. Default: `https://api.clickhouse.cloud`; a `/v1` at the end may be
    /// there or not. Plain http is for loopback addresses only.
    pub fn base_url(mut self, base_url: impl Into<BaseUrl>) -> Self {
        self.base_url = base_url.into();
        self
    }

    common_setters!();

    /// Checks everything and makes the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for missing or unusable credentials, for an organisation id that cannot
    /// be part of a path, and for a base URL that is not https.
    pub fn build(self) -> Result<ClickHouse> {
        let refuse = |wrong: &str| {
            Error::new(ErrorKind::Config, Operation::Configure, wrong)
                .with_provider(ClickHouse::NAME)
        };
        let credentials = self
            .credentials
            .ok_or_else(|| refuse("no credentials; set an API key and its secret"))?;
        // It goes into the path, as an invitation's id does.
        InvitationId::new(self.organization_id.as_str()).map_err(|error| {
            refuse("the organisation id is not usable")
                .with_target("organisation id")
                .with_source(error)
        })?;
        let named = |error: SetupError| Error::from(error).with_provider(ClickHouse::NAME);
        let endpoint = Endpoint::new(&self.base_url, Some("/v1")).map_err(named)?;
        let authorization = Authorization::fixed(&credentials).map_err(named)?;
        let service = Service {
            name: ClickHouse::NAME,
            published_rate: Some(PUBLISHED_RATE),
            request_id: error::request_id,
            is_own_refusal: error::is_own_refusal,
        };
        let client = HttpClient::new(service, endpoint, authorization, self.options);
        Ok(ClickHouse::new(
            client.map_err(named)?,
            &self.organization_id,
        ))
    }
}
