//! What becomes of a create whose answer was lost, with a provider whose list lags, in paused time.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;

use super::*;
use crate::{
    capabilities::Capabilities,
    error::Operation,
    http::{Authorization, ClientOptions, Credentials, Endpoint, HttpClient, RetryPolicy, Service},
    invitation::{InvitationId, InvitationStatus},
    list::{ListQuery, Page, PageToken},
};

const ANN: &str = "ann@example.com";
const SETTLE: Duration = Duration::from_secs(5);

/// How long a create takes.
const TAKES: Duration = Duration::from_millis(10);

/// A provider whose list has an invitation some time after it was made.
#[derive(Debug, Default)]
struct Lagging {
    /// From when the list has them.
    made: Mutex<Vec<(Instant, Invitation)>>,
    lists: AtomicUsize,
    /// How many lists succeed before the others fail.
    working: Option<usize>,
    /// How many lists can be read whole before the others have an item that cannot be read.
    whole: Option<usize>,
    /// How long a list takes.
    takes: Duration,
}

impl Lagging {
    fn make(&self, email: &str, lag: Duration) -> Invitation {
        let mut made = self.made.lock().unwrap();
        let id = InvitationId::new(format!("i-{}", made.len() + 1)).unwrap();
        let mut invitation = Invitation::new(id, email);
        invitation.status = Some(InvitationStatus::Sent);
        invitation.created_at = Some(Utc::now());
        made.push((Instant::now() + lag, invitation.clone()));
        invitation
    }
}

#[async_trait]
impl InvitationProvider for Lagging {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
            .filter_email(true)
            .server_side_filters(true)
            .reports_status(true)
    }

    async fn create(&self, _: NewInvitation) -> Result<Invitation> {
        Err(failure(ErrorKind::Unsupported))
    }

    async fn get(&self, _: &InvitationId) -> Result<Invitation> {
        Err(failure(ErrorKind::NotFound))
    }

    async fn list_page(&self, query: &ListQuery, _: Option<&PageToken>) -> Result<Page> {
        let before = self.lists.fetch_add(1, Ordering::Relaxed);
        if self.working.is_some_and(|working| before >= working) {
            return Err(failure(ErrorKind::Unavailable));
        }
        let now = Instant::now();
        tokio::time::sleep(self.takes).await;
        let made = self.made.lock().unwrap();
        let listed = made.iter().filter(|(from, _)| *from <= now);
        let listed = listed.map(|(_, invitation)| invitation.clone());
        let listed = listed.filter(|it| query.matches(it)).map(Ok);
        let has_item_error = self.whole.is_some_and(|whole| before >= whole);
        let item_error = has_item_error.then(|| Err(failure(ErrorKind::Decode)));
        Ok(Page::new(listed.chain(item_error).collect(), None))
    }

    async fn delete(&self, _: &InvitationId) -> Result<()> {
        Err(failure(ErrorKind::NotFound))
    }
}

impl std::fmt::Display for Lagging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("lagging")
    }
}

fn failure(kind: ErrorKind) -> Error {
    Error::new(kind, Operation::Create, "in this test").with_may_have_executed(true)
}

fn client(retry: RetryPolicy) -> Arc<HttpClient> {
    let service = Service {
        name: "lagging",
        published_rate: None,
        request_id: |_, _| None,
        is_own_refusal: |_, _| true,
    };
    let options = ClientOptions {
        retry,
        ..ClientOptions::default()
    };
    let credentials = Authorization::fixed(&Credentials::api_key("key", "secret"), None).unwrap();
    let endpoint = Endpoint::new(
        &crate::http::BaseUrl::parse("http://127.0.0.1:9").unwrap(),
        None,
    );
    let client = HttpClient::new(service, endpoint, credentials, options).unwrap();
    let now = Utc::now();
    client.clock_skew.observe(now, now, now);
    client
}

/// What a request does: it makes an invitation that is listed after a while, or none; the answer may be lost.
#[derive(Clone, Copy, Debug)]
enum Request {
    Lost { listed_after: Option<Duration> },
    Answered,
}

const NEVER_MADE: Request = Request::Lost { listed_after: None };

const fn made(listed_after: Duration) -> Request {
    Request::Lost {
        listed_after: Some(listed_after),
    }
}

