//! The configuration of Confluent.

use std::{fmt, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    config::{
        ConnectionConfig,
        environment::{Reader, Variables},
        refuse,
    },
    confluent::{Confluent, ConfluentBuilder, StsCredentials, SubjectToken},
    error::Result,
    http::{BaseUrl, ResponseObserver},
};

/// What sets up a [`Confluent`] provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentConfig {
    /// The id of a Cloud API key.
    pub api_key: Option<String>,
    /// The key's secret.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
    pub api_secret: Option<SecretString>,
    /// An access token, in place of key and secret.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
    pub access_token: Option<SecretString>,
    /// An identity pool, in place of the others.
    pub sts: Option<StsConfig>,
    /// Where requests go. Default: `https://api.confluent.cloud`.
    pub base_url: Option<BaseUrl>,
    /// Limits in time, size and rate.
    pub connection: ConnectionConfig,
}

/// What sets up [`StsCredentials`].
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StsConfig {
    /// The id of the identity pool (`pool-…`).
    pub identity_pool_id: String,
    /// Where the identity provider's token comes from.
    #[serde(deserialize_with = "subject_token")]
    pub subject_token: SubjectTokenConfig,
    /// How long the tokens are to live, in seconds. Default and maximum: 900.
    #[serde(default)]
    pub expires_in_seconds: Option<u64>,
}

/// Where a [`SubjectToken`] comes from: one of these, by name.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubjectTokenConfig {
    /// Always this one.
    Fixed(#[cfg_attr(feature = "schemars", schemars(with = "String"))] SecretString),
    /// The path of a file that is read again for each exchange.
    File(PathBuf),
    /// The name of an environment variable that is read again for each exchange.
    Variable(String),
    /// The OAuth 2.0 client-credentials grant (feature `client-credentials`).
    #[cfg(feature = "client-credentials")]
    ClientCredentials(ClientCredentialsConfig),
}

/// What sets up [`ClientCredentials`](crate::ClientCredentials) (feature `client-credentials`).
#[cfg(feature = "client-credentials")]
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClientCredentialsConfig {
    /// Where the identity provider gives tokens.
    pub token_url: BaseUrl,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub client_secret: SecretString,
    /// The scopes that are asked for. Default: none.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// Reads a source of tokens. A token in its place is refused and not quoted.
fn subject_token<'de, D>(deserializer: D) -> std::result::Result<SubjectTokenConfig, D::Error>
where
    D: Deserializer<'de>,
{
    struct Source;

    impl<'de> Visitor<'de> for Source {
        type Value = SubjectTokenConfig;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "one of `fixed`, `file`, `variable` and `client_credentials`, with its value",
            )
        }

        fn visit_str<E: de::Error>(self, _: &str) -> std::result::Result<Self::Value, E> {
            let wrong = "text says not where the token comes from; write a table, such as \
                         `{ file = \"…\" }` or `{ variable = \"…\" }`";
            Err(E::custom(wrong))
        }

        fn visit_map<A: MapAccess<'de>>(
            self,
            map: A,
        ) -> std::result::Result<Self::Value, A::Error> {
            SubjectTokenConfig::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(Source)
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
            base_url: variables.base_url("CONFLUENT_CLOUD_ENDPOINT")?,
            ..Self::default()
        })
    }

    pub(crate) fn into_builder(
        self,
        observer: Option<ResponseObserver>,
    ) -> Result<ConfluentBuilder> {
        let mut options = self.connection.options(Confluent::NAME)?;
        options.observer = observer;
        let builder = Confluent::builder().options(options);
        let given = (self.api_key, self.api_secret, self.access_token, self.sts);
        let mut builder = match given {
            (Some(key), Some(secret), None, None) => builder.api_key(key, secret),
            (None, None, Some(token), None) => builder.access_token(token),
            (None, None, None, Some(sts)) => builder.sts(sts.credentials()),
            _ => {
                let wrong =
                    "it needs one of `api_key` with `api_secret`, `access_token`, and `sts`";
                return Err(refuse(Confluent::NAME, wrong));
            }
        };
        if let Some(url) = self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder)
    }
}

impl StsConfig {
    fn credentials(self) -> StsCredentials {
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
                let client = crate::ClientCredentials::new(token_url, client_id, client_secret);
                let with_scopes = scopes
                    .into_iter()
                    .fold(client, |client, scope| client.scope(scope));
                SubjectToken::ClientCredentials(with_scopes)
            }
        };
        let credentials = StsCredentials::new(self.identity_pool_id, subject_token);
        match self.expires_in_seconds {
            Some(seconds) => credentials.expires_in(Duration::from_secs(seconds)),
            None => credentials,
        }
    }
}
