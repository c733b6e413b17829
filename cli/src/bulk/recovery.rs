//! Messages about people whose invitation was withdrawn and not created again.

use org_invitations::{InvitationId, NewInvitation, Roles};

use crate::{
    output::{escape_control, shell_quote},
    provider::ProviderContext,
};

/// Names the person who is not invited any more, or may not be, and the command that invites them.
pub(crate) fn recovery_message(
    provider: &ProviderContext,
    old: Option<&InvitationId>,
    invite: &NewInvitation,
    why: &str,
    may_be_invited: bool,
) -> String {
    let email = escape_control(&invite.email);
    let old = old.map_or_else(String::new, |id| format!(" {id}"));
    let what = match may_be_invited {
        false => format!(
            "IS NOT INVITED ANY MORE: the invitation{old} was deleted, and creating it again failed"
        ),
        true => format!(
            "MAY NOT BE INVITED ANY MORE: it is unknown whether the invitation{old} was deleted and created again"
        ),
    };
    let refused = match &invite.roles {
        Some(Roles::Grants(grants)) if !grants.is_empty() => {
            ", with other roles if these are refused"
        }
        _ => "",
    };
    format!(
        "{email} {what}\n  {}\nto invite {email} again, run{refused}:\n  {}",
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

/// Those who have no invitation now, or may have none.
#[derive(Debug, Default)]
pub(crate) struct Uninvited {
    surely: Vec<String>,
    perhaps: Vec<String>,
}

impl Uninvited {
    pub fn push(&mut self, email: &str, may_be_invited: bool) {
        let list = match may_be_invited {
            true => &mut self.perhaps,
            false => &mut self.surely,
        };
        list.push(email.to_owned());
    }

    /// Names them in the summary of a run. Their messages may be far above.
    pub fn print(&self) {
        for (what, emails) in [
            ("without an invitation now", &self.surely),
            ("perhaps without an invitation now", &self.perhaps),
        ] {
            if !emails.is_empty() {
                let (count, names) = (emails.len(), emails.join(", "));
                eprintln!("{what}: {count}: {}", escape_control(&names));
            }
        }
    }
}
