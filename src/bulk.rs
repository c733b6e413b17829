//! Many invitations at once: a few at a time, one outcome for each.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::{
    address::normalize_email,
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    outage::{Judge, Outage, OutageOptions, contact},
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
    removal::RemovalLimit,
};

/// How `create_many` and `delete_many` go about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BulkOptions {
    /// How many requests may be under way at once; at least 1. Default: 4.
    pub concurrency: usize,
    /// Once this is true, nothing more is begun: what is under way comes to its end, and the rest is
    /// `NotAttempted`. Default: never.
    pub stop: Arc<AtomicBool>,
    /// How many invitations a `delete_many` may withdraw; a larger one is refused before it begins, for which its ids
    /// are counted and, where it is a share, the invitations are listed. Default: as many as it is given.
    pub removals: Option<RemovalLimit>,
    /// What happens when the server cannot be reached any more: the run pauses, and after a while it ends with
    /// `NotAttempted` for the rest.
    pub outage: OutageOptions,
}

impl Default for BulkOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            stop: Arc::default(),
            removals: None,
            outage: OutageOptions::default(),
        }
    }
}

impl BulkOptions {
    /// Sets how many requests may be under way at once.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets the flag that stops a run between two items.
    #[must_use]
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    /// Sets how many invitations a `delete_many` may withdraw.
    #[must_use]
    pub fn removals(mut self, limit: RemovalLimit) -> Self {
        self.removals = Some(limit);
        self
    }

    /// Sets what happens when the server cannot be reached any more.
    #[must_use]
    pub fn outage(mut self, outage: OutageOptions) -> Self {
        self.outage = outage;
        self
    }
}

/// What became of one item of `create_many`.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateOutcome {
    /// Its position in the input, counted from 0.
    pub index: usize,
    /// The item itself.
    pub new: NewInvitation,
    /// What became of it.
    pub result: CreateResult,
}

/// What can become of an item of `create_many`.
#[derive(Debug)]
#[non_exhaustive]
pub enum CreateResult {
    /// Invited now.
    Created(Box<Invitation>),
    /// Invited before, or a member; the error is the provider's refusal.
    AlreadyExists(Error),
    /// Failed; the error says why, and whether the person may be invited all the same
    /// ([`may_have_executed`](Error::may_have_executed)). The others go on.
    Failed(Error),
    /// Not sent: the same address, compared as [`normalize_email`] has it, is at this position too. Known for the last
    /// 65 536 different addresses; further apart, the provider says that the second one existed.
    Duplicate(usize),
    /// Not sent, because an earlier item showed that [every further one](Error::is_fatal) would fail alike: the
    /// credential does not work, or a quota is spent; because the server could not be
    /// [reached](BulkOptions::outage) for too long; or because the run was told to [stop](BulkOptions::stop).
    NotAttempted,
}

/// What became of one item of `delete_many`.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteOutcome {
    /// Its position in the input, counted from 0.
    pub index: usize,
    /// The item itself.
    pub id: InvitationId,
    /// What became of it.
    pub result: DeleteResult,
}

/// What can become of an item of `delete_many`.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeleteResult {
    /// Withdrawn now.
    Deleted,
    /// There was no such invitation.
    NotFound,
    /// Failed; the error says why, and whether the invitation may be gone all the same
    /// ([`may_have_executed`](Error::may_have_executed)). The others go on.
    Failed(Error),
    /// Not sent: the same id is at this position too. Known for the last 65 536 different ids; further
    /// apart, the second one is missing.
    Duplicate(usize),
    /// Not sent, because an earlier item showed that [every further one](Error::is_fatal) would fail alike: the
    /// credential does not work, or a quota is spent; because the server could not be
    /// [reached](BulkOptions::outage) for too long; or because the run was told to [stop](BulkOptions::stop).
    NotAttempted,
}

