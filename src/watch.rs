//! Waiting for people: until one has accepted, and for what changes in an organisation.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::Utc;
use futures_util::{StreamExt, stream, stream::BoxStream};
use serde::Serialize;

use crate::{
    address::normalize_email,
    call::{CallOptions, CallPriority},
    error::{ErrorKind, Operation, Result},
    invitation::{Invitation, InvitationId, InvitationStatus},
    member::{Member, MemberId, MemberProviderExt as _},
    person::{OrganizationProvider, People},
    time::{self, Instant, LONGEST},
};

/// How often to look, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchOptions {
    /// The time between two looks. Default: 1 min.
    pub interval: Duration,
    /// When [`wait_until_accepted`](crate::OrganizationProviderExt::wait_until_accepted) gives up. Default: never.
    pub timeout: Option<Duration>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            timeout: None,
        }
    }
}

setters!(WatchOptions {
    interval: Duration,
    timeout: Option<Duration>,
});

/// How waiting for an acceptance ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitResult {
    /// The person accepted, and is this member; `None` where the members do not show the person, or the key may not read
    /// them.
    Accepted(Option<Box<Member>>),
    /// The invitation expired.
    Expired,
    /// The invitation is gone, and the person is no member: somebody withdrew it, or the person has left already.
    Withdrawn,
    /// The time to wait is over, and the invitation can still be accepted.
    TimedOut,
}

/// What changed between two looks at an organisation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PersonEvent {
    /// A person was invited.
    Invited(Box<Invitation>),
    /// A person accepted the invitation; the member is known unless the members do not show the person.
    Accepted {
        /// The invitation, as it was last seen.
        invitation: Box<Invitation>,
        /// The person as a member.
        member: Option<Box<Member>>,
    },
    /// An invitation expired.
    Expired(Box<Invitation>),
    /// An invitation was withdrawn.
    Withdrawn(Box<Invitation>),
    /// A person became a member without an invitation that was seen before.
    Joined(Box<Member>),
    /// A member was removed, or has left.
    Left(Box<Member>),
}

impl PersonEvent {
    /// The address of the person.
    pub fn email(&self) -> &str {
        match self {
            Self::Invited(invitation)
            | Self::Accepted { invitation, .. }
            | Self::Expired(invitation)
            | Self::Withdrawn(invitation) => &invitation.email,
            Self::Joined(member) | Self::Left(member) => &member.email,
        }
    }
}

/// Waits until an invitation is accepted, or cannot be any more.
pub(crate) async fn wait_until_accepted<P>(
    provider: &P,
    invitation: &Invitation,
    options: &WatchOptions,
) -> Result<WaitResult>
where
    P: OrganizationProvider + ?Sized,
{
    time::expect_runtime(Operation::Get)?;
    let end = options
        .timeout
        .map(|timeout| Instant::now() + timeout.min(LONGEST));
    let polite = || CallOptions::default_priority(CallPriority::Bulk);
    let mut last = invitation.clone();
    loop {
        match polite().scope(provider.get(&invitation.id)).await {
            Ok(found) => last = found,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // An accepted invitation need not be kept.
                let member = polite().scope(provider.find_member(&last.email)).await?;
                let is_over = last.expires_at.is_some_and(|at| at <= Utc::now());
                return Ok(match member {
                    Some(member) => WaitResult::Accepted(Some(Box::new(member))),
                    None if is_over => WaitResult::Expired,
                    None => WaitResult::Withdrawn,
                });
            }
            // The next look may succeed.
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error),
        }
        match &last.status {
            Some(InvitationStatus::Accepted) => {
                let member = polite().scope(provider.find_member(&last.email)).await;
                return Ok(WaitResult::Accepted(member.ok().flatten().map(Box::new)));
            }
            Some(InvitationStatus::Expired) => return Ok(WaitResult::Expired),
            Some(InvitationStatus::Deactivated) => return Ok(WaitResult::Withdrawn),
            _ => {}
        }
        let next = Instant::now() + options.interval.min(LONGEST);
        if end.is_some_and(|end| end < next) {
            if let Some(end) = end {
                time::sleep_until(end).await;
            }
            return Ok(WaitResult::TimedOut);
        }
        time::sleep_until(next).await;
    }
}

