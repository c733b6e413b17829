//! Finds out what became of a create or delete whose answer was lost, so that it is neither lost nor doubled.

use std::pin::pin;

use chrono::Utc;
use tracing::Instrument;

use crate::{
    error::{Error, ErrorKind, Result},
    http::RelativeTime,
    invitation::{AuthType, Invitation, NewInvitation, Roles},
    lookup::{in_the_way, is_about_a_member},
    operation::OperationContext,
    provider::InvitationProvider,
};

/// Creates an invitation. When an answer is lost, looks for the invitation: if it exists and this call created
/// it, that is the result; if it does not exist, sends again.
///
/// The outcome is one invitation that this call created, or an error; when that leaves open whether there is
/// one, [`Error::may_have_executed`] says so. `send` makes one request, as far as the retry policy repeats none,
/// and reads its reply.
pub(crate) async fn create_reconciled<P, Fut>(
    provider: &P,
    context: &OperationContext<'_>,
    new: &NewInvitation,
    send: impl Fn() -> Fut,
) -> Result<Invitation>
where
    P: InvitationProvider,
    Fut: Future<Output = Result<Invitation>> + Send,
{
    let call = &context.call;
    // Pinned in its place: a future is large, and is copied whole when it is moved.
    let work = pin!(async {
        loop {
            let failed = match pin!(send()).await {
                Ok(invitation) => {
                    if let Some(created) = invitation.created_at {
                        let skew = &context.client.clock_skew;
                        skew.observe(created, call.last_sent().into(), Utc::now());
                    }
                    return Ok(invitation);
                }
                Err(error) => error,
            };
            let duplicate = matches!(
                failed.kind(),
                ErrorKind::AlreadyExists | ErrorKind::Conflict
            );
            let retries = context.client.options.retry.max_attempts > 1;
            if !retries || !(failed.may_have_executed() || duplicate) {
                return Err(failed);
            }
            // Boxed, because it is seldom made and large.
            let lookup = Box::pin(in_the_way(provider, &new.email, &failed));
            // A conflict without a known cause leaves it open: the request may have been delivered twice.
            let Ok(lookup) = tokio::time::timeout_at(call.deadline(), lookup).await else {
                return Err(failed.with_may_have_executed(true));
            };
            match lookup {
                Ok(Some(found)) => return resolve_outcome(context, new, found, failed),
                Ok(None) if is_ambiguous(&failed) => match context.client.delay_unsent(call) {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(failed),
                },
                // The latest attempt was rejected; what an earlier one did stays open. An invitation that is in
                // the way and cannot be seen is not known to exist, but a member has none.
                Ok(None)
                    if failed.kind() == ErrorKind::AlreadyExists && !is_about_a_member(&failed) =>
                {
                    return Err(failed.with_kind(ErrorKind::Conflict));
                }
                Ok(None) => return Err(failed),
                Err(lookup) => return Err(failed.with_may_have_executed(true).with_source(lookup)),
            }
        }
    });
    work.instrument(context.span()).await
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
fn is_ambiguous(failed: &Error) -> bool {
    matches!(
        failed.kind(),
        ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Unavailable | ErrorKind::Decode
    )
}

/// Decides whether this call created the invitation that was found.
fn resolve_outcome(
    context: &OperationContext<'_>,
    new: &NewInvitation,
    found: Invitation,
    failed: Error,
) -> Result<Invitation> {
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
