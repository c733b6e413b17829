//! Lists that concurrent lookups share.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::StreamExt;
use tokio::sync::OnceCell;

use crate::{
    address::normalize_email,
    error::{Error, Result},
    invitation::Invitation,
    list::ListQuery,
    lock::lock,
    lookup::{queries_for, rank},
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
};

/// The latest invitation of every address, from the whole list, which is read at most once.
#[derive(Debug, Default)]
pub(crate) struct SharedList(OnceCell<HashMap<String, Invitation>>);

impl SharedList {
    pub async fn find<P>(&self, provider: &P, email: &str) -> Result<Option<Invitation>>
    where
        P: InvitationProvider + ?Sized,
    {
        let read = async {
            let mut latest: HashMap<String, Invitation> = HashMap::new();
            let mut list = provider.list(ListQuery::new());
            while let Some(invitation) = list.next().await {
                let invitation = invitation?;
                let previous = latest.get(&normalize_email(&invitation.email));
                if previous.is_none_or(|previous| rank(previous) < rank(&invitation)) {
                    latest.insert(normalize_email(&invitation.email), invitation);
                }
            }
            Ok::<_, Error>(latest)
        };
        let list = self.0.get_or_try_init(|| read).await?;
        Ok(list.get(&normalize_email(email)).cloned())
    }
}

/// Looks for the invitations of creates without a response. Concurrent lookups share one list, unless the list is so
/// long that filtered lists take fewer requests.
#[derive(Debug, Default)]
pub(crate) struct SharedLookups {
    /// The number of lookups in progress.
    active: AtomicUsize,
    /// The number of requests that the latest shared list took.
    pages: AtomicUsize,
    /// The shared list that has not started yet, which lookups can join.
    next: Mutex<Option<Arc<SharedRead>>>,
    /// Held while a shared list is read.
    read_lock: tokio::sync::Mutex<()>,
}

/// The result of one lookup.
#[derive(Debug)]
pub(crate) struct LookupResult {
    /// The invitations of the address that are not void.
    pub found: Vec<Invitation>,
    /// Why there may be more: the list failed, or an item cannot be read.
    pub error: Option<Error>,
}

/// A shared list, for the lookups that joined before it started.
#[derive(Debug, Default)]
struct SharedRead {
    /// The normalised addresses that the lookups are for.
    addresses: Mutex<HashSet<String>>,
    found: OnceCell<FoundInvitations>,
}

/// The invitations of some addresses that are not void.
#[derive(Debug, Default)]
struct FoundInvitations {
    by_address: HashMap<String, Vec<Invitation>>,
    /// Why there may be more.
    error: Option<Error>,
    /// The number of invitations read, of any address.
    read: usize,
}

impl SharedLookups {
    /// The invitations of an address, in any spelling, that are not void, from a list that starts after this call.
    pub async fn find<P>(&self, provider: &P, email: &str) -> LookupResult
    where
        P: InvitationProvider + ?Sized,
    {
        let lookup = ActiveLookup::start(&self.active);
        let capabilities = provider.capabilities();
        let filters = capabilities.filter_email && capabilities.server_side_filters;
        let address = normalize_email(email);
        if filters && lookup.others < self.pages.load(Ordering::Relaxed).max(1) {
            let addresses = HashSet::from([address.clone()]);
            let mut found = FoundInvitations::default();
            for query in queries_for(provider, email) {
                found.read(provider, query, &addresses).await;
            }
            return found.of(&address);
        }
        let shared = {
            let mut next = lock(&self.next);
            let shared = Arc::clone(next.get_or_insert_default());
            lock(&shared.addresses).insert(address.clone());
            shared
        };
        // If the lookup that reads is dropped, the next one that waits reads.
        let read = || async {
            let _guard = self.read_lock.lock().await;
            lock(&self.next).take_if(|next| Arc::ptr_eq(next, &shared));
            let addresses = lock(&shared.addresses).clone();
            let mut found = FoundInvitations::default();
            found.read(provider, ListQuery::new(), &addresses).await;
            let page = capabilities
                .max_page_size
                .map_or(usize::MAX, |size| size as usize);
            self.pages
                .store(found.read.div_ceil(page.max(1)), Ordering::Relaxed);
            found
        };
        shared.found.get_or_init(read).await.of(&address)
    }
}

impl FoundInvitations {
    /// Adds the invitations of these addresses from a list.
    async fn read<P>(&mut self, provider: &P, query: ListQuery, addresses: &HashSet<String>)
    where
        P: InvitationProvider + ?Sized,
    {
        let mut list = provider.list(query);
        while let Some(item) = list.next().await {
            let invitation = match item {
                Ok(invitation) => invitation,
                Err(error) => {
                    self.error.get_or_insert(error);
                    continue;
                }
            };
            self.read += 1;
            let address = normalize_email(&invitation.email);
            if invitation.is_void() || !addresses.contains(&address) {
                continue;
            }
            let found = self.by_address.entry(address).or_default();
            if found.iter().all(|found| found.id != invitation.id) {
                found.push(invitation);
            }
        }
    }

    fn of(&self, address: &str) -> LookupResult {
        LookupResult {
            found: self.by_address.get(address).cloned().unwrap_or_default(),
            error: self.error.clone(),
        }
    }
}

/// Counts one lookup until it is dropped.
struct ActiveLookup<'a> {
    active: &'a AtomicUsize,
    /// The number of other lookups when this one started.
    others: usize,
}

impl<'a> ActiveLookup<'a> {
    fn start(active: &'a AtomicUsize) -> Self {
        let others = active.fetch_add(1, Ordering::Relaxed);
        Self { active, others }
    }
}

impl Drop for ActiveLookup<'_> {
    fn drop(&mut self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
    }
}
