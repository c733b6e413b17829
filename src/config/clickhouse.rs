//! The configuration of the ClickHouse provider.

#[cfg(feature = "clickhouse")]
use std::sync::Arc;

use serde::Deserialize;

#[cfg(feature = "clickhouse")]
use crate::{
    clickhouse::{ClickHouse, ClickHouseBuilder},
    config::config_error,
    http::Interceptor,
};
use crate::{
    config::{
        ConfigKey, ConnectionConfig,
        env::{EnvLookup, EnvReader},
        secret::{Digits, SecretSource},
    },
    error::Result,
    http::BaseUrl,
};

/// The name of the provider.
const NAME: &str = super::ProviderKind::ClickHouse.as_str();

/// The configuration of a [`ClickHouse`](crate::ClickHouse) provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseConfig {
    /// The id of the organisation (a UUID). Required.
    pub organization_id: Option<String>,
    /// The id of an API key. Required.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<Digits>"))]
    #[serde(deserialize_with = "Digits::optional")]
    pub api_key: Option<String>,
    /// The secret of the API key. Required.
    pub api_secret: Option<SecretSource>,
    /// The base URL of the API, with or without `/v1`. Default: `https://api.clickhouse.cloud`.
    pub base_url: Option<BaseUrl>,
    /// Timeouts, limits and retries.
    pub connection: ConnectionConfig,
}

impl ClickHouseConfig {
    pub(crate) fn from_env_with(lookup: EnvLookup<'_>) -> Result<Self> {
        let env = EnvReader {
            lookup,
            provider: NAME,
        };
        Ok(Self {
            organization_id: Some(env.required(ConfigKey::ClickHouseOrganizationId)?),
            api_key: Some(env.required(ConfigKey::ClickHouseApiKey)?),
            api_secret: Some(env.required(ConfigKey::ClickHouseApiSecret)?.into()),
            base_url: env.base_url(ConfigKey::ClickHouseBaseUrl)?,
            ..Self::default()
        })
    }

    #[cfg(feature = "clickhouse")]
    pub(crate) fn into_builder(
        self,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Result<ClickHouseBuilder> {
        let (Some(organization), Some(key), Some(secret)) =
            (self.organization_id, self.api_key, self.api_secret)
        else {
            let message = "it needs `organization_id`, `api_key` and `api_secret`";
            return Err(config_error(NAME, message));
        };
        let mut options = self.connection.options(NAME)?;
        options.interceptors.extend(interceptor);
        let builder = ClickHouse::builder(organization).options(options);
        let mut builder = builder.api_key(key, secret.read(NAME, "api_secret")?);
        if let Some(url) = self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder)
    }
}
