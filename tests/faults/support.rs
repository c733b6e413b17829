//! A sandbox with both providers, and what its ledger says.

use std::{sync::Arc, time::Duration};

use org_invitations::{ClickHouse, Confluent, InvitationProvider, RetryPolicy};
use org_invitations_sandbox::{Change, Provider, Sandbox};

/// Fast enough for tests, and otherwise as usual.
pub fn impatient() -> RetryPolicy {
    RetryPolicy::default()
        .initial_delay(Duration::from_millis(5))
        .max_delay(Duration::from_millis(50))
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

pub fn both(sandbox: &Sandbox) -> [(Provider, Arc<dyn InvitationProvider>); 2] {
    [
        (
            Provider::Confluent,
            Arc::new(confluent(sandbox, impatient())),
        ),
        (
            Provider::ClickHouse,
            Arc::new(clickhouse(sandbox, impatient())),
        ),
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
