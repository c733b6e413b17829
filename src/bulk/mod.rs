//! Runs over many items: several at a time, one outcome per item.

mod create;
mod delete;
mod options;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use serde::Serialize;

pub(crate) use self::{create::create_many, delete::delete_many};
pub use self::{
    create::{CreateOutcome, CreateResult},
    delete::{DeleteOutcome, DeleteResult},
    options::BulkOptions,
};
use crate::{
    call::{CallOptions, CallPriority},
    error::{Error, Result},
    lock::lock,
    outage::{Outage, ReachabilityOf, reachability},
    provider::InvitationProvider,
};

/// The outcome of one item of [`for_each_concurrent`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ItemOutcome<T, R> {
    /// The position of the item in the input, from 0.
    pub index: usize,
    /// The item.
    pub item: T,
    /// The result.
    pub result: ItemResult<R>,
}

impl<T, R> ItemOutcome<T, R> {
    /// An outcome, for tests of what reads it.
    pub fn new(index: usize, item: T, result: ItemResult<R>) -> Self {
        Self {
            index,
            item,
            result,
        }
    }
}

/// The result of one item of [`for_each_concurrent`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemResult<R> {
    /// What the work returned.
    Finished(Result<R>),
    /// Not started: the item at this earlier position has the same key. Detected within the last 65 536 distinct keys.
    Duplicate(usize),
    /// Not started: an earlier item failed with a [fatal](Error::is_fatal) error, the server was
    /// [unreachable](BulkOptions::outage) for too long, or the run was [stopped](BulkOptions::stop).
    NotAttempted,
}

/// Runs `work` on each item, several at a time; one outcome per item, in the order of completion unless
/// [`BulkOptions::ordered`] is set.
///
/// [`create_many`](crate::InvitationProviderExt::create_many) and
/// [`delete_many`](crate::InvitationProviderExt::delete_many) are this function with a create and a delete as `work`.
///
/// - Items are taken as they are needed, so the input may be of any length.
/// - Of the items for which `key` returns the same text, `work` runs on the first one.
/// - After a [fatal](Error::is_fatal) error, no further item starts.
/// - While the server of `provider` cannot be reached, the run pauses ([`BulkOptions::outage`]). Then `work` may run again
///   on an item whose connect failed and that was not executed.
/// - [`BulkOptions::removals`] has no effect: the function does not know what `work` does.
///
/// ```
/// use futures::StreamExt;
/// use org_invitations::{
///     BulkOptions, InvitationProvider, ItemResult, NewInvitation, for_each_concurrent,
/// };
///
#[doc = example!(confluent)]
/// let mut ids = Vec::new();
/// for email in ["ann@example.com", "bob@example.com"] {
///     ids.push(provider.create(NewInvitation::new(email)).await?.id);
/// }
/// let options = BulkOptions::default().ordered(true);
/// let get = |id| {
///     let provider = &provider;
///     async move { provider.get(id).await }
/// };
/// let mut run = for_each_concurrent(&provider, &ids, options, |id| Some(id.to_string()), get);
/// while let Some(outcome) = run.next().await {
///     match outcome.result {
///         ItemResult::Finished(Ok(invitation)) => assert_eq!(&invitation.id, outcome.item),
///         other => panic!("{}: {other:?}", outcome.item),
///     }
/// }
/// assert!(run.in_flight().is_empty() && !run.gave_up());
/// # Ok(())
/// # }
/// ```
pub fn for_each_concurrent<'a, P, I, T, K, F, Work, R>(
    provider: &'a P,
    items: I,
    options: BulkOptions,
    key: K,
    work: F,
) -> BulkRun<'a, T, R>
where
    P: InvitationProvider + ?Sized,
    I: IntoIterator<Item = T>,
    I::IntoIter: Send + 'a,
    T: Clone + Send + Sync + 'a,
    K: Fn(&T) -> Option<String> + Send + 'a,
    F: Fn(T) -> Work + Send + Sync + 'a,
    Work: Future<Output = Result<R>> + Send + 'a,
    R: Send + 'a,
{
    for_each_concurrent_from_stream(provider, stream::iter(items), options, key, work)
}

/// The same as [`for_each_concurrent`], for items that arrive over time. [`BulkOptions::stop`] ends no wait for the next
/// item.
///
/// ```
/// use futures::StreamExt;
/// use org_invitations::{
///     BulkOptions, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation,
///     for_each_concurrent_from_stream,
/// };
///
#[doc = example!(confluent)]
/// provider.create(NewInvitation::new("ann@example.com")).await?;
/// let listed = provider.list(ListQuery::new()).filter_map(async |item| item.ok());
/// let get = |invitation: org_invitations::Invitation| {
///     let provider = &provider;
///     async move { provider.get(&invitation.id).await }
/// };
/// let options = BulkOptions::default();
/// let run = for_each_concurrent_from_stream(&provider, listed, options, |_| None, get);
/// assert_eq!(run.count().await, 1);
/// # Ok(())
/// # }
/// ```
pub fn for_each_concurrent_from_stream<'a, P, S, K, F, Work, R>(
    provider: &'a P,
    items: S,
    options: BulkOptions,
    key: K,
    work: F,
) -> BulkRun<'a, S::Item, R>
where
    P: InvitationProvider + ?Sized,
    S: Stream<Item: Clone + Send + Sync + 'a> + Send + 'a,
    K: Fn(&S::Item) -> Option<String> + Send + 'a,
    F: Fn(S::Item) -> Work + Send + Sync + 'a,
    Work: Future<Output = Result<R>> + Send + 'a,
    R: Send + 'a,
{
    RunState::new(options).run(provider, items, key, work, reachability)
}

