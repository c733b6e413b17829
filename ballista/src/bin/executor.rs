//! An executor on loopback.

use std::error::Error;

use clap::Parser;
use org_invitations_ballista::{ExecutorOptions, run, run_executor};

/// Reads organisations for a cluster, with its own credentials.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    executor: ExecutorOptions,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    run(run_executor(Options::parse().executor))
}
