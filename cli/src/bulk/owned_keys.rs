//! The API keys that are deleted together with their owners.

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
    keys: Vec<OwnedKey>,
    /// Whether there is anybody whose keys are deleted.
    has_owners: bool,
    /// Why keys could not be read. Those that could be are kept.
    failure: Option<String>,
}

#[derive(Debug)]
struct OwnedKey {
    email: String,
    owner: MemberId,
    key: ApiKey,
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
        let members: Vec<_> = members.into_iter().collect();
        owned.has_owners = !members.is_empty();
        let lists = stream::iter(members).map(|(owner, email)| async move {
            let keys = provider.api_keys(&owner).await?;
            Ok::<_, Error>((owner, email, keys))
        });
        let mut lists = lists.buffered(CONCURRENCY);
        loop {
            let next = async { Ok(lists.try_next().await) };
            match interrupt.or_interrupted(next).await? {
                Ok(None) => return Ok(owned),
                Ok(Some((owner, email, keys))) => {
                    owned.keys.extend(keys.into_iter().map(|mut key| {
                        key.extra = Default::default();
                        OwnedKey {
                            email: email.clone(),
                            owner: owner.clone(),
                            key,
                        }
                    }));
                }
                Err(error) => {
                    owned.failure = Some(error.to_string());
                    return Ok(owned);
                }
            }
        }
    }

    /// The keys of a member.
    pub fn of(&self, owner: &MemberId) -> Vec<ApiKey> {
        let own = self.keys.iter().filter(|one| one.owner == *owner);
        own.map(|one| one.key.clone()).collect()
    }

    /// Lists the keys on stderr.
    pub fn print(&self, provider: &ProviderContext) {
        let name = provider.name();
        if !self.keys.is_empty() {
            eprintln!("{name}: API keys that are deleted with their owners:");
        } else if self.has_owners && self.failure.is_none() {
            eprintln!("{name}: no API key is known that would be deleted with its owner");
        }
        for OwnedKey { email, owner, key } in &self.keys {
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
