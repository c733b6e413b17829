//! The library's own conformance suite: each behaviour on each provider, as itself and behind a
//! pointer, as a test of its own; and all of it against a real account, when told to.

mod broken;
mod live;
mod memory;

use std::{sync::Arc, time::Duration};

use org_invitations::{ClickHouse, Confluent, InvitationProvider, conformance::TestContext};
use org_invitations_sandbox::{Provider, SYSTEM_ROLES, Sandbox};

fn confluent(sandbox: &Sandbox) -> Confluent {
    let key = &sandbox.credentials().confluent;
    Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()
        .unwrap()
}

fn clickhouse(sandbox: &Sandbox) -> ClickHouse {
    let key = &sandbox.credentials().clickhouse;
    ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .rate_limit(1_000, Duration::from_secs(1))
        .build()
        .unwrap()
}

/// Roles on Confluent, in the organisation and in a scope.
const CONFLUENT_ROLES: &[&str] = &["MetricsViewer", "EnvironmentAdmin@env-123"];

/// Roles on ClickHouse, by name and by id.
const CLICKHOUSE_ROLES: &[&str] = &["Admin", SYSTEM_ROLES[2].id];

fn context<'a>(
    sandbox: &'a Sandbox,
    provider: &'a dyn InvitationProvider,
    roles: &[&str],
) -> TestContext<'a> {
    TestContext::new(provider)
        .count_requests(|| sandbox.ledger().requests.len())
        .accept(move |email| {
            let vendor = match provider.to_string().as_str() {
                ClickHouse::NAME => Provider::ClickHouse,
                _ => Provider::Confluent,
            };
            sandbox.accept(vendor, email).unwrap();
        })
        .roles(roles.iter().copied())
}

macro_rules! tests {
    ($($behaviour:ident)*) => {$(
        mod $behaviour {
            use super::*;

            async fn check(sandbox: &Sandbox, provider: &dyn InvitationProvider, roles: &[&str]) {
                let context = context(sandbox, provider, roles);
                let outcome = org_invitations::conformance::$behaviour(&context).await;
                outcome.unwrap_or_else(|violation| panic!("{violation}"));
            }

            #[tokio::test]
            async fn confluent() {
                let sandbox = Sandbox::start().await.unwrap();
                check(&sandbox, &super::confluent(&sandbox), CONFLUENT_ROLES).await;
            }

            #[tokio::test]
            async fn confluent_behind_a_pointer() {
                let sandbox = Sandbox::start().await.unwrap();
                let provider: Arc<dyn InvitationProvider> = Arc::new(super::confluent(&sandbox));
                check(&sandbox, &provider, CONFLUENT_ROLES).await;
            }

            #[tokio::test]
            async fn clickhouse() {
                let sandbox = Sandbox::start().await.unwrap();
                check(&sandbox, &super::clickhouse(&sandbox), CLICKHOUSE_ROLES).await;
            }

            #[tokio::test]
            async fn memory() {
                for (organisation, roles) in crate::memory::organisations() {
                    let context = crate::memory::context(&organisation, roles);
                    let outcome = org_invitations::conformance::$behaviour(&context).await;
                    outcome.unwrap_or_else(|violation| panic!("{violation}"));
                }
            }

            #[tokio::test]
            async fn clickhouse_behind_a_pointer() {
                let sandbox = Sandbox::start().await.unwrap();
                let provider: Arc<dyn InvitationProvider> = Arc::new(super::clickhouse(&sandbox));
                check(&sandbox, &provider, CLICKHOUSE_ROLES).await;
            }
        }
    )*};
}

org_invitations::for_each_behaviour!(tests);
