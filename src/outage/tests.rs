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

/// A provider whose server is unreachable from write number `from` until a time.
#[derive(Debug)]
pub(crate) struct UnreachableProvider {
    writes: AtomicUsize,
    probes: AtomicUsize,
    from: usize,
    until: Instant,
}

impl UnreachableProvider {
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

impl fmt::Display for UnreachableProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("absent")
    }
}

#[async_trait]
impl InvitationProvider for UnreachableProvider {
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
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let observed = Arc::clone(&recorded);
    let options = OutageOptions::default().observer(move |event| {
        observed.lock().unwrap().push(match event {
            OutageEvent::Paused(_) => "paused",
            OutageEvent::Resumed => "resumed",
            OutageEvent::GaveUp(_) => "gave up",
        });
    });
    (options, recorded)
}

async fn create(provider: &UnreachableProvider, count: usize, options: BulkOptions) -> [usize; 3] {
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
        let provider = UnreachableProvider::new(100, Duration::from_secs(300));
        let (outage, recorded) = events();
        let options = BulkOptions::default()
            .concurrency(concurrency)
            .outage(outage);
        let [created, failed, left] = create(&provider, 1000, options).await;
        assert_eq!((created + failed, left), (1000, 0));
        assert_eq!(failed, 4, "the failures before the pause");
        assert_eq!(*recorded.lock().unwrap(), ["paused", "resumed"]);
        let repeated = provider.writes.load(Ordering::Relaxed) - 1000;
        assert!((1..=concurrency).contains(&repeated), "{repeated}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_gives_up_on_a_server_that_stays_away() {
    let provider = UnreachableProvider::new(100, Duration::MAX / 4);
    let (outage, recorded) = events();
    let outage = outage.give_up_after(Duration::from_secs(60)).failures(3);
    let start = Instant::now();
    let counts = create(&provider, 50_000, BulkOptions::default().outage(outage)).await;
    assert_eq!(counts[0], 100);
    assert!((3..=6).contains(&counts[1]), "{counts:?}");
    assert_eq!(counts[2], 50_000 - counts[0] - counts[1]);
    assert_eq!(*recorded.lock().unwrap(), ["paused", "gave up"]);
    assert_eq!(start.elapsed().as_secs(), 60);
    assert!(provider.probes.load(Ordering::Relaxed) >= 5);
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_not_in_a_row_pause_nothing() {
    let (outage, recorded) = events();
    let outage = Outage::new(outage, Arc::default());
    let failed = Error::new(ErrorKind::Connect, Operation::Create, "refused");
    let other = Error::new(ErrorKind::Unavailable, Operation::Create, "503");
    for _ in 0..10 {
        for _ in 0..4 {
            outage.record(&Reachability::of_error(&failed));
        }
        outage.record(&Reachability::of_error(&other));
    }
    assert!(recorded.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_executed_is_not_repeated() {
    let provider = UnreachableProvider::new(0, Duration::from_secs(5));
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
    let provider = UnreachableProvider::new(0, Duration::MAX / 4);
    let stop = Arc::new(AtomicBool::new(false));
    let recorded = Arc::clone(&stop);
    let outage = OutageOptions::default().observer(move |event| {
        if matches!(event, OutageEvent::Paused(_)) {
            recorded.store(true, Ordering::Relaxed);
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
    let provider = UnreachableProvider::new(0, Duration::from_secs(100));
    let (outage, recorded) = events();
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
    let failed = |outcome: &&crate::StepOutcome| matches!(outcome.result, StepResult::Failed(_));
    assert_eq!(outcomes.iter().filter(failed).count(), 4);
    assert_eq!(*recorded.lock().unwrap(), ["paused", "resumed"]);
}
