//! `copy`: invite the people of one organisation to another.

mod organizations;
mod role_map;
mod source;

use std::path::PathBuf;

use self::{
    organizations::{check_different, provider_or_profile, refuse_same},
    role_map::RoleMap,
    source::{delete_at_source, source_removal},
};
use super::plan::print_summary;
use crate::{
    apply::{
        ApplyOptions, ApplyRun, Journal, StepRecord, expected_outcome, list_invitations,
        load_people,
    },
    bulk::{OwnedKeys, RemovalOptions, print_removals},
    cli::GlobalOptions,
    completion,
    failure::Failure,
    interrupt::Interrupt,
    output::Output,
    provider::ProviderContext,
};
use clap::{Args, ValueEnum};
use org_invitations::{
    Action, Invitation, NewInvitation, People, Plan, PlanOptions, RoleAssignment, RoleGrant, Roles,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations copy --from confluent --to clickhouse --ignore auth-type --dry-run
  org-invitations copy --from old-warehouse --to warehouse --role-map map.toml --yes
  org-invitations copy --from confluent --to clickhouse --ignore auth-type
    --delete-source-after --max-deletes 100%

--from and --to take a provider or the name of a profile. The command copies the
invitations that can still be accepted, and skips people whom the target has
invited already. A field that the target does not support is rejected, unless
--ignore omits it.

--delete-source-after withdraws the invitations of people who are seen at the
target. If it is unknown whether a person was invited there, it withdraws nothing.
The prompt and --dry-run name the people. If that would withdraw more of the
source's invitations than --max-deletes allows, the command fails before anything
is changed.

A role map has the id or name of a source role on the left, and target ids on the
right. A role without an entry is rejected. Without a map, ids stay as they are.

  [roles]
  \"Developer\" = \"5f6a…\"
  \"Auditor\" = [\"77b0…\", \"9c21…\"]")]
pub(crate) struct CopyArgs {
    /// The provider or profile to copy from.
    #[arg(long, value_name = "PROVIDER", add = completion::providers_and_profiles())]
    pub from: String,
    /// The provider or profile to copy to.
    #[arg(long, value_name = "PROVIDER", add = completion::providers_and_profiles())]
    pub to: String,
    /// TOML file that maps source roles to target roles.
    #[arg(long, value_name = "FILE")]
    pub role_map: Option<PathBuf>,
    /// Omit a field that the target does not support.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub ignore: Vec<IgnoredField>,
    /// Withdraw each invitation at the source once its person is seen at the target.
    #[arg(long)]
    pub delete_source_after: bool,
    #[command(flatten)]
    pub removals: RemovalOptions,
    #[command(flatten)]
    pub apply: ApplyOptions,
    /// Keep a journal of the run in this file, for --resume.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// A field of an invitation that `copy` can leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IgnoredField {
    /// The roles of the invitee.
    Roles,
    /// How the invitee logs in.
    AuthType,
}

/// Checks the arguments before anything is read or sent.
pub(crate) fn check(args: &CopyArgs) -> Result<(), Failure> {
    if args.from == args.to {
        let message = "--from and --to are the same; for two organisations of one vendor, name \
                       two profiles";
        return Err(Failure::Usage(message.to_owned()));
    }
    if args.apply.resume && args.journal.is_none() {
        let message = "--resume needs a journal: pass `--journal FILE`";
        return Err(Failure::Usage(message.to_owned()));
    }
    args.apply.check()
}

