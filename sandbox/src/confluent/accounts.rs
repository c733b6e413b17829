//! Confluent's organisations, and the keys and identity pools that act for them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::bindings::RoleBindings;
use super::{Details, UserDetails};
use crate::config::normalize::{
    check_emails, check_unique, first_or_default, merge_first, organization_id,
};
use crate::config::{ConfluentKey, ConfluentOrganization, IdentityPool, Rights};
use crate::credentials::Credentials;
use crate::invitations::Invitations;
use crate::members::Members;
use crate::random;

/// An organisation and its people. Id, settings and pools are fixed when a sandbox starts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) sso: bool,
    pub(super) staging: TimeDelta,
    pub(super) keep_deleted: bool,
    /// The configured keys and, after them, those that were added since. No key leaves its place.
    pub(super) keys: Vec<ApiKey>,
    configured_keys: usize,
    pub(super) pools: Vec<Pool>,
    pub(super) invitations: Invitations<Details>,
    /// Those who have accepted.
    pub(super) users: Members<UserDetails>,
    pub(super) bindings: RoleBindings,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ApiKey {
    pub(super) api_key: String,
    pub(super) api_secret: String,
    pub(super) access_token: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) description: Option<String>,
    /// The cluster that the key is for, if it is not for the organisation.
    pub(super) resource: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    /// Whether the user who owned the key was deleted.
    pub(super) is_deleted: bool,
    pub(super) caller: Caller,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pool {
    pub(super) id: String,
    pub(super) subject_tokens: Option<Vec<String>>,
    pub(super) caller: Caller,
}

/// The identity that a request acts with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Caller {
    /// Position of the organisation.
    pub(super) organization: usize,
    pub(super) user: Arc<str>,
    pub(super) rights: Rights,
}

/// The configured organisations, one at least. The first one's first key and pool are those of the credentials.
///
/// # Errors
///
/// An id is not a uuid, or something that must be unique appears twice.
pub(super) fn organizations(
    mut configured: Vec<ConfluentOrganization>,
    credentials: &Credentials,
) -> Result<Vec<Organization>, String> {
    let first = first_or_default(&mut configured);
    let known = &credentials.confluent;
    let key = ConfluentKey {
        api_key: known.api_key.clone(),
        api_secret: known.api_secret.clone(),
        access_token: Some(known.access_token.clone()),
        ..ConfluentKey::new("", "")
    };
    merge_first(&mut first.keys, key, |key, configured| ConfluentKey {
        api_key: key.api_key,
        api_secret: key.api_secret,
        access_token: key.access_token,
        ..configured
    });
    let pool = IdentityPool::new(credentials.identity_pool_id.clone());
    merge_first(&mut first.identity_pools, pool, |pool, configured| {
        IdentityPool {
            id: pool.id,
            ..configured
        }
    });
    let organizations = configured
        .into_iter()
        .enumerate()
        .map(|(position, it)| Organization::new(position, it))
        .collect::<Result<Vec<_>, _>>()?;
    check(&organizations)?;
    Ok(organizations)
}

/// Checks that every id, key and token is there once.
pub(super) fn check(organizations: &[Organization]) -> Result<(), String> {
    let keys = || organizations.iter().flat_map(|it| &it.keys);
    let pools = organizations.iter().flat_map(|it| &it.pools);
    let tokens = keys().filter_map(|key| key.access_token.as_ref());
    check_unique("organisation", organizations.iter().map(|it| &it.id))?;
    check_unique("API key", keys().map(|key| &key.api_key))?;
    // The message keeps the token to itself.
    check_unique("token", tokens).map_err(|_| "an access token appears twice".to_owned())?;
    check_unique("identity pool", pools.map(|pool| &pool.id))
}

impl Organization {
    fn new(position: usize, configured: ConfluentOrganization) -> Result<Self, String> {
        let ConfluentOrganization {
            id,
            keys,
            identity_pools,
            sso,
            staging_seconds,
            keep_deleted,
            members,
            role_bindings: _,
        } = configured;
        let ids: Vec<_> = members.iter().filter_map(|it| it.id.clone()).collect();
        check_emails(members.iter().map(|it| it.email.as_str()))?;
        check_unique("user", ids.iter())?;
        let keys = keys.into_iter();
        let keys: Vec<_> = keys
            .map(|key| ApiKey::new(position, key, DateTime::default()))
            .collect();
        // Confluent's document does not say who is the creator of an invitation behind an identity pool.
        let user = keys
            .first()
            .map_or_else(random_user_id, |key| Arc::clone(&key.caller.user));
        let pools = identity_pools.into_iter().map(|pool| Pool {
            caller: Caller {
                organization: position,
                user: Arc::clone(&user),
                rights: pool.rights,
            },
            id: pool.id,
            subject_tokens: pool.subject_tokens,
        });
        Ok(Self {
            id: organization_id(id)?,
            sso,
            staging: TimeDelta::seconds(staging_seconds.into()),
            keep_deleted,
            pools: pools.collect(),
            configured_keys: keys.len(),
            keys,
            invitations: Invitations::default(),
            users: Members::default(),
            bindings: RoleBindings::default(),
        })
    }
}

impl ApiKey {
    /// A key of the organisation at this position.
    pub(super) fn new(organization: usize, key: ConfluentKey, created_at: DateTime<Utc>) -> Self {
        Self {
            caller: Caller {
                organization,
                user: key.user.map_or_else(random_user_id, Arc::from),
                rights: key.rights,
            },
            api_key: key.api_key,
            api_secret: key.api_secret,
            access_token: key.access_token,
            display_name: key.display_name,
            description: key.description,
            resource: key.resource,
            created_at,
            is_deleted: false,
        }
    }

    /// Whether requests can be authenticated with the key.
    pub(super) fn authenticates(&self) -> bool {
        !self.is_deleted && self.resource.is_none()
    }
}

impl Organization {
    /// What must not be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let of_keys = self.keys.iter().flat_map(|key| {
            let token = key.access_token.as_deref();
            [Some(key.api_secret.as_str()), token].into_iter().flatten()
        });
        let pools = self.pools.iter();
        let of_pools = pools.flat_map(|pool| pool.subject_tokens.iter().flatten());
        of_keys.chain(of_pools.map(String::as_str))
    }

    /// Removes everybody, and restores the configured keys.
    pub(super) fn reset(&mut self, now: DateTime<Utc>) {
        self.invitations = Invitations::default();
        self.users = Members::default();
        self.bindings = RoleBindings::default();
        self.keys.truncate(self.configured_keys);
        for key in &mut self.keys {
            key.is_deleted = false;
            key.created_at = now;
        }
    }
}

/// The pool of an id, in any organisation.
pub(super) fn find_pool<'a>(organizations: &'a [Organization], id: &str) -> Option<&'a Pool> {
    let mut pools = organizations.iter().flat_map(|it| &it.pools);
    pools.find(|pool| pool.id == id)
}

fn random_user_id() -> Arc<str> {
    Arc::from(format!("u-{}", random::alphanumeric(6)))
}
