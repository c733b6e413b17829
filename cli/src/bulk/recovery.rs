//! Messages about people whose invitation was withdrawn and not created again.

use org_invitations::{InvitationId, NewInvitation, Roles};

use crate::{
    output::{escape_control, shell_quote},
    provider::ProviderContext,
};

/// Names the person who is not invited any more and the command that invites them.
pub(crate) fn recovery_message(
    provider: &ProviderContext,
    old: Option<&InvitationId>,
    invite: &NewInvitation,
    why: &str,
) -> String {
    let email = escape_control(&invite.email);
    let what = match old {
        Some(id) => format!("the invitation {id} was deleted"),
        None => "the invitation was deleted".to_owned(),
    };
    let refused = match &invite.roles {
        Some(Roles::Grants(grants)) if !grants.is_empty() => {
            ", with other roles if these are refused"
        }
        _ => "",
    };
    format!(
        "{email} IS NOT INVITED ANY MORE: {what}, and creating it again failed\n  {}\nto invite \
         {email} again, run{refused}:\n  {}",
        escape_control(why),
        recovery_command(provider, invite)
    )
}

/// The command that invites a person unless they are invited already.
pub(crate) fn recovery_command(provider: &ProviderContext, invite: &NewInvitation) -> String {
    create_command(provider, &[invite])
}

/// The command that gives a member, or an invited user, exactly these roles.
pub(crate) fn set_roles_command(provider: &ProviderContext, member: &str, roles: &Roles) -> String {
    let mut command = format!(
        "org-invitations {} members set-roles {}",
        provider.selection_flags(),
        shell_quote(member)
    );
    if let Roles::Grants(grants) = roles {
        for grant in grants {
            command += &format!(" --role {}", shell_quote(&grant.to_string()));
        }
    }
    command
}

/// The command that invites several people with the same options.
pub(crate) fn create_command(provider: &ProviderContext, people: &[&NewInvitation]) -> String {
    let emails = people.iter().map(|new| shell_quote(&new.email));
    let mut command = format!(
        "org-invitations {} create {}",
        provider.selection_flags(),
        emails.collect::<Vec<_>>().join(" ")
    );
    let Some(invite) = people.first() else {
        return command;
    };
    if let Some(auth_type) = &invite.auth_type {
        command += &format!(" --auth-type {}", shell_quote(auth_type.as_str()));
    }
    match &invite.roles {
        Some(Roles::Grants(grants)) => {
            for grant in grants {
                command += &format!(" --role {}", shell_quote(&grant.to_string()));
            }
        }
        Some(Roles::Legacy(role)) => command += &format!(" --legacy-role {}", shell_quote(role)),
        _ => {}
    }
    command + " --if-not-exists"
}

/// Names in the summary of a run those who have no invitation now. Their messages may be far above.
pub(crate) fn print_uninvited(emails: &[String]) {
    if !emails.is_empty() {
        let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
        let (count, names) = (emails.len(), emails.join(", "));
        eprintln!(
            "without an invitation now: {count}: {}",
            escape_control(&names)
        );
    }
}
