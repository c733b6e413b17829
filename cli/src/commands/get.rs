//! `get`: show invitations by id or address.

use clap::Args;

use super::selector::{Target, find_target, read_targets};
use crate::{
    bulk::{RunSummary, for_each_concurrent, never_pause, rerun_command},
    completion,
    failure::Failure,
    interrupt::{Interrupt, UNCHANGED},
    output::{InvitationRecord, Output},
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent get i-7od91
  org-invitations -p confluent get i-7od91 i-8pe02 -o jsonl
  org-invitations -p clickhouse get ann@example.com
  org-invitations -p confluent get - < ids.txt

With -o json the command prints an array. Of an address, it shows the invitations
that can still be accepted or, if there are none, all of them. What is not found
is reported on stderr.")]
pub(crate) struct GetArgs {
    /// The ids of invitations, as `list` shows them, or addresses; `-` reads them from stdin, one a
    /// line.
    #[arg(value_name = "ID|EMAIL", required = true, add = completion::invitations())]
    pub ids: Vec<String>,
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: GetArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let targets = interrupt.or_interrupted(read_targets(&args.ids)).await?;
    let mut records = out.records().without_first_column();
    let mut summary = RunSummary::default();
    let outcome = for_each_concurrent(
        provider,
        &targets,
        never_pause(),
        |_| rerun_command(""),
        interrupt,
        &mut summary,
        ToString::to_string,
        |target| async move {
            match target {
                Target::Id(id) => provider.get(id).await.map(|found| vec![found]),
                address => find_target(&**provider, address).await,
            }
        },
        |_, found| {
            let mut found = found.into_iter();
            found.try_for_each(|one| records.push(&InvitationRecord::new(&provider.label, one)))
        },
    )
    .await;
    records.finish()?;
    outcome.map_err(|failure| match failure {
        // What was being read is not open, as a change would be.
        Failure::Interrupted(_) => Failure::Interrupted(UNCHANGED.to_owned()),
        failure => failure,
    })?;
    summary.finish()
}
