//! `copy`: invite to one organisation those who are invited to another.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use futures::StreamExt;
use org_invitations::{
    Action, BulkOptions, Deleted, Invitation, InvitationId, InvitationProviderExt,
    InvitationStatus, NewInvitation, Plan, PlanOptions, Roles,
};
use serde::Deserialize;

use super::{each::Tally, plan::all};
use crate::{
    arguments::{Global, ProviderName},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Output, Shape},
    provider::{self, Connected},
    roster::{ApplyOptions, CarryOut, StepRecord},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations copy --from confluent --to clickhouse --ignore auth-type --dry-run
  org-invitations copy --from old-warehouse --to warehouse --role-map map.toml --yes
  org-invitations copy --from confluent --to clickhouse --ignore auth-type
    --delete-source-after

--from and --to take a provider or the name of a profile. Copied are the
invitations that can still be accepted. Whom the target has invited already is
left alone. What the target cannot express is refused, unless --ignore says to
leave it out.

A role map is TOML: the id or name of a role on the left, ids on the right.
A role that is not in it is refused. Without a map, ids stay as they are.

  [roles]
  \"Developer\" = \"5f6a…\"
  \"Auditor\" = [\"77b0…\", \"9c21…\"]")]
pub(crate) struct CopyCommand {
    /// Where the people are invited now.
    #[arg(long, value_name = "PROVIDER")]
    pub from: String,
    /// Where they are to be invited.
    #[arg(long, value_name = "PROVIDER")]
    pub to: String,
    /// Which role there is which role here.
    #[arg(long, value_name = "FILE")]
    pub role_map: Option<PathBuf>,
    /// Leave out what the target cannot express.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub ignore: Vec<Option_>,
    /// Withdraw each invitation at the source once its person is invited at the target.
    #[arg(long)]
    pub delete_source_after: bool,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub apply: ApplyOptions,
    /// Keep a journal of whom this run has invited, for --resume.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// An option of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Option_ {
    /// What the invitee may do.
    Roles,
    /// How the invitee logs in.
    AuthType,
}

/// What is wrong with the command line, before anything is read or sent.
pub(crate) fn check(options: &CopyCommand) -> Result<(), Failure> {
    if options.from == options.to {
        let message = "--from and --to are the same; for two organisations of one vendor, name \
                       two profiles";
        return Err(Failure::Usage(message.to_owned()));
    }
    if options.apply.resume && options.journal.is_none() {
        let message = "--resume needs a journal: give `--journal FILE`";
        return Err(Failure::Usage(message.to_owned()));
    }
    if options.dry_run {
        Ok(())
    } else {
        options.apply.check()
    }
}

pub(crate) async fn run(
    global: &Global,
    options: CopyCommand,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let map = options.role_map.as_deref().map(RoleMap::read).transpose()?;
    let source = named(global, &options.from).await?;
    let target = named(global, &options.to).await?;
    let copied: Vec<Invitation> = interrupt.stops(all(&source)).await?;
    let total = copied.len();
    let copied: Vec<Invitation> = copied.into_iter().filter(can_be_accepted).collect();
    if copied.len() < total {
        let over = total - copied.len();
        eprintln!(
            "{}: {over} are over or accepted, and are not copied",
            source.label
        );
    }
    let there = interrupt.stops(all(&target)).await?;
    let wanted: Vec<_> = copied
        .iter()
        .map(|one| wanted(one, &options, map.as_ref()))
        .collect();
    let news = wanted.iter().map(|(new, _)| new.clone());
    let mut plan = Plan::new(news, there, &target.capabilities(), &PlanOptions::default());
    for (step, (_, refusal)) in plan.steps.iter_mut().zip(wanted) {
        if let (Some(refusal), Action::Create | Action::Renew) = (refusal, step.action) {
            step.action = Action::Refuse;
            step.reason = Some(refusal);
        }
    }
    if options.dry_run {
        let mut records = out.records(Shape::Many);
        for step in plan.steps {
            records.push(&StepRecord::new(step, &[]))?;
        }
        return Ok(records.finish()?);
    }
    let carry_out = CarryOut {
        provider: &target,
        plan,
        lines: &[],
        options: &options.apply,
        journal: options.journal.clone(),
    };
    let (invited, outcome) = carry_out.run(interrupt, out).await;
    if options.delete_source_after {
        let invited: std::collections::HashSet<String> =
            invited.iter().map(|email| email.to_lowercase()).collect();
        let done = copied
            .into_iter()
            .filter(|one| invited.contains(&one.email.to_lowercase()));
        let deleted = delete(&source, done.map(|one| one.id).collect(), interrupt).await;
        return outcome.and(deleted);
    }
    outcome
}

