//! What a program adds around each attempt, and a budget of retries.

use std::{
    error::Error,
    sync::{Arc, Mutex},
    time::Duration,
};

use org_invitations::{
    AttemptEvent, AttemptOutcome, AttemptRequest, Confluent, CredentialProvider, Credentials,
    ErrorKind, Interceptor, InvitationProvider, IssuedCredentials, ListQuery, RefreshEvent,
    RetryBudget, RetryPolicy, TransportErrorKind,
};
use serde_json::json;

use crate::{
    raw_http::{Behavior, RawServer},
    support::{Answer, Wire},
};

/// Notes every call of its methods, adds a header, and refuses operations of this name.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<String>>,
    refuses: Option<&'static str>,
}

impl Notes {
    fn note(&self, text: String) {
        self.seen.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl Interceptor for Notes {
    fn before_attempt(
        &self,
        attempt: &mut AttemptRequest<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (number, path) = (attempt.number(), attempt.path());
        assert_eq!(attempt.header("authorization"), None, "no secret is shown");
        self.note(format!("before {number} {} {path}", attempt.method()));
        if self.refuses == Some(attempt.operation()) {
            return Err("closed at night".into());
        }
        attempt.set_header("x-attempt", &number.to_string())
    }

    fn after_attempt(&self, event: &AttemptEvent<'_>) {
        let outcome = match event.outcome {
            AttemptOutcome::Response(status) => status.to_string(),
            AttemptOutcome::Failed(error) => format!("{:?}", error.kind()),
            _ => format!("{:?}", event.outcome),
        };
        self.note(format!("after {} {outcome}", event.number));
    }

    fn after_refresh(&self, event: &RefreshEvent<'_>) {
        self.note(format!("refresh {}", event.error.is_none()));
    }
}

fn retry() -> RetryPolicy {
    let policy = RetryPolicy::default().max_attempts(3);
    policy
        .initial_delay(Duration::from_millis(1))
        .max_delay(Duration::from_millis(2))
}

fn provider(url: &str, notes: &Arc<Notes>) -> Confluent {
    let builder = Confluent::builder().api_key("key", "secret").base_url(url);
    let shared: Arc<dyn Interceptor> = notes.clone();
    let builder = builder.retry(retry()).interceptor(shared);
    builder.build().unwrap()
}

fn page() -> Answer {
    Answer::json(200, &json!({ "data": [], "metadata": {} }))
}

#[tokio::test]
async fn each_attempt_is_told_of_before_and_after() {
    let wire = Wire::script([Answer::empty(503), page()]).await;
    let notes = Arc::new(Notes::default());
    let provider = provider(&wire.url(), &notes);
    provider.list_page(&ListQuery::new(), None).await.unwrap();
    let path = "GET /iam/v2/invitations";
    assert_eq!(
        notes.take(),
        [
            format!("before 1 {path}"),
            "after 1 503".to_owned(),
            format!("before 2 {path}"),
            "after 2 200".to_owned(),
        ]
    );
    let numbers: Vec<_> = wire
        .seen()
        .iter()
        .map(|sent| sent.header("x-attempt").join(""))
        .collect();
    assert_eq!(numbers, ["1", "2"]);
}

#[tokio::test]
async fn an_attempt_without_a_reply_has_an_end_too() {
    let server = RawServer::start(Behavior::HangUp);
    let notes = Arc::new(Notes::default());
    let provider = provider(&server.url(), &notes);
    provider
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap_err();
    let seen = notes.take();
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(seen[5].starts_with("after 3 Transport"), "{seen:?}");

    let server = RawServer::start(Behavior::WriteAndHang(""));
    let provider = self::provider(&server.url(), &notes);
    let query = ListQuery::new();
    let call = provider.list_page(&query, None);
    let dropped = tokio::time::timeout(Duration::from_millis(100), call).await;
    assert!(dropped.is_err());
    let seen = notes.take();
    assert_eq!(seen[1..], ["after 1 Cancelled"], "{seen:?}");
}

#[tokio::test]
async fn a_refusal_sends_nothing_and_keeps_its_reason() {
    let wire = Wire::silent().await;
    let notes = Arc::new(Notes {
        refuses: Some("get_iam_v2_invitation"),
        ..Notes::default()
    });
    let provider = provider(&wire.url(), &notes);
    let error = provider.get(&"i-1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert_eq!((error.attempts(), error.may_have_executed()), (0, false));
    assert_eq!(error.source().unwrap().to_string(), "closed at night");
    let kind = TransportErrorKind::Intercepted;
    assert_eq!(notes.take()[1..], [format!("after 1 {kind:?}")]);
    wire.assert_untouched("the interceptor refused");
}

#[tokio::test]
async fn interceptors_are_called_in_their_order() {
    let wire = Wire::always(page()).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut builder = Confluent::builder().api_key("key", "secret");
    for name in ["first", "second"] {
        let seen = Arc::clone(&seen);
        builder = builder.interceptor(move |_: &AttemptEvent<'_>| seen.lock().unwrap().push(name));
    }
    let provider = builder.base_url(wire.url()).build().unwrap();
    provider.list_page(&ListQuery::new(), None).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["first", "second"]);
}

/// Sets a header that is not a program's to set.
struct Impostor;

impl Interceptor for Impostor {
    fn before_attempt(
        &self,
        attempt: &mut AttemptRequest<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        attempt.set_header("Authorization", "Basic of-the-impostor")
    }
}

#[tokio::test]
async fn no_interceptor_replaces_credentials() {
    let wire = Wire::silent().await;
    let builder = Confluent::builder().api_key("key", "secret");
    let builder = builder.base_url(wire.url()).interceptor(Impostor);
    let provider = builder.build().unwrap();
    let error = provider.list_page(&ListQuery::new(), None).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    wire.assert_untouched("the header is the transport's");
}

/// Has credentials at the second question.
#[derive(Debug, Default)]
struct Sealed(Mutex<u32>);

#[async_trait::async_trait]
impl CredentialProvider for Sealed {
    async fn credentials(&self) -> Result<IssuedCredentials, Box<dyn Error + Send + Sync>> {
        let mut asked = self.0.lock().unwrap();
        *asked += 1;
        match *asked {
            1 => Err("sealed".into()),
            _ => Ok(Credentials::api_key("key", "secret").into()),
        }
    }
}

#[tokio::test]
async fn new_credentials_are_told_of() {
    let wire = Wire::always(page()).await;
    let notes = Arc::new(Notes::default());
    let shared: Arc<dyn Interceptor> = notes.clone();
    let builder = Confluent::builder().credential_provider(Sealed::default());
    let builder = builder.base_url(wire.url()).interceptor(shared);
    let provider = builder.build().unwrap();
    let query = ListQuery::new();
    provider.list_page(&query, None).await.unwrap_err();
    assert_eq!(notes.take(), ["refresh false"]);
    // The failure answers further calls for a second.
    while provider.list_page(&query, None).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(notes.take()[0], "refresh true");
}

#[tokio::test]
async fn an_empty_budget_ends_retries_of_all_calls() {
    let wire = Wire::responding(|sent| match sent.path.ends_with("i-1") {
        true => Answer::json(200, &json!({ "id": "i-1", "email": "a@example.com" })),
        false => Answer::empty(503),
    })
    .await;
    let budget = RetryBudget::new(3, 0.5);
    let builder = Confluent::builder().api_key("key", "secret");
    let builder = builder.retry(retry()).retry_budget(budget.clone());
    let provider = builder.base_url(wire.url()).build().unwrap();
    let query = ListQuery::new();
    for attempts in [3, 2, 1] {
        let error = provider.clone().list_page(&query, None).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Unavailable, attempts)
        );
    }
    assert_eq!(budget.remaining(), 0);
    let id = "i-1".parse().unwrap();
    for _ in 0..2 {
        provider.get(&id).await.unwrap();
    }
    let error = provider.list_page(&query, None).await.unwrap_err();
    assert_eq!(error.attempts(), 2, "two successes gave one retry back");
}
