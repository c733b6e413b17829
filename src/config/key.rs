//! The settings that providers read from the environment.

use crate::config::ProviderKind;

/// A setting that [`ProviderConfig::from_env`](crate::ProviderConfig::from_env) reads, under the name that the vendor's
/// own tools give its environment variable.
///
/// ```
/// use org_invitations::{ConfigKey, ProviderKind};
///
/// let keys = ConfigKey::ALL.iter().filter(|key| key.provider() == ProviderKind::Confluent);
/// let names: Vec<_> = keys.map(|key| key.env_var()).collect();
/// assert_eq!(names[0], "CONFLUENT_CLOUD_API_KEY");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigKey {
    /// The id of a Confluent Cloud API key.
    ConfluentApiKey,
    /// The secret of the Confluent Cloud API key.
    ConfluentApiSecret,
    /// The base URL of the Confluent Cloud API, with or without `/iam/v2`. Optional.
    ConfluentBaseUrl,
    /// The id of the ClickHouse Cloud organisation.
    ClickHouseOrganizationId,
    /// The id of a ClickHouse Cloud API key.
    ClickHouseApiKey,
    /// The secret of the ClickHouse Cloud API key.
    ClickHouseApiSecret,
    /// The base URL of the ClickHouse Cloud API, with or without `/v1`. Optional.
    ClickHouseBaseUrl,
}

impl ConfigKey {
    /// Every setting.
    pub const ALL: &'static [Self] = &[
        Self::ConfluentApiKey,
        Self::ConfluentApiSecret,
        Self::ConfluentBaseUrl,
        Self::ClickHouseOrganizationId,
        Self::ClickHouseApiKey,
        Self::ClickHouseApiSecret,
        Self::ClickHouseBaseUrl,
    ];

    /// The name of the environment variable.
    pub const fn env_var(self) -> &'static str {
        match self {
            Self::ConfluentApiKey => "CONFLUENT_CLOUD_API_KEY",
            Self::ConfluentApiSecret => "CONFLUENT_CLOUD_API_SECRET",
            Self::ConfluentBaseUrl => "CONFLUENT_CLOUD_ENDPOINT",
            Self::ClickHouseOrganizationId => "CLICKHOUSE_ORG_ID",
            Self::ClickHouseApiKey => "CLICKHOUSE_CLOUD_API_KEY",
            Self::ClickHouseApiSecret => "CLICKHOUSE_CLOUD_API_SECRET",
            Self::ClickHouseBaseUrl => "CLICKHOUSE_API_URL",
        }
    }

    /// The provider that has the setting.
    pub const fn provider(self) -> ProviderKind {
        match self {
            Self::ConfluentApiKey | Self::ConfluentApiSecret | Self::ConfluentBaseUrl => {
                ProviderKind::Confluent
            }
            Self::ClickHouseOrganizationId
            | Self::ClickHouseApiKey
            | Self::ClickHouseApiSecret
            | Self::ClickHouseBaseUrl => ProviderKind::ClickHouse,
        }
    }
}
