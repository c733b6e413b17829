//! Resolves the outcome of a create or delete without a response, so that it happens exactly once.

use std::pin::pin;

use chrono::Utc;
use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    error::{Error, ErrorKind, Result},
    http::{RelativeTime, Reply},
    invitation::{AuthType, Invitation, NewInvitation},
    lookup::{LookupResult, SharedLookups, find_conflicting, without_conflict_found},
    operation::OperationContext,
    provider::InvitationProvider,
    renewal::has_roles,
};

/// Creates an invitation. Without a response, looks for the invitation for
/// [`settle_for`](crate::RetryPolicy::settle_for): if it exists and this call created it, that is the result; if it
/// does not exist, sends the request again, and then verifies that the first request was not executed late.
///
/// The outcome is one invitation that this call created, or an error. [`Error::may_have_executed`] is set if an
/// invitation may exist, or if two exist. `send` sends one request, with the retries of the transport, and decodes
/// its reply.
pub(crate) async fn create_reconciled<P, Fut>(
    provider: &P,
    lookups: &SharedLookups,
    context: &OperationContext<'_>,
    new: &NewInvitation,
    send: impl Fn() -> Fut,
) -> Result<Invitation>
where
    P: InvitationProvider,
    Fut: Future<Output = Result<Invitation>> + Send,
{
    let call = &context.call;
    let retry = context.client.retry(call);
    // Pinned in place: moving a large future copies it.
    let work = pin!(async {
        let mut earlier_error = None;
        loop {
            let error = match pin!(send()).await {
                Ok(invitation) => {
                    if let Some(created) = invitation.created_at {
                        let skew = &context.client.clock_skew;
                        skew.observe(created, call.last_sent().into(), Utc::now());
                    }
                    return match earlier_error {
                        None => Ok(invitation),
                        Some(earlier_error) => {
                            Box::pin(verify_single(
                                provider,
                                lookups,
                                context,
                                invitation,
                                earlier_error,
                            ))
                            .await
                        }
                    };
                }
                Err(error) => error,
            };
            if retry.max_attempts <= 1 || !(error.may_have_executed() || error.is_conflict()) {
                return Err(error);
            }
            if is_ambiguous_failure(&error) {
                let next = context.client.delay_unsent(call, error.retry_after());
                let next = next.map(|delay| Instant::now() + delay);
                // Boxed, because this future is large and rare.
                let is_first = earlier_error.is_none();
                let found = poll_until_settled(provider, lookups, context, &error, is_first);
                let found = Box::pin(found).await?;
                if !found.is_empty() {
                    return resolve_outcome(context, new, found, error);
                }
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => return Err(error),
                }
                earlier_error = Some(error);
                continue;
            }
            // Boxed, because this future is large and rare.
            let lookup = Box::pin(find_conflicting(provider, &new.email, &error));
            // Conflict, but the lookup timed out: the request may have been delivered twice.
            let Ok(lookup) = tokio::time::timeout_at(call.deadline(), lookup).await else {
                return Err(without_conflict_found(error).with_may_have_executed(true));
            };
            return match lookup {
                Ok(Some(found)) => resolve_outcome(context, new, vec![found], error),
                // Conflict, but nothing conflicting was found: the latest attempt was rejected, and the outcome of
                // earlier ones stays ambiguous. A member has no invitation.
                Ok(None) => Err(without_conflict_found(error)),
                Err(lookup) => Err(without_conflict_found(error)
                    .with_may_have_executed(true)
                    .with_source(lookup)),
            };
        }
    });
    let span = context.span();
    let result = work.instrument(span.clone()).await;
    // What came of the last request is not what came of the create.
    match &result {
        Ok(_) => span.record("outcome", "ok"),
        Err(error) => span.record("outcome", format!("{:?}", error.kind())),
    };
    result
}

/// Looks for the invitation of a create without a response until it is found or the time to settle is over. Void
/// invitations do not count. `is_first` says that only one request was sent, so at most one invitation was created.
///
/// # Errors
///
/// The create must not be sent again: a lookup failed, or the deadline is too close.
async fn poll_until_settled<P>(
    provider: &P,
    lookups: &SharedLookups,
    context: &OperationContext<'_>,
    error: &Error,
    is_first: bool,
) -> Result<Vec<Invitation>>
where
    P: InvitationProvider,
{
    let email = context.target.unwrap_or_default();
    let deadline = context.call.deadline();
    let mut delays = context.client.options.retry.lookup_delays();
    let ambiguous = || error.clone().with_may_have_executed(true);
    loop {
        match tokio::time::timeout_at(deadline, lookups.find(provider, email)).await {
            Err(_) => return Err(ambiguous()),
            // After two requests, one found invitation is conclusive only if the whole list was read.
            Ok(result) if !result.found.is_empty() && (is_first || result.error.is_none()) => {
                return Ok(result.found);
            }
            Ok(result) if result.found.len() > 1 => return Ok(result.found),
            Ok(LookupResult {
                error: Some(lookup),
                ..
            }) => return Err(ambiguous().with_source(lookup)),
            Ok(_) => {}
        }
        let Some(delay) = delays.next() else {
            return Ok(Vec::new());
        };
        if delay >= context.call.time_left() {
            return Err(ambiguous());
        }
        tokio::time::sleep(delay).await;
    }
}

