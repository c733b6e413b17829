//! `plan`: show what applying a roster would change.

use std::{
    collections::{BTreeMap, HashSet},
    ops::ControlFlow,
    path::PathBuf,
};

use clap::Args;
use org_invitations::{
    Action, NewInvitation, People, Plan, PlanOptions, Role, Roles, Withdrawal, normalize_email,
};

use crate::{
    apply::{
        Journal, OrganizationFacts, PruneOptions, SavedPlan, StepRecord, count_actions,
        gives_roles, key_owner, load_people, organization_of,
    },
    bulk::{OwnedKeys, RemovalOptions, Results, RunSummary, for_each_provider},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Output, Records, escape_control},
    provider::ProviderContext,
    providers::{Origin, Providers},
    roster::{self, ReadOptions, Roster},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse plan roster.csv
  org-invitations -p confluent plan roster.jsonl --prune -o json
  org-invitations -p confluent plan entra.csv --email-column mail
  org-invitations -p clickhouse plan people.txt --default-role Developer
  org-invitations -p confluent plan roster.csv --out plan.json
  org-invitations -p confluent apply plan.json
  org-invitations --profile kafka --profile staging plan roster.csv

A roster has the columns email, roles (`NAME@SCOPE;NAME`, or `legacy:admin`) and
auth_type (local or sso); only email is needed. It is CSV with a header, a list
of addresses (.txt), JSON, JSON lines or YAML. A row with `remove` in the column
action withdraws the person's invitation, or the one with the id in the column
id; with --prune-members it also removes a member.

