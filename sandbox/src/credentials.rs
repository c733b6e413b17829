//! The keys a sandbox accepts.

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::config::Config;
use crate::jwt;
use crate::state::random_suffix;

/// Where a sandbox listens and what it accepts.
///
/// Serialises to `{"url", "confluent": {"api_key", "api_secret"}, "clickhouse": {"organization_id", "api_key",
/// "api_secret"}}`. None of it opens anything but this sandbox.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Credentials {
    /// Base URL of both APIs, without a trailing slash.
    pub url: String,
    /// What the Confluent Cloud API accepts.
    pub confluent: ConfluentCredentials,
    /// What the ClickHouse Cloud API accepts.
    pub clickhouse: ClickHouseCredentials,
    #[serde(skip)]
    pub(crate) idp: IdpCredentials,
    #[serde(skip)]
    pub(crate) identity_pool_id: String,
    #[serde(skip)]
    pub(crate) subject_token: String,
}

/// A Cloud API key, and an access token that is as good.
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
    /// A bearer token, accepted wherever the API key is. Not serialised.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }
}

/// A client of the identity provider that the sandbox has for tests, at `/_sandbox/idp/token`.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct IdpCredentials {
    /// Where it issues tokens, by OAuth's client-credentials grant.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret, for HTTP Basic or the form.
    pub client_secret: String,
}

/// An API key and the one organisation it belongs to.
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

impl Credentials {
    /// The one identity pool that Confluent's token exchange knows. Not serialised.
    pub fn identity_pool_id(&self) -> &str {
        &self.identity_pool_id
    }

    /// A token that Confluent's token exchange accepts, unless [told otherwise](crate::StsSettings). Not serialised.
    pub fn subject_token(&self) -> &str {
        &self.subject_token
    }

    /// A client of the identity provider whose tokens Confluent's token exchange accepts. Not serialised.
    pub fn idp(&self) -> &IdpCredentials {
        &self.idp
    }

    /// Takes over what a configuration says of the first key, pool and organisation of each API.
    pub(crate) fn follow(&mut self, config: &Config) {
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

    /// Fills in where the sandbox listens.
    pub(crate) fn set_url(&mut self, url: String) {
        self.idp.token_url = format!("{url}/_sandbox/idp/token");
        self.url = url;
    }

    /// Credentials that no other sandbox has; the URL is still to be filled in.
    pub(crate) fn random() -> Self {
        let secret = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self {
            url: String::new(),
            confluent: ConfluentCredentials {
                api_key: random_suffix(12).to_uppercase(),
                api_secret: secret(),
                access_token: secret(),
            },
            clickhouse: ClickHouseCredentials {
                organization_id: Uuid::new_v4().to_string(),
                api_key: random_suffix(12),
                api_secret: secret(),
            },
            idp: IdpCredentials {
                token_url: String::new(),
                client_id: random_suffix(12),
                client_secret: secret(),
            },
            identity_pool_id: format!("pool-{}", random_suffix(6)),
            subject_token: jwt::unsigned(&json!({ "sub": "sandbox" })),
        }
    }
}
