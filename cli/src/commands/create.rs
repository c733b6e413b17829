//! `create`: invite people.

use std::collections::HashSet;

use clap::Args;
use org_invitations::{
    Action, AuthType, Error, ErrorKind, Invitation, InvitationProviderExt, InvitationStatus,
    MemberId, MemberProviderExt, NewInvitation, Operation, People, Plan, PlanOptions,
    RoleAssignment, RoleGrant, Roles, Step, normalize_email,
};

use super::value_parsers;
use crate::{
    apply::{StepRecord, count_actions, load_people},
    bulk::{PauseOptions, RunSummary, create_command, for_each_concurrent},
    completion,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{CreatedRecord, InvitationRecord, Output, escape_control},
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent create ann@example.com bob@example.com
  org-invitations -p confluent create ann@example.com --auth-type sso
  org-invitations -p clickhouse create ann@example.com --role Developer
  org-invitations -p confluent create ann@example.com --role EnvironmentAdmin@env-123
  org-invitations -p confluent create ann@example.com --if-not-exists -o json
  org-invitations -p clickhouse create ann@example.com --role Developer --dry-run

With -o json the command prints an array. An option that the provider does not
support is rejected before anything is sent. A role has a name
or, on ClickHouse, an id (`roles list` shows both). On Confluent a role may have
a scope: env-1, env-1/lkc-2, env-1/lkc-2/topic=NAME, env-1/lsrc-3/subject=NAME or
a whole crn://…; without one it is the organisation. Roles are bound after the
invitation there: if one fails, the command says which, and with --if-not-exists
the same command completes it. With --if-not-exists, `created` in the records
tells who is newly invited.")]
pub(crate) struct CreateArgs {
    /// The addresses to invite.
    #[arg(value_name = "EMAIL", required = true)]
    pub emails: Vec<String>,
    /// How the invitees log in: local or sso (Confluent).
    #[arg(long, value_name = "TYPE", add = completion::words(&value_parsers::AUTH_TYPES))]
    pub auth_type: Option<String>,
    /// A role by name or id, on Confluent with its scope; repeat for several roles.
    #[arg(
        long, alias = "role-id", value_name = "NAME[@SCOPE]",
        add = completion::roles()
    )]
    pub role: Vec<RoleGrant>,
    /// The deprecated single role: admin or developer (ClickHouse).
    #[arg(long, value_name = "ROLE", conflicts_with = "role")]
    pub legacy_role: Option<String>,
    /// Succeed if the invitation already exists, and print it.
    #[arg(long, alias = "if-absent")]
    pub if_not_exists: bool,
    /// Show who would be invited, without inviting anybody.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub pause: PauseOptions,
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: CreateArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let auth_type = args.auth_type.as_deref().map(value_parsers::auth_type);
    let mut seen = HashSet::new();
    let mut people = Vec::new();
    for email in args.emails {
        if !seen.insert(normalize_email(&email)) {
            eprintln!("warning: {email} is given more than once; it is invited once");
            continue;
        }
        let mut new = NewInvitation::new(email);
        new.auth_type.clone_from(&auth_type);
        if !args.role.is_empty() {
            new = new.roles(&args.role);
        }
        if let Some(role) = &args.legacy_role {
            new = new.legacy_role(role);
        }
        new.validate()?;
        people.push(new);
    }
    if args.dry_run {
        return show_planned(provider, people, args.if_not_exists, interrupt, out).await;
    }
    out.ignore_broken_pipe();
    let mut records = out.records().without_first_column();
    let mut summary = RunSummary::default();
    let outcome = for_each_concurrent(
        provider,
        &people,
        args.pause.outage(provider),
        |remaining| create_command(provider, remaining),
        interrupt,
        &mut summary,
        |new| new.email.clone(),
        |new| {
            let new = new.clone();
            async move {
                if !args.if_not_exists {
                    let created = provider.create(new).await?;
                    return Ok(Some((created, None)));
                }
                let (email, roles) = (new.email.clone(), new.roles.clone());
                let auth_type = new.auth_type.clone();
                match provider.create_if_not_exists(new).await {
                    // A member has no invitation.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        print_member_note(&error);
                        complete_roles(provider, &email, None, roles).await?;
                        Ok(None)
                    }
                    Err(error) => Err(error),
                    Ok((mut found, is_new)) => {
                        if !is_new {
                            check_auth_type(provider, &found, auth_type.as_ref())?;
                            complete_roles(provider, &email, Some(&mut found), roles).await?;
                        }
                        Ok(Some((found, Some(is_new))))
                    }
                }
            }
        },
        |_, invitation| {
            let Some((invitation, created)) = invitation else {
                return Ok(());
            };
            if args.if_not_exists {
                print_status_note(&invitation.email, invitation.status.as_ref());
            }
            let record = InvitationRecord::new(&provider.label, invitation);
            records.push(&CreatedRecord { record, created })?;
            records.flush_lines()
        },
    )
    .await;
    records.finish()?;
    outcome?;
    summary.finish()
}

