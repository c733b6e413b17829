//! What has to be seen before a step of a plan is reported as done: an answer alone is no evidence.

use futures_util::StreamExt;

use crate::{
    address::same_email,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, InvitationId, RoleAssignment, Roles},
    lookup::find,
    member::{MemberId, MemberProvider, MemberProviderExt as _},
    plan::Step,
    provider::InvitationProvider,
    role::RoleGrant,
};

/// Checks that whoever was invited meanwhile has the roles of the row.
pub(super) async fn expect_roles<P>(provider: &P, step: &Step, found: &Invitation) -> Result<()>
where
    P: InvitationProvider + ?Sized,
{
    let Some(Roles::Grants(requested)) = &step.roles else {
        return Ok(());
    };
    let has_users = provider.capabilities().gives_roles_to_users();
    let user = found.invited_user().filter(|_| has_users);
    let roles = match (&found.roles, user, provider.members()) {
        (Some(roles), _, _) => roles.clone(),
        (None, Some(user), Some(members)) => members.member_roles(&user).await?,
        _ => return Ok(()),
    };
    let Some(lacking) = lacking(requested, &roles) else {
        return Ok(());
    };
    let message = format!(
        "the person was invited meanwhile ({}), without the role {lacking}; plan again",
        found.id
    );
    let error = Error::new(ErrorKind::Incomplete, Operation::Create, message);
    let error = error.with_provider(provider.to_string());
    Err(error
        .with_target(&step.email)
        .with_conflicting_id(found.id.clone()))
}

/// The first role that is not there. One that a row names by a name that is not reported may be there by its id.
fn lacking<'a>(requested: &'a [RoleGrant], roles: &[RoleAssignment]) -> Option<&'a RoleGrant> {
    let mut requested = requested.iter();
    let lacking = requested.find(|grant| !roles.iter().any(|role| grant.is_met_by(role)));
    lacking.filter(|_| roles.iter().all(|role| role.name.is_some()))
}

/// Checks that who became a member meanwhile has the roles of the row.
pub(super) async fn expect_roles_of_member<P>(provider: &P, step: &Step) -> Result<()>
where
    P: InvitationProvider + ?Sized,
{
    let Some(Roles::Grants(requested)) = &step.roles else {
        return Ok(());
    };
    let fail = |why: &str, source: Option<Error>| {
        let message = format!("the person is a member meanwhile, and {why}; plan again");
        let error = Error::new(ErrorKind::Incomplete, Operation::Create, message);
        let error = error
            .with_provider(provider.to_string())
            .with_target(&step.email);
        Err(match source {
            Some(source) => error.with_source(source),
            None => error,
        })
    };
    let Some(members) = provider.members() else {
        return Ok(());
    };
    let read = async {
        let found = members.find_member(&step.email).await?;
        let Some(member) = found else { return Ok(None) };
        match member.roles {
            Some(roles) => Ok(Some(roles)),
            None => members.member_roles(&member.id).await.map(Some),
        }
    };
    match read.await {
        Ok(Some(roles)) => match lacking(requested, &roles) {
            Some(role) => fail(&format!("lacks the role {role}"), None),
            None => Ok(()),
        },
        Ok(None) => fail(
            "whom no list of members has, so the roles of the row were not given",
            None,
        ),
        Err(error) => fail(
            "whether with the roles of the row is not known",
            Some(error),
        ),
    }
}

/// Checks that an invitation is gone, after an answer that said so.
pub(super) async fn expect_gone<P>(provider: &P, id: &InvitationId, email: &str) -> Result<()>
where
    P: InvitationProvider + ?Sized,
{
    let missing = Error::new(ErrorKind::NotFound, Operation::Delete, "there is none");
    let found = match provider.get(id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            find(provider, email, &missing, None).await?
        }
        found => Some(found?),
    };
    let is_there = |found: &Invitation| found.id == *id && !found.is_void();
    if !found.as_ref().is_some_and(is_there) {
        return Ok(());
    }
    let message = format!(
        "the provider answers that there is no invitation {id}, and still lists it, so it was not withdrawn"
    );
    let error = Error::new(ErrorKind::Unexpected, Operation::Delete, message);
    Err(error.with_provider(provider.to_string()).with_target(email))
}

/// Checks that nobody accepted an invitation that is gone: on ClickHouse an accepted invitation disappears.
pub(super) async fn expect_no_member<P>(provider: &P, email: &str) -> Result<()>
where
    P: InvitationProvider + ?Sized,
{
    let capabilities = provider.capabilities();
    let members = provider.members();
    let members = members.filter(|_| capabilities.members && !capabilities.reports_status);
    let Some(members) = members else {
        return Ok(());
    };
    let found = match members.find_member(email).await {
        Ok(found) => found,
        // The server has no members.
        Err(error) if error.status() == Some(404) => None,
        Err(error) => return Err(error),
    };
    let Some(member) = found else {
        return Ok(());
    };
    let message = format!(
        "the person accepted the invitation before it was withdrawn, and is the member {} now; plan again",
        member.id
    );
    let error = Error::new(ErrorKind::AlreadyAccepted, Operation::Delete, message);
    Err(error.with_provider(provider.to_string()).with_target(email))
}

/// Removes a member, unless somebody else has the id now.
pub(super) async fn remove_member<P>(provider: &P, id: &MemberId, email: &str) -> Result<()>
where
    P: InvitationProvider + ?Sized,
{
    let members = members_of(provider, email)?;
    let outcome = match members.get_member(id).await {
        Ok(member) if same_email(&member.email, email) => members.remove_member(id).await,
        Ok(member) => {
            let message = format!(
                "the member {id} is {:?} now, and was not removed; plan again",
                member.email
            );
            let error = Error::new(ErrorKind::Conflict, Operation::RemoveMember, message);
            return Err(error.with_provider(provider.to_string()).with_target(email));
        }
        Err(error) => Err(error),
    };
    let missing = match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => error,
        outcome => return outcome,
    };
    // What is still listed is there, whatever an answer says.
    let mut list = members.list_members();
    while let Some(member) = list.next().await {
        if member?.id == *id {
            let message = format!(
                "the provider answers that there is no member {id}, and still lists the member, who was not removed"
            );
            let error = Error::new(ErrorKind::Unexpected, Operation::RemoveMember, message);
            let error = error.with_provider(provider.to_string()).with_target(email);
            return Err(error.with_source(missing));
        }
    }
    Ok(())
}

pub(super) fn members_of<'a, P>(provider: &'a P, email: &str) -> Result<&'a dyn MemberProvider>
where
    P: InvitationProvider + ?Sized,
{
    provider.members().ok_or_else(|| {
        let message = "the provider has no members";
        let error = Error::new(ErrorKind::Unsupported, Operation::Validate, message);
        error.with_provider(provider.to_string()).with_target(email)
    })
}
