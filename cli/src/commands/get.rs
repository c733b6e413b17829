//! `get`: invitations by their ids.

use clap::Args;
use org_invitations::InvitationId;

use super::{
    each::{Tally, each},
    outage::{never, this_command},
    which::id_of,
};
use crate::{
    failure::Failure,
    interrupt::Interrupt,
    output::{InvitationRecord, Output, Shape},
    provider::Connected,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent get i-7od91
  org-invitations -p confluent get i-7od91 i-8pe02 -o jsonl

One id gives a JSON object, several an array. Those that are not found are
told on stderr.")]
pub(crate) struct GetOptions {
    /// Their ids, as `list` shows them.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
}

pub(crate) async fn run(
    provider: &Connected,
    options: GetOptions,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let shape = Shape::of(&options.ids);
    let instead = "`org-invitations list --email ADDRESS` shows the invitation";
    let ids = options.ids.iter().map(|id| id_of(id, instead));
    let ids = ids.collect::<Result<Vec<InvitationId>, _>>()?;
    let mut records = out.records(shape).without_first_column();
    let mut tally = Tally::default();
    let outcome = each(
        provider,
        &ids,
        &never(),
        |_| this_command(""),
        interrupt,
        &mut tally,
        ToString::to_string,
        |index| provider.get(&ids[index]),
        |_, invitation| records.push(&InvitationRecord::new(&provider.label, invitation)),
    )
    .await;
    records.finish()?;
    outcome?;
    tally.finish()
}
