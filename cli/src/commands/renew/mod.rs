//! `renew`: withdraw invitations and send them anew. No vendor has a way to send one again.
//!
//! It is two requests, and not atomic: between them the person is not invited. So whatever can be
//! refused is refused before the first, the second is tried again with patience, a request to stop waits for
//! it, and where it fails for good, the person and the command that invites again are named.

mod record;
mod renewal;

use std::collections::VecDeque;

use chrono::Utc;
use clap::Args;
use futures::TryStreamExt;
use org_invitations::{Invitation, InvitationId, InvitationProviderExt, ListQuery};

pub(crate) use self::record::RenewedRecord;
use self::{
    record::Outcome,
    renewal::{Renewed, renew},
};
use super::{
    ask,
    each::Tally,
    list::is_expired,
    outage::PauseOptions,
    removal::RemovalOptions,
    which::{Which, by_email, by_id},
};
use crate::{
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Output, Records, Shape, time, visible},
    provider::{Connected, shell_word},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent renew i-7od91
  org-invitations -p clickhouse renew --email ann@example.com
  org-invitations -p confluent renew --expired --yes

Not atomic: neither vendor can send an invitation again, so it is deleted and
created, with the same roles and the same login, under a new id. When creating
fails it is tried again; when that does not help, the exit code is 1 and stderr
has the command that invites the person. Ctrl-C stops after the person under
way. What was accepted, or has roles that cannot be given again, is refused
and stays as it is. More than --max-deletes of what has not expired are refused
before anything is deleted.")]
pub(crate) struct RenewOptions {
    #[command(flatten)]
    pub which: Which,
    /// Every invitation that has expired; on a terminal, after asking.
    #[arg(long, conflicts_with_all = ["ids", "email"])]
    pub expired: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub removals: RemovalOptions,
    #[command(flatten)]
    pub pause: PauseOptions,
}

/// What is wrong with the command line, before anything is sent.
pub(crate) fn check(options: &RenewOptions) -> Result<(), Failure> {
    if options.which.is_empty() && !options.expired {
        let message = "which invitations? Give their ids, `--email ADDRESS` or `--expired`";
        return Err(Failure::Usage(message.to_owned()));
    }
    options.which.ids()?;
    Ok(())
}

pub(crate) async fn run(
    provider: &Connected,
    options: RenewOptions,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let shape = match (options.which.ids.as_slice(), options.which.email.as_slice()) {
        ([_], []) => Shape::One,
        _ => Shape::Many,
    };
    let mut tally = Tally::default();
    let found = interrupt
        .stops(find(provider, &options, &mut tally))
        .await?;
    // Withdrawing what has expired takes nothing from anybody.
    let now = Utc::now();
    let open = found.iter().filter(|one| !is_expired(one, now)).count();
    interrupt
        .stops(options.removals.check(provider, open))
        .await?;
    if options.expired && found.is_empty() {
        eprintln!("no invitation has expired");
    }
    if options.expired && !found.is_empty() && !options.yes && ask::somebody_is_there() {
        for invitation in &found {
            let (email, id) = (visible(&invitation.email), &invitation.id);
            eprintln!("{}: {email} ({id})", provider.name());
        }
        let question = match found.len() {
            1 => "Delete this invitation, and create it again?".to_owned(),
            count => format!("Delete these {count} invitations, and create them again?"),
        };
        if !ask::yes(&question, interrupt).await? {
            eprintln!("nothing was renewed");
            return Err(Failure::Said(Exit::Refused));
        }
    }
    out.outlives_its_reader();
    let mut records = out.records(shape);
    let total = found.len();
    let mut counts = [0; 3];
    let outage = options.pause.outage(provider);
    let mut left_over: Vec<InvitationId> = Vec::new();
    let mut remaining = found
        .iter()
        .map(|one| one.id.clone())
        .collect::<VecDeque<_>>();
    for (position, old) in found.into_iter().enumerate() {
        if interrupt.happened() {
            records.finish()?;
            let left = total - position;
            let left = format!("{left} not renewed, and as they were");
            return Err(Failure::Interrupted(left));
        }
        let id = remaining.pop_front();
        let Renewed {
            record,
            stop,
            is_left,
        } = renew(provider, old, &outage, interrupt, &mut tally).await;
        left_over.extend(id.filter(|_| is_left));
        count(&mut counts, record.outcome);
        show(&mut records, &record)?;
        if stop && position + 1 < total {
            let left = total - position - 1;
            eprintln!("{left} more not attempted, and as they were");
            break;
        }
    }
    records.finish()?;
    if total > 1 {
        let [renewed, refused, lost] = counts;
        eprintln!("{renewed} renewed, {refused} refused, {lost} lost");
    }
    if outage.gave_up() {
        left_over.extend(remaining);
        let ids = left_over.iter().map(|id| shell_word(id.as_str()));
        eprintln!(
            "{} of {total} were renewed. To go on, run:\n  org-invitations {} renew {}",
            counts[0],
            provider.flag(),
            ids.collect::<Vec<_>>().join(" ")
        );
    }
    if interrupt.happened() {
        return Err(Failure::Interrupted(String::new()));
    }
    tally.finish()
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
        .map(|at| format!(", expires {}", time(at)));
    records.say(&format!(
        "renewed {}: {} is now {}{}",
        visible(&new.email),
        record.old_id,
        new.id,
        until.unwrap_or_default()
    ))
}

async fn find(
    provider: &Connected,
    options: &RenewOptions,
    tally: &mut Tally,
) -> Result<Vec<Invitation>, Failure> {
    if options.expired {
        let now = Utc::now();
        let all = provider.list(ListQuery::new());
        let expired = all.try_filter(|found| std::future::ready(is_expired(found, now)));
        return Ok(expired.try_collect().await?);
    }
    let mut found: Vec<Invitation> = Vec::new();
    for id in options.which.ids()? {
        match by_id(&**provider, &id).await {
            Ok(invitation) => found.push(invitation),
            Err(error) => tally.failed(&error.into()),
        }
    }
    for email in &options.which.email {
        match by_email(&**provider, email).await {
            Ok(more) => found.extend(more),
            Err(error) => tally.failed(&error.into()),
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|invitation| seen.insert(invitation.id.clone()));
    Ok(found)
}
