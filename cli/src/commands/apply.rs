//! `apply`: apply a roster.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use clap::Args;
use org_invitations::{
    Action, ErrorKind, MemberId, NewInvitation, Plan, RoleGrant, Roles, Step, normalize_email,
};

use super::plan::{Planned, RosterOptions, plan, print_plan, print_summary};
use crate::{
    apply::{ApplyOptions, ApplyRun, Journal, SavedPlan, expected_outcome},
    bulk::OwnedKeys,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Output, escape_control, shell_quote},
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse apply roster.csv
  org-invitations -p confluent apply roster.csv --yes --failed failed.csv
  org-invitations -p confluent apply roster.csv --yes --failed failed.csv --resume
  org-invitations -p confluent apply plan.json     # as `plan --out plan.json` saved it

A run keeps a journal beside the roster (roster.csv.journal). After Ctrl-C, a
crash or a power cut, the same command with --resume continues the run: nobody is
invited twice, and nobody is forgotten. A completed run deletes its journal. The
file of --failed is a roster; if the run removes people, the file has a column
action, and a row with the action remove invites nobody.

The order is creates and roles, then renewals, one person at a time until one
succeeds, then removals. If it is unknown whether a person was invited, nothing is
removed. --prune rejects an empty roster, and keeps everybody who has a row. A run
that would remove more than --max-deletes fails before it starts; renewals of
unexpired invitations count as well, and changes that take a role. On Confluent,
whoever is removed loses everything that they own, so that needs --delete-owned;
the API keys among it are listed, as far as the key in use may read them.

`plan --help` describes rosters and actions. Tables show failures and a summary
only; the other formats have an object for each row.")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub roster: RosterOptions,
    #[command(flatten)]
    pub apply: ApplyOptions,
    /// The file of the journal. Default: beside the roster; none for standard input.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

impl ApplyArgs {
    /// The path of the journal, if the run has one.
    fn journal_path(&self) -> Option<PathBuf> {
        let has_file = self.roster.inline.is_none() && self.roster.path != Path::new("-");
        if self.journal.is_some() || !has_file {
            return self.journal.clone();
        }
        let mut name = self.roster.path.clone().into_os_string();
        name.push(".journal");
        Some(name.into())
    }
}

/// Checks the arguments before anything is read or sent.
pub(crate) fn check(args: &ApplyArgs) -> Result<(), Failure> {
    args.apply.check()?;
    if args.apply.resume && args.journal_path().is_none() {
        let message = "--resume needs a journal: pass `--journal FILE` with standard input";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

/// The members whom a plan removes.
fn removed_members(plan: &Plan) -> impl Iterator<Item = (MemberId, String)> {
    let removals = plan.steps.iter();
    let removals = removals.filter(|step| step.action == Action::Remove);
    removals.filter_map(|step| Some((step.member.clone()?, step.email.clone())))
}

/// How many people who are kept are named; further ones are counted.
const MAX_KEPT: usize = 20;

/// Says on stderr who is kept although the roster does not have them, or asks to remove them.
pub(super) fn print_kept(provider: &ProviderContext, plan: &Plan) {
    let is_kept = |step: &&Step| step.action == Action::Keep && step.row.is_none();
    let kept: Vec<&Step> = plan.steps.iter().filter(is_kept).collect();
    for step in kept.iter().take(MAX_KEPT) {
        eprintln!(
            "{}: {} is kept: {}",
            provider.name(),
            escape_control(&step.email),
            escape_control(step.reason.as_deref().unwrap_or_default())
        );
    }
    if let Some(more @ 1..) = kept.len().checked_sub(MAX_KEPT) {
        eprintln!("{}: {more} more are kept", provider.name());
    }
}

/// The API keys that are deleted with the members whom a plan removes.
pub(super) async fn owned_keys(
    provider: &ProviderContext,
    plan: &Plan,
    interrupt: &Interrupt,
) -> Result<OwnedKeys, Failure> {
    let keys = OwnedKeys::load(provider, removed_members(plan), interrupt).await?;
    let in_use = provider.account.credential.as_deref();
    match in_use.and_then(|key| Some((key, keys.owner_of(key)?))) {
        None => Ok(keys),
        Some((key, owner)) => Err(Failure::Usage(format!(
            "{}: {} owns the API key in use ({}), and would be removed with it; nothing was changed. Use the key of \
             somebody else, or pass --keep {}",
            provider.name(),
            escape_control(owner),
            escape_control(key),
            shell_quote(owner)
        ))),
    }
}

/// Refuses a plan that removes members and, with them, what they own, unless that was accepted.
pub(super) fn check_owned(
    provider: &ProviderContext,
    plan: &Plan,
    options: &ApplyOptions,
) -> Result<(), Failure> {
    let members = removed_members(plan).count();
    if members == 0 || options.delete_owned || !provider.capabilities().removal_deletes_owned {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{}: the plan removes {members} members, and with them everything that they own, API keys included; pass \
         --delete-owned to accept that. Nothing was changed",
        provider.name()
    )))
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: ApplyArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let saved = SavedPlan::read(&args.roster.path)?;
    let mut args = args;
    let people = match &saved {
        Some(saved) => {
            saved.check_account(provider)?;
            if let Some(option) = args.roster.reading.given() {
                let message = format!(
                    "{option} is for rosters, and the file is a saved plan. Nothing was sent"
                );
                return Err(Failure::Usage(message));
            }
            if let Some(option) = args.roster.prune.given() {
                let message = format!("a saved plan has its own {option}. Nothing was sent");
                return Err(Failure::Usage(message));
            }
            args.roster.prune.clone_from(&saved.options);
            saved.roster()
        }
        None => args.roster.read()?,
    };
    let ApplyArgs { roster, apply, .. } = &args;
    let asked = people.withdraw.iter();
    let asked: HashSet<String> = asked.map(|one| normalize_email(&one.email)).collect();
    // Whom a row asks to remove, and something protects.
    let is_kept = |step: &Step| {
        let is_kept = step.row.is_none() && step.action == Action::Keep;
        is_kept && asked.contains(&normalize_email(&step.email))
    };
    if apply.dry_run {
        let planned = plan(provider, roster, people, None, interrupt).await?;
        let keys = owned_keys(provider, &planned.plan, interrupt).await?;
        print_summary(provider, &planned.plan);
        keys.print(provider);
        // What the run would refuse, its preview does not pass.
        let allowed = match saved.filter(|_| !apply.resume) {
            Some(saved) => saved.check_unchanged(provider, &planned.plan, &planned.facts),
            None => Ok(()),
        };
        let allowed = allowed
            .and(check_roles(provider, &planned, interrupt).await)
            .and(check_owned(provider, &planned.plan, apply))
            .and(roster.removals.check_plan(provider, &planned.plan));
        let outcome = conclude(&planned.plan, is_kept).and(expected_outcome(&planned.plan));
        print_plan(planned.plan, &planned.lines, &keys, out)?;
        return allowed.and(outcome);
    }
    // From here on, the lock on the journal keeps other processes from starting or resuming this run.
    let path = args.journal_path();
    let mut journal = path
        .map(|path| Journal::open(&path, &provider.account, apply.resume))
        .transpose()?;
    let planned = plan(provider, roster, people, journal.as_mut(), interrupt).await?;
    // An interrupted run has changed the invitations itself; its journal knows what is left.
    if let Some(saved) = saved.filter(|_| !apply.resume) {
        saved.check_unchanged(provider, &planned.plan, &planned.facts)?;
    }
    check_roles(provider, &planned, interrupt).await?;
    print_kept(provider, &planned.plan);
    let outcome = conclude(&planned.plan, is_kept);
    check_owned(provider, &planned.plan, &args.apply)?;
    let keys = owned_keys(provider, &planned.plan, interrupt).await?;
    let run = ApplyRun {
        provider,
        plan: planned.plan,
        lines: &planned.lines,
        options: apply,
        removals: &roster.removals,
        journal,
        withdrawn: planned.withdrawn,
        keys,
        source_removal: None,
    };
    run.run(interrupt, out).await.outcome?;
    outcome
}

