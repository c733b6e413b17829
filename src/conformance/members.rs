//! Behaviours of members and their roles. Those that need a member pass without one: see [`TestContext::accept`].

use futures_util::TryStreamExt;

use super::{
    TestContext,
    assertions::{ensure, ensure_eq, ensure_fails},
    report::{CaseResult, FailReason},
};
use crate::{
    error::ErrorKind,
    invitation::{NewInvitation, RoleAssignment},
    member::{Member, MemberProvider, MemberProviderExt},
    role::{RoleChange, RoleGrant},
};

pub(super) async fn members_are_listed_or_unsupported(context: &TestContext<'_>) -> CaseResult {
    let is_offered = context.provider.capabilities().members;
    match (context.provider.members(), is_offered) {
        (None, false) => Ok(()),
        (None, true) => Err(FailReason(
            "the capabilities offer members, and `members` returns none".to_owned(),
        )),
        (Some(members), true) => {
            let all: Vec<Member> = members.list_members().try_collect().await?;
            let mut ids: Vec<_> = all.iter().map(|member| &member.id).collect();
            ids.sort();
            ids.dedup();
            ensure_eq("the number of different ids", ids.len(), all.len())
        }
        (Some(members), false) => {
            let listed = members.list_members_page(None);
            let outcome = context.without_a_request(listed).await?;
            ensure_fails("the list", outcome, ErrorKind::Unsupported).map(drop)
        }
    }
}

pub(super) async fn who_accepts_is_a_member(context: &TestContext<'_>) -> CaseResult {
    let Some((members, member)) = context.join().await? else {
        return Ok(());
    };
    let all: Vec<Member> = members.list_members().try_collect().await?;
    let listed = all.iter().filter(|one| one.id == member.id).count();
    ensure_eq(
        "the number of times that the list has the member",
        listed,
        1,
    )?;
    let read = members.get_member(&member.id).await?;
    ensure_eq(
        "the address",
        read.email.to_lowercase(),
        member.email.to_lowercase(),
    )?;
    let capitals = members.find_member(&member.email.to_uppercase()).await?;
    ensure_eq(
        "the member found",
        capitals.map(|one| one.id),
        Some(member.id),
    )
}

pub(super) async fn a_member_cannot_be_invited(context: &TestContext<'_>) -> CaseResult {
    let Some((_, member)) = context.join().await? else {
        return Ok(());
    };
    let outcome = context.create(NewInvitation::new(&member.email)).await;
    ensure_fails(
        "an invitation of a member",
        outcome,
        ErrorKind::AlreadyExists,
    )
    .map(drop)
}

pub(super) async fn a_removed_member_is_gone(context: &TestContext<'_>) -> CaseResult {
    let Some((members, member)) = context.join().await? else {
        return Ok(());
    };
    members.remove_member(&member.id).await?;
    let read = members.get_member(&member.id).await;
    ensure_fails("get after the removal", read, ErrorKind::NotFound)?;
    let second = members.remove_member(&member.id).await;
    ensure_fails("the second removal", second, ErrorKind::NotFound)?;
    let found = members.find_member(&member.email).await?;
    ensure_eq("the member found", found, None)?;
    // The address is free again.
    context
        .create(NewInvitation::new(&member.email))
        .await
        .map(drop)?;
    Ok(())
}

pub(super) async fn roles_of_a_member_are_set(context: &TestContext<'_>) -> CaseResult {
    let [first, second, ..] = context.roles.as_slice() else {
        return Ok(());
    };
    let Some((members, member)) = context.join().await? else {
        return Ok(());
    };
    let (first, second) = ([first.clone()], [second.clone()]);
    let both = [first.clone(), second.clone()].concat();
    let _ = members.set_roles(&member.id, &first).await?.complete()?;
    ensure_roles(members, &member, &first).await?;
    let added = members.grant_roles(&member.id, &second).await?.complete()?;
    ensure_change("granting one", &added, (1, 0))?;
    ensure_roles(members, &member, &both).await?;
    let again = members.grant_roles(&member.id, &both).await?.complete()?;
    ensure_change("granting both again", &again, (0, 0))?;
    let replaced = members.set_roles(&member.id, &second).await?.complete()?;
    ensure_change("setting one", &replaced, (0, 1))?;
    ensure_roles(members, &member, &second).await?;
    let all = members.list_member_roles().await?;
    let listed = all.get(&member.id).map_or(&[][..], Vec::as_slice);
    ensure(
        are_met(&second, listed),
        format_args!("the roles of everybody have {listed:?}, expected {second:?}"),
    )
}

pub(super) async fn roles_are_listed_or_unsupported(context: &TestContext<'_>) -> CaseResult {
    let Some(members) = context.provider.members() else {
        return Ok(());
    };
    if !context.provider.capabilities().list_roles {
        let outcome = context.without_a_request(members.list_roles()).await?;
        return ensure_fails("the list of roles", outcome, ErrorKind::Unsupported).map(drop);
    }
    let roles = members.list_roles().await?;
    for grant in &context.roles {
        let is_it = |name: &str| name.eq_ignore_ascii_case(&grant.role);
        let is_listed = roles
            .iter()
            .any(|role| is_it(&role.id) || role.name.as_deref().is_some_and(is_it));
        ensure(is_listed, format_args!("the list lacks the role {grant}"))?;
    }
    Ok(())
}

async fn ensure_roles(
    members: &dyn MemberProvider,
    member: &Member,
    expected: &[RoleGrant],
) -> CaseResult {
    let actual = members.member_roles(&member.id).await?;
    ensure(
        are_met(expected, &actual),
        format_args!("the member has the roles {actual:?}, expected {expected:?}"),
    )
}

fn are_met(expected: &[RoleGrant], actual: &[RoleAssignment]) -> bool {
    let is_met = |grant: &RoleGrant| actual.iter().any(|role| grant.is_met_by(role));
    expected.len() == actual.len() && expected.iter().all(is_met)
}

fn ensure_change(what: &str, change: &RoleChange, expected: (usize, usize)) -> CaseResult {
    let actual = (change.added.len(), change.removed.len());
    ensure(
        actual == expected,
        format_args!("{what} added and removed {actual:?} roles, expected {expected:?}"),
    )
}
