//! `members remove`: the members go, and on Confluent what they own.

use org_invitations::{ApiKey, Member, MemberId};
use schemars::JsonSchema;
use serde::Serialize;

use super::{RemoveArgs, find};
use crate::{
    apply::key_owner,
    bulk::{OwnedKeys, RunSummary},
    failure::Failure,
    interrupt::Interrupt,
    output::{Cell, Output, Record, Shape, escape_control},
    prompt,
    provider::ProviderContext,
};

/// A member who was removed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "RemovedMember")]
pub(crate) struct RemovedRecord {
    /// `confluent`, `clickhouse` or `sandbox`.
    provider: String,
    /// The id of the member.
    id: MemberId,
    /// The address of the member.
    email: String,
    /// Always true: stderr has the members who were not removed.
    removed: bool,
    /// The API keys that were deleted with the member, if they could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_keys: Option<Vec<ApiKey>>,
}

impl Record for RemovedRecord {
    const TABLE: &'static [&'static str] = &["PROVIDER", "ID", "EMAIL", "REMOVED"];
    const CSV: &'static [&'static str] = &["provider", "id", "email", "removed", "api_keys"];

    fn row(&self) -> Vec<Cell> {
        let cells = self.line().into_iter().take(Self::TABLE.len());
        cells.map(Cell::new).collect()
    }

    fn line(&self) -> Vec<String> {
        let keys: Vec<&str> = self
            .api_keys
            .iter()
            .flatten()
            .map(|key| key.id.as_str())
            .collect();
        vec![
            self.provider.clone(),
            self.id.to_string(),
            self.email.clone(),
            self.removed.to_string(),
            keys.join(";"),
        ]
    }
}

/// Removes members. Whoever owns the API key in use is refused.
pub(super) async fn remove(
    provider: &ProviderContext,
    args: &RemoveArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    // The sandbox has Confluent's API.
    let deletes_owned = provider.label != "clickhouse";
    if deletes_owned && !args.delete_owned {
        let message = "removing a user of Confluent deletes everything that the user owns, API keys included; pass \
                       --delete-owned to accept that. Nobody was removed";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut summary = RunSummary::default();
    let mut members: Vec<Member> = Vec::new();
    for wanted in &args.members {
        let find = async { Ok(find(provider, wanted).await?) };
        let found = summary.attempt(interrupt, find).await?;
        members.extend(found.filter(|found| members.iter().all(|known| known.id != found.id)));
    }
    if !members.is_empty() {
        let owner = key_owner(provider, interrupt).await?;
        members.retain(|member| {
            let is_owner = owner.as_ref() == Some(&member.id);
            if is_owner {
                summary.report_failure(&Failure::Usage(format!(
                    "{}: {} ({}) owns the API key in use, and is not removed; use the key of somebody else",
                    provider.name(),
                    escape_control(&member.email),
                    member.id
                )));
            }
            !is_owner
        });
    }
    let owners = members
        .iter()
        .map(|one| (one.id.clone(), one.email.clone()));
    let keys = OwnedKeys::load(provider, owners, interrupt).await?;
    keys.print(provider);
    if !args.yes && !members.is_empty() {
        for member in &members {
            let (id, email) = (&member.id, escape_control(&member.email));
            eprintln!("{}: {email} ({id})", provider.name());
        }
        let owned = match deletes_owned {
            true => ", with everything that they own, API keys included",
            false => "",
        };
        let who = match members.len() {
            1 => "this member".to_owned(),
            count => format!("these {count} members"),
        };
        let question = format!("Remove {who} from {}{owned}?", provider.name());
        prompt::require(&question, "nobody was removed", interrupt).await?;
    }
    out.ignore_broken_pipe();
    let mut records = out.records(Shape::of(&args.members)).without_first_column();
    for member in members {
        let removal = async { Ok(provider.remove_member(&member.id).await?) };
        if summary.attempt(interrupt, removal).await?.is_some() {
            records.push(&RemovedRecord {
                api_keys: keys.of(&member.id),
                provider: provider.label.clone(),
                id: member.id,
                email: member.email,
                removed: true,
            })?;
            records.flush_lines()?;
            summary.record_success();
        }
    }
    records.finish()?;
    summary.finish()
}
