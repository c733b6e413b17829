//! A create or delete whose answer was lost is settled: neither lost nor doubled.

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;

use crate::{
    client::{Call, Reply, attempt::Sent, call::Progress, clock::Order},
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, NewInvitation, Roles},
    list::ListQuery,
    provider::{InvitationProvider, InvitationProviderExt},
};

/// The finest that any vendor tells its times is a millisecond or better.
const TIME_RESOLUTION: TimeDelta = TimeDelta::milliseconds(1);

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
    Fut: Future<Output = Sent>,
{
    let mut progress = Progress::start();
    loop {
        let sent = call.send_on(&mut progress, &send).await;
        let failed = match sent.and_then(|reply| read(&reply)) {
            Ok(invitation) => {
                learn_time(call, invitation.created_at, &progress);
                return Ok(invitation);
            }
            Err(error) => error,
        };
        progress.lost |= failed.may_have_executed();
        // A duplicate may be what an earlier attempt of this call made.
        let unclear = failed.may_have_executed()
            || (progress.lost && failed.kind() == ErrorKind::AlreadyExists);
        let failed = progress.account_for(failed);
        if !unclear || call.connection.settings.retry.max_attempts <= 1 {
            return Err(failed);
        }
        match find(provider, new).await {
            Ok(Some(found)) => return settle(call, new, found, failed, &progress),
            Ok(None) if failed.kind() == ErrorKind::AlreadyExists => return Err(failed),
            Ok(None) => match call.delay_after_loss(&progress) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(failed),
            },
            Err(lookup) => return Err(failed.with_source(lookup)),
        }
    }
}

/// Deletes an invitation. When an answer was lost and the next attempt finds nothing, the lost one
/// was carried out.
pub(crate) async fn delete_exactly_once<Fut>(call: &Call<'_>, send: impl Fn() -> Fut) -> Result<()>
where
    Fut: Future<Output = Sent>,
{
    let mut progress = Progress::start();
    match call.send_on(&mut progress, send).await {
        Ok(reply) => call.done(&reply),
        Err(error) if error.kind() == ErrorKind::NotFound && progress.lost => Ok(()),
        Err(error) => Err(error),
    }
}

/// The invitation of the address, in the spelling that was sent or in lower case.
async fn find<P: InvitationProvider>(
    provider: &P,
    new: &NewInvitation,
) -> Result<Option<Invitation>> {
    let lower = new.email.to_lowercase();
    let mut spellings = vec![new.email.as_str()];
    if lower != new.email && provider.capabilities().server_side_filters {
        spellings.push(&lower);
    }
    for spelling in spellings {
        let mut found = provider.list(ListQuery::new().email(spelling));
        while let Some(invitation) = found.try_next().await? {
            if invitation.email.eq_ignore_ascii_case(&new.email) {
                return Ok(Some(invitation));
            }
        }
    }
    Ok(None)
}

/// Whether the invitation that was found is the one that this call made.
fn settle(
    call: &Call<'_>,
    new: &NewInvitation,
    found: Invitation,
    failed: Error,
    progress: &Progress,
) -> Result<Invitation> {
    let order = match found.created_at {
        // It may have been made just before the end of the millisecond that it shows.
        Some(created) => call
            .connection
            .clock
            .compare(created + TIME_RESOLUTION, progress.first_sent),
        None => Order::Unclear { before: true },
    };
    let certain = match order {
        _ if !is_as_asked(new, &found) => true,
        Order::NotBefore | Order::Unclear { before: false } => return Ok(found),
        Order::Before => true,
        Order::Unclear { before: true } => false,
    };
    let message = "an invitation of this address was there before";
    let mut error = call
        .error(ErrorKind::AlreadyExists, message)
        .with_attempts(progress.sent)
        .with_conflicting_id(found.id)
        .with_may_have_executed(!certain);
    if let Some(id) = failed.request_id() {
        error = error.with_request_id(id);
    }
    Err(error.with_source(failed))
}

/// An invitation with other options than were asked for was made by somebody else.
fn is_as_asked(new: &NewInvitation, found: &Invitation) -> bool {
    let same_login = match (&new.auth_type, &found.auth_type) {
        (Some(asked), Some(found)) => asked == found,
        _ => true,
    };
    let same_roles = match (&new.roles, &found.assigned_roles) {
        (Some(Roles::Ids(asked)), Some(found)) => {
            let has = |id: &String| found.iter().any(|role| role.id.as_ref() == Some(id));
            asked.len() == found.len() && asked.iter().all(has)
        }
        _ => true,
    };
    same_login && same_roles
}

/// The time of creation tells the server's clock as precisely as the request was fast.
fn learn_time(call: &Call<'_>, created: Option<DateTime<Utc>>, progress: &Progress) {
    if let Some(created) = created {
        let clock = &call.connection.clock;
        clock.observe(created, TIME_RESOLUTION, progress.last_sent, Utc::now());
    }
}
