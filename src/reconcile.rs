//! Finds out what became of a create or delete whose answer was lost, so that it is neither lost nor doubled.

use std::pin::pin;

use chrono::Utc;
use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    error::{Error, ErrorKind, Result},
    http::RelativeTime,
    invitation::{AuthType, Invitation, NewInvitation, Roles},
    lookup::{Look, SharedLooks, find_conflicting, is_about_a_member},
    operation::OperationContext,
    provider::InvitationProvider,
};

/// Creates an invitation. When an answer is lost, looks for the invitation, over
/// [`settle_for`](crate::RetryPolicy::settle_for): if it exists and this call created it, that is the result; if it
/// does not exist, sends again, and looks once more whether the lost request was executed late.
///
/// The outcome is one invitation that this call created, or an error; when that leaves open whether there is
/// one, or when there are two, [`Error::may_have_executed`] says so. `send` makes one request, as far as the retry
/// policy repeats none, and reads its reply.
pub(crate) async fn create_reconciled<P, Fut>(
    provider: &P,
    looks: &SharedLooks,
    context: &OperationContext<'_>,
    new: &NewInvitation,
    send: impl Fn() -> Fut,
) -> Result<Invitation>
where
    P: InvitationProvider,
    Fut: Future<Output = Result<Invitation>> + Send,
{
    let (call, retry) = (&context.call, &context.client.options.retry);
    // Pinned in its place: a future is large, and is copied whole when it is moved.
    let work = pin!(async {
        let mut lost = None;
        loop {
            let failed = match pin!(send()).await {
                Ok(invitation) => {
                    if let Some(created) = invitation.created_at {
                        let skew = &context.client.clock_skew;
                        skew.observe(created, call.last_sent().into(), Utc::now());
                    }
                    return match lost {
                        None => Ok(invitation),
                        Some(lost) => {
                            Box::pin(only_one(provider, looks, context, invitation, lost)).await
                        }
                    };
                }
                Err(error) => error,
            };
            let duplicate = matches!(
                failed.kind(),
                ErrorKind::AlreadyExists | ErrorKind::Conflict
            );
            if retry.max_attempts <= 1 || !(failed.may_have_executed() || duplicate) {
                return Err(failed);
            }
            if is_lost(&failed) {
                let next = context.client.delay_unsent(call, failed.retry_after());
                let next = next.map(|delay| Instant::now() + delay);
                // Boxed, because it is seldom made and large.
                let is_first = lost.is_none();
                let seen = look_until_settled(provider, looks, context, &failed, is_first);
                let seen = Box::pin(seen).await?;
                if !seen.is_empty() {
                    return resolve_outcome(context, new, seen, failed);
                }
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => return Err(failed),
                }
                lost = Some(failed);
                continue;
            }
            // Boxed, because it is seldom made and large.
            let lookup = Box::pin(find_conflicting(provider, &new.email, &failed));
            // A conflict without a known cause leaves it open: the request may have been delivered twice.
            let Ok(lookup) = tokio::time::timeout_at(call.deadline(), lookup).await else {
                return Err(unseen(failed).with_may_have_executed(true));
            };
            return match lookup {
                Ok(Some(found)) => resolve_outcome(context, new, vec![found], failed),
                // The latest attempt was rejected; what an earlier one did stays open. An invitation that is in
                // the way and cannot be seen is not known to exist, but a member has none.
                Ok(None) => Err(unseen(failed)),
                Err(lookup) => Err(unseen(failed)
                    .with_may_have_executed(true)
                    .with_source(lookup)),
            };
        }
    });
    work.instrument(context.span()).await
}

/// Looks for the invitation of a create whose answer was lost, again and again until it is seen or the time to settle
/// is over. What is seen is not over. `is_first` says that one request was sent, so that there is one at most.
///
/// # Errors
///
/// The lost answer, where the looks are not what it takes to send again: one failed, or time is short.
async fn look_until_settled<P>(
    provider: &P,
    looks: &SharedLooks,
    context: &OperationContext<'_>,
    failed: &Error,
    is_first: bool,
) -> Result<Vec<Invitation>>
where
    P: InvitationProvider,
{
    let email = context.target.unwrap_or_default();
    let deadline = context.call.deadline();
    let mut delays = context.client.options.retry.lookup_delays();
    let open = || failed.clone().with_may_have_executed(true);
    loop {
        match tokio::time::timeout_at(deadline, looks.look(provider, email)).await {
            Err(_) => return Err(open()),
            // One that is seen is not all that two requests may have made, where there may be more.
            Ok(look) if !look.seen.is_empty() && (is_first || look.failed.is_none()) => {
                return Ok(look.seen);
            }
            Ok(look) if look.seen.len() > 1 => return Ok(look.seen),
            Ok(Look {
                failed: Some(lookup),
                ..
            }) => return Err(open().with_source(lookup)),
            Ok(_) => {}
        }
        let Some(delay) = delays.next() else {
            return Ok(Vec::new());
        };
        if delay >= context.call.time_left() {
            return Err(open());
        }
        tokio::time::sleep(delay).await;
    }
}

