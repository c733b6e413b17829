//! The options that `apply` and `copy` share.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

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
    /// Accept that everything that removed members own is deleted too, API keys included (Confluent).
    #[arg(long)]
    pub delete_owned: bool,
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

/// Who is removed because the roster does not have them, and who never is.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PruneOptions {
    /// Withdraw the invitations of people who are not in the roster.
    #[arg(long)]
    pub prune: bool,
    /// Allow an empty roster to remove everybody.
    #[arg(long, requires = "prune")]
    pub allow_empty: bool,
    /// Remove members too: with --prune those who are not in the roster, and those whose row has the
    /// action remove.
    #[arg(long)]
    pub prune_members: bool,
    /// Never remove this person, such as the owner of the key in use; may be repeated.
    #[arg(long, value_name = "EMAIL|ID")]
    pub keep: Vec<String>,
    /// How many administrators have to remain among the members.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub min_admins: usize,
}

impl PruneOptions {
    /// An option that differs from its default.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.prune, "--prune"),
            (self.prune_members, "--prune-members"),
            (!self.keep.is_empty(), "--keep"),
            (self.min_admins != 1, "--min-admins"),
        ];
        let mut given = given.into_iter().filter(|(is_given, _)| *is_given);
        given.next().map(|(_, option)| option)
    }
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
