//! A scheduler on loopback.

use std::error::Error;

use clap::Parser;
use org_invitations_ballista::{SchedulerOptions, run, run_scheduler};

/// Plans the statements of a cluster, and has no credentials.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    scheduler: SchedulerOptions,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    run(run_scheduler(Options::parse().scheduler))
}
