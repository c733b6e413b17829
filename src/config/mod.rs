//! Configuration of providers as data: from a file, or from the environment.

/// What a visitor makes of text, and of numbers in the digits that the format read. A fraction is refused, since its
/// digits may have changed; no error quotes it, as it may be a secret.
macro_rules! text_of_numbers {
    ($make:expr) => {
        fn visit_str<E: serde::de::Error>(
            self,
            text: &str,
        ) -> std::result::Result<Self::Value, E> {
            let make: fn(String) -> Self::Value = $make;
            Ok(make(text.to_owned()))
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> std::result::Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_i64<E: serde::de::Error>(self, number: i64) -> std::result::Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_f64<E: serde::de::Error>(self, _: f64) -> std::result::Result<Self::Value, E> {
            let message = "it was read as a number that is no integer, so its digits may have changed; put it in quotes";
            Err(E::custom(message))
        }
    };
}

mod clickhouse;
mod confluent;
mod connection;
mod env;
mod key;
mod limits;
mod registry;
mod secret;
mod url;

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

#[cfg(feature = "client-credentials")]
pub use self::confluent::ClientCredentialsConfig;
pub(crate) use self::env::process_env;
pub use self::{
    clickhouse::ClickHouseConfig,
    confluent::{ConfluentConfig, StsConfig, SubjectTokenConfig},
    connection::ConnectionConfig,
    key::ConfigKey,
    limits::{RateLimitConfig, RetryBudgetConfig, RetryConfig, SharedRateLimitConfig},
    registry::ProviderRegistry,
    secret::SecretSource,
};

use self::env::EnvLookup;
use crate::{
    error::{Error, ErrorKind, Operation, Result},
    http::{BaseUrl, Endpoint, Interceptor, proxy_in_use},
    person::OrganizationProvider,
};

/// The configuration of a provider. Another value switches the backend.
///
/// Deserialised from any serde format; the field `provider` selects the variant. A key of digits may be a number, as
/// YAML reads it. A secret may be [elsewhere](SecretSource). `Debug` shows no secret, and there is no `Serialize`, so
/// that a secret cannot be written by accident. With the feature `schemars`, its JSON Schema refuses what it refuses.
///
/// ```
/// use org_invitations::{InvitationProvider, ProviderConfig};
///
/// let config: ProviderConfig = serde_json::from_str(
///     r#"{"provider": "confluent", "api_key": "ABCDEFGH", "api_secret": "…"}"#,
/// ).unwrap();
/// let provider = config.build()?;
/// assert_eq!(provider.to_string(), "confluent");
///
/// let digits = r#"{"provider": "confluent", "api_key": 12345678, "api_secret": {"variable": "SECRET"}}"#;
/// let config: ProviderConfig = serde_json::from_str(digits).unwrap();
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "provider", rename_all = "lowercase")]
// A program has few of them, each for a moment.
#[allow(clippy::large_enum_variant)]
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

    /// The name in configuration and errors: `confluent` or `clickhouse`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confluent => "confluent",
            Self::ClickHouse => "clickhouse",
        }
    }

    /// The base URL of the vendor's API, which is used unless another one is set.
    pub const fn default_base_url(self) -> &'static str {
        match self {
            Self::Confluent => "https://api.confluent.cloud",
            Self::ClickHouse => "https://api.clickhouse.cloud",
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
                let message = "the providers are `confluent` and `clickhouse`";
                Error::new(ErrorKind::Config, Operation::Configure, message).with_target(name)
            })
    }
}

impl ProviderConfig {
    /// Reads the configuration of `kind` from the vendor's own environment variables: see [`ConfigKey`],
    /// [`Confluent::from_env`](crate::Confluent::from_env) and [`ClickHouse::from_env`](crate::ClickHouse::from_env).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the missing or invalid variable.
    pub fn from_env(kind: ProviderKind) -> Result<Self> {
        Self::from_env_with(kind, process_env())
    }

    fn from_env_with(kind: ProviderKind, lookup: EnvLookup<'_>) -> Result<Self> {
        match kind {
            ProviderKind::Confluent => ConfluentConfig::from_env_with(lookup).map(Self::Confluent),
            ProviderKind::ClickHouse => {
                ClickHouseConfig::from_env_with(lookup).map(Self::ClickHouse)
            }
        }
    }