/// The outcomes of [`for_each_concurrent`]. Dropping it stops the run.
#[must_use = "streams do nothing unless polled"]
pub struct BulkRun<'a, T, R> {
    state: Arc<RunState>,
    outcomes: BoxStream<'a, ItemOutcome<T, R>>,
}

impl<T, R> BulkRun<'_, T, R> {
    /// The positions of the items whose work started and whose outcome the stream has not returned, in ascending order.
    /// If the run is dropped now, their outcome is unknown.
    pub fn in_flight(&self) -> Vec<usize> {
        self.state.in_flight().iter().copied().collect()
    }

    /// Whether the server was [unreachable](BulkOptions::outage) for too long, so that no further item starts.
    pub fn gave_up(&self) -> bool {
        self.state.outage.gave_up()
    }
}

impl<T, R> Stream for BulkRun<'_, T, R> {
    type Item = ItemOutcome<T, R>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.outcomes.poll_next_unpin(context);
        if let Poll::Ready(Some(outcome)) = &polled {
            self.state.in_flight().remove(&outcome.index);
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.outcomes.size_hint()
    }
}

impl<T, R> fmt::Debug for BulkRun<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkRun")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The shared state of one run, or of the phases of one plan.
#[derive(Debug)]
pub(crate) struct RunState {
    options: BulkOptions,
    /// Whether an item failed with an error that every further item would fail with.
    has_fatal_error: AtomicBool,
    outage: Outage,
    in_flight: Mutex<BTreeSet<usize>>,
}

impl RunState {
    pub fn new(options: BulkOptions) -> Arc<Self> {
        Arc::new(Self {
            outage: Outage::new(options.outage.clone(), Arc::clone(&options.stop)),
            has_fatal_error: AtomicBool::new(false),
            in_flight: Mutex::default(),
            options,
        })
    }

    /// Runs one phase, as [`for_each_concurrent`] does. Phases with the same state come one after another, and pause and
    /// end together. `reachability` returns what an outcome shows about the server.
    pub fn run<'a, P, S, T, K, F, Work, R>(
        self: Arc<Self>,
        provider: &'a P,
        items: S,
        key: K,
        work: F,
        reachability: ReachabilityOf<R>,
    ) -> BulkRun<'a, T, R>
    where
        P: InvitationProvider + ?Sized,
        S: Stream<Item = T> + Send + 'a,
        T: Clone + Send + Sync + 'a,
        K: Fn(&T) -> Option<String> + Send + 'a,
        F: Fn(T) -> Work + Send + Sync + 'a,
        Work: Future<Output = Result<R>> + Send + 'a,
        R: Send + 'a,
    {
        let state = Arc::clone(&self);
        let work = Arc::new(work);
        let mut window = DedupWindow::default();
        let outcomes = items.enumerate().map(move |(index, item)| {
            let first = key(&item).and_then(|key| window.position(key, index));
            let (state, work) = (Arc::clone(&state), Arc::clone(&work));
            async move {
                let result = match first {
                    Some(first) => ItemResult::Duplicate(first),
                    None => {
                        let work = || {
                            state.in_flight().insert(index);
                            let bulk = CallOptions::default_priority(CallPriority::Bulk);
                            bulk.scope(work(item.clone()))
                        };
                        state.attempt(provider, work, reachability).await
                    }
                };
                ItemOutcome {
                    index,
                    item,
                    result,
                }
            }
        });
        let concurrency = self.options.concurrency.max(1);
        let outcomes = match self.options.ordered {
            true => outcomes.buffered(concurrency).boxed(),
            false => outcomes.buffer_unordered(concurrency).boxed(),
        };
        BulkRun {
            state: self,
            outcomes,
        }
    }

    async fn attempt<P, R, Work>(
        &self,
        provider: &P,
        work: impl Fn() -> Work,
        reachability: ReachabilityOf<R>,
    ) -> ItemResult<R>
    where
        P: InvitationProvider + ?Sized,
        Work: Future<Output = Result<R>>,
    {
        if self.has_fatal_error.load(Ordering::Relaxed) {
            return ItemResult::NotAttempted;
        }
        let Some(result) = self.outage.call_with(provider, work, reachability).await else {
            return ItemResult::NotAttempted;
        };
        if result.as_ref().is_err_and(Error::is_fatal) {
            self.has_fatal_error.store(true, Ordering::Relaxed);
        }
        ItemResult::Finished(result)
    }

    fn in_flight(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        lock(&self.in_flight)
    }
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
