//! A server that goes away in the middle of a run over many items: pausing, probing, and giving up.

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::time::Instant;

use crate::{
    error::{Error, ErrorKind, Result},
    list::ListQuery,
    provider::InvitationProvider,
};

/// The delay before the first probe of a pause. Each further delay is twice as long.
const FIRST_PROBE: Duration = Duration::from_secs(1);

/// The longest delay between two probes.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// How often a pause looks whether the run was told to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(200);

/// When a run over many items pauses because its server cannot be reached, and when it gives up.
#[derive(Clone)]
#[non_exhaustive]
pub struct OutageOptions {
    /// The run pauses after so many items in a row that failed with [`Connect`](ErrorKind::Connect); 0 counts as 1.
    /// Default: 5.
    pub failures: usize,
    /// A pause that lasts so long ends the run. Default: 10 minutes.
    pub give_up_after: Duration,
    /// Is told when the run pauses, resumes and gives up. Default: nobody is.
    pub observer: Arc<dyn Fn(OutageEvent<'_>) + Send + Sync>,
}

impl Default for OutageOptions {
    fn default() -> Self {
        Self {
            failures: 5,
            give_up_after: Duration::from_secs(600),
            observer: Arc::new(|_| ()),
        }
    }
}

impl OutageOptions {
    /// Sets after how many items in a row without a connection the run pauses.
    #[must_use]
    pub fn failures(mut self, failures: usize) -> Self {
        self.failures = failures;
        self
    }

    /// Sets how long a pause may last.
    #[must_use]
    pub fn give_up_after(mut self, pause: Duration) -> Self {
        self.give_up_after = pause;
        self
    }

    /// Sets who is told when the run pauses, resumes and gives up.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(OutageEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }
}

impl fmt::Debug for OutageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutageOptions")
            .field("failures", &self.failures)
            .field("give_up_after", &self.give_up_after)
            .finish_non_exhaustive()
    }
}

/// What a run does about a server that cannot be reached.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OutageEvent<'a> {
    /// The run pauses, and probes the server with a list of one invitation.
    Paused(&'a Error),
    /// The server answers again, and the run goes on.
    Resumed,
    /// The pause lasted too long: nothing more is begun.
    GaveUp(&'a Error),
}

/// Pauses a run while its server cannot be reached: the calls of one run share it.
///
/// `create_many`, `delete_many` and [`Plan::apply`](crate::Plan::apply) have one of their own, which
/// [`BulkOptions::outage`](crate::BulkOptions::outage) sets up.
pub struct Outage {
    options: OutageOptions,
    stop: Arc<AtomicBool>,
    state: Mutex<State>,
    /// Held by the call that probes; the others wait for it.
    probe: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// How many calls in a row failed to connect.
    failures: usize,
    /// When the pause began.
    paused_since: Option<Instant>,
    /// Why the latest call could not connect.
    latest: Option<Error>,
    gave_up: bool,
}

/// What the end of a call says about the server.
pub(crate) enum Contact<'a> {
    /// Nothing was sent.
    None,
    /// The server was reached.
    Answered,
    /// It could not be reached.
    Failed(&'a Error),
}

impl<'a> Contact<'a> {
    /// What a failure says about the server.
    pub fn of_error(error: &'a Error) -> Self {
        match error.kind() {
            ErrorKind::Connect => Self::Failed(error),
            // Refused before anything was sent.
            ErrorKind::Config | ErrorKind::Unsupported => Self::None,
            ErrorKind::InvalidInput if error.status().is_none() => Self::None,
            _ => Self::Answered,
        }
    }
}

/// What the outcome of one request says about the server.
pub(crate) fn contact<T>(result: &Result<T>) -> Contact<'_> {
    result
        .as_ref()
        .err()
        .map_or(Contact::Answered, Contact::of_error)
}

/// Says what an outcome shows about the server.
pub(crate) type Judge<T> = fn(&Result<T>) -> Contact<'_>;

