//! `delete`: withdraw invitations.

use clap::Args;
use org_invitations::{Invitation, InvitationId};
use schemars::JsonSchema;
use serde::Serialize;

use super::selector::{InvitationSelector, Target, find_target};
use crate::{
    bulk::{PauseOptions, RemovalOptions, RunSummary, for_each_concurrent},
    failure::Failure,
    interrupt::Interrupt,
    output::{Output, Record, escape_control, shell_quote},
    prompt,
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent delete i-7od91
  org-invitations -p clickhouse delete ann@example.com --yes
  org-invitations -p confluent delete --expired --dry-run
  org-invitations -p confluent list --email-domain example.com -o jsonl |
    jq -r .id | org-invitations -p confluent delete - --yes --max-deletes 50%

The command prompts on a terminal; elsewhere it needs --yes. If more invitations
are selected than --max-deletes allows, it fails before anything is deleted. On
Confluent this also deactivates the user that the invitation created. An accepted
invitation cannot be withdrawn.")]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub selector: InvitationSelector,
    /// Show what would be deleted, without deleting anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Skip the confirmation prompt.
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub removals: RemovalOptions,
    #[command(flatten)]
    pub pause: PauseOptions,
}

/// An invitation that was withdrawn or, with --dry-run, would be.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Deleted")]
pub(crate) struct DeletedRecord {
    /// `confluent`, `clickhouse` or `sandbox`.
    provider: String,
    /// The id of the invitation.
    id: InvitationId,
    /// The address of the invitee, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// False with --dry-run, else true: stderr has the invitations that were not deleted.
    deleted: bool,
}

impl Record for DeletedRecord {
    const TABLE: &'static [&'static str] = &["PROVIDER", "ID", "EMAIL", "DELETED"];
    const CSV: &'static [&'static str] = &["provider", "id", "email", "deleted"];

    fn line(&self) -> Vec<String> {
        vec![
            self.provider.clone(),
            self.id.to_string(),
            self.email.clone().unwrap_or_default(),
            self.deleted.to_string(),
        ]
    }
}

/// An invitation to withdraw, with its address if that is known.
struct DeleteTarget {
    id: InvitationId,
    email: Option<String>,
}

impl DeleteTarget {
    fn display(&self) -> String {
        match &self.email {
            Some(email) => format!("{} ({})", self.id, escape_control(email)),
            None => self.id.to_string(),
        }
    }
}

/// Checks the arguments before anything is sent.
pub(crate) fn check(args: &DeleteArgs) -> Result<(), Failure> {
    args.selector.check()?;
    if !args.yes && !args.dry_run && !prompt::is_interactive() {
        let message = "cannot prompt: not a terminal; pass --yes. Nothing was deleted";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: DeleteArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut summary = RunSummary::default();
    let unchanged = "nothing was deleted";
    let targets = interrupt
        .or_unchanged(unchanged, find(provider, &args, &mut summary))
        .await?;
    if args.selector.selects_by_property() && targets.is_empty() {
        eprintln!("no such invitations");
    }
    if args.dry_run {
        let mut records = out.records();
        for target in &targets {
            match records.is_table() {
                true => records.println(&format!("would delete {}", target.display()))?,
                false => records.push(&record(provider, target, false))?,
            }
        }
        records.finish()?;
        let within_limit = args.removals.check(provider, targets.len());
        interrupt.or_unchanged(unchanged, within_limit).await?;
        return summary.finish();
    }
    let within_limit = args.removals.check(provider, targets.len());
    interrupt.or_unchanged(unchanged, within_limit).await?;
    if !args.yes && !targets.is_empty() {
        for one in &targets {
            eprintln!("{}: {}", provider.name(), one.display());
        }
        let what = match targets.len() {
            1 => "this invitation".to_owned(),
            count => format!("these {count} invitations"),
        };
        let question = format!("Delete {what} at {}?", provider.name());
        prompt::require(&question, unchanged, interrupt).await?;
    }
    out.ignore_broken_pipe();
    let mut records = out.records();
    let outcome = for_each_concurrent(
        provider,
        &targets,
        args.pause.outage(provider),
        |remaining| delete_command(provider, remaining),
        interrupt,
        &mut summary,
        DeleteTarget::display,
        |target| provider.delete(&target.id),
        |deleted, ()| {
            if records.is_table() {
                return records.println(&format!("deleted {}", deleted.display()));
            }
            records.push(&record(provider, deleted, true))?;
            records.flush_lines()
        },
    )
    .await;
    records.finish()?;
    outcome?;
    summary.finish()
}

fn record(provider: &ProviderContext, target: &DeleteTarget, deleted: bool) -> DeletedRecord {
    DeletedRecord {
        provider: provider.label.clone(),
        id: target.id.clone(),
        email: target.email.clone(),
        deleted,
    }
}

/// The command that deletes the remaining invitations.
fn delete_command(provider: &ProviderContext, remaining: &[&DeleteTarget]) -> String {
    let ids = remaining.iter().map(|one| shell_quote(one.id.as_str()));
    let ids: Vec<String> = ids.collect();
    format!(
        "org-invitations {} delete {}",
        provider.selection_flags(),
        ids.join(" ")
    )
}

/// Finds the invitations of the addresses and, if the command prompts, the addresses of the ids, so that the prompt can
/// name them.
async fn find(
    provider: &ProviderContext,
    args: &DeleteArgs,
    summary: &mut RunSummary,
) -> Result<Vec<DeleteTarget>, Failure> {
    let mut targets: Vec<DeleteTarget> = Vec::new();
    let add = |targets: &mut Vec<DeleteTarget>, found: Vec<Invitation>| {
        for Invitation { id, email, .. } in found {
            if targets.iter().all(|known| known.id != id) {
                let email = Some(email);
                targets.push(DeleteTarget { id, email });
            }
        }
    };
    if args.selector.selects_by_property() {
        add(
            &mut targets,
            args.selector.find_by_property(&**provider).await?,
        );
        return Ok(targets);
    }
    for target in args.selector.targets().await? {
        match target {
            Target::Id(id) if args.yes && !args.dry_run => {
                targets.push(DeleteTarget { id, email: None });
            }
            target => match find_target(&**provider, &target).await {
                Ok(found) => add(&mut targets, found),
                Err(error) => summary.report_failure(&error.into()),
            },
        }
    }
    Ok(targets)
}
