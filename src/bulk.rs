//! Bulk operations: several requests at a time, one outcome per item.

mod options;

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
    outage::{Outage, ReachabilityOf, reachability},
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
};

pub use self::options::BulkOptions;

/// The outcome of one item of `create_many`.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateOutcome {
    /// The position of the item in the input, from 0.
    pub index: usize,
    /// The item.
    pub new: NewInvitation,
    /// The result.
    pub result: CreateResult,
}

/// The result of one item of `create_many`.
#[derive(Debug)]
#[non_exhaustive]
pub enum CreateResult {
    /// The invitation was created.
    Created(Box<Invitation>),
    /// The person was invited before or is a member, as the error says.
    AlreadyExists(Error),
    /// The create failed; the error says whether it may have been executed nevertheless
    /// ([`may_have_executed`](Error::may_have_executed)). The other items continue.
    Failed(Error),
    /// Not sent: the item at this earlier position has the same address, as [`normalize_email`] compares them. Detected
    /// within the last 65 536 distinct addresses; beyond that, the result is `AlreadyExists`.
    Duplicate(usize),
    /// Not sent: an earlier item failed with a [fatal](Error::is_fatal) error, the server was
    /// [unreachable](BulkOptions::outage) for too long, or the run was [stopped](BulkOptions::stop).
    NotAttempted,
}

/// The outcome of one item of `delete_many`.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteOutcome {
    /// The position of the item in the input, from 0.
    pub index: usize,
    /// The item.
    pub id: InvitationId,
    /// The result.
    pub result: DeleteResult,
}