/// Gives the user of an existing invitation, accepted or not, the roles that lack, where roles are given to users.
///
/// # Errors
///
/// A member, or an invitation that cannot be changed, lacks a role; or a role could not be given.
async fn complete_roles(
    provider: &ProviderContext,
    email: &str,
    found: Option<&mut Invitation>,
    roles: Option<Roles>,
) -> Result<(), Error> {
    let capabilities = provider.capabilities();
    let Some(Roles::Grants(grants)) = roles.filter(|_| capabilities.members) else {
        return Ok(());
    };
    let lacks = |roles: &[RoleAssignment]| lacking(&grants, roles).next().cloned();
    let user = found.as_ref().and_then(|found| found.user.as_ref());
    let user = user.and_then(|user| MemberId::new(user.id.as_str()).ok());
    let (lacking, remedy) = match (found, user) {
        (Some(found), Some(user)) if capabilities.role_scopes => {
            let _ = provider.grant_roles(&user, &grants).await?.complete()?;
            // The roles are no part of the invitation there.
            found.roles = provider.member_roles(&user).await.ok();
            return Ok(());
        }
        (Some(found), _) => (found.roles.as_deref().and_then(lacks), BY_APPLY),
        (None, _) => {
            let Some(member) = provider.find_member(email).await? else {
                return Ok(());
            };
            let roles = provider.member_roles(&member.id).await?;
            (lacks(&roles), BY_SET_ROLES)
        }
    };
    let Some(lacking) = lacking else {
        return Ok(());
    };
    let message = without_role(&lacking, remedy);
    let error = Error::new(ErrorKind::AlreadyExists, Operation::Create, message);
    Err(error.with_provider(provider.to_string()).with_target(email))
}

/// How an invitation or a member gets the roles that lack.
const BY_APPLY: &str = "`apply` gives the roles of a roster";
const BY_SET_ROLES: &str = "`members set-roles` gives others";

fn without_role(lacking: &RoleGrant, remedy: &str) -> String {
    format!("the person exists already, without the role {lacking}; {remedy}")
}

/// The grants that none of the roles meets.
fn lacking<'g>(
    grants: &'g [RoleGrant],
    roles: &[RoleAssignment],
) -> impl Iterator<Item = &'g RoleGrant> {
    let lacks = |grant: &&RoleGrant| !roles.iter().any(|role| grant.is_met_by(role));
    grants.iter().filter(lacks)
}

/// Why an existing invitation is not the requested one, if their auth types differ.
fn other_auth_type(found: &Invitation, requested: Option<&AuthType>) -> Option<String> {
    let (requested, found) = (requested?, found.auth_type.as_ref()?);
    let differs = requested != found;
    differs.then(|| {
        format!(
            "the person is invited already, with the auth type {found}; `apply` renews with another one"
        )
    })
}

/// # Errors
///
/// The existing invitation has another auth type than the requested one.
fn check_auth_type(
    provider: &ProviderContext,
    found: &Invitation,
    requested: Option<&AuthType>,
) -> Result<(), Error> {
    let Some(why) = other_auth_type(found, requested) else {
        return Ok(());
    };
    let error = Error::new(ErrorKind::AlreadyExists, Operation::Create, why);
    Err(error
        .with_provider(provider.to_string())
        .with_target(&found.email))
}

