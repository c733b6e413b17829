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
use futures::TryStreamExt;
use org_invitations::{Invitation, InvitationId, InvitationProviderExt, ListQuery, Outage};

pub(crate) use self::record::RenewedRecord;
use self::{
    record::Outcome,
    renewal::{Renewed, renew},
};
use super::{
    list::is_expired,
    selector::{InvitationSelector, find_by_email, find_by_id},
};
use crate::{
    bulk::{PauseOptions, RemovalOptions, RunSummary},
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
  org-invitations -p clickhouse renew --email ann@example.com
  org-invitations -p confluent renew --expired --yes

A renewal is not atomic: neither vendor can send an invitation again, so it is
deleted and created with the same roles and the same login, under a new id. A
create that fails is retried; if it fails permanently, the exit code is 1 and
stderr has the command that invites the person. Ctrl-C stops after the renewal in
progress. An invitation that was accepted, or has roles that cannot be assigned
again, is rejected and stays as it is. If more unexpired invitations are selected
than --max-deletes allows, the command fails before anything is deleted.")]
pub(crate) struct RenewArgs {
    #[command(flatten)]
    pub selector: InvitationSelector,
    /// Renew every expired invitation; prompts on a terminal.
    #[arg(long, conflicts_with_all = ["ids", "email"])]
    pub expired: bool,
    /// Skip the confirmation prompt.
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub removals: RemovalOptions,
    #[command(flatten)]
    pub pause: PauseOptions,
}

/// Checks the arguments before anything is sent.
pub(crate) fn check(args: &RenewArgs) -> Result<(), Failure> {
    if args.selector.is_empty() && !args.expired {
        let message = "no invitations selected: pass ids, `--email ADDRESS` or `--expired`";
        return Err(Failure::Usage(message.to_owned()));
    }
    args.selector.ids()?;
    Ok(())
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: RenewArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut summary = RunSummary::default();
    let found = interrupt
        .or_interrupted(find(provider, &args, &mut summary))
        .await?;
    // Expired invitations do not count towards the limit.
    let now = Utc::now();
    let open = found.iter().filter(|one| !is_expired(one, now)).count();
    interrupt
        .or_interrupted(args.removals.check(provider, open))
        .await?;
    if args.expired && found.is_empty() {
        eprintln!("no invitation has expired");
    }
    if args.expired && !found.is_empty() && !args.yes && prompt::is_interactive() {
        for invitation in &found {
            let (email, id) = (escape_control(&invitation.email), &invitation.id);
            eprintln!("{}: {email} ({id})", provider.name());
        }
        let question = match found.len() {
            1 => "Delete this invitation, and create it again?".to_owned(),
            count => format!("Delete these {count} invitations, and create them again?"),
        };
        prompt::require(&question, "nothing was renewed", interrupt).await?;
    }
    out.ignore_broken_pipe();
    let mut records = out.records(args.selector.shape());
    let total = found.len();
    let mut counts = [0; 3];
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
        } = renew(provider, old, &outage, interrupt, &mut summary).await;
        not_renewed.extend(id.filter(|_| is_not_sent));
        count(&mut counts, record.outcome);
        show(&mut records, &record)?;
        if stop && position + 1 < total {
            let skipped = total - position - 1;
            eprintln!("{skipped} more not attempted, and as they were");
            break;
        }
    }
    records.finish()?;
    if total > 1 {
        let [renewed, refused, lost] = counts;
        eprintln!("{renewed} renewed, {refused} refused, {lost} lost");
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

fn count(counts: &mut [u64; 3], outcome: Outcome) {
    counts[match outcome {
        Outcome::Renewed => 0,
        Outcome::Refused => 1,
        Outcome::Lost => 2,
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
    if args.expired {
        let now = Utc::now();
        let all = provider.list(ListQuery::new());
        let expired = all.try_filter(|found| std::future::ready(is_expired(found, now)));
        return Ok(expired.try_collect().await?);
    }
    let mut found: Vec<Invitation> = Vec::new();
    for id in args.selector.ids()? {
        match find_by_id(&**provider, &id).await {
            Ok(invitation) => found.push(invitation),
            Err(error) => summary.report_failure(&error.into()),
        }
    }
    for email in &args.selector.email {
        match find_by_email(&**provider, email).await {
            Ok(more) => found.extend(more),
            Err(error) => summary.report_failure(&error.into()),
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|invitation| seen.insert(invitation.id.clone()));
    Ok(found)
}
