//! The options that `apply` and `copy` share.

use std::path::PathBuf;

use clap::Args;

use crate::{bulk::PauseOptions, failure::Failure, prompt};

/// How to apply a plan.
#[derive(Args, Debug)]
pub(crate) struct ApplyOptions {
    /// Show what would change, and whose invitations would be withdrawn, without changing anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Skip the confirmation prompt.
    #[arg(long, short)]
    pub yes: bool,
    /// Write the rows that fail to this file (.csv or .jsonl), as a roster for `apply`.
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
    /// Resume an interrupted run, or start a new one if there is none.
    #[arg(long)]
    pub resume: bool,
    /// The maximum number of concurrent requests.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub concurrency: usize,
    #[command(flatten)]
    pub pause: PauseOptions,
}

impl ApplyOptions {
    /// Checks the options before anything is read or sent.
    ///
    /// # Errors
    ///
    /// The run needs a confirmation, and nobody can be prompted.
    pub fn check(&self) -> Result<(), Failure> {
        if self.dry_run || self.yes || prompt::is_interactive() {
            return Ok(());
        }
        let message = "cannot prompt: not a terminal; pass --yes. Nothing was sent";
        Err(Failure::Usage(message.to_owned()))
    }
}
