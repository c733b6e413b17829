//! The keys a sandbox accepts.

use serde::Serialize;
use uuid::Uuid;

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
        }
    }
}
