//! Common setup of the examples: a sandbox with some invitations, a session with tables of both providers, and a list of
//! employees.

use std::{error::Error, path::PathBuf, sync::Arc};

use datafusion::prelude::SessionContext;
use org_invitations::{ClickHouse, Confluent, InvitationProvider, NewInvitation};
use org_invitations_sandbox::{Faults, Provider, Sandbox};
use org_invitations_sql::{Table, session};

/// The sandbox and the session, which ends when this value is dropped.
pub struct Demo {
    /// The servers.
    pub sandbox: Sandbox,
    /// The session.
    pub context: SessionContext,
    folder: tempfile::TempDir,
}

/// Ann, Bob and Carl are invited on Confluent, where Ann has accepted. On ClickHouse her invitation has expired.
/// Dora is invited on both.
pub async fn demo() -> Result<Demo, Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    let credentials = sandbox.credentials();
    let key = &credentials.confluent;
    let confluent = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()?;
    let key = &credentials.clickhouse;
    let clickhouse = ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()?;
    for name in ["ann", "bob", "carl", "dora"] {
        confluent.create(new(name)).await?;
    }
    sandbox.accept(Provider::Confluent, "ann@example.com")?;
    clickhouse.create(new("dora")).await?;
    // A month ago, by the server's clock.
    sandbox.set_faults(Faults::default().with_clock_skew(-30 * 24 * 60 * 60));
    clickhouse.create(new("ann")).await?;
    sandbox.set_faults(Faults::default());

    let context = session();
    let confluent: Arc<dyn InvitationProvider> = Arc::new(confluent);
    let clickhouse: Arc<dyn InvitationProvider> = Arc::new(clickhouse);
    Table::invitations(Arc::clone(&confluent)).register(&context, "confluent.iam.invitations")?;
    Table::invitations(Arc::clone(&clickhouse))
        .register(&context, "clickhouse.members.invitations")?;
    let both = [("confluent", confluent), ("clickhouse", clickhouse)];
    Table::union_of(both.map(|(name, provider)| (name, Table::invitations(provider))))
        .register(&context, "invitations")?;
    Ok(Demo {
        sandbox,
        context,
        folder: tempfile::tempdir()?,
    })
}

fn new(name: &str) -> NewInvitation {
    NewInvitation::new(format!("{name}@example.com"))
}

impl Demo {
    /// A list of employees: who is to be invited, and their teams.
    pub fn roster(&self) -> std::io::Result<PathBuf> {
        let path = self.folder.path().join("hr.csv");
        let list = "email,team\nann@example.com,data\neve@example.com,data\ndora@example.com,web\n\
                    Frank@example.com,web\n";
        std::fs::write(&path, list)?;
        Ok(path)
    }
}