/// What changes from now on, looked at in intervals.
pub(crate) fn watch<'a, P>(
    provider: &'a P,
    options: WatchOptions,
) -> BoxStream<'a, Result<PersonEvent>>
where
    P: OrganizationProvider + ?Sized,
{
    let state = Some(None::<People>);
    let looks = stream::unfold(state, move |state| {
        let interval = options.interval.min(LONGEST);
        async move {
            let before = state?;
            if let Err(error) = time::expect_runtime(Operation::List) {
                return Some((vec![Err(error)], None));
            }
            if before.is_some() {
                time::sleep(interval).await;
            }
            let polite = CallOptions::default_priority(CallPriority::Bulk);
            match (polite.scope(People::load(provider)).await, before) {
                (Ok(after), None) => Some((Vec::new(), Some(Some(after)))),
                (Ok(after), Some(before)) => {
                    let events = changes(&before, &after).into_iter().map(Ok);
                    Some((events.collect(), Some(Some(after))))
                }
                (Err(error), Some(before)) if error.is_retryable() => {
                    Some((vec![Err(error)], Some(Some(before))))
                }
                (Err(error), _) => Some((vec![Err(error)], None)),
            }
        }
    });
    looks.flat_map(stream::iter).boxed()
}

/// What happened between two looks, in the order of the lists.
fn changes(before: &People, after: &People) -> Vec<PersonEvent> {
    let known: HashMap<&InvitationId, &Invitation> = before
        .invitations
        .iter()
        .map(|one| (&one.id, one))
        .collect();
    let left: HashSet<&InvitationId> = after.invitations.iter().map(|one| &one.id).collect();
    let members: HashSet<&MemberId> = before.members.iter().map(|one| &one.id).collect();
    let joined = after
        .members
        .iter()
        .filter(|one| !members.contains(&one.id));
    let mut joined_by_address: HashMap<String, &Member> = joined
        .map(|one| (normalize_email(&one.email), one))
        .collect();
    let mut accept = |invitation: &Invitation| {
        let member = joined_by_address.remove(&normalize_email(&invitation.email));
        PersonEvent::Accepted {
            invitation: Box::new(invitation.clone()),
            member: member.cloned().map(Box::new),
        }
    };
    let mut events = Vec::new();
    for invitation in &after.invitations {
        let old = known.get(&invitation.id);
        let was_pending = old.is_none_or(|old| old.is_pending());
        let event = match &invitation.status {
            Some(InvitationStatus::Accepted) if was_pending => accept(invitation),
            Some(InvitationStatus::Expired) if old.is_some() && was_pending => {
                PersonEvent::Expired(Box::new(invitation.clone()))
            }
            Some(InvitationStatus::Deactivated) if old.is_some() && was_pending => {
                PersonEvent::Withdrawn(Box::new(invitation.clone()))
            }
            _ if old.is_none() && invitation.is_pending() => {
                PersonEvent::Invited(Box::new(invitation.clone()))
            }
            _ => continue,
        };
        events.push(event);
    }
    for invitation in &before.invitations {
        if left.contains(&invitation.id) || !invitation.is_pending() {
            continue;
        }
        let event = accept(invitation);
        let is_over = invitation.expires_at.is_some_and(|at| at <= Utc::now());
        events.push(match event {
            PersonEvent::Accepted {
                member: Some(_), ..
            } => event,
            _ if is_over => PersonEvent::Expired(Box::new(invitation.clone())),
            _ => PersonEvent::Withdrawn(Box::new(invitation.clone())),
        });
    }
    let explained: HashSet<&MemberId> = joined_by_address.values().map(|one| &one.id).collect();
    let others = after
        .members
        .iter()
        .filter(|one| explained.contains(&one.id));
    events.extend(
        others
            .cloned()
            .map(|one| PersonEvent::Joined(Box::new(one))),
    );
    let still: HashSet<&MemberId> = after.members.iter().map(|one| &one.id).collect();
    let gone = before.members.iter().filter(|one| !still.contains(&one.id));
    events.extend(gone.cloned().map(|one| PersonEvent::Left(Box::new(one))));
    events
}