pub(crate) async fn run(
    global: &GlobalOptions,
    args: CopyArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let map = args.role_map.as_deref().map(RoleMap::read).transpose()?;
    let source = provider_or_profile(global, "--from", &args.from).await?;
    let target = provider_or_profile(global, "--to", &args.to).await?;
    if source.account.is_known_to_be(&target.account) {
        return Err(refuse_same(&args, "by its id or API key. Nothing was sent"));
    }
    // From here on, the lock on the journal keeps other processes from starting or resuming this run.
    let path = args.journal.as_deref().filter(|_| !args.apply.dry_run);
    let mut journal = path
        .map(|path| Journal::open(path, &target.account, args.apply.resume))
        .transpose()?;
    let at_source = |failure: Failure| failure.at(source.name());
    let existing = interrupt.or_interrupted(list_invitations(&source)).await;
    let mut existing = existing.map_err(at_source)?;
    if source.capabilities().role_scopes && !args.ignore.contains(&IgnoredField::Roles) {
        // Roles that are given to users are no part of their invitations.
        let mut people = People::new(existing, Vec::new());
        let roles = async { Ok(people.load_roles(&*source).await) };
        match interrupt.or_interrupted(roles).await? {
            // A server without role bindings has none.
            Err(error) if error.status() != Some(404) => return Err(at_source(error.into())),
            _ => {}
        }
        existing = people.invitations;
    }
    let total = existing.len();
    let copied = existing.iter().filter(|one| one.is_pending()).cloned();
    let copied: Vec<Invitation> = copied.collect();
    if copied.len() < total {
        let skipped = total - copied.len();
        eprintln!(
            "{}: {skipped} are expired, deactivated or accepted, and not copied",
            source.name()
        );
    }
    let is_same_vendor = (*source).to_string() == (*target).to_string();
    let requested: Vec<_> = copied
        .iter()
        .map(|one| invitation_for_target(one, &args, map.as_ref(), is_same_vendor))
        .collect();
    let invitations: Vec<_> = requested.iter().map(|(new, _)| new.clone()).collect();
    let at_target = load_people(&target, &invitations, false, interrupt).await;
    let at_target = at_target.map_err(|failure| failure.at(target.name()))?;
    if is_same_vendor {
        check_different(&args, &existing, &at_target.invitations)?;
    }
    if let Some(journal) = &mut journal {
        journal.check_organization(&target.account, &at_target.invitations)?;
    }
    let withdrawn = journal.as_ref().map_or_else(Vec::new, |journal| {
        journal.withdrawn(&at_target.invitations)
    });
    let mut plan = Plan::of_people(
        invitations,
        at_target,
        &target.capabilities(),
        &PlanOptions::default(),
    );
    for (step, (_, refusal)) in plan.steps.iter_mut().zip(requested) {
        if let (Some(refusal), Action::Create | Action::Replace) = (refusal, step.action) {
            step.action = Action::Invalid;
            step.reason = Some(refusal);
        }
    }
    print_hints(&target, &plan);
    let removal = match args.delete_source_after {
        true => source_removal(&source, existing, &copied, &plan),
        false => Plan::default(),
    };
    if args.apply.dry_run {
        print_summary(&target, &plan);
        let of_target = args.removals.check_plan(&target, &plan);
        let allowed = of_target
            .and(args.removals.check_plan(&source, &removal))
            .and(expected_outcome(&plan));
        if args.delete_source_after {
            print_summary(&source, &removal);
            let why = format!(" once they are seen at {}", target.name());
            print_removals(&source, &removal.steps, &why);
        }
        let mut records = out.records();
        for step in plan.steps {
            records.push(&StepRecord::new(step, &[]))?;
        }
        for step in removal.steps {
            records.push(&StepRecord::at_provider(step, &source))?;
        }
        records.finish()?;
        return allowed;
    }
    args.removals.check_plan(&source, &removal)?;
    let run = ApplyRun {
        provider: &target,
        plan,
        lines: &[],
        options: &args.apply,
        removals: &args.removals,
        journal,
        withdrawn,
        keys: OwnedKeys::default(),
        source_removal: args.delete_source_after.then_some((&source, &removal)),
    };
    let report = run.run(interrupt, out).await;
    if !args.delete_source_after || !report.started {
        return report.outcome;
    }
    let deleted = delete_at_source(&source, removal, &report, &args, interrupt).await;
    report.outcome.and(deleted)
}

/// Says once for each option that rows are refused for, which flag helps.
fn print_hints(target: &ProviderContext, plan: &Plan) {
    let is_refused_for = |word: &str| {
        plan.steps.iter().any(|step| {
            let reason = step.reason.as_deref().unwrap_or_default();
            step.action == Action::Invalid && reason.contains(word)
        })
    };
    let name = target.name();
    if is_refused_for("no auth types") {
        eprintln!(
            "{name} does not support auth types: pass `--ignore auth-type` to copy without them"
        );
    }
    if is_refused_for("at another vendor") {
        eprintln!(
            "the roles of the source are not those of {name}: pass `--role-map FILE` to map them, or \
             `--ignore roles` to copy without them"
        );
    } else if ["no roles", "no legacy roles", "no scopes of roles"]
        .into_iter()
        .any(is_refused_for)
    {
        eprintln!(
            "{name} does not support these roles: pass `--ignore roles` to copy without them"
        );
    }
}

/// The invitation for the target, and the reason if a role cannot be mapped.
fn invitation_for_target(
    invitation: &Invitation,
    args: &CopyArgs,
    map: Option<&RoleMap>,
    is_same_vendor: bool,
) -> (NewInvitation, Option<String>) {
    let mut new = NewInvitation::new(&invitation.email);
    if !args.ignore.contains(&IgnoredField::AuthType) {
        new.auth_type.clone_from(&invitation.auth_type);
    }
    if args.ignore.contains(&IgnoredField::Roles) {
        return (new, None);
    }
    match map {
        Some(map) => match map.roles(invitation) {
            Ok(roles) => new.roles = roles,
            Err(missing) => return (new, Some(missing)),
        },
        None => {
            let roles = invitation.roles.iter().flatten();
            let grants: Vec<RoleGrant> = roles.filter_map(RoleAssignment::grant).collect();
            let legacy = invitation.role.clone().filter(|_| grants.is_empty());
            let has_roles = !grants.is_empty() || legacy.is_some();
            if has_roles && !is_same_vendor {
                let why = "a role of the source means nothing at another vendor";
                return (new, Some(why.to_owned()));
            }
            new.roles = match (grants.is_empty(), legacy) {
                (false, _) => Some(Roles::Grants(grants)),
                (true, legacy) => legacy.map(Roles::Legacy),
            };
        }
    }
    (new, None)
}
