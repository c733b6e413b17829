//! `create`: invite people.

use std::collections::HashSet;

use clap::Args;
use org_invitations::{
    Action, Error, ErrorKind, Invitation, InvitationProviderExt, InvitationStatus, MemberId,
    MemberProviderExt, NewInvitation, Operation, Plan, PlanOptions, RoleAssignment, RoleGrant,
    Roles, normalize_email,
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

One address prints a JSON object, several print an array. An option that the
provider does not support is rejected before anything is sent. A role has a name
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
                match provider.create_if_not_exists(new).await {
                    // A member has no invitation.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        print_member_note(&error);
                        complete_roles(provider, &email, None, roles).await?;
                        Ok(None)
                    }
                    Err(error) => Err(error),
                    Ok((found, is_new)) => {
                        if !is_new {
                            complete_roles(provider, &email, Some(&found), roles).await?;
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
    found: Option<&Invitation>,
    roles: Option<Roles>,
) -> Result<(), Error> {
    let capabilities = provider.capabilities();
    let Some(Roles::Grants(grants)) = roles.filter(|_| capabilities.members) else {
        return Ok(());
    };
    let lacks = |roles: &[RoleAssignment]| {
        let lacking = grants
            .iter()
            .find(|grant| !roles.iter().any(|role| grant.is_met_by(role)));
        lacking.cloned()
    };
    let user = found.and_then(|found| found.user.as_ref());
    let user = user.and_then(|user| MemberId::new(user.id.as_str()).ok());
    let (lacking, remedy) = match (found, user) {
        (Some(_), Some(user)) if capabilities.role_scopes => {
            return provider
                .grant_roles(&user, &grants)
                .await?
                .complete()
                .map(drop);
        }
        (Some(found), _) => {
            let reported = found.roles.as_deref();
            (
                reported.and_then(lacks),
                "`apply` gives the roles of a roster",
            )
        }
        (None, _) => {
            let Some(member) = provider.find_member(email).await? else {
                return Ok(());
            };
            let roles = provider.member_roles(&member.id).await?;
            (lacks(&roles), "`members set-roles` gives others")
        }
    };
    let Some(lacking) = lacking else {
        return Ok(());
    };
    let message = format!("the person exists already, without the role {lacking}; {remedy}");
    let error = Error::new(ErrorKind::AlreadyExists, Operation::Create, message);
    Err(error.with_provider(provider.to_string()).with_target(email))
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
    let mut plan = Plan::of_people(people, existing, &provider.capabilities(), &options);
    for step in &mut plan.steps {
        // An existing invitation is not renewed, and nobody's roles are changed.
        if !matches!(step.action, Action::Create | Action::Invalid) {
            step.action = Action::Keep;
            step.reason = Some("invited or a member already".to_owned());
        }
        match step.action {
            Action::Create => summary.record_success(),
            Action::Keep if if_not_exists => summary.record_success(),
            _ => summary.record_failure(Exit::Failed),
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
