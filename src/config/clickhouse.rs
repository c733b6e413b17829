//! The configuration of ClickHouse.

use secrecy::SecretString;
use serde::Deserialize;

use crate::{
    clickhouse::{ClickHouse, ClickHouseBuilder},
    config::{
        ConnectionConfig,
        environment::{Reader, Variables},
        refuse,
    },
    error::Result,
    http::{BaseUrl, ResponseObserver},
};

/// What sets up a [`ClickHouse`] provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseConfig {
    /// The organisation's id (a UUID).
    pub organization_id: Option<String>,
    /// The id of an API key.
    pub api_key: Option<String>,
    /// The key's secret.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
    pub api_secret: Option<SecretString>,
    /// Where requests go, with or without `/v1`. Default: `https://api.clickhouse.cloud`.
    pub base_url: Option<BaseUrl>,
    /// Limits in time, size and rate.
    pub connection: ConnectionConfig,
}

impl ClickHouseConfig {
    pub(crate) fn from_variables(read: Variables<'_>) -> Result<Self> {
        let variables = Reader {
            read,
            provider: ClickHouse::NAME,
        };
        Ok(Self {
            organization_id: Some(variables.required("CLICKHOUSE_ORG_ID")?),
            api_key: Some(variables.required("CLICKHOUSE_CLOUD_API_KEY")?),
            api_secret: Some(variables.required("CLICKHOUSE_CLOUD_API_SECRET")?.into()),
            base_url: variables.base_url("CLICKHOUSE_API_URL")?,
            ..Self::default()
        })
    }

    pub(crate) fn into_builder(
        self,
        observer: Option<ResponseObserver>,
    ) -> Result<ClickHouseBuilder> {
        let (Some(organization), Some(key), Some(secret)) =
            (self.organization_id, self.api_key, self.api_secret)
        else {
            let wrong = "it needs `organization_id`, `api_key` and `api_secret`";
            return Err(refuse(ClickHouse::NAME, wrong));
        };
        let mut options = self.connection.options(ClickHouse::NAME)?;
        options.observer = observer;
        let builder = ClickHouse::builder(organization).options(options);
        let mut builder = builder.api_key(key, secret);
        if let Some(url) = self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder)
    }
}
