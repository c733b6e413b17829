//! Confluent Cloud's organisations, keys, identity pools and token exchange.

use serde::{Deserialize, Serialize};

use super::Rights;

/// An organisation on Confluent Cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentOrganization {
    /// The organisation's uuid. Default random.
    pub id: Option<String>,
    /// The organisation's Cloud API keys. Default one in the first organisation, none in the others.
    pub keys: Vec<ConfluentKey>,
    /// The organisation's identity pools, for the token exchange. Default one in the first organisation, none in the
    /// others.
    pub identity_pools: Vec<IdentityPool>,
    /// Whether users sign in through single sign-on. If so, the default `auth_type` of an invitation is
    /// `AUTH_TYPE_SSO`, and `AUTH_TYPE_LOCAL` requires [`Rights::Admin`] (Confluent's document). Default false.
    pub sso: bool,
    /// How many seconds an invitation reads `INVITE_STATUS_STAGED` before it is sent. A staged invitation cannot be
    /// accepted. Default 0. Confluent's document has the status and does not say when it occurs.
    pub staging_seconds: u32,
    /// Whether a deleted invitation stays and reads `INVITE_STATUS_DEACTIVATED`. Default false: a get answers 404.
    /// Confluent's document has the status and does not say which of the two happens.
    pub keep_deleted: bool,
    /// The users at the start, besides those of [`Config::seed_members`](super::Config::seed_members). Default none: the
    /// owners of keys are users only if they are here.
    pub members: Vec<ConfluentMember>,
    /// The role bindings at the start. Default none.
    pub role_bindings: Vec<ConfluentRoleBinding>,
}

/// A user of an organisation on Confluent Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentMember {
    /// The user's id, such as `u-4k8m2`. Default `u-configured-1` for the first one, and so on.
    #[serde(default)]
    pub id: Option<String>,
    /// The user's address.
    pub email: String,
    /// The user's name. Default the address up to the `@`.
    #[serde(default)]
    pub full_name: Option<String>,
}

/// A role binding of an organisation on Confluent Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentRoleBinding {
    /// `User:` or `Group:`, and an id. It need not be the id of a user in [`ConfluentOrganization::members`].
    pub principal: String,
    /// The role's name.
    pub role_name: String,
    /// Where the role holds: a whole CRN pattern, or what follows that of the organisation, such as
    /// `environment=env-1`. Default the organisation.
    #[serde(default)]
    pub crn_pattern: Option<String>,
}

/// A Cloud API key of Confluent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfluentKey {
    /// User name for HTTP Basic.
    pub api_key: String,
    /// Password for HTTP Basic.
    pub api_secret: String,
    /// A bearer token with the rights of the key. Default none; random for the first key of the first organisation.
    #[serde(default)]
    pub access_token: Option<String>,
    /// The id of the user (`u-…`) or service account (`sa-…`) who owns the key, and who is the creator of its
    /// invitations. The key is deleted with the user. Default random.
    #[serde(default)]
    pub user: Option<String>,
    /// What people call the key. Default nothing.
    #[serde(default)]
    pub display_name: Option<String>,
    /// What the key is for, in words. Default nothing.
    #[serde(default)]
    pub description: Option<String>,
    /// The id of the Kafka cluster that the key is for, such as `lkc-456`. Such a key is listed, and authenticates no
    /// request here. Default none: the key is for the organisation.
    #[serde(default)]
    pub resource: Option<String>,
    /// What the key allows. Default everything.
    #[serde(default)]
    pub rights: Rights,
}

/// An identity pool, which decides what the tokens of Confluent's token exchange allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IdentityPool {
    /// The pool's id, such as `pool-4rq1`.
    pub id: String,
    /// The subject tokens that the pool accepts, besides those of the identity provider at `/_sandbox/idp/token`.
    /// Default those of [`StsSettings::subject_tokens`].
    #[serde(default)]
    pub subject_tokens: Option<Vec<String>>,
    /// What tokens of the pool allow. Default everything.
    #[serde(default)]
    pub rights: Rights,
}