/// Shows what `create` would do. Without --if-not-exists, it fails for those who are invited or members already.
async fn show_planned(
    provider: &ProviderContext,
    people: Vec<NewInvitation>,
    if_not_exists: bool,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut summary = RunSummary::default();
    for new in &people {
        // What concerns one person, such as an unknown role, concerns all: they have the same options.
        let check = async { Ok(provider.check(new).await?) };
        interrupt.or_interrupted(check).await?;
    }
    let existing = load_people(provider, &people, false, interrupt).await?;
    let options = PlanOptions::default();
    let capabilities = provider.capabilities();
    let mut plan = Plan::of_people(people, existing.clone(), &capabilities, &options);
    for step in &mut plan.steps {
        let succeeds = match step.action {
            Action::Create => true,
            // A row is invalid too if it would take something from a member, which `create` does not.
            Action::Invalid if !exists(step, &existing) => false,
            _ => show_existing(step, &existing, capabilities.role_scopes) && if_not_exists,
        };
        match succeeds {
            true => summary.record_success(),
            false => summary.record_failure(Exit::Failed),
        }
    }
    eprintln!("{}: {}", provider.name(), count_actions(&plan));
    let mut records = out.records();
    for step in plan.steps {
        records.push(&StepRecord::new(step, &[]))?;
    }
    records.finish()?;
    summary.finish()
}

fn exists(step: &Step, existing: &People) -> bool {
    let person = existing.find(&step.email);
    !person.invitations.is_empty() || !person.members.is_empty()
}

/// Turns the step of somebody who exists into what `create --if-not-exists` does: an existing invitation is not renewed,
/// and roles are only given, to users whom an invitation created. False if that fails.
fn show_existing(step: &mut Step, existing: &People, gives_roles: bool) -> bool {
    let invitation = step.id.as_ref();
    let invitation =
        invitation.and_then(|id| existing.invitations.iter().find(|one| one.id == *id));
    let email = normalize_email(&step.email);
    let mut members = existing.members.iter();
    let member = members.find(|one| normalize_email(&one.email) == email);
    let roles = match invitation {
        Some(invitation) => invitation.roles.as_deref(),
        None => member.and_then(|member| member.roles.as_deref()),
    };
    let lacking: Vec<RoleGrant> = match (&step.roles, roles) {
        (Some(Roles::Grants(grants)), Some(roles)) => lacking(grants, roles).cloned().collect(),
        _ => Vec::new(),
    };
    step.action = Action::Keep;
    step.role_changes.clear();
    step.previous = None;
    let auth_type = step.auth_type.as_ref();
    let other = invitation.and_then(|found| other_auth_type(found, auth_type));
    let (why, succeeds) = match (other, lacking.first(), invitation) {
        (Some(why), _, _) => (why, false),
        (None, None, _) => ("invited or a member already".to_owned(), true),
        (None, Some(_), Some(found)) if gives_roles && found.user.is_some() => {
            step.action = Action::SetRoles;
            step.role_changes = lacking.iter().map(|grant| format!("+{grant}")).collect();
            ("invited already".to_owned(), true)
        }
        (None, Some(first), Some(_)) => (without_role(first, BY_APPLY), false),
        (None, Some(first), None) => (without_role(first, BY_SET_ROLES), false),
    };
    step.reason = Some(why);
    succeeds
}

/// Reports that a member needs no invitation.
fn print_member_note(error: &Error) {
    let email = error.target().unwrap_or_default();
    eprintln!(
        "note: {} needs no invitation: {}",
        escape_control(email),
        escape_control(error.message())
    );
}

/// Reports that an existing invitation is of no use.
fn print_status_note(email: &str, status: Option<&InvitationStatus>) {
    let email = escape_control(email);
    match status {
        Some(InvitationStatus::Expired) => eprintln!(
            "note: the invitation of {email} has expired; `org-invitations renew` sends it again"
        ),
        Some(InvitationStatus::Accepted) => {
            eprintln!("note: {email} has accepted, and is a member");
        }
        Some(InvitationStatus::Deactivated) => {
            eprintln!("note: the invitation of {email} was withdrawn");
        }
        _ => {}
    }
}
