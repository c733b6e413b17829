//! `apply`: do what `plan` shows.

use std::path::{Path, PathBuf};

use clap::Args;

use super::plan::{Planned, RosterOptions, plan};
use crate::{
    failure::Failure,
    interrupt::Interrupt,
    output::Output,
    provider::Connected,
    roster::{ApplyOptions, CarryOut},
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
journal. The file of --failed is a roster again.

`plan --help` has the form of a roster and the actions. In a table only failures
and a summary are shown; the other formats have an object for each row.")]
pub(crate) struct ApplyCommand {
    #[command(flatten)]
    pub roster: RosterOptions,
    #[command(flatten)]
    pub apply: ApplyOptions,
    /// Where the journal is. Default: beside the roster; none for standard input.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

impl ApplyCommand {
    fn journal(&self) -> Option<PathBuf> {
        if self.journal.is_some() || self.roster.path == Path::new("-") {
            return self.journal.clone();
        }
        let mut name = self.roster.path.clone().into_os_string();
        name.push(".journal");
        Some(name.into())
    }
}

/// What is wrong with the command line, before anything is read or sent.
pub(crate) fn check(options: &ApplyCommand) -> Result<(), Failure> {
    options.apply.check()?;
    if options.apply.resume && options.journal().is_none() {
        let message = "--resume needs a journal: give `--journal FILE` with standard input";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

pub(crate) async fn run(
    provider: &Connected,
    options: ApplyCommand,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let journal = options.journal();
    let Planned { plan, lines } = plan(provider, &options.roster, interrupt).await?;
    let carry_out = CarryOut {
        provider,
        plan,
        lines: &lines,
        options: &options.apply,
        journal,
    };
    carry_out.run(interrupt, out).await.1
}
