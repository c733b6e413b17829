//! A plan that was saved to be reviewed, and is applied as it was reviewed or not at all.

use std::{collections::BTreeMap, fs, fs::OpenOptions, io::Write, path::Path};

use org_invitations::{InvitationId, NewInvitation, Plan, Step, Withdrawal};
use serde::{Deserialize, Serialize};

use super::options::PruneOptions;
use crate::{
    failure::Failure, output::escape_control, private_file, provider::ProviderContext,
    roster::Roster,
};

/// The version of the format.
const VERSION: u32 = 1;

/// How many differences a message names; further ones are counted.
const MAX_DIFFERENCES: usize = 10;

/// What identifies an organisation and its roles at the time of a plan.
#[derive(Debug, Default)]
pub(crate) struct OrganizationFacts {
    /// The id of the organisation, if an invitation tells it.
    pub organization: Option<String>,
    /// The ids of the roles that rows name, where the provider tells them.
    pub role_ids: BTreeMap<String, String>,
}

/// A plan with everything that it was made from, except the invitations.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedPlan {
    /// The version of the format, under the name by which the file is recognised.
    saved_plan: u32,
    /// The organisation, without secrets.
    account: String,
    /// The id of the API key, where the account does not identify the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    /// The id of the organisation, if an invitation tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    /// Who is removed, and who never is.
    pub options: PruneOptions,
    rows: Vec<Row>,
    withdraw: Vec<Removal>,
    /// The ids of the roles that rows name: another role may get a name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    role_ids: BTreeMap<String, String>,
    /// What was reviewed.
    plan: Plan,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    line: usize,
    invitation: NewInvitation,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removal {
    email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<InvitationId>,
}

impl SavedPlan {
    /// What was planned for this roster.
    pub fn new(
        provider: &ProviderContext,
        roster: &Roster,
        options: &PruneOptions,
        plan: &Plan,
        facts: &OrganizationFacts,
    ) -> Self {
        let row = |(line, new): &(usize, NewInvitation)| Row {
            line: *line,
            invitation: new.clone(),
        };
        let removal = |one: &Withdrawal| Removal {
            email: one.email.clone(),
            id: one.id.clone(),
        };
        Self {
            saved_plan: VERSION,
            account: provider.account.target.clone(),
            credential: provider.account.credential.clone(),
            organization: facts.organization.clone(),
            options: options.clone(),
            rows: roster.invite.iter().map(row).collect(),
            withdraw: roster.withdraw.iter().map(removal).collect(),
            role_ids: facts.role_ids.clone(),
            plan: plan.clone(),
        }
    }

    /// Writes the plan to a new file that only its owner may read.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let failure = |why: String| Failure::Usage(format!("--out {}: {why}", path.display()));
        let json = serde_json::to_vec_pretty(self).map_err(|error| failure(error.to_string()))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut file = private_file::open(path, &mut options).map_err(|error| {
            failure(format!(
                "cannot write: {error}; existing files are never overwritten"
            ))
        })?;
        file.write_all(&json)
            .and_then(|()| file.sync_all())
            .map_err(|error| failure(format!("cannot write: {error}")))
    }

    /// Reads a file if it is a saved plan; `None` if it is something else, such as a roster.
    pub fn read(path: &Path) -> Result<Option<Self>, Failure> {
        if path.extension().is_none_or(|end| end != "json") {
            return Ok(None);
        }
        // What cannot be read is reported as a roster is.
        let Ok(bytes) = fs::read(path) else {
            return Ok(None);
        };
        let value: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        let Some(value) = value.filter(|value| value.get("saved_plan").is_some()) else {
            return Ok(None);
        };
        let failure = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
        let version = &value["saved_plan"];
        if version != VERSION {
            let why = format!(
                "a saved plan of version {version}, and this command reads {VERSION}; plan again"
            );
            return Err(failure(why));
        }
        let saved = serde_json::from_value(value);
        saved
            .map(Some)
            .map_err(|error| failure(format!("not a saved plan: {error}")))
    }

    /// The roster that the plan was made from.
    pub fn roster(&self) -> Roster {
        Roster {
            invite: self
                .rows
                .iter()
                .map(|row| (row.line, row.invitation.clone()))
                .collect(),
            withdraw: self
                .withdraw
                .iter()
                .map(|one| Withdrawal::new(&one.email, one.id.clone()))
                .collect(),
            ..Roster::default()
        }
    }

    /// Checks that the plan is for this organisation.
    pub fn check_account(&self, provider: &ProviderContext) -> Result<(), Failure> {
        if self.account == provider.account.target {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "the plan was made for {}, and not for {}. Nothing was sent",
            escape_control(&self.account),
            provider.account.target
        )))
    }

    /// Checks that this is the organisation that was planned for, and that the same roster leads to the same plan now.
    pub fn check_unchanged(
        &self,
        provider: &ProviderContext,
        now: &Plan,
        facts: &OrganizationFacts,
    ) -> Result<(), Failure> {
        let wrong = match (&self.organization, &facts.organization) {
            (Some(planned), Some(here)) if planned != here => {
                Some(format!("it was made for the organisation {planned}, and this is {here}"))
            }
            (Some(_), Some(_)) => None,
            _ if provider.account.names_organization()
                || self.credential == provider.account.credential =>
            {
                None
            }
            _ => Some(
                "it was made with another key, and nothing shows that both keys belong to the same organisation"
                    .to_owned(),
            ),
        };
        if let Some(wrong) = wrong {
            return Err(Failure::Usage(format!(
                "{}: the saved plan cannot be applied: {}. Nothing was changed; plan again",
                provider.name(),
                escape_control(&wrong)
            )));
        }
        for (name, before) in &self.role_ids {
            if let Some(after) = facts.role_ids.get(name).filter(|after| *after != before) {
                return Err(Failure::Other(format!(
                    "{}: {name:?} is another role than when the plan was saved ({after}, and it was {before}), so \
                     nothing was changed; plan again",
                    provider.name(),
                )));
            }
        }
        if self.plan.steps == now.steps {
            return Ok(());
        }
        let mut differences = Vec::new();
        let steps = self.plan.steps.len().max(now.steps.len());
        for index in 0..steps {
            let (before, after) = (self.plan.steps.get(index), now.steps.get(index));
            if before != after {
                let describe = |step: Option<&Step>| step.map_or("nothing".to_owned(), describe);
                let email = before.or(after).map_or("", |step| &step.email);
                differences.push(format!(
                    "  {}: {} was reviewed, {} would be done now",
                    escape_control(email),
                    describe(before),
                    describe(after)
                ));
            }
        }
        let more = differences.len().saturating_sub(MAX_DIFFERENCES);
        differences.truncate(MAX_DIFFERENCES);
        if more > 0 {
            differences.push(format!("  and {more} more"));
        }
        Err(Failure::Other(format!(
            "{}: people have changed since the plan was saved, so nothing was changed; plan again\n{}",
            provider.name(),
            differences.join("\n")
        )))
    }
}

/// A step in a few words.
fn describe(step: &Step) -> String {
    let changes = step.role_changes.iter().map(|change| format!(" {change}"));
    let member = step.member.as_ref().map(|id| format!(" {id}"));
    let id = step.id.as_ref().map(|id| format!(" {id}"));
    let id = id.or(member).into_iter().chain(changes).collect::<String>();
    let reason = step
        .reason
        .as_ref()
        .map(|reason| format!(" ({})", escape_control(reason)));
    format!(
        "{}{}{}",
        step.action,
        escape_control(&id),
        reason.unwrap_or_default()
    )
}
