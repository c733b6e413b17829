//! The API keys of members.

use serde::{Deserialize, Serialize};

use crate::{extra::Extra, list::ListItem};

/// An API key of a member, without its secret.
///
/// | field | Confluent Cloud (`/iam/v2/api-keys`) |
/// |---|---|
/// | `id` | `id` |
/// | `name`, `description` | `spec.display_name`, `spec.description` |
/// | `resource_id`, `resource_kind` | `spec.resource.id`, `spec.resource.kind` |
///
/// ClickHouse Cloud does not tell whose an API key is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ApiKey {
    /// The id of the key, which is the user name in HTTP Basic.
    pub id: String,
    /// What people call the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the key is for, in somebody's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id of the resource that the key is for, such as a Kafka cluster; none for a key of the whole organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// What kind of resource that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_kind: Option<String>,
    /// Every property that has no field here, except a secret.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ApiKey {
    /// A key of which only the id is known; the other fields are public.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            description: None,
            resource_id: None,
            resource_kind: None,
            extra: Extra::default(),
        }
    }
}

/// A key and the id of its owner.
#[derive(Debug)]
pub(crate) struct OwnedKey {
    pub owner: String,
    pub key: ApiKey,
}

impl ListItem for OwnedKey {
    const PLURAL: &'static str = "API keys";

    fn id(&self) -> &str {
        &self.key.id
    }

    fn email(&self) -> Option<&str> {
        None
    }
}
