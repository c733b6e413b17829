//! A create or delete whose answer was lost is settled: neither lost nor doubled.

use std::pin::pin;

use chrono::Utc;
use tracing::Instrument;

use crate::{
    client::{Call, Reply, attempt::Sent, call::Progress, clock::Order},
    error::{Error, ErrorKind, Result},
    invitation::{AuthType, Invitation, NewInvitation, Roles},
    lookup::in_the_way,
    provider::InvitationProvider,
};

/// Creates an invitation. When an answer is lost, looks for the invitation: if it is there and this call
/// made it, that is the answer; if it is not there, sends again.
///
/// The outcome is one invitation that this call made, or an error; when that leaves open whether
/// there is one, [`Error::may_have_executed`] says so.
pub(crate) async fn create_exactly_once<P, Fut>(
    provider: &P,
    call: &Call<'_>,
    new: &NewInvitation,
    send: impl Fn() -> Fut,
    read: impl Fn(&Reply) -> Result<Invitation>,
) -> Result<Invitation>
where
    P: InvitationProvider,
    Fut: Future<Output = Sent> + Send,
{
    let work = async {
        let mut progress = Progress::start();
        loop {
            let sent = call.send_on(&mut progress, &send).await;
            let failed = match sent.and_then(|reply| read(&reply)) {
                Ok(invitation) => {
                    if let Some(created) = invitation.created_at {
                        let clock = &call.connection.clock;
                        clock.observe(created, progress.last_sent.into(), Utc::now());
                    }
                    return Ok(invitation);
                }
                Err(error) => error,
            };
            progress.lost |= failed.may_have_executed();
            let duplicate = failed.kind() == ErrorKind::AlreadyExists;
            let failed = progress.account_for(failed);
            let retries = call.connection.settings.retry.max_attempts > 1;
            if !retries || !(failed.may_have_executed() || duplicate) {
                return Err(failed);
            }
            // Boxed, because it is seldom made and large.
            let lookup = Box::pin(in_the_way(provider, &new.email, &failed));
            let lookup = tokio::time::timeout_at(call.end(&progress), lookup);
            // A refusal whose cause was not found leaves it open: the request may have been delivered
            // twice.
            let Ok(lookup) = lookup.await else {
                return Err(failed.with_may_have_executed(true));
            };
            match lookup {
                Ok(Some(found)) => return settle(call, new, found, failed, &progress),
                Ok(None) if is_lost(&failed) => match call.delay_after_loss(&progress) {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(failed),
                },
                // Refused for good; what an earlier attempt did stays open.
                Ok(None) => return Err(failed),
                Err(lookup) => return Err(failed.with_may_have_executed(true).with_source(lookup)),
            }
        }
    };
    pin!(work).instrument(call.span()).await
}

/// Whether the latest attempt is the one whose answer was lost; anything else is an answer.
fn is_lost(failed: &Error) -> bool {
    matches!(
        failed.kind(),
        ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Unavailable | ErrorKind::Decode
    )
}

/// Deletes an invitation. When an answer was lost and the next attempt finds nothing, the lost one
/// was carried out.
pub(crate) async fn delete_exactly_once<Fut>(call: &Call<'_>, send: impl Fn() -> Fut) -> Result<()>
where
    Fut: Future<Output = Sent> + Send,
{
    let mut progress = Progress::start();
    let sent = pin!(call.send_on(&mut progress, send))
        .instrument(call.span())
        .await;
    match sent {
        Ok(reply) => call.done(&reply),
        Err(error) if error.kind() == ErrorKind::NotFound && progress.lost => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the invitation that was found is the one that this call made.
fn settle(
    call: &Call<'_>,
    new: &NewInvitation,
    found: Invitation,
    failed: Error,
    progress: &Progress,
) -> Result<Invitation> {
    let created = found.created_at;
    let order = created.map(|created| {
        call.connection
            .clock
            .compare(created, progress.first_sent.into())
    });
    let open = match (progress.lost, order) {
        (_, Some(Order::Before)) => false,
        (true, Some(Order::ProbablyBefore) | None) => true,
        (true, Some(_)) if is_as_asked(new, &found) => return Ok(found),
        (true, Some(_)) => true,
        // Nothing was lost, yet it is as new as the request: another made it in the same moment, or the
        // request was delivered twice.
        (false, Some(Order::ProbablyBefore) | None) => false,
        (false, Some(_)) => true,
    };
    let refusal = match failed.kind() {
        ErrorKind::AlreadyExists => failed,
        _ => {
            let message = "an invitation of this address was there before";
            let refusal = call.error(ErrorKind::AlreadyExists, message);
            refusal.with_attempts(progress.sent).with_source(failed)
        }
    };
    Err(refusal
        .with_conflicting_id(found.id)
        .with_may_have_executed(open))
}

/// An invitation with other options than were asked for may have been made by somebody else.
fn is_as_asked(new: &NewInvitation, found: &Invitation) -> bool {
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
