//! The configuration of the Confluent provider.

#[cfg(feature = "confluent")]
use std::sync::Arc;
#[cfg(feature = "sts")]
use std::time::Duration;
use std::{fmt, path::PathBuf};

use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

#[cfg(feature = "sts")]
use crate::confluent::{StsCredentials, SubjectToken};
#[cfg(feature = "client-credentials")]
use crate::http::TokenUrl;
#[cfg(feature = "confluent")]
use crate::{
    config::config_error,
    confluent::{Confluent, ConfluentBuilder},
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
const NAME: &str = super::ProviderKind::Confluent.as_str();

/// The configuration of a [`Confluent`](crate::Confluent) provider. It needs one of `api_key` with `api_secret`, `access_token`, and `sts`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentConfig {
    /// The id of a Cloud API key.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<Digits>"))]
    #[serde(deserialize_with = "Digits::optional")]
    pub api_key: Option<String>,
    /// The secret of the API key.
    pub api_secret: Option<SecretSource>,
    /// An access token of Confluent's Security Token Service.
    pub access_token: Option<SecretSource>,
    /// Access through an identity pool (feature `sts`).
    pub sts: Option<StsConfig>,
    /// The base URL of the API, with or without `/iam/v2`. Default: `https://api.confluent.cloud`.
    pub base_url: Option<BaseUrl>,
    /// Timeouts, limits and retries.
    pub connection: ConnectionConfig,
}

/// The configuration of [`StsCredentials`](crate::StsCredentials).
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StsConfig {
    /// The id of the identity pool (`pool-…`).
    pub identity_pool_id: String,
    /// The source of the identity provider's token.
    #[serde(deserialize_with = "subject_token")]
    pub subject_token: SubjectTokenConfig,
    /// The lifetime of the access tokens, in seconds. Default and maximum: 900.
    #[serde(default)]
    pub expires_in_seconds: Option<u64>,
}

/// The source of a [`SubjectToken`]: a table with one of these names.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubjectTokenConfig {
    /// A fixed token.
    Fixed(#[cfg_attr(feature = "schemars", schemars(with = "String"))] SecretString),
    /// The path of a file, read again for each exchange.
    File(PathBuf),
    /// The name of an environment variable, read again for each exchange.
    Variable(String),
    /// The OAuth 2.0 client-credentials grant (feature `client-credentials`).
    #[cfg(feature = "client-credentials")]
    ClientCredentials(ClientCredentialsConfig),
}

/// The configuration of [`ClientCredentials`](crate::ClientCredentials) (feature `client-credentials`).
#[cfg(feature = "client-credentials")]
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClientCredentialsConfig {
    /// The token URL of the identity provider.
    pub token_url: TokenUrl,
    /// The id of the client.
    pub client_id: String,
    /// The secret of the client.
    pub client_secret: SecretSource,
    /// The requested scopes. Default: none.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// Deserialises a source of subject tokens. Plain text, which may be a token, is an error that does not quote it.
fn subject_token<'de, D>(deserializer: D) -> std::result::Result<SubjectTokenConfig, D::Error>
where
    D: Deserializer<'de>,
{
    struct SourceVisitor;

    impl<'de> Visitor<'de> for SourceVisitor {
        type Value = SubjectTokenConfig;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "one of `fixed`, `file`, `variable` and `client_credentials`, with its value",
            )
        }

        fn visit_str<E: de::Error>(self, _: &str) -> std::result::Result<Self::Value, E> {
            let message = "plain text does not say where the token comes from; write a table, such as \
                         `{ file = \"…\" }` or `{ variable = \"…\" }`";
            Err(E::custom(message))
        }

        fn visit_map<A: MapAccess<'de>>(
            self,
            map: A,
        ) -> std::result::Result<Self::Value, A::Error> {
            SubjectTokenConfig::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(SourceVisitor)
}

impl ConfluentConfig {
    pub(crate) fn from_env_with(lookup: EnvLookup<'_>) -> Result<Self> {
        let env = EnvReader {
            lookup,
            provider: NAME,
        };
        Ok(Self {
            api_key: Some(env.required(ConfigKey::ConfluentApiKey)?),
            api_secret: Some(env.required(ConfigKey::ConfluentApiSecret)?.into()),
            base_url: env.base_url(ConfigKey::ConfluentBaseUrl)?,
            ..Self::default()
        })
    }

    #[cfg(feature = "confluent")]
    pub(crate) fn into_builder(
        self,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Result<ConfluentBuilder> {
        let mut options = self.connection.options(NAME)?;
        options.interceptors.extend(interceptor);
        let builder = Confluent::builder().options(options);
        let credentials = (self.api_key, self.api_secret, self.access_token, self.sts);
        let mut builder = match credentials {
            (Some(key), Some(secret), None, None) => {
                builder.api_key(key, secret.read(NAME, "api_secret")?)
            }
            (None, None, Some(token), None) => {
                builder.access_token(token.read(NAME, "access_token")?)
            }
            #[cfg(feature = "sts")]
            (None, None, None, Some(sts)) => builder.sts(sts.credentials()?),
            #[cfg(not(feature = "sts"))]
            (None, None, None, Some(_)) => return Err(super::missing_feature(NAME, "sts", "sts")),
            _ => {
                let message =
                    "it needs one of `api_key` with `api_secret`, `access_token`, and `sts`";
                return Err(config_error(NAME, message));
            }
        };
        if let Some(url) = self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder)
    }
}

impl StsConfig {
    /// Access through this identity pool, with the other settings at their defaults.
    pub fn new(identity_pool_id: impl Into<String>, subject_token: SubjectTokenConfig) -> Self {
        Self {
            identity_pool_id: identity_pool_id.into(),
            subject_token,
            expires_in_seconds: None,
        }
    }

    #[cfg(feature = "sts")]
    fn credentials(self) -> Result<StsCredentials> {
        let subject_token = match self.subject_token {
            SubjectTokenConfig::Fixed(token) => SubjectToken::Fixed(token),
            SubjectTokenConfig::File(path) => SubjectToken::File(path),
            SubjectTokenConfig::Variable(name) => SubjectToken::EnvVar(name),
            #[cfg(feature = "client-credentials")]
            SubjectTokenConfig::ClientCredentials(client) => {
                let ClientCredentialsConfig {
                    token_url,
                    client_id,
                    client_secret,
                    scopes,
                } = client;
                let secret = client_secret.read(NAME, "client_secret")?;
                let client = crate::ClientCredentials::new(token_url, client_id, secret);
                let with_scopes = scopes
                    .into_iter()
                    .fold(client, |client, scope| client.scope(scope));
                SubjectToken::ClientCredentials(with_scopes)
            }
        };
        let credentials = StsCredentials::new(self.identity_pool_id, subject_token);
        Ok(match self.expires_in_seconds {
            Some(seconds) => credentials.expires_in(Duration::from_secs(seconds)),
            None => credentials,
        })
    }
}

#[cfg(feature = "client-credentials")]
impl ClientCredentialsConfig {
    /// A client of this identity provider, without scopes.
    pub fn new(
        token_url: TokenUrl,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretSource>,
    ) -> Self {
        Self {
            token_url,
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: Vec::new(),
        }
    }
}