/// Verifies that a second request created the only invitation, and that the first one, without a response, created
/// none.
async fn verify_single<P>(
    provider: &P,
    lookups: &SharedLookups,
    context: &OperationContext<'_>,
    created: Invitation,
    earlier_error: Error,
) -> Result<Invitation>
where
    P: InvitationProvider,
{
    let lookup = lookups.find(provider, &created.email);
    let result = tokio::time::timeout_at(context.call.deadline(), lookup).await;
    let (kind, source) = match result {
        Ok(result) => {
            let others = result.found.iter().filter(|found| found.id != created.id);
            let mut pending: Vec<_> = others.filter(|found| found.is_pending()).collect();
            if !pending.is_empty() {
                pending.push(&created);
                return Err(duplicate_error(context, &pending).with_source(earlier_error));
            }
            match result.error {
                Some(error) => (error.kind(), error),
                None => return Ok(created),
            }
        }
        Err(_) => (ErrorKind::Timeout, earlier_error),
    };
    let message = format!(
        "the request was sent twice, because the first one got no response: the second one created {}, and \
         it is unknown whether the first one created another; list the invitations of this address",
        created.id
    );
    Err(context
        .error(kind, message)
        .with_conflicting_id(created.id)
        .with_may_have_executed(true)
        .with_source(source))
}

/// The error of an address with several pending invitations.
fn duplicate_error(context: &OperationContext<'_>, pending: &[&Invitation]) -> Error {
    let ids: Vec<&str> = pending.iter().map(|found| found.id.as_str()).collect();
    let message = format!(
        "this address has {} invitations now ({}), because the provider accepted a create for an invited address; \
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

/// The outcome of a delete whose last attempt ended with `last`: `NotFound` after an attempt without a response means
/// that the earlier attempt was executed.
pub(crate) fn reconcile_delete(context: &OperationContext<'_>, last: Result<Reply>) -> Result<()> {
    match last.and_then(|reply| context.expect_deleted(&reply)) {
        Err(error) if error.kind() == ErrorKind::NotFound && context.call.is_ambiguous() => Ok(()),
        outcome => outcome,
    }
}

/// Whether the latest attempt may have been executed. Any other failure is conclusive.
fn is_ambiguous_failure(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Unavailable | ErrorKind::Decode => {
            true
        }
        // A gateway may send a 429 after it forwarded the request.
        ErrorKind::RateLimited => error.may_have_executed(),
        _ => false,
    }
}

/// Decides whether this call created the latest of the found invitations.
fn resolve_outcome(
    context: &OperationContext<'_>,
    new: &NewInvitation,
    mut candidates: Vec<Invitation>,
    error: Error,
) -> Result<Invitation> {
    candidates.sort_by_key(|found| found.created_at);
    let pending: Vec<_> = candidates
        .iter()
        .filter(|found| found.is_pending())
        .collect();
    if pending.len() > 1 {
        return Err(duplicate_error(context, &pending).with_source(error));
    }
    let Some(found) = candidates.pop() else {
        return Err(error);
    };
    let (skew, call) = (&context.client.clock_skew, &context.call);
    let created = found.created_at;
    let relative_time = created.map(|created| skew.compare(created, call.first_sent().into()));
    let ambiguous = match (call.is_ambiguous(), relative_time) {
        (_, Some(RelativeTime::Before)) => false,
        (true, Some(RelativeTime::ProbablyBefore) | None) => true,
        // Without the server's clock, the creator is unknown.
        (true, Some(_)) if skew.is_known() && matches_request(new, &found) => return Ok(found),
        (true, Some(_)) => true,
        // Every attempt had a response, yet the invitation is as new as the request: another client created it at
        // the same moment, or the request was delivered twice.
        (false, Some(RelativeTime::ProbablyBefore) | None) => call.attempts() > 1,
        (false, Some(_)) => true,
    };
    let conflict = match error.kind() {
        ErrorKind::AlreadyExists => error,
        ErrorKind::Conflict => error.with_kind(ErrorKind::AlreadyExists),
        _ => {
            let message = "an invitation of this address existed before the request";
            let conflict = context.error(ErrorKind::AlreadyExists, message);
            conflict.with_source(error)
        }
    };
    Err(conflict
        .with_conflicting_id(found.id)
        .with_may_have_executed(ambiguous))
}

/// Whether the found invitation has the requested options; one with other options is another client's.
fn matches_request(new: &NewInvitation, found: &Invitation) -> bool {
    let same_login = match (&new.auth_type, &found.auth_type) {
        (Some(AuthType::Other(_)), _) | (_, Some(AuthType::Other(_))) => true,
        (Some(requested), Some(found)) => requested == found,
        _ => true,
    };
    same_login && has_roles(found, new)
}

#[cfg(test)]
mod tests;
