//! Any provider from data: from a configuration file, or from the environment.

mod clickhouse;
mod confluent;
mod connection;
mod environment;

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

#[cfg(feature = "client-credentials")]
pub use self::confluent::ClientCredentialsConfig;
pub(crate) use self::environment::process_environment;
pub use self::{
    clickhouse::ClickHouseConfig,
    confluent::{ConfluentConfig, StsConfig, SubjectTokenConfig},
    connection::{ConnectionConfig, RateLimitConfig, RetryConfig},
};

use self::environment::Variables;
use crate::{
    clickhouse::ClickHouse,
    confluent::Confluent,
    error::{Error, ErrorKind, Operation, Result},
    http::{Endpoint, ResponseObserver},
    person::OrganizationProvider,
};

/// Everything that is needed to set up a provider. Changing the backend is changing this value.
///
/// Read from any serde format; the field `provider` says which one it is. `Debug` shows no secret, and
/// there is no `Serialize`, so that a secret cannot be written by accident.
///
/// ```
/// use org_invitations::{InvitationProvider, ProviderConfig};
///
/// let config: ProviderConfig = serde_json::from_str(
///     r#"{"provider": "confluent", "api_key": "ABCDEFGH", "api_secret": "…"}"#,
/// ).unwrap();
/// let provider = config.build()?;
/// assert_eq!(provider.to_string(), "confluent");
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "provider", rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProviderConfig {
    /// Confluent Cloud.
    Confluent(ConfluentConfig),
    /// ClickHouse Cloud.
    ClickHouse(ClickHouseConfig),
}

/// The providers of this crate, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProviderKind {
    /// Confluent Cloud.
    Confluent,
    /// ClickHouse Cloud.
    ClickHouse,
}

impl ProviderKind {
    /// Every provider of this crate.
    pub const ALL: &'static [Self] = &[Self::Confluent, Self::ClickHouse];

    /// The name, as in configuration and errors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confluent => Confluent::NAME,
            Self::ClickHouse => ClickHouse::NAME,
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ProviderKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| {
                let known = "the providers are `confluent` and `clickhouse`";
                Error::new(ErrorKind::Config, Operation::Configure, known).with_target(name)
            })
    }
}

impl ProviderConfig {
    /// Reads the configuration of `kind` from the environment, by the vendors' own variable names: see
    /// [`Confluent::from_env`] and [`ClickHouse::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the variable that is missing or wrong.
    pub fn from_env(kind: ProviderKind) -> Result<Self> {
        Self::from_variables(kind, process_environment())
    }

    fn from_variables(kind: ProviderKind, variables: Variables<'_>) -> Result<Self> {
        match kind {
            ProviderKind::Confluent => {
                ConfluentConfig::from_variables(variables).map(Self::Confluent)
            }
            ProviderKind::ClickHouse => {
                ClickHouseConfig::from_variables(variables).map(Self::ClickHouse)
            }
        }
    }

    /// Which provider it sets up.
    pub fn kind(&self) -> ProviderKind {
        match self {
            Self::Confluent(_) => ProviderKind::Confluent,
            Self::ClickHouse(_) => ProviderKind::ClickHouse,
        }
    }

    /// Checks everything and makes the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the field that is missing or wrong.
    pub fn build(self) -> Result<Arc<dyn OrganizationProvider>> {
        self.build_with(None)
    }

    /// As [`build`](Self::build), and shows every reply to `observer`.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build).
    pub fn build_with_observer(
        self,
        observer: ResponseObserver,
    ) -> Result<Arc<dyn OrganizationProvider>> {
        self.build_with(Some(observer))
    }

    /// The HTTP client that the provider of this configuration sends its requests with: the same certificates,
    /// proxy and timeouts, and no credentials. For a request of one's own that has to go the same way.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`]: a number or the base URL is wrong, or TLS cannot be set up.
    pub fn http_client(&self) -> Result<reqwest::Client> {
        let (kind, connection, base_url) = match self {
            Self::Confluent(config) => (
                ProviderKind::Confluent,
                &config.connection,
                config.base_url.clone(),
            ),
            Self::ClickHouse(config) => (
                ProviderKind::ClickHouse,
                &config.connection,
                config.base_url.clone(),
            ),
        };
        let options = connection.clone().options(kind.as_str())?;
        let is_plain = match base_url {
            Some(url) => Endpoint::new(&url, None)?.is_plain(),
            None => false,
        };
        let client = options.http_client(is_plain);
        client.map_err(|error| {
            refuse(kind.as_str(), "cannot set up the HTTP client").with_source(error)
        })
    }

    fn build_with(
        self,
        observer: Option<ResponseObserver>,
    ) -> Result<Arc<dyn OrganizationProvider>> {
        Ok(match self {
            Self::Confluent(config) => Arc::new(config.into_builder(observer)?.build()?),
            Self::ClickHouse(config) => Arc::new(config.into_builder(observer)?.build()?),
        })
    }
}

fn refuse(provider: &'static str, wrong: &str) -> Error {
    Error::new(ErrorKind::Config, Operation::Configure, wrong)
        .with_provider(provider)
        .with_target("configuration")
}
