//! A rate limit that processes share: the state of a limiter outside of the process, changed by one at a time.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

#[cfg(feature = "redis")]
use super::redis_store::RedisStore;
use super::{
    Admission, State, TooLate,
    file_store::FileStore,
    snapshot::{Lease, Snapshot},
};
use crate::call::RateLimit;

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// How often a process looks whether requests of other processes have ended, which nothing tells it of.
const POLL: Duration = Duration::from_millis(15);

/// How long the store is left alone after a failure.
const HOLD_OFF: Duration = Duration::from_secs(5);

/// A rate limit that several processes share, because they use one credential (feature `shared-limits`).
///
/// Providers of one process share the limit of their credential anyway. Between processes, the limiter's state is kept in
/// a file, for those of one machine, or in Redis (feature `redis`). It is the caller who says which providers share it:
/// give each credential at each vendor a file or a key of its own, and the same
/// [`rate_limit`](crate::ClickHouseBuilder::rate_limit) to all its providers.
///
/// A request waits for the limit of its process and then for the shared one; [`CallPriority`](crate::CallPriority) orders
/// the requests of one process. What a process that ended had in flight counts for two minutes. While the state cannot be
/// reached, a warning is traced, and each process keeps to its own limit: requests go on, and a 429 more is possible.
///
/// ```
/// use org_invitations::{ClickHouse, SharedRateLimit};
///
/// let shared = SharedRateLimit::file(std::env::temp_dir().join("clickhouse-key-1.limit"));
/// let provider = ClickHouse::builder("11111111-2222-3333-4444-555555555555")
///     .api_key("KEY", "a-secret")
///     .shared_rate_limit(shared)
///     .build()?;
/// # drop(provider);
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedRateLimit(Arc<Inner>);

struct Inner {
    store: Store,
    /// Until when the store is left alone.
    failed_until: Mutex<Option<Instant>>,
}

enum Store {
    File(FileStore),
    #[cfg(feature = "redis")]
    Redis(Box<RedisStore>),
}

impl SharedRateLimit {
    /// Shares the limit with the processes of this machine that name the same file, which is made at the first request.
    ///
    /// The file is locked for each change, and holds times and numbers only. It is for a local disk: locks on network file
    /// systems are not to be relied on. Its folder has to exist.
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self::new(Store::File(FileStore::new(path.into())))
    }

    /// The state under this key of a Redis server; `None` if the URL is invalid.
    #[cfg(feature = "redis")]
    pub(crate) fn with_redis(url: &str, key: String) -> Option<Self> {
        let store = RedisStore::new(url, key)?;
        Some(Self::new(Store::Redis(Box::new(store))))
    }

    fn new(store: Store) -> Self {
        Self(Arc::new(Inner {
            store,
            failed_until: Mutex::default(),
        }))
    }

    /// What names the state.
    pub(in crate::http) fn location(&self) -> String {
        match &self.0.store {
            Store::File(store) => store.location(),
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.location(),
        }
    }

    /// Changes the state; `None` if it cannot be reached.
    async fn update<T, F>(&self, fresh: &Arc<Snapshot>, change: F) -> Option<T>
    where
        T: Send + 'static,
        F: Fn(&mut Shared) -> T + Send + Sync + 'static,
    {
        let lock = || {
            self.0
                .failed_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if lock().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let fresh = Arc::clone(fresh);
        let apply = move |stored: &[u8], now: u64| {
            let now_here = Instant::now();
            let mut shared = Snapshot::read(stored, &fresh).restore(&fresh, now, now_here);
            let result = change(&mut shared);
            (result, Snapshot::of(&shared, now, now_here).write())
        };
        let updated = match &self.0.store {
            Store::File(store) => store.update(apply).await,
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.update(apply).await,
        };
        match updated {
            Ok(result) => Some(result),
            Err(error) => {
                *lock() = Some(Instant::now() + HOLD_OFF);
                let location = self.location();
                tracing::warn!(%error, %location, "the shared rate limit cannot be reached");
                None
            }
        }
    }
}

impl fmt::Debug for SharedRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedRateLimit")
            .field(&self.location())
            .finish()
    }
}

/// The state of the limiter, and the requests in flight of all processes.
pub(super) struct Shared {
    pub state: State,
    pub leases: Vec<Lease>,
    pub now: Instant,
    /// The time of the store, in microseconds.
    pub now_stored: u64,
}

/// The shared part of a limiter.
#[derive(Debug)]
pub(super) struct SharedWindows {
    limit: SharedRateLimit,
    /// What the state begins with.
    fresh: Arc<Snapshot>,
}

/// The right to send a request, by its number in the shared state.
#[derive(Debug)]
pub(super) struct SharedPermit {
    windows: Arc<SharedWindows>,
    id: u64,
}

impl SharedWindows {
    pub fn new(limit: SharedRateLimit, state: &State) -> Self {
        Self {
            limit,
            fresh: Arc::new(Snapshot::fresh(state)),
        }
    }

    /// Waits until a request may be sent; `None` if the state cannot be reached.
    pub async fn admit(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Option<SharedPermit>, TooLate> {
        loop {
            let id = fastrand::u64(..);
            let asked = self.limit.update(&self.fresh, move |shared| {
                let admission = shared.state.admit(shared.now);
                if admission == Admission::Granted {
                    shared.leases.push(Lease {
                        id,
                        granted_at: shared.now_stored,
                    });
                }
                let spent_until = shared.state.spent_until;
                (admission, spent_until, shared.state.after_in_flight())
            });
            let Some((admission, spent_until, after_in_flight)) = asked.await else {
                return Ok(None);
            };
            let late = |at: Option<Instant>| TooLate {
                wait: at.map(|at| {
                    let at = at.max(spent_until.unwrap_or(at));
                    at.saturating_duration_since(Instant::now())
                }),
            };
            match admission {
                Admission::Granted => {
                    let windows = Arc::clone(self);
                    return Ok(Some(SharedPermit { windows, id }));
                }
                Admission::At(time) if time > deadline => return Err(late(Some(time))),
                Admission::At(time) => sleep_until(time).await,
                Admission::AfterCompletion => {
                    let next = Instant::now() + POLL.mul_f64(0.5 + fastrand::f64());
                    if next > deadline {
                        return Err(late(after_in_flight));
                    }
                    sleep_until(next).await;
                }
            }
        }
    }
}

impl SharedPermit {
    /// Reports a response, as [`Permit::complete`](super::Permit::complete).
    pub async fn complete(self, reported: Option<RateLimit>, rejected: Option<Option<Duration>>) {
        let id = self.id;
        let change = move |shared: &mut Shared| {
            let free_at = shared.state.complete(reported, rejected, shared.now);
            shared.state.finish(free_at, shared.now);
            shared.leases.retain(|lease| lease.id != id);
        };
        let windows = &self.windows;
        windows.limit.update(&windows.fresh, change).await;
    }

    /// Gives the slot back if nothing was sent; otherwise it is reserved as if there was no response. The change is made
    /// beside the caller, who does not wait for it.
    pub fn abandon(self, is_unused: bool) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let id = self.id;
            let change = move |shared: &mut Shared| {
                match is_unused {
                    true => shared.state.in_flight = shared.state.in_flight.saturating_sub(1),
                    false => shared.state.finish(None, shared.now),
                }
                shared.leases.retain(|lease| lease.id != id);
            };
            let windows = &self.windows;
            windows.limit.update(&windows.fresh, change).await;
        });
    }
}