/// What became of a create, when its requests were sent, and how many lists were read.
struct Outcome {
    result: Result<Invitation>,
    sent: Vec<Duration>,
    lists: usize,
}

async fn create(provider: &Lagging, retry: RetryPolicy, script: &[Request]) -> Outcome {
    let client = client(retry);
    let lookups = SharedLookups::default();
    let outcome = create_for(provider, &client, &lookups, ANN, script).await;
    Outcome {
        lists: provider.lists.load(Ordering::Relaxed),
        ..outcome
    }
}

async fn create_for(
    provider: &Lagging,
    client: &HttpClient,
    lookups: &SharedLookups,
    email: &str,
    script: &[Request],
) -> Outcome {
    let read_failure = |context: &OperationContext<'_>, _: &crate::http::Reply| {
        context.error(ErrorKind::Unexpected, "none is read")
    };
    let context = OperationContext::new(client, read_failure, Operation::Create, Some(email));
    let script = Mutex::new(VecDeque::from(script.to_vec()));
    let (begun, sent) = (Instant::now(), Mutex::new(Vec::new()));
    let send = || async {
        context.call.record_attempt();
        sent.lock().unwrap().push(begun.elapsed());
        tokio::time::sleep(TAKES).await;
        let next = script.lock().unwrap().pop_front();
        match next.expect("no more requests are expected") {
            Request::Answered => Ok(provider.make(email, Duration::ZERO)),
            Request::Lost { listed_after } => {
                if let Some(lag) = listed_after {
                    provider.make(email, lag);
                }
                context.call.mark_ambiguous();
                Err(context.error(ErrorKind::Unavailable, "no answer"))
            }
        }
    };
    let new = NewInvitation::new(email);
    let result = create_reconciled(provider, lookups, &context, &new, send).await;
    assert!(script.lock().unwrap().is_empty(), "not all was sent");
    let sent = sent.into_inner().unwrap();
    Outcome {
        result,
        sent,
        lists: 0,
    }
}

