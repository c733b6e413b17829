//! `create`: invite people.

use std::collections::HashSet;

use clap::Args;
use org_invitations::{
    Error, ErrorKind, InvitationProviderExt, InvitationStatus, NewInvitation, RoleGrant,
    normalize_email,
};

use super::value_parsers;
use crate::{
    bulk::{PauseOptions, RunSummary, create_command, for_each_concurrent},
    completion,
    failure::Failure,
    interrupt::Interrupt,
    output::{InvitationRecord, Output, Shape, escape_control},
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

One address prints a JSON object, several print an array. An option that the
provider does not support is rejected before anything is sent. A role has a name
or, on ClickHouse, an id (`roles list` shows both). On Confluent a role may have
a scope: env-1, env-1/lkc-2, env-1/lkc-2/topic=NAME, env-1/lsrc-3/subject=NAME or
a whole crn://…; without one it is the organisation. Roles are bound after the
invitation there: if one fails, the command says which, and with --if-not-exists
the same command completes it.")]
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
    out.ignore_broken_pipe();
    let mut records = out.records(Shape::of(&people)).without_first_column();
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
                    return provider.create(new).await.map(Some);
                }
                match provider.get_or_create(new).await {
                    // A member has no invitation.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        print_member_note(&error);
                        Ok(None)
                    }
                    created => created.map(Some),
                }
            }
        },
        |_, invitation| {
            let Some(invitation) = invitation else {
                return Ok(());
            };
            if args.if_not_exists {
                print_status_note(&invitation.email, invitation.status.as_ref());
            }
            records.push(&InvitationRecord::new(&provider.label, invitation))?;
            records.flush_lines()
        },
    )
    .await;
    records.finish()?;
    outcome?;
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
