//! Providers with one credential share the allowance that the server has for it.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use org_invitations::{ClickHouse, ErrorKind, InvitationId, InvitationProvider};
use org_invitations_sandbox::{Limit, Limits, Sandbox};

fn provider(sandbox: &Sandbox) -> ClickHouse {
    let key = &sandbox.credentials().clickhouse;
    let builder = ClickHouse::builder(&key.organization_id);
    let builder = builder.api_key(&key.api_key, key.api_secret.as_str());
    builder
        .base_url(sandbox.url())
        .rate_limit(5, Duration::from_millis(300))
        .build()
        .unwrap()
}

#[tokio::test]
async fn two_providers_of_one_key_exceed_no_limit() {
    let sandbox = Sandbox::start().await.unwrap();
    let limit = Limit::new(5, Duration::from_millis(300));
    sandbox.set_limits(Limits::default().clickhouse(limit));
    let providers: Vec<Arc<ClickHouse>> = (0..4).map(|_| Arc::new(provider(&sandbox))).collect();
    let id = InvitationId::new("11111111-2222-4333-8444-555555555555").unwrap();
    let calls = (0..16).map(|index| {
        let (provider, id) = (Arc::clone(&providers[index % 4]), id.clone());
        async move { provider.get(&id).await.unwrap_err() }
    });
    for error in join_all(calls).await {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(error.attempts(), 1, "{error}");
    }
    let ledger = sandbox.ledger();
    assert_eq!((ledger.requests.len(), ledger.count_status(429)), (16, 0));
}