/// The provider or profile of this name.
async fn named(global: &Global, name: &str) -> Result<Connected, Failure> {
    let provider = ProviderName::from_str(name, true).ok();
    let chosen = Global {
        profile: provider.is_none().then(|| name.to_owned()),
        provider: provider.into_iter().collect(),
        ..global.clone()
    };
    provider::one(&chosen).await
}

fn can_be_accepted(invitation: &Invitation) -> bool {
    let over = [
        InvitationStatus::Accepted,
        InvitationStatus::Expired,
        InvitationStatus::Deactivated,
    ];
    invitation
        .status
        .as_ref()
        .is_none_or(|status| !over.contains(status))
}

/// The invitation that is to be made, and why it cannot be.
fn wanted(
    one: &Invitation,
    options: &CopyCommand,
    map: Option<&RoleMap>,
) -> (NewInvitation, Option<String>) {
    let mut new = NewInvitation::new(&one.email);
    if !options.ignore.contains(&Option_::AuthType) {
        new.auth_type.clone_from(&one.auth_type);
    }
    if options.ignore.contains(&Option_::Roles) {
        return (new, None);
    }
    match map {
        Some(map) => match map.roles(one) {
            Ok(roles) => new.roles = roles,
            Err(missing) => return (new, Some(missing)),
        },
        None => {
            let ids = one.assigned_roles.iter().flatten();
            let ids: Vec<String> = ids.filter_map(|role| role.id.clone()).collect();
            let legacy = one.role.clone().filter(|_| ids.is_empty());
            new.roles = match (ids.is_empty(), legacy) {
                (false, _) => Some(Roles::Ids(ids)),
                (true, legacy) => legacy.map(Roles::Legacy),
            };
        }
    }
    (new, None)
}

/// Which role is which.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleMap {
    roles: HashMap<String, OneOrMore>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl RoleMap {
    fn read(path: &Path) -> Result<Self, Failure> {
        let refuse = |why: String| Failure::Usage(format!("--role-map {}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        toml::from_str(&text).map_err(|error| refuse(error.to_string()))
    }

    /// The ids at the target for the roles of an invitation.
    fn roles(&self, one: &Invitation) -> Result<Option<Roles>, String> {
        let mut names: Vec<Vec<&str>> = Vec::new();
        for role in one.assigned_roles.iter().flatten() {
            names.push(
                [&role.id, &role.name]
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect(),
            );
        }
        if names.is_empty() {
            names.extend(one.role.as_deref().map(|role| vec![role]));
        }
        let mut ids: Vec<String> = Vec::new();
        for names in &names {
            let found = names.iter().find_map(|name| self.roles.get(*name));
            match found {
                Some(OneOrMore::One(id)) => ids.push(id.clone()),
                Some(OneOrMore::More(more)) => ids.extend(more.iter().cloned()),
                None => {
                    let name = names.last().copied().unwrap_or("without a name");
                    return Err(format!("the role map has nothing for the role {name}"));
                }
            }
        }
        ids.sort();
        ids.dedup();
        Ok((!names.is_empty()).then_some(Roles::Ids(ids)))
    }
}

/// Withdraws at the source what is at the target now.
async fn delete(
    source: &Connected,
    ids: Vec<InvitationId>,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let mut deleted = 0;
    let mut outcomes = source.delete_many(ids, BulkOptions::default());
    loop {
        let outcome = tokio::select! {
            outcome = outcomes.next() => outcome,
            () = interrupt.times(1) => {
                let left = "some are still invited at the source: repeat the command";
                return Err(Failure::Interrupted(left.to_owned()));
            }
        };
        let Some(outcome) = outcome else { break };
        match outcome.result {
            Deleted::Deleted | Deleted::Missing => {
                deleted += 1;
                tally.done();
            }
            Deleted::Refused(error) => tally.failed(&error.into()),
            _ => tally.counted(Exit::Refused),
        }
    }
    eprintln!("{}: withdrew {deleted}", source.label);
    tally.finish()
}
