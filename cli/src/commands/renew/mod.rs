//! `renew`: delete invitations and create them again. No vendor can send an invitation again.
//!
//! A renewal is two requests and not atomic: between them the person is not invited. So the command rejects what it
//! can before the delete, retries the create, and defers Ctrl-C until the create is done. If the create fails
//! permanently, the command names the person and the command line that invites them.

mod record;
mod renewal;

use std::{collections::VecDeque, sync::Arc};

use chrono::Utc;
use clap::Args;
use org_invitations::{Invitation, InvitationId, Outage, Renewal};

pub(crate) use self::record::RenewedRecord;
use self::{
    record::Outcome,
    renewal::{Renewed, renew},
};
use super::{
    list::is_expired,
    selector::{InvitationSelector, find_target},
};
use crate::{
    bulk::{PauseOptions, RemovalOptions, RunSummary, Uninvited},
    failure::Failure,
    interrupt::Interrupt,
    output::{Output, Records, escape_control, format_time, shell_quote},
    prompt,
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent renew i-7od91
  org-invitations -p clickhouse renew ann@example.com
  org-invitations -p clickhouse renew --expired --dry-run
  org-invitations -p confluent renew --expired --yes

A renewal is not atomic: neither vendor can send an invitation again, so it is
deleted and created with the same roles and the same login, under a new id. A
create that fails is retried; if it fails permanently, the exit code is 1 and
stderr has the command that invites the person. Ctrl-C stops after the renewal in
progress. An invitation that was accepted, or has roles that cannot be assigned
again, is rejected and stays as it is. The command prompts on a terminal, except
for ids of expired invitations; elsewhere it needs --yes for addresses and for
invitations that have not expired. If more unexpired invitations are selected
than --max-deletes allows, the command fails before anything is deleted.")]
pub(crate) struct RenewArgs {
    #[command(flatten)]
    pub selector: InvitationSelector,
    /// Show what would be renewed, without renewing anything.
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

/// What a command that ends before its first renewal did.
const UNCHANGED: &str = "nothing was renewed";

/// Checks the arguments before anything is sent.
pub(crate) fn check(args: &RenewArgs) -> Result<(), Failure> {
    args.selector.check()?;
    if args.selector.has_addresses() && !args.yes && !args.dry_run && !prompt::is_interactive() {
        return Err(no_prompt());
    }
    Ok(())
}

fn no_prompt() -> Failure {
    let message = "cannot prompt: not a terminal; pass --yes. Nothing was renewed";
    Failure::Usage(message.to_owned())
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: RenewArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut summary = RunSummary::default();
    let found = interrupt
        .or_unchanged(UNCHANGED, find(provider, &args, &mut summary))
        .await?;
    // Expired invitations do not count towards the limit.
    let now = Utc::now();
    let open = found.iter().filter(|one| !is_expired(one, now)).count();
    if args.selector.selects_by_property() && found.is_empty() {
        eprintln!(
            "{}",
            match args.selector.expired {
                true => "no invitation has expired",
                false => "no such invitations",
            }
        );
    }
    if args.dry_run {
        let work = async {
            show_planned(provider, found, out, &mut summary).await?;
            args.removals.check(provider, open).await
        };
        interrupt.or_unchanged(UNCHANGED, work).await?;
        return summary.finish();
    }
    let within_limit = args.removals.check(provider, open);
    interrupt.or_unchanged(UNCHANGED, within_limit).await?;
    // Whoever names the id of an expired invitation takes nothing from anybody.
    let needs_consent =
        open > 0 || args.selector.selects_by_property() || args.selector.has_addresses();
    if needs_consent && !args.yes && !found.is_empty() {
        confirm(provider, &found, open, interrupt).await?;
    }
    out.ignore_broken_pipe();
    let mut records = out.records();
    let total = found.len();
    let mut counts = [0; 4];
    let mut uninvited = Uninvited::default();
    let outage = Outage::new(args.pause.outage(provider), Arc::default());
    let mut not_renewed: Vec<InvitationId> = Vec::new();
    let mut remaining = found
        .iter()
        .map(|one| one.id.clone())
        .collect::<VecDeque<_>>();
    for (position, old) in found.into_iter().enumerate() {
        if interrupt.happened() {
            records.finish()?;
            let remaining = total - position;
            let message = format!("{remaining} not renewed, and as they were");
            return Err(Failure::Interrupted(message));
        }
        let id = remaining.pop_front();
        let Renewed {
            record,
            stop,
            is_not_sent,
            may_be_invited,
        } = renew(provider, old, &outage, interrupt, &mut summary).await;
        not_renewed.extend(id.filter(|_| is_not_sent));
        count(&mut counts, record.outcome);
        if record.outcome == Outcome::Lost {
            uninvited.push(&record.email, may_be_invited);
        }
        show(&mut records, &record)?;
        if stop && position + 1 < total {
            let skipped = total - position - 1;
            eprintln!("{skipped} more not attempted, and as they were");
            break;
        }
    }
    records.finish()?;
    if total > 1 {
        let [renewed, refused, lost, incomplete] = counts;
        let incomplete = match incomplete {
            0 => String::new(),
            some => format!("{some} without all roles, "),
        };
        eprintln!("{renewed} renewed, {incomplete}{refused} refused, {lost} lost");
        uninvited.print();
    }
    if outage.gave_up() {
        not_renewed.extend(remaining);
        let ids = not_renewed.iter().map(|id| shell_quote(id.as_str()));
        eprintln!(
            "{} of {total} were renewed. To continue, run:\n  org-invitations {} renew {}",
            counts[0],
            provider.selection_flags(),
            ids.collect::<Vec<_>>().join(" ")
        );
    }
    if interrupt.happened() {
        return Err(Failure::Interrupted(String::new()));
    }
    summary.finish()
}

/// Shows what a renewal withdraws, and asks for confirmation.
async fn confirm(
    provider: &ProviderContext,
    found: &[Invitation],
    open: usize,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    if !prompt::is_interactive() {
        return if open > 0 { Err(no_prompt()) } else { Ok(()) };
    }
    for invitation in found {
        let (email, id) = (escape_control(&invitation.email), &invitation.id);
        eprintln!("{}: {email} ({id})", provider.name());
    }
    let name = provider.name();
    let question = match found.len() {
        1 => format!("Delete this invitation at {name}, and create it again?"),
        count => format!("Delete these {count} invitations at {name}, and create them again?"),
    };
    prompt::require(&question, UNCHANGED, interrupt).await
}

/// Shows what would be renewed, and reports what would be rejected.
async fn show_planned(
    provider: &ProviderContext,
    found: Vec<Invitation>,
    out: &mut Output,
    summary: &mut RunSummary,
) -> Result<(), Failure> {
    let mut records = out.records();
    for old in found {
        let checked = match Renewal::of(&old, &provider.capabilities()) {
            Ok(renewal) => provider.check(&renewal.new).await,
            Err(error) => Err(error.with_provider(provider.to_string())),
        };
        let error = checked.as_ref().err().map(ToString::to_string);
        if records.is_table() && error.is_none() {
            let email = escape_control(&old.email);
            records.println(&format!("would renew {email} ({})", old.id))?;
        } else if !records.is_table() {
            let outcome = match error {
                Some(_) => Outcome::Refused,
                None => Outcome::Planned,
            };
            records.push(&RenewedRecord {
                provider: provider.label.clone(),
                email: old.email,
                old_id: old.id.to_string(),
                outcome,
                invitation: None,
                error,
                invite: None,
            })?;
        }
        if let Err(error) = checked {
            summary.report_failure(&error.into());
        }
    }
    Ok(records.finish()?)
}

fn count(counts: &mut [u64; 4], outcome: Outcome) {
    counts[match outcome {
        Outcome::Renewed | Outcome::Planned => 0,
        Outcome::Refused => 1,
        Outcome::Lost => 2,
        Outcome::Incomplete => 3,
    }] += 1;
}

fn show(records: &mut Records<'_, RenewedRecord>, record: &RenewedRecord) -> std::io::Result<()> {
    let Some(new) = record.invitation.as_ref().filter(|_| records.is_table()) else {
        if records.is_table() {
            return Ok(());
        }
        records.push(record)?;
        return records.show();
    };
    let until = new
        .expires_at
        .as_ref()
        .map(|at| format!(", expires {}", format_time(at)));
    records.println(&format!(
        "renewed {}: {} is now {}{}",
        escape_control(&new.email),
        record.old_id,
        new.id,
        until.unwrap_or_default()
    ))
}

async fn find(
    provider: &ProviderContext,
    args: &RenewArgs,
    summary: &mut RunSummary,
) -> Result<Vec<Invitation>, Failure> {
    if args.selector.selects_by_property() {
        return Ok(args.selector.find_by_property(&**provider).await?);
    }
    let mut found: Vec<Invitation> = Vec::new();
    for target in args.selector.targets().await? {
        match find_target(&**provider, &target).await {
            Ok(more) => found.extend(more),
            Err(error) => summary.report_failure(&error.into()),
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|invitation| seen.insert(invitation.id.clone()));
    Ok(found)
}
