//! What to say of a person whose invitation was withdrawn and not made again.

use org_invitations::{InvitationId, NewInvitation, Roles};

use crate::{
    output::visible,
    provider::{Connected, shell_word},
};

/// Says who is not invited any more, and how to invite them.
pub(crate) fn recovery_message(
    provider: &Connected,
    old: Option<&InvitationId>,
    invite: &NewInvitation,
    why: &str,
) -> String {
    let email = visible(&invite.email);
    let what = match old {
        Some(id) => format!("the invitation {id} was deleted"),
        None => "the invitation was deleted".to_owned(),
    };
    let refused = match &invite.roles {
        Some(Roles::Ids(ids)) if !ids.is_empty() => ", with other roles if these are refused",
        _ => "",
    };
    format!(
        "{email} IS NOT INVITED ANY MORE: {what}, and creating it again failed\n  {}\nto invite \
         {email} again, run{refused}:\n  {}",
        visible(why),
        recovery_command(provider, invite)
    )
}

/// The command that invites a person, if nobody has.
pub(crate) fn recovery_command(provider: &Connected, invite: &NewInvitation) -> String {
    create_command(provider, &[invite])
}

/// The same for several people with the same options.
pub(crate) fn create_command(provider: &Connected, people: &[&NewInvitation]) -> String {
    let emails = people.iter().map(|new| shell_word(&new.email));
    let mut command = format!(
        "org-invitations {} create {}",
        provider.flag(),
        emails.collect::<Vec<_>>().join(" ")
    );
    let Some(invite) = people.first() else {
        return command;
    };
    if let Some(auth_type) = &invite.auth_type {
        command += &format!(" --auth-type {}", shell_word(auth_type.as_str()));
    }
    match &invite.roles {
        Some(Roles::Ids(ids)) => {
            for id in ids {
                command += &format!(" --role-id {}", shell_word(id));
            }
        }
        Some(Roles::Legacy(role)) => command += &format!(" --role {}", shell_word(role)),
        _ => {}
    }
    command + " --if-absent"
}