pub(crate) fn create_many<'a, P, I>(
    provider: &'a P,
    items: I,
    options: BulkOptions,
) -> BoxStream<'a, CreateOutcome>
where
    P: InvitationProvider + ?Sized,
    I: IntoIterator<Item = NewInvitation>,
    I::IntoIter: Send + 'a,
{
    let create = move |new: NewInvitation| async move { provider.create(new).await };
    let key = |new: &NewInvitation| Some(normalize_email(&new.email));
    for_each_concurrent(provider, items, Shared::new(options), key, create, contact)
        .map(|(index, new, done)| {
            let result = match done {
                ItemResult::NotAttempted => CreateResult::NotAttempted,
                ItemResult::Duplicate(first) => CreateResult::Duplicate(first),
                ItemResult::Finished(Ok(invitation)) => CreateResult::Created(Box::new(invitation)),
                ItemResult::Finished(Err(error)) if error.kind() == ErrorKind::AlreadyExists => {
                    CreateResult::AlreadyExists(error)
                }
                ItemResult::Finished(Err(error)) => CreateResult::Failed(error),
            };
            CreateOutcome { index, new, result }
        })
        .boxed()
}

pub(crate) fn delete_many<'a, P, I>(
    provider: &'a P,
    ids: I,
    options: BulkOptions,
) -> BoxStream<'a, DeleteOutcome>
where
    P: InvitationProvider + ?Sized,
    I: IntoIterator<Item = InvitationId>,
    I::IntoIter: Send + 'a,
{
    let Some(limit) = options.removals else {
        return delete_all(provider, ids, options);
    };
    let ids: Vec<InvitationId> = ids.into_iter().collect();
    let different: HashSet<&InvitationId> = ids.iter().collect();
    let removals = different.len();
    let measured = async move { (provider.check_removals(removals, limit).await, ids) };
    stream::once(measured)
        .flat_map(move |(checked, ids)| match checked {
            Ok(()) => delete_all(provider, ids, options.clone()),
            Err(refused) => {
                let outcomes = ids.into_iter().enumerate().map(move |(index, id)| {
                    let error = refused.clone().with_target(id.as_str());
                    let result = DeleteResult::Failed(error);
                    DeleteOutcome { index, id, result }
                });
                stream::iter(outcomes).boxed()
            }
        })
        .boxed()
}

fn delete_all<'a, P, I>(
    provider: &'a P,
    ids: I,
    options: BulkOptions,
) -> BoxStream<'a, DeleteOutcome>
where
    P: InvitationProvider + ?Sized,
    I: IntoIterator<Item = InvitationId>,
    I::IntoIter: Send + 'a,
{
    let delete = move |id: InvitationId| async move { provider.delete(&id).await };
    let key = |id: &InvitationId| Some(id.to_string());
    for_each_concurrent(provider, ids, Shared::new(options), key, delete, contact)
        .map(|(index, id, done)| {
            let result = match done {
                ItemResult::NotAttempted => DeleteResult::NotAttempted,
                ItemResult::Duplicate(first) => DeleteResult::Duplicate(first),
                ItemResult::Finished(Ok(())) => DeleteResult::Deleted,
                ItemResult::Finished(Err(error)) if error.kind() == ErrorKind::NotFound => {
                    DeleteResult::NotFound
                }
                ItemResult::Finished(Err(error)) => DeleteResult::Failed(error),
            };
            DeleteOutcome { index, id, result }
        })
        .boxed()
}

/// How one item ended.
pub(crate) enum ItemResult<T> {
    Finished(Result<T>),
    Duplicate(usize),
    NotAttempted,
}

/// What the runs of one plan, or the items of one run, share.
#[derive(Debug)]
pub(crate) struct Shared {
    options: BulkOptions,
    /// Whether every further item would fail alike.
    failed_fatally: AtomicBool,
    outage: Outage,
}

impl Shared {
    pub fn new(options: BulkOptions) -> Arc<Self> {
        Arc::new(Self {
            outage: Outage::new(options.outage.clone(), Arc::clone(&options.stop)),
            failed_fatally: AtomicBool::new(false),
            options,
        })
    }
}