/// Accepts what a second request created, unless the first one, whose answer was lost, created one too.
async fn only_one<P>(
    provider: &P,
    looks: &SharedLooks,
    context: &OperationContext<'_>,
    created: Invitation,
    lost: Error,
) -> Result<Invitation>
where
    P: InvitationProvider,
{
    let look = looks.look(provider, &created.email);
    let looked = tokio::time::timeout_at(context.call.deadline(), look).await;
    let (kind, source) = match looked {
        Ok(look) => {
            let others = look.seen.iter().filter(|found| found.id != created.id);
            let mut pending: Vec<_> = others.filter(|found| found.is_pending()).collect();
            if !pending.is_empty() {
                pending.push(&created);
                return Err(doubled(context, &pending).with_source(lost));
            }
            match look.failed {
                Some(error) => (error.kind(), error),
                None => return Ok(created),
            }
        }
        Err(_) => (ErrorKind::Timeout, lost),
    };
    let message = format!(
        "the request was sent twice, because its first answer was lost: the second one created {}, and \
         whether the first one created another could not be seen; list the invitations of this address",
        created.id
    );
    Err(context
        .error(kind, message)
        .with_conflicting_id(created.id)
        .with_may_have_executed(true)
        .with_source(source))
}

/// The error of an address that has more than one invitation.
fn doubled(context: &OperationContext<'_>, pending: &[&Invitation]) -> Error {
    let ids: Vec<&str> = pending.iter().map(|found| found.id.as_str()).collect();
    let message = format!(
        "this address has {} invitations now ({}), because the provider took an address that was invited already; \
         delete all but one",
        ids.len(),
        ids.join(", ")
    );
    let error = context.error(ErrorKind::Unexpected, message);
    let error = error.with_may_have_executed(true);
    match pending.last() {
        Some(latest) => error.with_conflicting_id(latest.id.clone()),
        None => error,
    }
}

/// A refusal because of an invitation that was not seen: nobody is known to be invited, unless the provider says in
/// words that the person is a member, who has no invitation.
fn unseen(failed: Error) -> Error {
    if failed.kind() == ErrorKind::AlreadyExists && !is_about_a_member(&failed) {
        return failed.with_kind(ErrorKind::Conflict);
    }
    failed
}

/// The outcome of a delete whose last attempt ended with `last`: when an answer was lost and the next attempt finds
/// nothing, the lost attempt was executed.
pub(crate) fn reconcile_delete(context: &OperationContext<'_>, last: Result<()>) -> Result<()> {
    match last {
        Err(error) if error.kind() == ErrorKind::NotFound && context.call.is_ambiguous() => Ok(()),
        outcome => outcome,
    }
}

/// Whether the answer to the latest attempt was lost; any other failure is an answer.
fn is_lost(failed: &Error) -> bool {
    match failed.kind() {
        ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Unavailable | ErrorKind::Decode => {
            true
        }
        // A gateway's, which may have let the request through.
        ErrorKind::RateLimited => failed.may_have_executed(),
        _ => false,
    }
}

/// Decides whether this call created the invitation that was found; the latest of those that are not over is it, if any
/// is.
fn resolve_outcome(
    context: &OperationContext<'_>,
    new: &NewInvitation,
    mut seen: Vec<Invitation>,
    failed: Error,
) -> Result<Invitation> {
    seen.sort_by_key(|found| found.created_at);
    let pending: Vec<_> = seen.iter().filter(|found| found.is_pending()).collect();
    if pending.len() > 1 {
        return Err(doubled(context, &pending).with_source(failed));
    }
    let Some(found) = seen.pop() else {
        return Err(failed);
    };
    let (skew, call) = (&context.client.clock_skew, &context.call);
    let created = found.created_at;
    let position = created.map(|created| skew.compare(created, call.first_sent().into()));
    let open = match (call.is_ambiguous(), position) {
        (_, Some(RelativeTime::Before)) => false,
        (true, Some(RelativeTime::ProbablyBefore) | None) => true,
        // Without the server's time, nothing tells whose it is.
        (true, Some(_)) if skew.is_known() && matches_request(new, &found) => return Ok(found),
        (true, Some(_)) => true,
        // No answer was lost, yet the invitation is as new as the request: another client created it in the
        // same moment, or the request was delivered twice.
        (false, Some(RelativeTime::ProbablyBefore) | None) => call.attempts() > 1,
        (false, Some(_)) => true,
    };
    let refusal = match failed.kind() {
        ErrorKind::AlreadyExists => failed,
        ErrorKind::Conflict => failed.with_kind(ErrorKind::AlreadyExists),
        _ => {
            let message = "an invitation of this address was there before";
            let refusal = context.error(ErrorKind::AlreadyExists, message);
            refusal.with_source(failed)
        }
    };
    Err(refusal
        .with_conflicting_id(found.id)
        .with_may_have_executed(open))
}

/// An invitation with other options than were asked for may have been created by somebody else.
fn matches_request(new: &NewInvitation, found: &Invitation) -> bool {
    let same_login = match (&new.auth_type, &found.auth_type) {
        (Some(AuthType::Other(_)), _) | (_, Some(AuthType::Other(_))) => true,
        (Some(asked), Some(found)) => asked == found,
        _ => true,
    };
    let same_roles = match (&new.roles, &found.assigned_roles) {
        (Some(Roles::Ids(asked)), Some(found)) => asked
            .iter()
            .all(|id| found.iter().any(|role| role.id.as_ref() == Some(id))),
        _ => true,
    };
    same_login && same_roles
}

#[cfg(test)]
mod tests;