#[tokio::test(start_paused = true)]
async fn an_invitation_listed_late_is_found_and_not_created_twice() {
    for lag in [0, 100, 1_000, 3_000, 5_000] {
        let provider = Lagging::default();
        let lost = made(Duration::from_millis(lag));
        let outcome = create(&provider, RetryPolicy::default(), &[lost]).await;
        assert_eq!(outcome.result.unwrap().id.as_str(), "i-1", "{lag} ms");
        assert_eq!(outcome.sent.len(), 1, "{lag} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unlisted_create_is_resent_after_settling_and_verified() {
    let provider = Lagging::default();
    let script = [NEVER_MADE, NEVER_MADE, Request::Answered];
    let outcome = create(&provider, RetryPolicy::default(), &script).await;
    assert_eq!(outcome.result.unwrap().id.as_str(), "i-1");
    for pair in outcome.sent.windows(2) {
        assert!(pair[1] - pair[0] >= SETTLE, "{:?}", outcome.sent);
    }
    // Five before each request that is sent again, and one after the last.
    assert_eq!(outcome.lists, 11);
}

#[tokio::test(start_paused = true)]
async fn without_settling_one_lookup_precedes_the_second_request() {
    let provider = Lagging::default();
    let policy = RetryPolicy::default().settle_for(Duration::ZERO);
    let outcome = create(&provider, policy, &[NEVER_MADE, Request::Answered]).await;
    outcome.result.unwrap();
    assert!(outcome.sent[1] <= TAKES + Duration::from_millis(251));
    assert_eq!(outcome.lists, 2);
}

#[tokio::test(start_paused = true)]
async fn two_invitations_are_no_success() {
    // The first is listed after the lookups; the answer to the second is lost too, or not.
    for second in [Request::Answered, made(Duration::ZERO)] {
        let provider = Lagging::default();
        let policy = RetryPolicy::default()
            .settle_for(Duration::from_millis(60))
            .max_delay(Duration::ZERO);
        // While the second request is under way.
        let first = made(Duration::from_millis(65));
        let outcome = create(&provider, policy, &[first, second]).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{error}");
        assert!(error.may_have_executed(), "{error}");
        assert!(error.message().contains("i-1, i-2") || error.message().contains("i-2, i-1"));
    }
}

#[tokio::test(start_paused = true)]
async fn where_it_stays_open_nothing_is_sent_again() {
    // Lookups fail, at once or later; the deadline leaves no time for lookups.
    let failing = |working| Lagging {
        working: Some(working),
        ..Lagging::default()
    };
    let hurried = RetryPolicy::default().deadline(Duration::from_secs(3));
    for (provider, policy) in [
        (failing(0), RetryPolicy::default()),
        (failing(3), RetryPolicy::default()),
        (Lagging::default(), hurried),
        (
            Lagging {
                takes: Duration::from_secs(300),
                ..Lagging::default()
            },
            RetryPolicy::default(),
        ),
        (
            Lagging::default(),
            RetryPolicy::default().settle_for(Duration::MAX),
        ),
    ] {
        let lost = made(Duration::from_secs(60));
        let error = create(&provider, policy, &[lost]).await.result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.may_have_executed(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_run_out() {
    let provider = Lagging::default();
    let policy = RetryPolicy::default().max_attempts(2);
    let outcome = create(&provider, policy, &[NEVER_MADE, NEVER_MADE]).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.attempts(), error.may_have_executed()), (2, true));
}

#[tokio::test(start_paused = true)]
async fn a_second_request_that_cannot_be_looked_at_stays_open() {
    let provider = Lagging {
        working: Some(5),
        ..Lagging::default()
    };
    let script = [NEVER_MADE, Request::Answered];
    let outcome = create(&provider, RetryPolicy::default(), &script).await;
    let error = outcome.result.unwrap_err();
    assert!(error.may_have_executed(), "{error}");
    assert_eq!(
        error.conflicting_id().map(InvitationId::as_str),
        Some("i-1")
    );
}

#[tokio::test(start_paused = true)]
async fn an_item_that_cannot_be_read_may_be_the_second_invitation() {
    for second in [Request::Answered, made(Duration::ZERO)] {
        let provider = Lagging {
            whole: Some(5),
            ..Lagging::default()
        };
        let script = [NEVER_MADE, second];
        let outcome = create(&provider, RetryPolicy::default(), &script).await;
        let error = outcome.result.unwrap_err();
        assert!(error.may_have_executed(), "{error}");
    }
    // Of one request, there is no second.
    let provider = Lagging {
        whole: Some(0),
        ..Lagging::default()
    };
    let outcome = create(&provider, RetryPolicy::default(), &[made(Duration::ZERO)]).await;
    assert_eq!(outcome.result.unwrap().id.as_str(), "i-1");
}

#[tokio::test(start_paused = true)]
async fn many_who_look_at_once_share_a_list() {
    let provider = Lagging {
        takes: Duration::from_millis(20),
        ..Lagging::default()
    };
    let (client, lookups) = (client(RetryPolicy::default()), SharedLookups::default());
    let people: Vec<_> = (0..40).map(|n| format!("person{n}@example.com")).collect();
    let script = [made(Duration::from_secs(3))];
    let creates = people
        .iter()
        .map(|email| create_for(&provider, &client, &lookups, email, &script));
    for (outcome, email) in join_all(creates).await.into_iter().zip(&people) {
        assert_eq!(outcome.result.unwrap().email, *email);
    }
    // One by one, it would be 200: five lookups for 40 people.
    let lists = provider.lists.load(Ordering::Relaxed);
    assert!(lists <= 20, "{lists} lists");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_given_up_is_taken_over_by_those_who_share_it() {
    let provider = Lagging {
        takes: Duration::from_secs(1),
        ..Lagging::default()
    };
    provider.make(ANN, Duration::ZERO);
    let lookups = SharedLookups::default();
    let first = lookups.find(&provider, "bob@example.com");
    let first = tokio::time::timeout(Duration::from_millis(500), first);
    let second = lookups.find(&provider, ANN);
    let (first, second) = tokio::join!(first, second);
    first.unwrap_err();
    assert_eq!(second.found.len(), 1);
    // The shared list is not reused: the next lookup reads a list of its own.
    provider.make(ANN, Duration::ZERO);
    assert_eq!(lookups.find(&provider, ANN).await.found.len(), 2);
}
