//! `delete`: withdraw invitations.

use clap::Args;
use org_invitations::InvitationId;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    ask,
    each::{Tally, each},
    outage::PauseOptions,
    removal::RemovalOptions,
    which::{Which, by_email, by_id},
};
use crate::{
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Cell, Output, Record, Shape, visible},
    provider::{Connected, shell_word},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent delete i-7od91
  org-invitations -p clickhouse delete --email ann@example.com --yes
  org-invitations -p confluent list --expired -o jsonl | jq -r .id |
    xargs org-invitations -p confluent delete --yes --max-deletes 50%

Asks first on a terminal; elsewhere it needs --yes. More than --max-deletes are
refused before anything is deleted. On Confluent this also deactivates the user
that the invitation created. An invitation that was accepted cannot be withdrawn.")]
pub(crate) struct DeleteOptions {
    #[command(flatten)]
    pub which: Which,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub removals: RemovalOptions,
    #[command(flatten)]
    pub pause: PauseOptions,
}

/// An invitation that was withdrawn.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Deleted")]
pub(crate) struct DeletedRecord {
    /// `confluent`, `clickhouse` or `sandbox`.
    provider: String,
    /// Its id.
    id: InvitationId,
    /// Who was invited, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Always true: what was not deleted is told on stderr.
    deleted: bool,
}

impl Record for DeletedRecord {
    const TABLE: &'static [&'static str] = &["PROVIDER", "ID", "EMAIL", "DELETED"];
    const CSV: &'static [&'static str] = &["provider", "id", "email", "deleted"];

    fn row(&self) -> Vec<Cell> {
        self.line().into_iter().map(Cell::new).collect()
    }

    fn line(&self) -> Vec<String> {
        vec![
            self.provider.clone(),
            self.id.to_string(),
            self.email.clone().unwrap_or_default(),
            self.deleted.to_string(),
        ]
    }
}

/// An invitation to be withdrawn, and whose it is where that is known.
struct Doomed {
    id: InvitationId,
    email: Option<String>,
}

impl Doomed {
    fn name(&self) -> String {
        match &self.email {
            Some(email) => format!("{} ({})", self.id, visible(email)),
            None => self.id.to_string(),
        }
    }
}

/// What is wrong with the command line, before anything is sent.
pub(crate) fn check(options: &DeleteOptions) -> Result<(), Failure> {
    if options.which.is_empty() {
        let message = "which invitations? Give their ids, or `--email ADDRESS`";
        return Err(Failure::Usage(message.to_owned()));
    }
    options.which.ids()?;
    if !options.yes && !ask::somebody_is_there() {
        let message = "nobody is there to be asked, as this is not a terminal: give `--yes` to \
                       delete without a question. Nothing was deleted";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

pub(crate) async fn run(
    provider: &Connected,
    options: DeleteOptions,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let shape = match (options.which.ids.as_slice(), options.which.email.as_slice()) {
        ([_], []) => Shape::One,
        _ => Shape::Many,
    };
    let mut tally = Tally::default();
    let doomed = interrupt
        .stops(find(provider, &options, &mut tally))
        .await?;
    let measured = options.removals.check(provider, doomed.len());
    interrupt.stops(measured).await?;
    if !options.yes && !doomed.is_empty() {
        for one in &doomed {
            eprintln!("{}: {}", provider.name(), one.name());
        }
        let what = match doomed.len() {
            1 => "this invitation".to_owned(),
            count => format!("these {count} invitations"),
        };
        if !ask::yes(&format!("Delete {what}?"), interrupt).await? {
            eprintln!("nothing was deleted");
            return Err(Failure::Said(Exit::Refused));
        }
    }
    out.outlives_its_reader();
    let mut records = out.records(shape);
    let outcome = each(
        provider,
        &doomed,
        &options.pause.outage(provider),
        |left| delete_command(provider, left),
        interrupt,
        &mut tally,
        Doomed::name,
        |index| provider.delete(&doomed[index].id),
        |index, ()| {
            let deleted = &doomed[index];
            if records.is_table() {
                return records.say(&format!("deleted {}", deleted.name()));
            }
            records.push(&DeletedRecord {
                provider: provider.label.clone(),
                id: deleted.id.clone(),
                email: deleted.email.clone(),
                deleted: true,
            })?;
            records.show_lines()
        },
    )
    .await;
    records.finish()?;
    outcome?;
    tally.finish()
}

/// The command that deletes those that are left.
fn delete_command(provider: &Connected, left: &[&Doomed]) -> String {
    let ids = left.iter().map(|one| shell_word(one.id.as_str()));
    let ids: Vec<String> = ids.collect();
    format!(
        "org-invitations {} delete {}",
        provider.flag(),
        ids.join(" ")
    )
}

/// Finds the invitations of the addresses. On a terminal, whose the ids are as well, so that the question
/// can name them.
async fn find(
    provider: &Connected,
    options: &DeleteOptions,
    tally: &mut Tally,
) -> Result<Vec<Doomed>, Failure> {
    let mut doomed: Vec<Doomed> = Vec::new();
    for id in options.which.ids()? {
        let email = match options.yes {
            true => None,
            false => match by_id(&**provider, &id).await {
                Ok(invitation) => Some(invitation.email),
                Err(error) => {
                    tally.failed(&error.into());
                    continue;
                }
            },
        };
        doomed.push(Doomed { id, email });
    }
    for email in &options.which.email {
        match by_email(&**provider, email).await {
            Ok(found) => {
                for invitation in found {
                    if doomed.iter().all(|known| known.id != invitation.id) {
                        doomed.push(Doomed {
                            id: invitation.id,
                            email: Some(invitation.email),
                        });
                    }
                }
            }
            Err(error) => tally.failed(&error.into()),
        }
    }
    Ok(doomed)
}
