//! Credentials from a source of the program's own.

use std::{
    error::Error,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use org_invitations::{
    ClickHouse, Confluent, CredentialProvider, Credentials, ErrorKind, InvitationProvider,
    IssuedCredentials, RetryPolicy, StsCredentials, SubjectToken,
};
use serde_json::json;

use crate::{
    backend::ORGANIZATION,
    support::{Answer, Sent, Wire},
};

/// Issues the next secret of a list at each question, and its last one from then on.
#[derive(Debug)]
struct Vault {
    secrets: Vec<&'static str>,
    lifetime: Duration,
    asked: AtomicUsize,
    failures: Mutex<usize>,
}

impl Vault {
    fn new(secrets: &[&'static str], lifetime: Duration) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            secrets: secrets.to_vec(),
            lifetime,
            asked: AtomicUsize::new(0),
            failures: Mutex::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl CredentialProvider for Vault {
    async fn credentials(&self) -> Result<IssuedCredentials, Box<dyn Error + Send + Sync>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("the vault is sealed".into());
        }
        let secret = self.secrets[asked.min(self.secrets.len() - 1)];
        let issued = IssuedCredentials::new(Credentials::api_key("key", secret));
        Ok(issued.lifetime(self.lifetime))
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// `key:SECRET`, as HTTP Basic has it.
fn basic(secret: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("key:{secret}")))
}

/// Accepts these secrets only.
async fn accepting(secrets: &'static [&'static str]) -> Wire {
    Wire::responding(move |sent: &Sent| {
        let header = sent.header("authorization").join("");
        let is_accepted = secrets.iter().any(|secret| basic(secret) == header);
        match is_accepted {
            true => Answer::json(200, &json!({ "id": "i-1", "email": "a@example.com" })),
            false => Answer::empty(401),
        }
    })
    .await
}

fn confluent(wire: &Wire, vault: std::sync::Arc<Vault>) -> Confluent {
    let builder = Confluent::builder().credential_provider(vault);
    let builder = builder.retry(RetryPolicy::none()).base_url(wire.url());
    builder.build().unwrap()
}

#[tokio::test]
async fn calls_at_the_same_time_share_one_question() {
    let wire = accepting(&["one"]).await;
    let vault = Vault::new(&["one"], HOUR);
    let provider = confluent(&wire, vault.clone());
    assert_eq!(vault.asked(), 0, "building a provider asks for nothing");
    let id = "i-1".parse().unwrap();
    let found = join_all((0..20).map(|_| provider.get(&id))).await;
    assert!(found.iter().all(Result::is_ok), "{found:?}");
    assert_eq!(vault.asked(), 1);
    assert!(
        wire.seen()
            .iter()
            .all(|sent| sent.header("authorization") == [basic("one")])
    );
}

#[tokio::test]
async fn a_rotated_secret_is_asked_for_once() {
    let wire = accepting(&["two"]).await;
    let vault = Vault::new(&["one", "two"], HOUR);
    let provider = confluent(&wire, vault.clone());
    let id = "i-1".parse().unwrap();
    provider.get(&id).await.unwrap();
    provider.get(&id).await.unwrap();
    assert_eq!((vault.asked(), wire.seen().len()), (2, 3));
}

#[tokio::test]
async fn the_same_credentials_are_not_rejected_twice() {
    let wire = accepting(&[]).await;
    let vault = Vault::new(&["one"], HOUR);
    let provider = confluent(&wire, vault.clone());
    let error = provider.get(&"i-1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!((vault.asked(), wire.seen().len()), (2, 1));
}

#[tokio::test]
async fn credentials_that_end_are_asked_for_again() {
    let wire = accepting(&["one", "two"]).await;
    let vault = Vault::new(&["one", "two"], Duration::from_millis(100));
    let provider = confluent(&wire, vault.clone());
    let id = "i-1".parse().unwrap();
    provider.get(&id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    provider.get(&id).await.unwrap();
    assert_eq!(vault.asked(), 2);
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let wire = accepting(&["one"]).await;
    let vault = Vault::new(&["one"], HOUR);
    *vault.failures.lock().unwrap() = 1;
    let builder = ClickHouse::builder(ORGANIZATION).credential_provider(vault.clone());
    let provider = builder.base_url(wire.url()).build().unwrap();
    let id = "i-1".parse().unwrap();
    let error = provider.get(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let source = error.source().expect("the source is kept").to_string();
    assert_eq!(source, "the vault is sealed");
    // The failure answers whatever follows at once.
    provider.get(&id).await.unwrap_err();
    assert_eq!(vault.asked(), 1);
    wire.assert_untouched("there are no credentials");
}

#[tokio::test]
async fn credentials_that_have_ended_are_not_sent() {
    let wire = accepting(&["one"]).await;
    let key = Credentials::api_key("key", "one");
    let short = IssuedCredentials::new(key.clone()).lifetime(Duration::ZERO);
    let long = IssuedCredentials::new(key).lifetime(Duration::MAX);
    let confluent = |issued: &IssuedCredentials| {
        let builder = Confluent::builder().credentials(issued.clone());
        builder.base_url(wire.url()).build().unwrap()
    };
    let builder = ClickHouse::builder(ORGANIZATION).credentials(short.clone());
    let clickhouse = builder.base_url(wire.url()).build().unwrap();
    let id = "i-1".parse().unwrap();
    let errors = [confluent(&short).get(&id).await, clickhouse.get(&id).await];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert_eq!((error.attempts(), error.may_have_executed()), (0, false));
        assert!(error.message().contains("expired"), "{error}");
    }
    wire.assert_untouched("the credentials have ended");
    confluent(&long).get(&id).await.unwrap();
}

#[tokio::test]
async fn the_credentials_that_were_set_last_are_used() {
    let wire = accepting(&["two"]).await;
    let pool = StsCredentials::new("pool-1", SubjectToken::EnvVar("NONE".into()));
    let builder = Confluent::builder().sts(pool).api_key("key", "one");
    let builder = builder.credentials(Credentials::api_key("key", "two"));
    let provider = builder.base_url(wire.url()).build().unwrap();
    provider.get(&"i-1".parse().unwrap()).await.unwrap();
    let error = Confluent::builder().build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("no credentials"), "{error}");
}

#[tokio::test]
async fn an_issued_secret_is_in_no_error() {
    let secret = "s3cr3t-of-the-vault";
    let wire = Wire::responding(move |_| Answer::empty(400).body(format!("bad: {secret}"))).await;
    let provider = confluent(&wire, Vault::new(&["s3cr3t-of-the-vault"], HOUR));
    let error = provider.get(&"i-1".parse().unwrap()).await.unwrap_err();
    let shown = format!("{error} {error:?} {provider:?}");
    assert!(!shown.contains(secret), "{shown}");
}
