//! Reads the people that a plan is about.

use futures::TryStreamExt;
use org_invitations::{
    Error, ErrorKind, Invitation, InvitationProviderExt, ListQuery, Member, MemberId,
    MemberProviderExt, NewInvitation, People, Roles,
};

use crate::{
    failure::Failure, interrupt::Interrupt, output::escape_control, provider::ProviderContext,
};

/// Reads all invitations and members, and their roles if a row gives roles. Members that the key may not read are left
/// out with a warning, unless `needs_members`.
pub(crate) async fn load_people(
    provider: &ProviderContext,
    rows: &[NewInvitation],
    needs_members: bool,
    interrupt: &Interrupt,
) -> Result<People, Failure> {
    let invitations = interrupt.or_interrupted(list_invitations(provider)).await?;
    let mut people = People::new(invitations, Vec::new());
    if !provider.capabilities().members {
        return match needs_members {
            false => Ok(people),
            true => Err(Failure::Usage(format!(
                "{}: this build cannot list members, so it cannot remove any. Nothing was sent",
                provider.name()
            ))),
        };
    }
    let members = async { Ok(list_members(provider).await) };
    match interrupt.or_interrupted(members).await? {
        Ok(members) => people.members = members,
        Err(error) if is_closed(&error) && !needs_members => {
            warn(
                provider,
                "members are not known, so whoever accepted may be planned as new",
                &error,
            );
            return Ok(people);
        }
        Err(error) => return Err(error.into()),
    }
    if needs_members || rows.iter().any(gives_roles) {
        let roles = async { Ok(people.load_roles(&**provider).await) };
        match interrupt.or_interrupted(roles).await? {
            Ok(()) => {}
            Err(error) if is_closed(&error) && !needs_members => {
                warn(
                    provider,
                    "the roles of members are not known, and are not compared",
                    &error,
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(people)
}

/// Whether a row gives roles by name or id.
pub(crate) fn gives_roles(new: &NewInvitation) -> bool {
    matches!(new.roles, Some(Roles::Grants(_)))
}

/// The member who owns the API key in use, if that is known. A key that may not read itself is a warning.
pub(crate) async fn key_owner(
    provider: &ProviderContext,
    interrupt: &Interrupt,
) -> Result<Option<MemberId>, Failure> {
    let owner = async { Ok(provider.key_owner().await) };
    match interrupt.or_interrupted(owner).await? {
        Ok(owner) => Ok(owner),
        Err(error) if is_closed(&error) => {
            warn(
                provider,
                "the owner of the API key in use is not known, so only --keep protects the owner",
                &error,
            );
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn warn(provider: &ProviderContext, what: &str, error: &Error) {
    let why = escape_control(&error.to_string()).into_owned();
    eprintln!("warning: {}: {what}: {why}", provider.name());
}

/// Whether the key may not read something, or the server does not have it.
fn is_closed(error: &Error) -> bool {
    let is_missing = matches!(error.status(), Some(404 | 405 | 501));
    is_missing
        || matches!(
            error.kind(),
            ErrorKind::PermissionDenied | ErrorKind::Unsupported
        )
}

/// Lists every invitation, without the fields that a plan does not need. An unreadable item fails the list, because it
/// may be one that the plan needs.
pub(crate) async fn list_invitations(
    provider: &ProviderContext,
) -> Result<Vec<Invitation>, Failure> {
    let needs_user = provider.capabilities().role_scopes;
    // The first invitation identifies the organisation.
    let mut is_first = true;
    let reduce = move |mut invitation: Invitation| {
        invitation.extra = Default::default();
        if !std::mem::take(&mut is_first) {
            invitation.creator = None;
            invitation.user = invitation.user.filter(|_| needs_user);
        }
        invitation
    };
    let all = provider.list(ListQuery::new()).map_ok(reduce);
    all.try_collect().await.map_err(Failure::from)
}

async fn list_members(provider: &ProviderContext) -> Result<Vec<Member>, Error> {
    let reduce = |mut member: Member| {
        member.extra = Default::default();
        member
    };
    provider.list_members().map_ok(reduce).try_collect().await
}
