//! `get`: show invitations by id.

use clap::Args;
use org_invitations::InvitationId;

use super::selector::parse_id;
use crate::{
    bulk::{RunSummary, for_each_concurrent, never_pause, rerun_command},
    completion,
    failure::Failure,
    interrupt::Interrupt,
    output::{InvitationRecord, Output, Shape},
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent get i-7od91
  org-invitations -p confluent get i-7od91 i-8pe02 -o jsonl

One id prints a JSON object, several print an array. Ids that are not found are
reported on stderr.")]
pub(crate) struct GetArgs {
    /// The ids of invitations, as `list` shows them.
    #[arg(value_name = "ID", required = true, add = completion::invitations())]
    pub ids: Vec<String>,
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: GetArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let shape = Shape::of(&args.ids);
    let alternative = "`org-invitations list --email ADDRESS` shows the invitation";
    let ids = args.ids.iter().map(|id| parse_id(id, alternative));
    let ids = ids.collect::<Result<Vec<InvitationId>, _>>()?;
    let mut records = out.records(shape).without_first_column();
    let mut summary = RunSummary::default();
    let outcome = for_each_concurrent(
        provider,
        &ids,
        never_pause(),
        |_| rerun_command(""),
        interrupt,
        &mut summary,
        ToString::to_string,
        |id| provider.get(id),
        |_, invitation| records.push(&InvitationRecord::new(&provider.label, invitation)),
    )
    .await;
    records.finish()?;
    outcome?;
    summary.finish()
}