/// The result of one item of `delete_many`.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeleteResult {
    /// The invitation was withdrawn.
    Deleted,
    /// There is no invitation with this id.
    NotFound,
    /// The delete failed; the error says whether it may have been executed nevertheless
    /// ([`may_have_executed`](Error::may_have_executed)). The other items continue.
    Failed(Error),
    /// Not sent: the item at this earlier position has the same id. Detected within the last 65 536 distinct ids;
    /// beyond that, the result is `NotFound`.
    Duplicate(usize),
    /// Not sent: an earlier item failed with a [fatal](Error::is_fatal) error, the server was
    /// [unreachable](BulkOptions::outage) for too long, or the run was [stopped](BulkOptions::stop).
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
    for_each_concurrent(
        provider,
        items,
        BulkRun::new(options),
        key,
        create,
        reachability,
    )
    .map(|(index, new, result)| {
        let result = match result {
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
    let distinct: HashSet<&InvitationId> = ids.iter().collect();
    let removals = distinct.len();
    let checked = async move { (provider.check_removals(removals, limit).await, ids) };
    stream::once(checked)
        .flat_map(move |(checked, ids)| match checked {
            Ok(()) => delete_all(provider, ids, options.clone()),
            Err(error) => {
                let outcomes = ids.into_iter().enumerate().map(move |(index, id)| {
                    let error = error.clone().with_target(id.as_str());
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
    for_each_concurrent(
        provider,
        ids,
        BulkRun::new(options),
        key,
        delete,
        reachability,
    )
    .map(|(index, id, result)| {
        let result = match result {
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

/// The result of one item of [`BulkOptions::for_each`].
#[derive(Debug)]
pub enum ItemResult<T> {
    /// The work ran to its end.
    Finished(Result<T>),
    /// Not started: the item at this earlier position has the same key. Detected within the last 65 536 distinct keys.
    Duplicate(usize),
    /// Not started: an earlier item failed with a [fatal](Error::is_fatal) error, the server was
    /// [unreachable](BulkOptions::outage) for too long, or the run was [stopped](BulkOptions::stop).
    NotAttempted,
}

/// The shared state of one run, or of the phases of one plan.
#[derive(Debug)]
pub(crate) struct BulkRun {
    options: BulkOptions,
    /// Whether an item failed with an error that every further item would fail with.
    has_fatal_error: AtomicBool,
    outage: Outage,
}

impl BulkRun {
    pub fn new(options: BulkOptions) -> Arc<Self> {
        Arc::new(Self {
            outage: Outage::new(options.outage.clone(), Arc::clone(&options.stop)),
            has_fatal_error: AtomicBool::new(false),
            options,
        })
    }
}

/// Runs `work` on each item, several at a time, and once for items with the same key. Phases that share `run` pause and
/// end together. `reachability` returns what an outcome shows about the server.
pub(crate) fn for_each_concurrent<'a, P, I, T, K, F, Work, Out>(
    provider: &'a P,
    items: I,
    run: Arc<BulkRun>,
    key: K,
    work: F,
    reachability: ReachabilityOf<Out>,
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
    let concurrency = run.options.concurrency.max(1);
    let mut window = DedupWindow::default();
    stream::iter(items.into_iter().enumerate())
        .map(move |(index, item)| {
            let run = Arc::clone(&run);
            let first = key(&item).and_then(|key| window.position(key, index));
            let work = work.clone();
            async move {
                if let Some(first) = first {
                    return (index, item, ItemResult::Duplicate(first));
                }
                if run.has_fatal_error.load(Ordering::Relaxed) {
                    return (index, item, ItemResult::NotAttempted);
                }
                let work = || work(item.clone());
                let Some(result) = run.outage.call_with(provider, work, reachability).await else {
                    return (index, item, ItemResult::NotAttempted);
                };
                if result.as_ref().is_err_and(Error::is_fatal) {
                    run.has_fatal_error.store(true, Ordering::Relaxed);
                }
                (index, item, ItemResult::Finished(result))
            }
        })
        .buffer_unordered(concurrency)
}

/// The latest keys and their positions, with a bound on memory.
#[derive(Default)]
struct DedupWindow {
    positions: HashMap<Arc<str>, usize>,
    order: VecDeque<Arc<str>>,
}

impl DedupWindow {
    const CAPACITY: usize = 65_536;

    /// The earlier position of the key; without one, records that the key is at `index`.
    fn position(&mut self, key: String, index: usize) -> Option<usize> {
        if let Some(first) = self.positions.get(key.as_str()) {
            return Some(*first);
        }
        if self.order.len() == Self::CAPACITY
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
    use crate::outage::tests::UnreachableProvider;

    #[tokio::test]
    async fn of_a_million_items_no_more_are_held_than_are_under_way() {
        let taken = AtomicUsize::new(0);
        let items = (0..1_000_000).inspect(|_| {
            taken.fetch_add(1, Ordering::Relaxed);
        });
        let run = BulkRun::new(BulkOptions::default().concurrency(4));
        let provider = UnreachableProvider::new(0, std::time::Duration::ZERO);
        let key = |number: &usize| Some(number.to_string());
        let work = |_| async { Ok(()) };
        let mut outcomes = pin!(for_each_concurrent(
            &provider,
            items,
            run,
            key,
            work,
            reachability
        ));
        let mut result = 0;
        while outcomes.next().await.is_some() {
            result += 1;
            let held = taken.load(Ordering::Relaxed) - result;
            assert!(held <= 4, "{held} after {result}");
        }
        assert_eq!(result, 1_000_000);
    }

    #[test]
    fn of_the_keys_only_the_latest_are_remembered() {
        let mut window = DedupWindow::default();
        for index in 0..3 * DedupWindow::CAPACITY {
            assert_eq!(window.position(index.to_string(), index), None);
            assert!(
                window.positions.len() <= DedupWindow::CAPACITY
                    && window.order.len() <= DedupWindow::CAPACITY
            );
        }
        let latest = 3 * DedupWindow::CAPACITY - 1;
        assert_eq!(
            window.position(latest.to_string(), latest + 1),
            Some(latest)
        );
        assert_eq!(window.position("0".to_owned(), latest + 2), None);
    }
}