Exports of Google Workspace, Entra ID, Okta and Excel are rosters too, and so is
what `list` and `members list` print with -o csv, json, jsonl or yaml. The column
of the addresses may be named email, email address, mail, primary email, user
principal name or login, and that of the roles role, in any case and with any
punctuation. Other columns are ignored, and one line on standard error names
them; a name that is nearly a known one is an error. Text that is not Unicode is
read as Windows-1252, with a warning. A cell of roles may be a list in JSON, as
[\"NAME@SCOPE\"], in which `;` and `,` are part of a name or scope.

Rows of `list` whose invitation was accepted or withdrawn are skipped, since
their people may have left, and are an error with --prune. Rows that `list` has
from another profile or provider are an error. People who are switched off in
their directory (Suspended, DEPROVISIONED, accountEnabled False) are counted in
a warning.

The command only lists invitations, members and roles. A saved plan is applied as
it was reviewed: `apply` rejects it if people have changed in a way that changes
the plan. The actions:
  create     the person is neither invited nor a member
  replace    the invitation has expired or has other roles or another login; it is
             withdrawn and created again, as neither vendor can change or resend one
  keep       the person is invited or a member as requested
  set-roles  the member has other roles: `+NAME` is added, `-NAME` is taken
  remove     the person is not in the roster (with --prune; members only with
             --prune-members), or the row says so
  invalid    the row cannot be applied, and the reason says why

Nobody is removed who is named by --keep, who owns the API key in use (as far as
Confluent tells; nor does the owner lose a role), or without whom fewer than
--min-admins members would be administrators (OrganizationAdmin, Admin).")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub roster: RosterOptions,
    /// Save the plan in a new file, for `apply FILE.json`.
    #[arg(long, value_name = "FILE.json", value_parser = parse_out)]
    pub out: Option<PathBuf>,
    /// Exit with 0 if there is nothing to do, 2 if there are changes, and 1 after an error or if
    /// nothing changes and a row is invalid, or has roles that could not be compared.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

fn parse_out(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().is_some_and(|end| end == "json") {
        true => Ok(path),
        false => Err("the name of a saved plan ends with .json".to_owned()),
    }
}

/// The roster options of `plan` and `apply`.
#[derive(Args, Debug)]
pub(crate) struct RosterOptions {
    /// The file with the people to invite; `-` is standard input.
    #[arg(value_name = "ROSTER")]
    pub path: PathBuf,
    #[command(flatten)]
    pub reading: ReadOptions,
    #[command(flatten)]
    pub prune: PruneOptions,
    #[command(flatten)]
    pub removals: RemovalOptions,
    /// The roster itself, in the place of a file.
    #[arg(skip)]
    pub inline: Option<String>,
}

/// A plan with the details of its roster and journal.
pub(super) struct Planned {
    pub plan: Plan,
    /// The line of each row of the roster.
    pub lines: Vec<usize>,
    /// People whom the interrupted run withdrew and who have no invitation now.
    pub withdrawn: Vec<NewInvitation>,
    /// What a saved plan is recognised by.
    pub facts: OrganizationFacts,
}

impl RosterOptions {
    /// Reads the roster, and rejects one that would prune everybody.
    pub fn read(&self) -> Result<Roster, Failure> {
        let (path, reading, prune) = (&self.path, &self.reading, self.prune.prune);
        let roster = match &self.inline {
            Some(text) => roster::read_bytes(text.as_bytes(), path, reading, prune)?,
            None => roster::read(path, reading, prune)?,
        };
        let news = roster.invite.iter().map(|(_, new)| new);
        self.plan_options().check_roster(news).map_err(|error| {
            let remedy = match roster.invite.is_empty() {
                true => ". To withdraw every invitation, pass `--allow-empty`",
                false => "",
            };
            Failure::Usage(format!(
                "{}: {}, so nothing was sent{remedy}",
                self.path.display(),
                error.message()
            ))
        })?;
        Ok(roster)
    }

    fn plan_options(&self) -> PlanOptions {
        PlanOptions::default()
            .prune(self.prune.prune)
            .allow_empty(self.prune.allow_empty)
            .prune_members(self.prune.prune_members)
            .keep(&self.prune.keep)
            .min_admins(self.prune.min_admins)
    }
}

/// Plans a roster against the existing invitations, and checks that the journal belongs to their organisation.
pub(super) async fn plan(
    provider: &ProviderContext,
    options: &RosterOptions,
    roster: Roster,
    journal: Option<&mut Journal>,
    interrupt: &Interrupt,
) -> Result<Planned, Failure> {
    roster.origins.check(provider)?;
    let (lines, news): (Vec<_>, Vec<_>) = roster.invite.into_iter().unzip();
    let people = load_people(provider, &news, options.prune.prune_members, interrupt).await?;
    let withdrawn = match journal {
        Some(journal) => {
            journal.check_organization(&provider.account, &people.invitations)?;
            journal.withdrawn(&people.invitations)
        }
        None => Vec::new(),
    };
    let roles = interrupt.or_interrupted(roles_of(provider, &news)).await?;
    let owner = match options.prune.prune_members || news.iter().any(gives_roles) {
        true => key_owner(provider, interrupt).await?,
        false => None,
    };
    print_unknown_keeps(provider, &options.prune.keep, &people);
    let missing = without_invitation(&roster.withdraw, &people, options.prune.prune_members);
    let mut options = options.plan_options().withdraw(roster.withdraw);
    let facts = OrganizationFacts {
        organization: people.invitations.iter().find_map(organization_of),
        role_ids: role_ids(&news, roles.as_deref().unwrap_or_default()),
    };
    options.roles = roles;
    options.owner = owner;
    let mut plan = Plan::of_people(news, people, &provider.capabilities(), &options);
    for step in &mut plan.steps {
        // The library numbers rows; people count lines.
        if let Some(line) = step.same_as.take().and_then(|row| lines.get(row)) {
            step.reason = Some(format!("line {line} has the same address"));
        }
    }
    for (email, is_member) in missing {
        let why = match is_member {
            true => "is a member, and is removed only with --prune-members",
            false => "has neither an invitation nor a membership to remove",
        };
        eprintln!("{}: {} {why}", provider.name(), escape_control(&email));
    }
    Ok(Planned {
        plan,
        lines,
        withdrawn,
        facts,
    })
}

/// The ids of the roles that rows name.
fn role_ids(news: &[NewInvitation], roles: &[Role]) -> BTreeMap<String, String> {
    let named = news.iter().filter_map(|new| match &new.roles {
        Some(Roles::Grants(grants)) => Some(grants),
        _ => None,
    });
    let named: HashSet<&str> = named.flatten().map(|grant| grant.role.as_str()).collect();
    let id_of = |name: &str| {
        let is_named = |role: &&Role| {
            let known = role.name.as_deref();
            role.id != name && known.is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        let role = roles.iter().find(is_named)?;
        Some((name.to_owned(), role.id.clone()))
    };
    named.into_iter().filter_map(id_of).collect()
}

/// The roles of the organisation, if a row grants a role and the key may list them. Otherwise the server decides.
async fn roles_of(
    provider: &ProviderContext,
    news: &[NewInvitation],
) -> Result<Option<Vec<Role>>, Failure> {
    if !provider.capabilities().list_roles || !news.iter().any(gives_roles) {
        return Ok(None);
    }
    match provider.list_roles().await {
        Ok(roles) => Ok(Some(roles)),
        Err(error) => {
            let why = escape_control(&error.to_string()).into_owned();
            let name = provider.name();
            eprintln!("warning: {name}: the roles of the roster were not checked: {why}");
            Ok(None)
        }
    }
}

/// The addresses to withdraw that have nothing to remove, and whether they are members who are not removed.
pub(super) fn without_invitation(
    withdraw: &[Withdrawal],
    people: &People,
    removes_members: bool,
) -> Vec<(String, bool)> {
    if withdraw.is_empty() {
        return Vec::new();
    }
    let invited = people.invitations.iter().map(|one| &one.email);
    let members = people.members.iter().map(|one| &one.email);
    let normalized = |email: &String| normalize_email(email);
    let invited: HashSet<String> = invited.map(normalized).collect();
    let members: HashSet<String> = members.map(normalized).collect();
    let emails = withdraw.iter().map(|one| &one.email);
    let missing = emails.filter_map(|email| {
        let address = normalize_email(email);
        let is_member = members.contains(&address);
        let is_known = invited.contains(&address) || (is_member && removes_members);
        (!is_known).then(|| (email.clone(), is_member))
    });
    missing.collect()
}

/// Says on stderr which `--keep` names nobody: it may be misspelt.
pub(super) fn print_unknown_keeps(provider: &ProviderContext, keep: &[String], people: &People) {
    if keep.is_empty() {
        return;
    }
    let invited = people.invitations.iter();
    let invited = invited.map(|one| (one.id.as_str(), one.email.as_str()));
    let members = people.members.iter();
    let members = members.map(|one| (one.id.as_str(), one.email.as_str()));
    let known: HashSet<_> = invited
        .chain(members)
        .flat_map(|(id, email)| [id.to_owned(), normalize_email(email)])
        .collect();
    for kept in keep {
        let is_known = match kept.contains('@') {
            true => known.contains(&normalize_email(kept)),
            false => known.contains(kept),
        };
        if !is_known {
            eprintln!(
                "warning: {}: --keep {}: nobody has this address or id",
                provider.name(),
                escape_control(kept)
            );
        }
    }
}

/// Prints on stderr the summary of a plan.
pub(super) fn print_summary(provider: &ProviderContext, plan: &Plan) {
    eprintln!("{}: {}", provider.name(), count_actions(plan));
}

pub(crate) async fn run(
    providers: Providers,
    options: PlanArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    if !options.detailed_exitcode {
        return try_run(providers, &options, interrupt, out).await.map(drop);
    }
    match try_run(providers, &options, interrupt, out).await {
        Ok(Comparison::Same) => Ok(()),
        Ok(Comparison::Differs) => Err(Failure::AlreadyReported(Exit::Usage)),
        Ok(Comparison::Invalid) => Err(Failure::AlreadyReported(Exit::Failed)),
        Err(failure @ Failure::Interrupted(_)) => Err(failure),
        // With 2 for changes, a wrong roster has to have another code.
        Err(failure) => {
            failure.report();
            Err(Failure::AlreadyReported(Exit::Failed))
        }
    }
}

/// What a plan found.
enum Comparison {
    Same,
    Differs,
    /// Nothing differs, and some rows are invalid or could not be compared.
    Invalid,
}

/// Prints the plan of each organisation.
async fn try_run(
    providers: Providers,
    options: &PlanArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<Comparison, Failure> {
    if options.out.is_some() && providers.have_several_profiles() {
        let message = "--out saves the plan of one organisation, and several profiles are selected; \
                       choose one with --profile";
        return Err(Failure::Usage(message.to_owned()));
    }
    let roster = options.roster.read()?;
    let read = async |provider: ProviderContext, results: Results<_>| {
        let planned = plan(&provider, &options.roster, roster.clone(), None, interrupt).await?;
        if let Some(path) = &options.out {
            let prune = &options.roster.prune;
            SavedPlan::new(&provider, &roster, prune, &planned.plan, &planned.facts).write(path)?;
        }
        results.send(Ok(planned)).await;
        Ok(())
    };
    let mut records = providers.with_profiles(out.records());
    let mut summary = RunSummary::default();
    let (mut is_noop, mut invalid) = (true, 0);
    let mut counts = Vec::new();
    let show = |origin: &Origin, planned: Planned| {
        is_noop &= planned.plan.is_noop();
        invalid += planned.plan.count(Action::Invalid) + planned.plan.uncompared();
        let name = origin.name.as_ref();
        let name = name.map_or_else(String::new, |name| format!("{}: ", escape_control(name)));
        let of_actions = Action::ALL.iter();
        let of_actions =
            of_actions.map(|action| format!("{action} {}", planned.plan.count(*action)));
        counts.push(format!(
            "{name}{}",
            of_actions.collect::<Vec<_>>().join(", ")
        ));
        if let Err(error) = planned
            .plan
            .check_removals(&options.roster.removals.limit())
        {
            counts.push(format!(
                "warning: {name}`apply` would reject the plan: {error}; see --max-deletes"
            ));
        }
        let Planned { plan, lines, .. } = planned;
        push_plan(
            plan,
            &lines,
            Some(origin),
            &OwnedKeys::default(),
            &mut records,
        )?;
        Ok(ControlFlow::Continue(()))
    };
    let outcome = for_each_provider(providers, interrupt, &mut summary, read, show).await;
    records.finish_after(outcome)?;
    for line in counts {
        eprintln!("{line}");
    }
    summary.finish()?;
    Ok(match (is_noop, invalid) {
        (false, _) => Comparison::Differs,
        (true, 0) => Comparison::Same,
        (true, _) => Comparison::Invalid,
    })
}

/// Prints the steps of a plan.
pub(super) fn print_plan(
    plan: Plan,
    lines: &[usize],
    keys: &OwnedKeys,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut records = out.records();
    push_plan(plan, lines, None, keys, &mut records)?;
    Ok(records.finish()?)
}

fn push_plan(
    plan: Plan,
    lines: &[usize],
    origin: Option<&Origin>,
    keys: &OwnedKeys,
    records: &mut Records<'_, StepRecord>,
) -> Result<(), Failure> {
    for step in plan.steps {
        // A table shows the changes, and the invitations that are kept although they have no row.
        if !(records.is_table() && step.action == Action::Keep && step.row.is_some()) {
            records.push(&StepRecord::new(step, lines).of(origin).with_keys(keys))?;
        }
    }
    Ok(())
}