/// What an applied plan leaves undone: who is kept although a row asks for the removal, and roles that could not be
/// compared.
fn conclude(plan: &Plan, is_kept: impl Fn(&Step) -> bool) -> Result<(), Failure> {
    let uncompared = plan.uncompared();
    if uncompared > 0 {
        let rows = match uncompared {
            1 => "1 row has".to_owned(),
            several => format!("{several} rows have"),
        };
        eprintln!("{rows} roles that could not be compared, and are left as they are");
    }
    match uncompared > 0 || plan.steps.iter().any(is_kept) {
        true => Err(Failure::AlreadyReported(Exit::Failed)),
        false => Ok(()),
    }
}

/// How many rows with roles that cannot be given are named; further ones are counted.
const MAX_WRONG_ROLES: usize = 10;

/// Refuses a roster with a role or scope that cannot be one, before anything is sent: whoever mistyped a role rarely did
/// so once.
async fn check_roles(
    provider: &ProviderContext,
    planned: &Planned,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let mut checked: HashMap<&[RoleGrant], Option<String>> = HashMap::new();
    let mut wrong = Vec::new();
    for step in &planned.plan.steps {
        let (Some(row), Some(Roles::Grants(grants))) = (step.row, &step.roles) else {
            continue;
        };
        let new = NewInvitation::new(&step.email);
        if new.validate().is_err() {
            continue;
        }
        let why = match checked.get(grants.as_slice()) {
            Some(why) => why.clone(),
            None => {
                let new = new.roles(grants);
                let check = async { Ok(provider.check(&new).await) };
                let why = match interrupt.or_interrupted(check).await? {
                    Err(error)
                        if matches!(
                            error.kind(),
                            ErrorKind::InvalidInput | ErrorKind::Unsupported
                        ) =>
                    {
                        Some(error.message().to_owned())
                    }
                    // What cannot be checked, the server decides.
                    _ => None,
                };
                checked.entry(grants).or_insert(why).clone()
            }
        };
        if let Some(why) = why {
            let line = planned.lines.get(row).copied().unwrap_or(row + 1);
            wrong.push(format!("  line {line}, {}: {why}", step.email));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let more = wrong.len().saturating_sub(MAX_WRONG_ROLES);
    wrong.truncate(MAX_WRONG_ROLES);
    if more > 0 {
        wrong.push(format!("  and {more} more"));
    }
    Err(Failure::Usage(format!(
        "{}: the roster has roles that cannot be given, so nothing was changed\n{}",
        provider.name(),
        escape_lines(&wrong)
    )))
}

/// The lines, each without control characters.
fn escape_lines(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| escape_control(line)).collect();
    lines.join("\n")
}
