//! The API keys that are deleted together with their owners.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use org_invitations::{ApiKey, Error, MemberId};

use crate::{
    failure::Failure, interrupt::Interrupt, output::escape_control, provider::ProviderContext,
};

/// How many lists of keys are read at once.
const CONCURRENCY: usize = 4;

/// The API keys of members who are to be removed, as far as the key in use may see them.
#[derive(Debug, Default)]
pub(crate) struct OwnedKeys {
    /// The address and the keys of each member whose keys were read.
    lists: BTreeMap<MemberId, (String, Vec<ApiKey>)>,
    /// Why keys could not be read. Those that could be are kept.
    failure: Option<String>,
}

impl OwnedKeys {
    /// Reads the keys of members; none where a removal deletes no keys. The first list that cannot be read is the last
    /// one that is asked for.
    pub async fn load(
        provider: &ProviderContext,
        members: impl IntoIterator<Item = (MemberId, String)>,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let mut owned = Self::default();
        if !provider.capabilities().removal_deletes_owned {
            return Ok(owned);
        }
        let lists = stream::iter(members).map(|(owner, email)| async move {
            let keys = provider.api_keys(&owner).await?;
            Ok::<_, Error>((owner, email, keys))
        });
        let mut lists = lists.buffered(CONCURRENCY);
        loop {
            let next = async { Ok(lists.try_next().await) };
            match interrupt.or_interrupted(next).await? {
                Ok(None) => return Ok(owned),
                Ok(Some((owner, email, mut keys))) => {
                    for key in &mut keys {
                        key.extra = Default::default();
                    }
                    owned.lists.insert(owner, (email, keys));
                }
                Err(error) => {
                    owned.failure = Some(error.to_string());
                    return Ok(owned);
                }
            }
        }
    }

    /// The keys of a member; `None` if they were not read.
    pub fn of(&self, owner: &MemberId) -> Option<Vec<ApiKey>> {
        self.lists.get(owner).map(|(_, keys)| keys.clone())
    }

    /// The address of the owner of a key, if it is among these.
    pub fn owner_of(&self, key: &str) -> Option<&str> {
        let mut lists = self.lists.values();
        let (owner, _) = lists.find(|(_, keys)| keys.iter().any(|one| one.id == key))?;
        Some(owner)
    }

    /// Lists the keys on stderr.
    pub fn print(&self, provider: &ProviderContext) {
        let name = provider.name();
        let lists = self.lists.iter();
        let keys = lists
            .flat_map(|(owner, (email, keys))| keys.iter().map(move |key| (owner, email, key)));
        let mut keys = keys.peekable();
        if keys.peek().is_some() {
            eprintln!("{name}: API keys that are deleted with their owners:");
        } else if !self.lists.is_empty() && self.failure.is_none() {
            eprintln!("{name}: no API key is known that would be deleted with its owner");
        }
        for (owner, email, key) in keys {
            let name = key.name.as_ref().map(|name| format!(" {name:?}"));
            let resource = key.resource_id.as_ref().map(|id| format!(" for {id}"));
            let key = format!(
                "{}{}{}",
                key.id,
                name.unwrap_or_default(),
                resource.unwrap_or_default()
            );
            let (email, key) = (escape_control(email), escape_control(&key));
            eprintln!("  {email} ({owner}): {key}");
        }
        if let Some(why) = &self.failure {
            let why = escape_control(why);
            eprintln!("{name}: the API keys that are deleted too could not be read: {why}");
        }
    }
}
