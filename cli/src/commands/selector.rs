//! Selects invitations by id or address.

use std::{fmt, io};

use chrono::Utc;
use clap::Args;
use futures::TryStreamExt;
use org_invitations::{
    Error, ErrorKind, Invitation, InvitationId, InvitationProvider, InvitationProviderExt,
    InvitationStatus, ListQuery, Operation, normalize_email,
};

use super::{list::is_expired, value_parsers};
use crate::{completion, failure::Failure, output::escape_control};

/// The invitations that a command works on.
#[derive(Args, Debug)]
pub(crate) struct InvitationSelector {
    /// The ids of invitations, as `list` shows them, or addresses; `-` reads them from stdin, one a
    /// line.
    #[arg(value_name = "ID|EMAIL", add = completion::invitations())]
    pub ids: Vec<String>,
    /// The invited address, in any spelling; repeat for several addresses.
    #[arg(long, value_name = "ADDRESS", add = completion::addresses())]
    pub email: Vec<String>,
    /// Select every expired invitation.
    #[arg(long, conflicts_with_all = ["ids", "email", "status"])]
    pub expired: bool,
    /// Select every invitation with this status: sent, staged, accepted, expired, deactivated.
    #[arg(
        long, conflicts_with_all = ["ids", "email"],
        add = completion::words(&value_parsers::STATUSES)
    )]
    pub status: Option<String>,
}

/// An invitation by its id, or those of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Id(InvitationId),
    Address(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Address(email) => f.write_str(&escape_control(email)),
        }
    }
}

impl InvitationSelector {
    /// Checks the arguments before anything is read or sent.
    pub fn check(&self) -> Result<(), Failure> {
        if self.ids.is_empty() && self.email.is_empty() && !self.selects_by_property() {
            let message = "no invitations selected: pass ids, `--email ADDRESS`, `--expired` or `--status STATUS`";
            return Err(Failure::Usage(message.to_owned()));
        }
        let given = self.ids.iter().filter(|word| *word != STDIN);
        Ok(given
            .map(|word| target(word))
            .try_for_each(|one| one.map(drop))?)
    }

    /// Whether properties select the invitations, rather than ids and addresses.
    pub fn selects_by_property(&self) -> bool {
        self.expired || self.status.is_some()
    }

    /// Whether an address is among the arguments.
    pub fn has_addresses(&self) -> bool {
        !self.email.is_empty() || self.ids.iter().any(|word| word.contains('@'))
    }

    /// The ids and addresses without duplicates.
    pub async fn targets(&self) -> Result<Vec<Target>, Failure> {
        let mut targets = read_targets(&self.ids).await?;
        for email in &self.email {
            push_new(&mut targets, Target::Address(email.clone()));
        }
        Ok(targets)
    }

    /// Finds the invitations with the selected property.
    pub async fn find_by_property(
        &self,
        provider: &dyn InvitationProvider,
    ) -> Result<Vec<Invitation>, Error> {
        let now = Utc::now();
        let status = self.status.as_deref().map(value_parsers::status);
        let matches = |one: &Invitation| match &status {
            Some(status) => one.status.as_ref() == Some(status),
            None => is_expired(one, now),
        };
        let all = provider.list(ListQuery::new());
        let matching = all.try_filter(|one| std::future::ready(matches(one)));
        matching.try_collect().await
    }
}

/// The word that stands for the ids and addresses on stdin.
const STDIN: &str = "-";

/// Parses ids and addresses, reads stdin for `-`, and drops duplicates.
pub(super) async fn read_targets(words: &[String]) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for word in words {
        if word != STDIN {
            push_new(&mut targets, target(word)?);
            continue;
        }
        // While this thread waits for input, Ctrl-C works.
        let read = tokio::task::spawn_blocking(|| io::read_to_string(io::stdin().lock()));
        let failure = |why: String| Failure::Usage(format!("stdin{why}"));
        let text = read
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        let text = text.map_err(|error| failure(format!(": {error}")))?;
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() {
                continue;
            }
            let parsed = target(line).map_err(|error| {
                failure(format!(
                    ", line {number}: {}",
                    escape_control(&error.to_string())
                ))
            })?;
            push_new(&mut targets, parsed);
        }
        if targets.is_empty() {
            eprintln!("stdin has no ids");
        }
    }
    Ok(targets)
}

fn push_new(targets: &mut Vec<Target>, target: Target) {
    let is_same = |known: &Target| match (known, &target) {
        (Target::Id(known), Target::Id(new)) => known == new,
        (Target::Address(known), Target::Address(new)) => {
            normalize_email(known) == normalize_email(new)
        }
        _ => false,
    };
    if !targets.iter().any(is_same) {
        targets.push(target);
    }
}

/// Parses an id or an address. No provider has ids with an `@`.
fn target(word: &str) -> Result<Target, Error> {
    match word.contains('@') {
        true => Ok(Target::Address(word.to_owned())),
        false => InvitationId::new(word).map(Target::Id),
    }
}

/// Gets the invitation with this id, and checks that the answer is about it.
async fn find_by_id(
    provider: &dyn InvitationProvider,
    id: &InvitationId,
) -> Result<Invitation, Error> {
    let found = provider.get(id).await?;
    if found.id == *id {
        return Ok(found);
    }
    let message = format!("the answer is about another invitation, {}", found.id);
    let error = Error::new(ErrorKind::Unexpected, Operation::Get, message);
    Err(error
        .with_provider(provider.to_string())
        .with_target(id.as_str()))
}

/// Finds the invitations of a target.
pub(super) async fn find_target(
    provider: &dyn InvitationProvider,
    target: &Target,
) -> Result<Vec<Invitation>, Error> {
    match target {
        Target::Id(id) => find_by_id(provider, id).await.map(|found| vec![found]),
        Target::Address(email) => find_by_email(provider, email).await,
    }
}

/// Finds the invitations of an address: those that can still be withdrawn or, if there are none, all of them.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when there are none.
async fn find_by_email(
    provider: &dyn InvitationProvider,
    email: &str,
) -> Result<Vec<Invitation>, Error> {
    // A server may ignore the filter or match prefixes, so every address is compared. It may also compare addresses
    // case-sensitively, so an unfiltered list follows.
    let address = normalize_email(email);
    let mut found: Vec<Invitation> = Vec::new();
    for query in [ListQuery::new().email(email), ListQuery::new()] {
        let list = provider.list(query);
        let matches = |one: &Invitation| normalize_email(&one.email) == address;
        let matching = list.try_filter(|one| std::future::ready(matches(one)));
        found = matching.try_collect().await?;
        if !found.is_empty() {
            break;
        }
    }
    // Some servers keep listing withdrawn invitations, which need nothing more.
    found.retain(|invitation| invitation.status != Some(InvitationStatus::Deactivated));
    if found.is_empty() {
        let message = "no invitation for this address";
        let error = Error::new(ErrorKind::NotFound, Operation::List, message);
        return Err(error.with_provider(provider.to_string()).with_target(email));
    }
    let open = |invitation: &&Invitation| invitation.status != Some(InvitationStatus::Accepted);
    let open: Vec<Invitation> = found.iter().filter(open).cloned().collect();
    Ok(if open.is_empty() { found } else { open })
}