impl Outage {
    /// For one run. Once `stop` is true, a pause ends and nothing more is begun.
    pub fn new(options: OutageOptions, stop: Arc<AtomicBool>) -> Self {
        Self {
            options,
            stop,
            state: Mutex::default(),
            probe: tokio::sync::Mutex::default(),
        }
    }

    /// Whether a pause lasted too long, so that nothing more is begun.
    pub fn gave_up(&self) -> bool {
        self.state().gave_up
    }

    /// Does `work`, after waiting while the server cannot be reached. Work that could not connect is repeated after
    /// such a pause, if it was surely not executed. `None`: not begun, because the run gave up or was told to
    /// stop.
    pub async fn call<P, T, Fut>(&self, provider: &P, work: impl Fn() -> Fut) -> Option<Result<T>>
    where
        P: InvitationProvider + ?Sized,
        Fut: Future<Output = Result<T>>,
    {
        self.call_judged(provider, work, contact).await
    }

    /// The same, where `contact` knows what the end of the work says about the server.
    pub(crate) async fn call_judged<P, T, Fut>(
        &self,
        provider: &P,
        work: impl Fn() -> Fut,
        contact: Judge<T>,
    ) -> Option<Result<T>>
    where
        P: InvitationProvider + ?Sized,
        Fut: Future<Output = Result<T>>,
    {
        let mut failed = None;
        loop {
            if !self.wait_for_server(provider).await {
                return failed.map(Err);
            }
            let result = work().await;
            self.note(&contact(&result));
            match result {
                Err(error)
                    if self.is_paused()
                        && error.kind() == ErrorKind::Connect
                        && !error.may_have_executed() =>
                {
                    failed = Some(error);
                }
                result => return Some(result),
            }
        }
    }

