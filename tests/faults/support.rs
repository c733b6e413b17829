//! A sandbox with both providers, and what its ledger says.

use std::{sync::Arc, time::Duration};

use org_invitations::{
    ClickHouse, Confluent, ConfluentBuilder, Error, ErrorKind, InvitationProvider, ListQuery, Page,
    RetryPolicy, StsCredentials, SubjectToken,
};
use org_invitations_sandbox::{Change, Provider, Sandbox};

/// Fast enough for tests, and otherwise as usual.
pub fn impatient() -> RetryPolicy {
    RetryPolicy::default()
        .initial_delay(Duration::from_millis(5))
        .max_delay(Duration::from_millis(50))
        .settle_for(Duration::from_millis(60))
        .deadline(Duration::from_secs(20))
}

pub fn confluent(sandbox: &Sandbox, retry: RetryPolicy) -> Confluent {
    let key = &sandbox.credentials().confluent;
    Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .timeout(Duration::from_millis(400))
        .rate_limit(1_000, Duration::from_millis(100))
        .retry(retry)
        .build()
        .unwrap()
}

pub fn clickhouse(sandbox: &Sandbox, retry: RetryPolicy) -> ClickHouse {
    let key = &sandbox.credentials().clickhouse;
    ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .timeout(Duration::from_millis(400))
        .rate_limit(1_000, Duration::from_millis(100))
        .retry(retry)
        .build()
        .unwrap()
}

/// Whether the document that the library was built from has the exchange of tokens. Where it has not, building a
/// provider that needs one has to be refused.
pub fn has_sts() -> bool {
    let offered = org_invitations::bindings::confluent::offers::EXCHANGE_STS_V1_OAUTH_TOKEN;
    if !offered {
        let token = SubjectToken::Fixed("token".into());
        let builder = Confluent::builder().sts(StsCredentials::new("pool-1", token));
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    offered
}

/// The subject token that the sandbox takes.
pub fn fixed(sandbox: &Sandbox) -> SubjectToken {
    SubjectToken::Fixed(sandbox.credentials().subject_token().into())
}

/// Through the token exchange, to be built.
pub fn sts(sandbox: &Sandbox, subject_token: SubjectToken) -> ConfluentBuilder {
    let pool = sandbox.credentials().identity_pool_id();
    Confluent::builder()
        .sts(StsCredentials::new(pool, subject_token))
        .base_url(sandbox.url())
        .timeout(Duration::from_millis(400))
        .rate_limit(1_000, Duration::from_millis(100))
        .retry(impatient())
}

pub fn both(sandbox: &Sandbox) -> [(Provider, Arc<dyn InvitationProvider>); 2] {
    both_with(sandbox, &impatient())
}

pub fn both_with(
    sandbox: &Sandbox,
    retry: &RetryPolicy,
) -> [(Provider, Arc<dyn InvitationProvider>); 2] {
    let confluent = confluent(sandbox, retry.clone());
    let clickhouse = clickhouse(sandbox, retry.clone());
    [
        (Provider::Confluent, Arc::new(confluent)),
        (Provider::ClickHouse, Arc::new(clickhouse)),
    ]
}

/// How often an invitation of the address was created, and how often one was deleted.
pub fn commits(sandbox: &Sandbox, provider: Provider, email: &str) -> (usize, usize) {
    let ledger = sandbox.ledger();
    let count = |change: Change| {
        let mut matching = ledger.commits.iter().filter(|commit| {
            commit.provider == provider
                && commit.operation == change
                && commit.email.eq_ignore_ascii_case(email)
        });
        matching.by_ref().count()
    };
    (count(Change::Create), count(Change::Delete))
}

/// How many requests for an operation were received.
pub fn requests(sandbox: &Sandbox, operation: &str) -> usize {
    let ledger = sandbox.ledger();
    let named = |entry: &&org_invitations_sandbox::RequestEntry| {
        entry
            .operation
            .is_some_and(|id| id.to_lowercase().contains(operation))
    };
    ledger.requests.iter().filter(named).count()
}

/// Runs one test of this binary in a process of its own, with these variables added to its environment.
pub async fn run_again(test: &str, variables: &[(&str, &str)]) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]);
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Everything that an error and its causes show.
pub fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.cause();
    while let Some(cause) = source {
        text += &format!(" {cause} {cause:?} {cause:#?}");
        source = cause.source();
    }
    text
}

/// One page, the first.
pub async fn list(provider: &impl InvitationProvider) -> org_invitations::Result<Page> {
    provider.list_page(&ListQuery::new(), None).await
}