/// Runs `work` on each item, some at a time, and once for those with the same key. Runs that share `shared` pause
/// and end together. `contact` says what an outcome shows about the server.
pub(crate) fn for_each_concurrent<'a, P, I, T, K, F, Work, Out>(
    provider: &'a P,
    items: I,
    shared: Arc<Shared>,
    key: K,
    work: F,
    contact: Judge<Out>,
) -> impl futures_util::Stream<Item = (usize, T, ItemResult<Out>)> + Send + 'a
where
    P: InvitationProvider + ?Sized,
    I: IntoIterator<Item = T>,
    I::IntoIter: Send + 'a,
    T: Clone + Send + Sync + 'a,
    K: Fn(&T) -> Option<String> + Send + 'a,
    F: Fn(T) -> Work + Clone + Send + Sync + 'a,
    Work: Future<Output = Result<Out>> + Send + 'a,
    Out: Send + 'a,
{
    let concurrency = shared.options.concurrency.max(1);
    let mut seen = DedupWindow::default();
    stream::iter(items.into_iter().enumerate())
        .map(move |(index, item)| {
            let shared = Arc::clone(&shared);
            let first = key(&item).and_then(|key| seen.position(key, index));
            let work = work.clone();
            async move {
                if let Some(first) = first {
                    return (index, item, ItemResult::Duplicate(first));
                }
                if shared.failed_fatally.load(Ordering::Relaxed) {
                    return (index, item, ItemResult::NotAttempted);
                }
                let work = || work(item.clone());
                let Some(result) = shared.outage.call_judged(provider, work, contact).await else {
                    return (index, item, ItemResult::NotAttempted);
                };
                if result.as_ref().is_err_and(Error::is_fatal) {
                    shared.failed_fatally.store(true, Ordering::Relaxed);
                }
                (index, item, ItemResult::Finished(result))
            }
        })
        .buffer_unordered(concurrency)
}

/// The latest keys and their positions: bounded, however long the input is.
#[derive(Default)]
struct DedupWindow {
    positions: HashMap<Arc<str>, usize>,
    order: VecDeque<Arc<str>>,
}

impl DedupWindow {
    const MOST: usize = 65_536;

    /// Where the key was before; otherwise it is remembered to be at `index`.
    fn position(&mut self, key: String, index: usize) -> Option<usize> {
        if let Some(first) = self.positions.get(key.as_str()) {
            return Some(*first);
        }
        if self.order.len() == Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.positions.remove(&oldest);
        }
        let key: Arc<str> = key.into();
        self.order.push_back(Arc::clone(&key));
        self.positions.insert(key, index);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::atomic::AtomicUsize};

    use super::*;
    use crate::outage::tests::Absent;

    #[tokio::test]
    async fn of_a_million_items_no_more_are_held_than_are_under_way() {
        let taken = AtomicUsize::new(0);
        let items = (0..1_000_000).inspect(|_| {
            taken.fetch_add(1, Ordering::Relaxed);
        });
        let shared = Shared::new(BulkOptions::default().concurrency(4));
        let provider = Absent::new(0, std::time::Duration::ZERO);
        let key = |number: &usize| Some(number.to_string());
        let work = |_| async { Ok(()) };
        let mut outcomes = pin!(for_each_concurrent(
            &provider, items, shared, key, work, contact
        ));
        let mut done = 0;
        while outcomes.next().await.is_some() {
            done += 1;
            let held = taken.load(Ordering::Relaxed) - done;
            assert!(held <= 4, "{held} after {done}");
        }
        assert_eq!(done, 1_000_000);
    }

    #[test]
    fn of_the_keys_only_the_latest_are_remembered() {
        let mut seen = DedupWindow::default();
        for index in 0..3 * DedupWindow::MOST {
            assert_eq!(seen.position(index.to_string(), index), None);
            assert!(
                seen.positions.len() <= DedupWindow::MOST && seen.order.len() <= DedupWindow::MOST
            );
        }
        let latest = 3 * DedupWindow::MOST - 1;
        assert_eq!(seen.position(latest.to_string(), latest + 1), Some(latest));
        assert_eq!(seen.position("0".to_owned(), latest + 2), None);
    }
}
