//! `apply`: apply a roster.

use std::path::{Path, PathBuf};

use clap::Args;

use super::plan::{RosterOptions, plan, print_plan, print_summary};
use crate::{
    apply::{ApplyOptions, ApplyRun, Journal},
    failure::Failure,
    interrupt::Interrupt,
    output::Output,
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse apply roster.csv
  org-invitations -p confluent apply roster.csv --yes --failed failed.csv
  org-invitations -p confluent apply roster.csv --yes --failed failed.csv --resume

While it runs, it keeps a journal beside the roster (roster.csv.journal). After
Ctrl-C, a crash or a power cut, the same command with --resume goes on: nobody is
invited twice, and nobody is forgotten. A run that comes to its end deletes its
journal. The file of --failed is a roster again; where the run deletes, it has a
column action, and a row that says delete withdraws and invites nobody.

Creates come first, then renewals, one person at a time until one succeeded, then
deletions; and none of those when it is open whether somebody was invited. --prune
takes no empty roster, and leaves everybody alone who has a row. A run that would
withdraw more than --max-deletes is refused before it begins; renewals of what has
not expired count too.

`plan --help` has the form of a roster and the actions. In a table only failures
and a summary are shown; the other formats have an object for each row.")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub roster: RosterOptions,
    #[command(flatten)]
    pub apply: ApplyOptions,
    /// Where the journal is. Default: beside the roster; none for standard input.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

impl ApplyArgs {
    /// The path of the journal, if the run has one.
    fn journal_path(&self) -> Option<PathBuf> {
        if self.journal.is_some() || self.roster.path == Path::new("-") {
            return self.journal.clone();
        }
        let mut name = self.roster.path.clone().into_os_string();
        name.push(".journal");
        Some(name.into())
    }
}

/// Checks the arguments before anything is read or sent.
pub(crate) fn check(args: &ApplyArgs) -> Result<(), Failure> {
    args.apply.check()?;
    if args.apply.resume && args.journal_path().is_none() {
        let message = "--resume needs a journal: give `--journal FILE` with standard input";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: ApplyArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let ApplyArgs { roster, apply, .. } = &args;
    let people = roster.read()?;
    if apply.dry_run {
        let planned = plan(provider, roster, people, None, interrupt).await?;
        print_summary(provider, &roster.removals, &planned.plan);
        return print_plan(planned, out);
    }
    // From here on, the lock on the journal keeps other processes from starting or resuming this run.
    let path = args.journal_path();
    let mut journal = path
        .map(|path| Journal::open(&path, &provider.account, apply.resume))
        .transpose()?;
    let planned = plan(provider, roster, people, journal.as_mut(), interrupt).await?;
    let run = ApplyRun {
        provider,
        plan: planned.plan,
        lines: &planned.lines,
        options: apply,
        removals: &roster.removals,
        journal,
        withdrawn: planned.withdrawn,
        source_removal: None,
    };
    run.run(interrupt, out).await.outcome
}