    /// The provider that the configuration is for.
    pub fn kind(&self) -> ProviderKind {
        match self {
            Self::Confluent(_) => ProviderKind::Confluent,
            Self::ClickHouse(_) => ProviderKind::ClickHouse,
        }
    }

    /// Validates the configuration and builds the provider. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the missing or invalid field.
    pub fn build(self) -> Result<Arc<dyn OrganizationProvider>> {
        self.build_with(None)
    }

    /// As [`build`](Self::build); `interceptor` is called around each attempt.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build).
    pub fn build_with_interceptor(
        self,
        interceptor: impl Interceptor,
    ) -> Result<Arc<dyn OrganizationProvider>> {
        self.build_with(Some(Arc::new(interceptor)))
    }

    /// Builds an HTTP client as the provider of this configuration uses it, with the same certificates, proxy and
    /// connect timeout and without credentials: for a request that has to take the same route.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`]: a number or the proxy is invalid, the root certificates cannot be read, or TLS cannot be
    /// set up.
    pub fn http_client(&self) -> Result<reqwest::Client> {
        let (connection, _) = self.connection_and_base_url();
        let options = connection.clone().options(self.kind().as_str())?;
        let client = options.http_client(self.endpoint()?.is_plain());
        client.map_err(|error| Error::from(error).with_provider(self.kind().as_str()))
    }

    /// The proxy that requests to the API go through, without user name and password: that of the configuration, else
    /// that of HTTPS_PROXY or ALL_PROXY, unless NO_PROXY names the API's host. Sends nothing.
    ///
    /// ```
    /// let config: org_invitations::ProviderConfig = serde_json::from_str(
    ///     r#"{"provider": "confluent", "connection": {"proxy": "socks5://ann:secret@127.0.0.1"}}"#,
    /// ).unwrap();
    /// assert_eq!(config.proxy_in_use().as_deref(), Some("socks5://127.0.0.1:1080"));
    /// ```
    pub fn proxy_in_use(&self) -> Option<String> {
        let (connection, _) = self.connection_and_base_url();
        proxy_in_use(&self.endpoint().ok()?, connection.proxy.as_ref())
    }

    fn connection_and_base_url(&self) -> (&ConnectionConfig, Option<&BaseUrl>) {
        match self {
            Self::Confluent(config) => (&config.connection, config.base_url.as_ref()),
            Self::ClickHouse(config) => (&config.connection, config.base_url.as_ref()),
        }
    }

    /// The endpoint of the API: that of the configuration, else the vendor's.
    fn endpoint(&self) -> Result<Endpoint> {
        let (_, own) = self.connection_and_base_url();
        let default = || BaseUrl::try_from(self.kind().default_base_url());
        let url = own.cloned().map_or_else(default, Ok)?;
        Ok(Endpoint::new(&url, None))
    }

    fn build_with(
        self,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Result<Arc<dyn OrganizationProvider>> {
        match self {
            #[cfg(feature = "confluent")]
            Self::Confluent(config) => Ok(Arc::new(config.into_builder(interceptor)?.build()?)),
            #[cfg(feature = "clickhouse")]
            Self::ClickHouse(config) => Ok(Arc::new(config.into_builder(interceptor)?.build()?)),
            #[cfg(not(all(feature = "confluent", feature = "clickhouse")))]
            other => {
                let _ = interceptor;
                let message = "this program is built without the provider, which is a feature of org-invitations";
                Err(config_error(other.kind().as_str(), message))
            }
        }
    }
}

/// The error of a key whose feature this program is built without.
#[cfg(not(all(feature = "sts", feature = "redis")))]
fn missing_feature(provider: &'static str, key: &str, feature: &str) -> Error {
    let message = format!(
        "`{key}` needs the feature `{feature}` of org-invitations, which this program is built without"
    );
    config_error(provider, &message)
}

fn config_error(provider: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Config, Operation::Configure, message)
        .with_provider(provider)
        .with_target("configuration")
}
