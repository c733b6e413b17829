//! `members`: who belongs to an organisation, with which roles.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use clap::{Args, Subcommand};
use futures::StreamExt;
use org_invitations::{
    Action, Error, ErrorKind, Invitation, Member, MemberId, MemberProviderExt, NewInvitation,
    Operation, People, Plan, PlanOptions, RoleAssignment, RoleGrant, normalize_email,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::remove::{self, RemoveMembersArgs};
use crate::{
    apply::{key_owner, load_people},
    bulk::{Results, RunSummary, for_each_provider},
    cli::GlobalOptions,
    completion,
    failure::Failure,
    interrupt::{Interrupt, UNCHANGED},
    output::{Cell, LayoutOptions, MemberRecord, Output, Record, escape_control, role_names},
    provider::ProviderContext,
    providers::{self, Origin, Providers},
};

#[derive(Debug, Subcommand)]
pub(crate) enum MembersCommand {
    /// List the members of an organisation.
    #[command(after_help = "\
Examples:
  org-invitations -p confluent members list --roles
  org-invitations -p confluent -p clickhouse members list -o csv > members.csv
  org-invitations --all-profiles members list --roles -o csv > members.csv")]
    List(ListArgs),
    /// Show members by id or address.
    #[command(after_help = "\
Examples:
  org-invitations -p confluent members get u-7od91
  org-invitations -p clickhouse members get ann@example.com -o json")]
    Get(GetArgs),
    /// Give members exactly these roles: add what they lack, then take what is too much.
    #[command(after_help = "\
Examples:
  org-invitations -p clickhouse members set-roles ann@example.com --role Developer
  org-invitations -p confluent members set-roles u-7od91 \\
    --role MetricsViewer --role EnvironmentAdmin@env-123
  org-invitations -p confluent members set-roles u-7od91 --role MetricsViewer --dry-run

Nothing is taken from a member to whom a role could not be given. The changes are
printed as +role and -role.")]
    SetRoles(SetRolesArgs),
    /// Remove members from the organisation.
    #[command(after_help = "\
Examples:
  org-invitations -p clickhouse members remove ann@example.com
  org-invitations -p confluent members remove u-7od91 --delete-owned --yes

On Confluent everything that the user owns is deleted too, API keys included; the
command needs --delete-owned there, and lists the API keys, as far as the key in
use may read them. Nobody is removed who owns the key in use, who is named by
--keep, or without whom fewer than --min-admins members would be administrators.
The command prompts on a terminal; elsewhere it needs --yes.")]
    Remove(RemoveMembersArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Read the roles too (Confluent: all role bindings).
    #[arg(long)]
    pub roles: bool,
    #[command(flatten)]
    pub layout: LayoutOptions,
}

#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// The ids or addresses of members.
    #[arg(value_name = "ID|EMAIL", required = true, add = completion::members())]
    pub members: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SetRolesArgs {
    /// The ids or addresses of members.
    #[arg(value_name = "ID|EMAIL", required = true, add = completion::members())]
    pub members: Vec<String>,
    /// A role by name or id, on Confluent with its scope; repeat for several roles.
    #[arg(long, value_name = "NAME[@SCOPE]", required = true, add = completion::roles())]
    pub role: Vec<RoleGrant>,
    /// Print the changes, and make none.
    #[arg(long)]
    pub dry_run: bool,
    /// How many administrators have to remain among the members.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub min_admins: usize,
}

/// A change of a member's roles.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "RoleChange")]
pub(crate) struct RoleChangeRecord {
    /// `confluent`, `clickhouse` or `sandbox`.
    provider: String,
    /// The id of the member.
    id: MemberId,
    /// The address of the member.
    email: String,
    /// The roles that were given, or would be.
    added: Vec<String>,
    /// The roles that were taken, or would be.
    removed: Vec<String>,
    /// The roles that could not be given or taken; stderr says why.
    failed: Vec<String>,
}

impl Record for RoleChangeRecord {
    const TABLE: &'static [&'static str] = &["PROVIDER", "ID", "EMAIL", "CHANGE"];
    const CSV: &'static [&'static str] = &["provider", "id", "email", "added", "removed", "failed"];
    const WRAPPED: &'static [&'static str] = &["CHANGE"];
    const DROPPED: &'static [&'static str] = &["ID"];

    fn row(&self) -> Vec<Cell> {
        let added = self.added.iter().map(|role| format!("+{role}"));
        let removed = self.removed.iter().map(|role| format!("-{role}"));
        let mut change: Vec<String> = added.chain(removed).collect();
        change.extend(self.failed.iter().map(|role| format!("failed: {role}")));
        if change.is_empty() {
            change.push("unchanged".to_owned());
        }
        vec![
            Cell::new(&self.provider),
            Cell::new(self.id.as_str()),
            Cell::new(&self.email),
            Cell::new(change.join(" ")),
        ]
    }

    fn line(&self) -> Vec<String> {
        vec![
            self.provider.clone(),
            self.id.to_string(),
            self.email.clone(),
            self.added.join(";"),
            self.removed.join(";"),
            self.failed.join(";"),
        ]
    }
}