    /// Waits while the run is paused. `false`: nothing more is to be begun.
    async fn wait_for_server<P>(&self, provider: &P) -> bool
    where
        P: InvitationProvider + ?Sized,
    {
        if !self.is_paused() {
            return !self.is_over();
        }
        let _probe = self.probe.lock().await;
        let mut delay = FIRST_PROBE;
        loop {
            if self.is_over() {
                return false;
            }
            let Some(left) = self.time_left() else {
                return true;
            };
            if left.is_zero() {
                self.give_up();
                return false;
            }
            let pause = delay.min(left);
            let probe = async {
                tokio::time::sleep(pause).await;
                let query = ListQuery::new().page_size(1);
                provider.list_page(&query, None).await.map(drop)
            };
            let probe = pin!(tokio::time::timeout(left, probe));
            match select(probe, pin!(self.stopped())).await {
                Either::Left((Ok(answer), _)) => self.note(&contact(&answer)),
                // The time is over, or the run was told to stop.
                Either::Left((Err(_), _)) | Either::Right(_) => {}
            }
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    fn note(&self, contact: &Contact<'_>) {
        let mut state = self.state();
        match contact {
            Contact::None => {}
            Contact::Answered => {
                state.failures = 0;
                if state.paused_since.take().is_some() {
                    drop(state);
                    (self.options.observer)(OutageEvent::Resumed);
                }
            }
            Contact::Failed(error) => {
                state.failures += 1;
                state.latest = Some((*error).clone());
                if state.failures >= self.options.failures.max(1) && state.paused_since.is_none() {
                    state.paused_since = Some(Instant::now());
                    drop(state);
                    (self.options.observer)(OutageEvent::Paused(error));
                }
            }
        }
    }

    fn give_up(&self) {
        let mut state = self.state();
        state.gave_up = true;
        if let Some(error) = state.latest.clone() {
            drop(state);
            (self.options.observer)(OutageEvent::GaveUp(&error));
        }
    }

    fn is_paused(&self) -> bool {
        self.state().paused_since.is_some()
    }

    /// Whether nothing more is begun.
    fn is_over(&self) -> bool {
        self.gave_up() || self.stop.load(Ordering::Relaxed)
    }

    /// How much longer the pause may last; `None` when there is none.
    fn time_left(&self) -> Option<Duration> {
        let since = self.state().paused_since?;
        Some(self.options.give_up_after.saturating_sub(since.elapsed()))
    }

    async fn stopped(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(STOP_INTERVAL).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outage")
            .field("options", &self.options)
            .field("state", &*self.state())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::AtomicUsize;

    use async_trait::async_trait;
    use futures_util::StreamExt;

    use super::*;
    use crate::{
        bulk::{BulkOptions, CreateResult, DeleteResult},
        capabilities::Capabilities,
        error::Operation,
        invitation::{Invitation, InvitationId, NewInvitation},
        list::{Page, PageToken},
        plan::{Action, Plan, PlanOptions, StepResult},
        provider_ext::InvitationProviderExt,
    };

    /// A provider whose server cannot be reached from the `from`th write until a time.
    #[derive(Debug)]
    pub(crate) struct Absent {
        writes: AtomicUsize,
        probes: AtomicUsize,
        from: usize,
        until: Instant,
    }

    impl Absent {
        pub(crate) fn new(from: usize, length: Duration) -> Self {
            Self {
                writes: AtomicUsize::new(0),
                probes: AtomicUsize::new(0),
                from,
                until: Instant::now() + length,
            }
        }

        fn reach(&self, operation: Operation) -> Result<()> {
            if Instant::now() >= self.until || self.writes.load(Ordering::Relaxed) < self.from {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Connect, operation, "refused"))
        }

        fn write(&self, operation: Operation) -> Result<()> {
            let reached = self.reach(operation);
            self.writes.fetch_add(1, Ordering::Relaxed);
            reached
        }
    }

    impl fmt::Display for Absent {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("absent")
        }
    }

    #[async_trait]
    impl InvitationProvider for Absent {
        fn capabilities(&self) -> Capabilities {
            Capabilities::default()
        }

        async fn create(&self, new: NewInvitation) -> Result<Invitation> {
            self.write(Operation::Create)?;
            Ok(Invitation::new(InvitationId::new("i-1")?, new.email))
        }

        async fn get(&self, id: &InvitationId) -> Result<Invitation> {
            Ok(Invitation::new(id.clone(), "ann@example.com"))
        }

        async fn list_page(&self, _: &ListQuery, _: Option<&PageToken>) -> Result<Page> {
            self.probes.fetch_add(1, Ordering::Relaxed);
            self.reach(Operation::List)?;
            Ok(Page::new(Vec::new(), None))
        }

        async fn delete(&self, _: &InvitationId) -> Result<()> {
            self.write(Operation::Delete)
        }
    }

    fn people(count: usize) -> Vec<NewInvitation> {
        let person = |number| NewInvitation::new(format!("person-{number}@example.com"));
        (0..count).map(person).collect()
    }

    fn events() -> (OutageOptions, Arc<Mutex<Vec<&'static str>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let observed = Arc::clone(&told);
        let options = OutageOptions::default().observer(move |event| {
            observed.lock().unwrap().push(match event {
                OutageEvent::Paused(_) => "paused",
                OutageEvent::Resumed => "resumed",
                OutageEvent::GaveUp(_) => "gave up",
            });
        });
        (options, told)
    }

    async fn create(provider: &Absent, count: usize, options: BulkOptions) -> [usize; 3] {
        let mut counts = [0; 3];
        let outcomes = provider.create_many(people(count), options);
        let outcomes: Vec<_> = outcomes.collect().await;
        for outcome in outcomes {
            counts[match outcome.result {
                CreateResult::Created(_) => 0,
                CreateResult::Failed(_) => 1,
                CreateResult::NotAttempted => 2,
                other => panic!("{other:?}"),
            }] += 1;
        }
        counts
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_pauses_while_the_server_is_away_and_goes_on() {
        for concurrency in [1, 4] {
            let provider = Absent::new(100, Duration::from_secs(300));
            let (outage, told) = events();
            let options = BulkOptions::default()
                .concurrency(concurrency)
                .outage(outage);
            let [created, failed, left] = create(&provider, 1000, options).await;
            assert_eq!((created + failed, left), (1000, 0));
            assert_eq!(failed, 4, "those before the pause");
            assert_eq!(*told.lock().unwrap(), ["paused", "resumed"]);
            let repeated = provider.writes.load(Ordering::Relaxed) - 1000;
            assert!((1..=concurrency).contains(&repeated), "{repeated}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_gives_up_on_a_server_that_stays_away() {
        let provider = Absent::new(100, Duration::MAX / 4);
        let (outage, told) = events();
        let outage = outage.give_up_after(Duration::from_secs(60)).failures(3);
        let start = Instant::now();
        let counts = create(&provider, 50_000, BulkOptions::default().outage(outage)).await;
        assert_eq!(counts[0], 100);
        assert!((3..=6).contains(&counts[1]), "{counts:?}");
        assert_eq!(counts[2], 50_000 - counts[0] - counts[1]);
        assert_eq!(*told.lock().unwrap(), ["paused", "gave up"]);
        assert_eq!(start.elapsed().as_secs(), 60);
        assert!(provider.probes.load(Ordering::Relaxed) >= 5);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_are_not_in_a_row_pause_nothing() {
        let (outage, told) = events();
        let outage = Outage::new(outage, Arc::default());
        let failed = Error::new(ErrorKind::Connect, Operation::Create, "refused");
        let other = Error::new(ErrorKind::Unavailable, Operation::Create, "503");
        for _ in 0..10 {
            for _ in 0..4 {
                outage.note(&Contact::of_error(&failed));
            }
            outage.note(&Contact::of_error(&other));
        }
        assert!(told.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_executed_is_not_repeated() {
        let provider = Absent::new(0, Duration::from_secs(5));
        let options = OutageOptions::default().failures(1);
        let outage = Outage::new(options, Arc::default());
        let calls = AtomicUsize::new(0);
        let work = || async {
            calls.fetch_add(1, Ordering::Relaxed);
            let error = Error::new(ErrorKind::Connect, Operation::Create, "refused");
            Err::<(), _>(error.with_may_have_executed(true))
        };
        let error = outage.call(&provider, work).await.unwrap().unwrap_err();
        assert!(error.may_have_executed());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_when_the_run_is_told_to_stop() {
        let provider = Absent::new(0, Duration::MAX / 4);
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let outage = OutageOptions::default().observer(move |event| {
            if matches!(event, OutageEvent::Paused(_)) {
                told.store(true, Ordering::Relaxed);
            }
        });
        let ids = (0..100).map(|number| InvitationId::new(format!("i-{number}")).unwrap());
        let options = BulkOptions::default().stop(stop).outage(outage);
        let start = Instant::now();
        let outcomes: Vec<_> = provider.delete_many(ids, options).collect().await;
        let left =
            |outcome: &&crate::DeleteOutcome| matches!(outcome.result, DeleteResult::NotAttempted);
        assert!(outcomes.iter().filter(left).count() >= 90);
        assert!(start.elapsed() < OutageOptions::default().give_up_after);
    }

    #[tokio::test(start_paused = true)]
    async fn a_plan_pauses_though_it_keeps_others_meanwhile() {
        let provider = Absent::new(0, Duration::from_secs(100));
        let (outage, told) = events();
        let mut plan = Plan::new(
            people(40),
            [],
            &provider.capabilities(),
            &PlanOptions::default(),
        );
        for step in plan.steps.iter_mut().step_by(2) {
            step.action = Action::Keep;
        }
        let options = BulkOptions::default().concurrency(1).outage(outage);
        let outcomes: Vec<_> = plan.apply(&provider, options).collect().await;
        let failed =
            |outcome: &&crate::StepOutcome| matches!(outcome.result, StepResult::Failed(_));
        assert_eq!(outcomes.iter().filter(failed).count(), 4);
        assert_eq!(*told.lock().unwrap(), ["paused", "resumed"]);
    }
}
