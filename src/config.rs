//! Any provider from data: from a configuration file, or from the environment.

use std::{env, ffi::OsString, fmt, str::FromStr, sync::Arc, time::Duration};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    clickhouse::{ClickHouse, ClickHouseBuilder},
    client::{BaseUrl, RetryPolicy},
    confluent::{Confluent, ConfluentBuilder},
    error::{Error, ErrorKind, Operation, Result},
    provider::InvitationProvider,
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
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "provider", rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProviderConfig {
    /// Confluent Cloud.
    Confluent(ConfluentConfig),
    /// ClickHouse Cloud.
    ClickHouse(ClickHouseConfig),
}

/// What sets up a [`Confluent`] provider.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentConfig {
    /// The id of a Cloud API key.
    pub api_key: Option<String>,
    /// The key's secret.
    #[schemars(with = "Option<String>")]
    pub api_secret: Option<SecretString>,
    /// An access token, in place of key and secret.
    #[schemars(with = "Option<String>")]
    pub access_token: Option<SecretString>,
    /// Where requests go. Default: `https://api.confluent.cloud`.
    pub base_url: Option<BaseUrl>,
    /// How many requests are sent for one call at most; 1 switches retries off. Default: 5.
    pub max_attempts: Option<u32>,
    /// How long one request may take in all, in seconds. Default: 60.
    pub timeout_seconds: Option<u64>,
    /// How long connecting may take, in seconds. Default: 10.
    pub connect_timeout_seconds: Option<u64>,
}

/// What sets up a [`ClickHouse`] provider.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseConfig {
    /// The organisation's id (a UUID).
    pub organization_id: Option<String>,
    /// The id of an API key.
    pub api_key: Option<String>,
    /// The key's secret.
    #[schemars(with = "Option<String>")]
    pub api_secret: Option<SecretString>,
    /// Where requests go, with or without `/v1`. Default: `https://api.clickhouse.cloud`.
    pub base_url: Option<BaseUrl>,
    /// How many requests are sent for one call at most; 1 switches retries off. Default: 5.
    pub max_attempts: Option<u32>,
    /// How long one request may take in all, in seconds. Default: 60.
    pub timeout_seconds: Option<u64>,
    /// How long connecting may take, in seconds. Default: 10.
    pub connect_timeout_seconds: Option<u64>,
}

/// The providers of this crate, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
    pub const ALL: [Self; 2] = [Self::Confluent, Self::ClickHouse];

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
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| {
                let known = "the providers are `confluent` and `clickhouse`";
                Error::new(ErrorKind::Config, Operation::Configure, known).with_subject(name)
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
    pub fn build(self) -> Result<Arc<dyn InvitationProvider>> {
        Ok(match self {
            Self::Confluent(config) => Arc::new(config.into_builder()?.build()?),
            Self::ClickHouse(config) => Arc::new(config.into_builder()?.build()?),
        })
    }
}

impl ConfluentConfig {
    pub(crate) fn from_variables(read: Variables<'_>) -> Result<Self> {
        let variables = Reader {
            read,
            provider: Confluent::NAME,
        };
        Ok(Self {
            api_key: Some(variables.required("CONFLUENT_CLOUD_API_KEY")?),
            api_secret: Some(variables.required("CONFLUENT_CLOUD_API_SECRET")?.into()),
            base_url: variables
                .optional("CONFLUENT_CLOUD_ENDPOINT")?
                .map(BaseUrl::from),
            ..Self::default()
        })
    }

    pub(crate) fn into_builder(self) -> Result<ConfluentBuilder> {
        let mut builder = match (self.api_key, self.api_secret, self.access_token) {
            (None, None, Some(token)) => Confluent::builder().access_token(token),
            (Some(key), Some(secret), None) => Confluent::builder().api_key(key, secret),
            _ => {
                let wrong = "it needs either `api_key` and `api_secret`, or `access_token`";
                return Err(refuse(Confluent::NAME, wrong));
            }
        };
        if let Some(url) = self.base_url {
            builder = builder.base_url(url);
        }
        if let Some(attempts) = self.max_attempts {
            builder = builder.retry(RetryPolicy::default().max_attempts(attempts));
        }
        if let Some(seconds) = self.timeout_seconds {
            builder = builder.timeout(Duration::from_secs(seconds));
        }
        if let Some(seconds) = self.connect_timeout_seconds {
            builder = builder.connect_timeout(Duration::from_secs(seconds));
        }
        Ok(builder)
    }
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
            base_url: variables.optional("CLICKHOUSE_API_URL")?.map(BaseUrl::from),
            ..Self::default()
        })
    }

    pub(crate) fn into_builder(self) -> Result<ClickHouseBuilder> {
        let (Some(organization), Some(key), Some(secret)) =
            (self.organization_id, self.api_key, self.api_secret)
        else {
            let wrong = "it needs `organization_id`, `api_key` and `api_secret`";
            return Err(refuse(ClickHouse::NAME, wrong));
        };
        let mut builder = ClickHouse::builder(organization).api_key(key, secret);
        if let Some(url) = self.base_url {
            builder = builder.base_url(url);
        }
        if let Some(attempts) = self.max_attempts {
            builder = builder.retry(RetryPolicy::default().max_attempts(attempts));
        }
        if let Some(seconds) = self.timeout_seconds {
            builder = builder.timeout(Duration::from_secs(seconds));
        }
        if let Some(seconds) = self.connect_timeout_seconds {
            builder = builder.connect_timeout(Duration::from_secs(seconds));
        }
        Ok(builder)
    }
}

fn refuse(provider: &'static str, wrong: &str) -> Error {
    Error::new(ErrorKind::Config, Operation::Configure, wrong)
        .with_provider(provider)
        .with_subject("configuration")
}

/// Where variables come from: the process, or a test.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

pub(crate) fn process_environment() -> Variables<'static> {
    &|name| env::var_os(name)
}

struct Reader<'a> {
    read: Variables<'a>,
    provider: &'static str,
}

impl Reader<'_> {
    /// A variable; empty counts as absent.
    fn optional(&self, name: &str) -> Result<Option<String>> {
        let value = (self.read)(name).filter(|value| !value.is_empty());
        value.map(OsString::into_string).transpose().map_err(|_| {
            refuse(self.provider, &format!("the variable {name} is not UTF-8")).with_subject(name)
        })
    }

    fn required(&self, name: &str) -> Result<String> {
        self.optional(name)?.ok_or_else(|| {
            let missing = format!("the environment variable {name} is not set");
            refuse(self.provider, &missing).with_subject(name)
        })
    }
}