/// `members list`, of all selected providers.
pub(crate) async fn list(
    providers: Providers,
    args: &ListArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut records = args.layout.listing(providers.records(out), None)?;
    let mut summary = RunSummary::default();
    let read = async |provider: ProviderContext, results: Results<_>| {
        let mut roles = None;
        let mut members = provider.list_members();
        while let Some(member) = members.next().await {
            let mut member = match member {
                Ok(member) => member,
                Err(error) => {
                    results.send(Err(error.into())).await;
                    continue;
                }
            };
            if args.roles && member.roles.is_none() {
                if roles.is_none() {
                    roles = Some(provider.list_member_roles().await?);
                }
                let known = roles.as_mut().and_then(|roles| roles.remove(&member.id));
                member.roles = Some(known.unwrap_or_default());
            }
            results.send(Ok(member)).await;
        }
        Ok(())
    };
    let show = |origin: &Origin, member| {
        records.push(MemberRecord::of_organization(origin, member))?;
        Ok(ControlFlow::Continue(()))
    };
    let outcome = for_each_provider(providers, interrupt, &mut summary, read, show).await;
    records.finish_after(outcome)?;
    summary.finish()
}

/// Runs a subcommand on the providers that it accepts.
pub(crate) async fn run(
    global: &GlobalOptions,
    command: MembersCommand,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    match command {
        MembersCommand::List(args) => {
            let providers = providers::selected(global).await?;
            list(providers, &args, interrupt, out).await
        }
        MembersCommand::Get(args) => {
            let provider = providers::single(global).await?;
            get(&provider, &args, interrupt, out).await
        }
        MembersCommand::SetRoles(args) => {
            let selected = providers::select_one(global)?;
            for role in &args.role {
                role.validate()?;
            }
            set_roles(&selected.connect().await?, &args, interrupt, out).await
        }
        MembersCommand::Remove(args) => {
            let selected = providers::select_one(global)?;
            args.options.check()?;
            remove::run_members(&selected.connect().await?, args, interrupt, out).await
        }
    }
}

async fn get(
    provider: &ProviderContext,
    args: &GetArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut records = out.records().without_first_column();
    let mut summary = RunSummary::default();
    for wanted in &args.members {
        let find = async {
            let mut member = find(provider, wanted).await?;
            if member.roles.is_none() {
                member.roles = Some(provider.member_roles(&member.id).await?);
            }
            Ok::<_, Failure>(member)
        };
        let found = match summary.attempt(interrupt, UNCHANGED, find).await {
            Ok(found) => found,
            Err(failure) => return records.finish_after(Err(failure)),
        };
        if let Some(member) = found {
            records.push(&MemberRecord::new(&provider.label, member))?;
            summary.record_success();
        }
    }
    records.finish()?;
    summary.finish()
}

async fn set_roles(
    provider: &ProviderContext,
    args: &SetRolesArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    out.ignore_broken_pipe();
    let mut summary = RunSummary::default();
    let mut chosen: Vec<Member> = Vec::new();
    let people = load_people(provider, &[], true, interrupt).await?;
    for wanted in &args.members {
        match remove::find_member(&people.members, wanted) {
            Ok(found) => chosen.push(found.clone()),
            Err(why) => {
                // Who is invited has roles too on Confluent, and is in no list of members.
                if let Some(invited) = invited_user(&people, wanted) {
                    chosen.push(invited);
                    continue;
                }
                let error = Error::new(ErrorKind::NotFound, Operation::ListMembers, why);
                let error = error
                    .with_provider(provider.to_string())
                    .with_target(wanted);
                summary.report_failure(&error.into());
            }
        }
    }
    let mut seen = HashSet::new();
    chosen.retain(|member| seen.insert(member.id.clone()));
    let refused = refused_changes(provider, people, &chosen, args, interrupt).await?;
    let mut records = out.records().without_first_column();
    for member in chosen {
        if let Some(why) = refused.get(&member.id) {
            summary.report_failure(&Failure::Usage(format!(
                "{}: {} ({}) keeps the roles: {}",
                provider.name(),
                escape_control(&member.email),
                member.id,
                escape_control(why)
            )));
            continue;
        }
        let left = match args.dry_run {
            true => UNCHANGED.to_owned(),
            false => format!(
                "roles of {} may have been changed, and those of later members were not: check with \
                 `org-invitations {} members get {}`",
                escape_control(&member.email),
                provider.selection_flags(),
                member.id
            ),
        };
        let change = change(provider, member, args);
        let changed = match summary.attempt(interrupt, &left, change).await {
            Ok(changed) => changed,
            Err(failure) => return records.finish_after(Err(failure)),
        };
        if let Some((record, failures)) = changed {
            records.push(&record)?;
            match failures.is_empty() {
                true => summary.record_success(),
                false => failures
                    .iter()
                    .for_each(|failure| summary.report_failure(failure)),
            }
        }
    }
    records.finish()?;
    summary.finish()
}