/// What Confluent's token exchange accepts, and how it answers.
///
/// In JSON `{"subject_tokens": ["…"], "expires_in_as_text": true, "lifetime_seconds": 60}`. Every member is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StsSettings {
    /// The subject tokens to accept, besides those of the identity provider at `/_sandbox/idp/token`. Default
    /// [`Credentials::subject_token`](crate::Credentials::subject_token) alone.
    pub subject_tokens: Option<Vec<String>>,
    /// Whether `expires_in` is a JSON string. Default `false`.
    pub expires_in_as_text: bool,
    /// The longest lifetime of an access token, in seconds, whatever the request asks for. Default 900.
    pub lifetime_seconds: Option<u32>,
}

impl ConfluentOrganization {
    /// Adds a key.
    #[must_use]
    pub fn key(mut self, key: ConfluentKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds a user.
    #[must_use]
    pub fn member(mut self, member: ConfluentMember) -> Self {
        self.members.push(member);
        self
    }

    /// Adds a role binding.
    #[must_use]
    pub fn role_binding(mut self, binding: ConfluentRoleBinding) -> Self {
        self.role_bindings.push(binding);
        self
    }

    /// Adds an identity pool.
    #[must_use]
    pub fn identity_pool(mut self, pool: IdentityPool) -> Self {
        self.identity_pools.push(pool);
        self
    }
}

impl ConfluentMember {
    /// Creates a user with the default id.
    pub fn new(email: impl Into<String>) -> Self {
        Self {
            id: None,
            email: email.into(),
            full_name: None,
        }
    }

    /// Sets the user's id.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            ..self
        }
    }
}

impl ConfluentRoleBinding {
    /// Creates a binding to a role in the whole organisation.
    pub fn new(principal: impl Into<String>, role_name: impl Into<String>) -> Self {
        Self {
            principal: principal.into(),
            role_name: role_name.into(),
            crn_pattern: None,
        }
    }

    /// Sets where the role holds.
    #[must_use]
    pub fn crn_pattern(self, pattern: impl Into<String>) -> Self {
        Self {
            crn_pattern: Some(pattern.into()),
            ..self
        }
    }
}

impl ConfluentKey {
    /// Creates a key that allows everything.
    pub fn new(api_key: impl Into<String>, api_secret: impl Into<String>) -> Self {
        Self {
            api_key: api_key.into(),
            api_secret: api_secret.into(),
            access_token: None,
            user: None,
            display_name: None,
            description: None,
            resource: None,
            rights: Rights::Admin,
        }
    }

    /// Sets the user or service account who owns the key.
    #[must_use]
    pub fn user(self, id: impl Into<String>) -> Self {
        Self {
            user: Some(id.into()),
            ..self
        }
    }

    /// Sets what people call the key.
    #[must_use]
    pub fn display_name(self, name: impl Into<String>) -> Self {
        Self {
            display_name: Some(name.into()),
            ..self
        }
    }

    /// Sets the Kafka cluster that the key is for.
    #[must_use]
    pub fn resource(self, id: impl Into<String>) -> Self {
        Self {
            resource: Some(id.into()),
            ..self
        }
    }

    /// Sets what the key allows.
    #[must_use]
    pub fn rights(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }
}

impl IdentityPool {
    /// Creates a pool whose tokens allow everything.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            subject_tokens: None,
            rights: Rights::Admin,
        }
    }
}

impl StsSettings {
    /// Accepts these subject tokens in place of the default one.
    #[must_use]
    pub fn with_subject_tokens<T: Into<String>>(
        mut self,
        tokens: impl IntoIterator<Item = T>,
    ) -> Self {
        self.subject_tokens = Some(tokens.into_iter().map(Into::into).collect());
        self
    }

    /// Answers `expires_in` as a JSON string.
    #[must_use]
    pub fn with_expires_in_as_text(mut self) -> Self {
        self.expires_in_as_text = true;
        self
    }

    /// Caps the lifetime of access tokens.
    #[must_use]
    pub fn with_lifetime_seconds(mut self, seconds: u32) -> Self {
        self.lifetime_seconds = Some(seconds);
        self
    }
}
