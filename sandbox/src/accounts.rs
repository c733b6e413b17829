//! The organisations there are, and who may call on their behalf: fixed when a sandbox starts.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::Credentials;
use crate::config::{
    ClickHouseKey, ClickHouseOrganization, Config, ConfluentKey, ConfluentOrganization, CustomRole,
    IdentityPool, Rights,
};
use crate::state::random_suffix;

/// Everyone that either API knows. There is one organisation of each at least.
#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) confluent: Vec<ConfluentOrg>,
    pub(crate) clickhouse: Vec<ClickHouseOrg>,
}

#[derive(Debug)]
pub(crate) struct ConfluentOrg {
    pub(crate) id: String,
    pub(crate) sso: bool,
    pub(crate) staging: TimeDelta,
    pub(crate) keep_deleted: bool,
    pub(crate) keys: Vec<CloudKey>,
    pub(crate) pools: Vec<Pool>,
}

#[derive(Debug)]
pub(crate) struct CloudKey {
    pub(crate) api_key: String,
    pub(crate) api_secret: String,
    pub(crate) access_token: Option<String>,
    pub(crate) caller: Caller,
}

#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) subject_tokens: Option<Vec<String>>,
    pub(crate) caller: Caller,
}

/// On whose behalf Confluent's API acts.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Position of the organisation.
    pub(crate) organization: usize,
    pub(crate) user: Arc<str>,
    pub(crate) rights: Rights,
}

#[derive(Debug)]
pub(crate) struct ClickHouseOrg {
    pub(crate) id: String,
    pub(crate) keys: Vec<ClickHouseKey>,
    pub(crate) custom_roles: Vec<CustomRole>,
}

impl Accounts {
    /// What a configuration says; the first key, pool and organisation of each API are those of the credentials.
    ///
    /// # Errors
    ///
    /// What of it cannot be, in a sentence.
    pub(crate) fn new(config: &Config, credentials: &mut Credentials) -> Result<Self, String> {
        let (mut confluent, mut clickhouse) = (config.confluent.clone(), config.clickhouse.clone());
        let first = at_least_one(&mut confluent);
        let known = &credentials.confluent;
        let key = ConfluentKey {
            api_key: known.api_key.clone(),
            api_secret: known.api_secret.clone(),
            access_token: Some(known.access_token.clone()),
            ..ConfluentKey::new("", "")
        };
        put_first(&mut first.keys, key, |key, written| ConfluentKey {
            user: written.user,
            rights: written.rights,
            ..key
        });
        let pool = IdentityPool::new(credentials.identity_pool_id.clone());
        put_first(&mut first.identity_pools, pool, |pool, written| {
            IdentityPool {
                id: pool.id,
                ..written
            }
        });
        let first = at_least_one(&mut clickhouse);
        first.id = Some(credentials.clickhouse.organization_id.clone());
        let known = &credentials.clickhouse;
        let key = ClickHouseKey::new(known.api_key.clone(), known.api_secret.clone());
        put_first(&mut first.keys, key, |key, written| {
            key.rights(written.rights)
        });

        let accounts = Self {
            confluent: confluent
                .into_iter()
                .enumerate()
                .map(|(position, written)| ConfluentOrg::new(position, written))
                .collect::<Result<_, _>>()?,
            clickhouse: clickhouse
                .into_iter()
                .map(ClickHouseOrg::new)
                .collect::<Result<_, _>>()?,
        };
        accounts.check()?;
        if let Some(first) = accounts.clickhouse.first() {
            credentials.clickhouse.organization_id.clone_from(&first.id);
        }
        Ok(accounts)
    }

    pub(crate) fn pool(&self, id: &str) -> Option<&Pool> {
        let pools = self.confluent.iter().flat_map(|org| &org.pools);
        pools.into_iter().find(|pool| pool.id == id)
    }

    /// The key that an id and a secret are of, and the position of its organisation.
    pub(crate) fn clickhouse_key(&self, id: &str, secret: &str) -> Option<(usize, &ClickHouseKey)> {
        let organizations = self.clickhouse.iter().enumerate();
        organizations
            .flat_map(|(position, org)| org.keys.iter().map(move |key| (position, key)))
            .find(|(_, key)| key.api_key == id && key.api_secret == secret)
    }

    /// That nothing is there twice.
    fn check(&self) -> Result<(), String> {
        let (confluent, clickhouse) = (&self.confluent, &self.clickhouse);
        let keys = || confluent.iter().flat_map(|org| &org.keys);
        once("organisation", confluent.iter().map(|org| &org.id))?;
        once("API key", keys().map(|key| &key.api_key))?;
        let tokens = keys().filter_map(|key| key.access_token.as_ref());
        once("access token", tokens).map_err(|_| "an access token is there twice".to_owned())?;
        let pools = confluent.iter().flat_map(|org| &org.pools);
        once("identity pool", pools.map(|pool| &pool.id))?;
        once("organisation", clickhouse.iter().map(|org| &org.id))?;
        let keys = clickhouse.iter().flat_map(|org| &org.keys);
        once("API key", keys.map(|key| &key.api_key))?;
        for organization in clickhouse {
            crate::clickhouse::roles::check(&organization.custom_roles)?;
        }
        Ok(())
    }
}

impl ConfluentOrg {
    fn new(position: usize, written: ConfluentOrganization) -> Result<Self, String> {
        let ConfluentOrganization {
            id,
            keys,
            identity_pools,
            sso,
            staging_seconds,
            keep_deleted,
        } = written;
        let keys: Vec<_> = keys
            .into_iter()
            .map(|key| CloudKey {
                caller: Caller {
                    organization: position,
                    user: key.user.map_or_else(user_id, Arc::from),
                    rights: key.rights,
                },
                api_key: key.api_key,
                api_secret: key.api_secret,
                access_token: key.access_token,
            })
            .collect();
        // Whom the real service names as the creator behind an identity pool is not documented.
        let user = keys
            .first()
            .map_or_else(user_id, |key| Arc::clone(&key.caller.user));
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
            id: uuid(id)?,
            sso,
            staging: TimeDelta::seconds(staging_seconds.into()),
            keep_deleted,
            pools: pools.collect(),
            keys,
        })
    }
}

impl ClickHouseOrg {
    fn new(written: ClickHouseOrganization) -> Result<Self, String> {
        Ok(Self {
            id: uuid(written.id)?,
            keys: written.keys,
            custom_roles: written.custom_roles,
        })
    }
}

fn at_least_one<T: Default>(all: &mut Vec<T>) -> &mut T {
    if all.is_empty() {
        all.push(T::default());
    }
    &mut all[0]
}

/// Puts the first one in, in place of the one that was written down, if one was.
fn put_first<T>(all: &mut Vec<T>, first: T, join: impl FnOnce(T, T) -> T) {
    let first = if all.is_empty() {
        first
    } else {
        join(first, all.remove(0))
    };
    all.insert(0, first);
}

fn uuid(text: Option<String>) -> Result<String, String> {
    let Some(text) = text else {
        return Ok(Uuid::new_v4().to_string());
    };
    Uuid::try_parse(&text)
        .map(|uuid| uuid.to_string())
        .map_err(|error| format!("organisation {text:?} is no uuid: {error}"))
}

fn once<'a>(what: &str, values: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(format!("the {what} {value:?} is there twice"));
        }
    }
    Ok(())
}

fn user_id() -> Arc<str> {
    Arc::from(format!("u-{}", random_suffix(6)))
}