/// The user with this id whom a pending invitation created.
fn invited_user(people: &People, id: &str) -> Option<Member> {
    let is_user = |one: &&Invitation| one.user.as_ref().is_some_and(|user| user.id == id);
    let invitation = people.invitations.iter().find(is_user)?;
    let id = MemberId::new(id).ok().filter(|_| invitation.is_pending())?;
    Some(Member::new(id, &invitation.email))
}

/// Why roles are not changed, by member: a plan of the same changes says so of the owner of the key in use, and of the
/// last administrators.
async fn refused_changes(
    provider: &ProviderContext,
    mut people: People,
    chosen: &[Member],
    args: &SetRolesArgs,
    interrupt: &Interrupt,
) -> Result<HashMap<MemberId, String>, Failure> {
    let ids: HashSet<&MemberId> = chosen.iter().map(|member| &member.id).collect();
    let addresses: HashSet<String> = chosen
        .iter()
        .map(|member| normalize_email(&member.email))
        .collect();
    // Another member of the same address is not meant.
    people
        .members
        .retain(|one| ids.contains(&one.id) || !addresses.contains(&normalize_email(&one.email)));
    let options = PlanOptions::default()
        .min_admins(args.min_admins)
        .owner(key_owner(provider, interrupt).await?);
    let rows = chosen
        .iter()
        .map(|member| NewInvitation::new(&member.email).roles(&args.role));
    let members = People::new(Vec::new(), people.members);
    let plan = Plan::of_people(rows, members, &provider.capabilities(), &options);
    let invalid = plan
        .steps
        .into_iter()
        .filter(|step| step.action == Action::Invalid);
    let refused = invalid.filter_map(|step| {
        let member = chosen.get(step.row?)?;
        Some((member.id.clone(), step.reason.unwrap_or_default()))
    });
    Ok(refused.collect())
}

/// Changes the roles of one member, or tells what would be changed.
async fn change(
    provider: &ProviderContext,
    member: Member,
    args: &SetRolesArgs,
) -> Result<(RoleChangeRecord, Vec<Failure>), Failure> {
    let mut record = RoleChangeRecord {
        provider: provider.label.clone(),
        id: member.id.clone(),
        email: member.email.clone(),
        added: Vec::new(),
        removed: Vec::new(),
        failed: Vec::new(),
    };
    if args.dry_run {
        // What the change would refuse, its preview does not pass.
        let new = NewInvitation::new(&member.email).roles(&args.role);
        if let Err(error) = provider.check(&new).await {
            return Err(as_role_change(error, provider, &member).into());
        }
        let roles: Vec<RoleAssignment> = match member.roles {
            Some(roles) => roles,
            None => provider.member_roles(&member.id).await?,
        };
        let lacks = |grant: &&RoleGrant| !roles.iter().any(|role| grant.is_met_by(role));
        let added = args.role.iter().filter(lacks).map(ToString::to_string);
        record.added = added.collect();
        let is_kept = |role: &&RoleAssignment| args.role.iter().any(|grant| grant.is_met_by(role));
        record.removed = role_names(roles.iter().filter(|role| !is_kept(role)));
        return Ok((record, Vec::new()));
    }
    let change = provider.set_roles(&member.id, &args.role).await?;
    record.added = role_names(&change.added);
    record.removed = role_names(&change.removed);
    record.failed = change
        .failed
        .iter()
        .map(|one| one.grant.to_string())
        .collect();
    let failures = change.failed.into_iter().map(|one| one.error.into());
    Ok((record, failures.collect()))
}

/// The refusal of an invitation with roles that cannot be given, as that of the change of roles.
fn as_role_change(error: Error, provider: &ProviderContext, member: &Member) -> Error {
    if error.status().is_some() || error.operation() != Operation::Create {
        return error;
    }
    Error::new(error.kind(), Operation::GrantRole, error.message())
        .with_provider(provider.to_string())
        .with_target(member.id.as_str())
}

/// Finds a member by id or address: ids have no `@`.
async fn find(provider: &ProviderContext, wanted: &str) -> Result<Member, Error> {
    if !wanted.contains('@') {
        return provider.get_member(&MemberId::new(wanted)?).await;
    }
    let found = provider.find_member(wanted).await?;
    found.ok_or_else(|| {
        let message = "no member has this address";
        Error::new(ErrorKind::NotFound, Operation::ListMembers, message)
            .with_provider(provider.to_string())
            .with_target(wanted)
    })
}
