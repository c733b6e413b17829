//! The credentials that a sandbox accepts.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::config::Config;
use crate::jwt;
use crate::random;

/// The URL of a sandbox and the credentials that it accepts.
///
/// Serialises to `{"url", "confluent": {"api_key", "api_secret"}, "clickhouse": {"organization_id", "api_key",
/// "api_secret"}}`. The secrets are of no use outside this sandbox.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Credentials {
    /// Base URL of both APIs, without a trailing slash.
    pub url: String,
    /// Credentials for the Confluent Cloud API.
    pub confluent: ConfluentCredentials,
    /// Credentials for the ClickHouse Cloud API.
    pub clickhouse: ClickHouseCredentials,
    #[serde(skip)]
    pub(crate) idp: IdpCredentials,
    #[serde(skip)]
    pub(crate) identity_pool_id: String,
    #[serde(skip)]
    pub(crate) subject_token: String,
}

/// A Cloud API key, and an access token with the same rights.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ConfluentCredentials {
    /// User name for HTTP Basic.
    pub api_key: String,
    /// Password for HTTP Basic.
    pub api_secret: String,
    #[serde(skip)]
    pub(crate) access_token: String,
}

impl ConfluentCredentials {
    /// A bearer token with the rights of the API key. Not serialised.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }
}

/// A client of the sandbox's identity provider at `/_sandbox/idp/token`.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct IdpCredentials {
    /// The token endpoint, for OAuth's client-credentials grant.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret, for HTTP Basic or the form.
    pub client_secret: String,
}

/// An API key and its organisation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ClickHouseCredentials {
    /// The organisation's uuid, in hyphenated lower case.
    pub organization_id: String,
    /// User name for HTTP Basic.
    pub api_key: String,
    /// Password for HTTP Basic.
    pub api_secret: String,
}

/// Credentials with all their secrets, to be kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedCredentials {
    confluent_api_key: String,
    confluent_api_secret: String,
    confluent_access_token: String,
    clickhouse_organization_id: String,
    clickhouse_api_key: String,
    clickhouse_api_secret: String,
    idp_client_id: String,
    idp_client_secret: String,
    identity_pool_id: String,
    subject_token: String,
}

impl From<Credentials> for SavedCredentials {
    fn from(credentials: Credentials) -> Self {
        Self {
            confluent_api_key: credentials.confluent.api_key,
            confluent_api_secret: credentials.confluent.api_secret,
            confluent_access_token: credentials.confluent.access_token,
            clickhouse_organization_id: credentials.clickhouse.organization_id,
            clickhouse_api_key: credentials.clickhouse.api_key,
            clickhouse_api_secret: credentials.clickhouse.api_secret,
            idp_client_id: credentials.idp.client_id,
            idp_client_secret: credentials.idp.client_secret,
            identity_pool_id: credentials.identity_pool_id,
            subject_token: credentials.subject_token,
        }
    }
}

impl From<SavedCredentials> for Credentials {
    fn from(saved: SavedCredentials) -> Self {
        Self {
            url: String::new(),
            confluent: ConfluentCredentials {
                api_key: saved.confluent_api_key,
                api_secret: saved.confluent_api_secret,
                access_token: saved.confluent_access_token,
            },
            clickhouse: ClickHouseCredentials {
                organization_id: saved.clickhouse_organization_id,
                api_key: saved.clickhouse_api_key,
                api_secret: saved.clickhouse_api_secret,
            },
            idp: IdpCredentials {
                token_url: String::new(),
                client_id: saved.idp_client_id,
                client_secret: saved.idp_client_secret,
            },
            identity_pool_id: saved.identity_pool_id,
            subject_token: saved.subject_token,
        }
    }
}

impl Credentials {
    /// The first identity pool of Confluent's token exchange. Not serialised.
    pub fn identity_pool_id(&self) -> &str {
        &self.identity_pool_id
    }

    /// A token that Confluent's token exchange accepts, unless the [settings](crate::StsSettings) say otherwise. Not
    /// serialised.
    pub fn subject_token(&self) -> &str {
        &self.subject_token
    }

    /// A client of the identity provider. Confluent's token exchange accepts its tokens. Not serialised.
    pub fn idp(&self) -> &IdpCredentials {
        &self.idp
    }

    /// What must not be shown.
    pub(crate) fn secrets(&self) -> [&str; 5] {
        [
            &self.confluent.api_secret,
            &self.confluent.access_token,
            &self.clickhouse.api_secret,
            &self.idp.client_secret,
            &self.subject_token,
        ]
    }

    /// Adopts the first configured key, pool and organisation of each API.
    pub(crate) fn adopt(&mut self, config: &Config) {
        let organization = config.confluent.first();
        if let Some(key) = organization.and_then(|it| it.keys.first()) {
            self.confluent.api_key.clone_from(&key.api_key);
            self.confluent.api_secret.clone_from(&key.api_secret);
            if let Some(token) = &key.access_token {
                self.confluent.access_token.clone_from(token);
            }
        }
        if let Some(pool) = organization.and_then(|it| it.identity_pools.first()) {
            self.identity_pool_id.clone_from(&pool.id);
            let tokens = pool
                .subject_tokens
                .as_ref()
                .or(config.sts.subject_tokens.as_ref());
            if let Some(token) = tokens.and_then(|tokens| tokens.first()) {
                self.subject_token.clone_from(token);
            }
        }
        let organization = config.clickhouse.first();
        if let Some(id) = organization.and_then(|it| it.id.as_ref()) {
            self.clickhouse.organization_id.clone_from(id);
        }
        if let Some(key) = organization.and_then(|it| it.keys.first()) {
            self.clickhouse.api_key.clone_from(&key.api_key);
            self.clickhouse.api_secret.clone_from(&key.api_secret);
        }
    }

    /// Sets the URL of the sandbox, which also decides that of the identity provider.
    pub(crate) fn set_url(&mut self, url: String) {
        self.idp.token_url = format!("{url}/_sandbox/idp/token");
        self.url = url;
    }

    /// Random credentials, without a URL.
    pub(crate) fn random() -> Self {
        let secret = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self {
            url: String::new(),
            confluent: ConfluentCredentials {
                api_key: random::alphanumeric(12).to_uppercase(),
                api_secret: secret(),
                access_token: secret(),
            },
            clickhouse: ClickHouseCredentials {
                organization_id: Uuid::new_v4().to_string(),
                api_key: random::alphanumeric(12),
                api_secret: secret(),
            },
            idp: IdpCredentials {
                token_url: String::new(),
                client_id: random::alphanumeric(12),
                client_secret: secret(),
            },
            identity_pool_id: format!("pool-{}", random::alphanumeric(6)),
            subject_token: jwt::unsigned(&json!({ "sub": "sandbox" })),
        }
    }
}
