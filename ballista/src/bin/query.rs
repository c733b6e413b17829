//! A statement over the tables `members` and `invitations` of all profiles, on a cluster.

use std::{error::Error, path::PathBuf};

use clap::Parser;
use org_invitations_ballista::{Profiles, connect, run};
use org_invitations_sql::{Table, session, sql};

/// Runs a statement over `members` and `invitations`, the tables of all profiles of one provider.
#[derive(Parser)]
struct Options {
    /// The port of the scheduler on loopback.
    #[arg(long, default_value_t = 50050)]
    scheduler_port: u16,
    /// The file of the profiles. Only their names are sent.
    #[arg(long)]
    profiles: PathBuf,
    /// The provider.
    #[arg(long, default_value = "confluent")]
    provider: String,
    /// The statement, such as `SELECT profile, count(*) FROM members GROUP BY profile`.
    statement: String,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    run(query(Options::parse()))
}

async fn query(options: Options) -> Result<(), Box<dyn Error + Send + Sync>> {
    let profiles = Profiles::read(&options.profiles)?;
    let local = session();
    let members = profiles.table(&options.provider, Table::members)?;
    members.register(&local, "members")?;
    let invitations = profiles.table(&options.provider, |provider| Table::invitations(provider))?;
    invitations.register(&local, "invitations")?;
    let scheduler = format!("df://127.0.0.1:{}", options.scheduler_port);
    let cluster = connect(&local, &scheduler).await?;
    let rows = sql(&cluster, &options.statement).await?;
    Ok(rows.show().await?)
}
