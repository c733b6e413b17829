//! A create or delete whose answer was lost is settled: neither lost nor doubled.

use chrono::Utc;

use crate::{
    client::{Call, Reply, attempt::Sent, call::Progress, clock::Order},
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, NewInvitation, Roles},
    list::{ListQuery, first_match},
    provider::{InvitationProvider, InvitationProviderExt},
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
    Fut: Future<Output = Sent>,
{
    let mut progress = Progress::start();
    loop {
        let sent = call.send_on(&mut progress, &send).await;
        let failed = match sent.and_then(|reply| read(&reply)) {
            Ok(invitation) => {
                if let Some(created) = invitation.created_at {
                    let clock = &call.connection.clock;
                    clock.observe(created, progress.last_sent, Utc::now());
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
        match find(provider, new, &failed).await {
            Ok(Some(found)) => return settle(call, new, found, failed, &progress),
            Ok(None) if duplicate => return Err(failed),
            Ok(None) => match call.delay_after_loss(&progress) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(failed),
            },
            // Who made the duplicate stays open.
            Err(lookup) => return Err(failed.with_may_have_executed(true).with_source(lookup)),
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

/// The invitation that is in the way, or that of the address, in the spelling that was sent or in
/// lower case.
async fn find<P: InvitationProvider>(
    provider: &P,
    new: &NewInvitation,
    failed: &Error,
) -> Result<Option<Invitation>> {
    if let Some(id) = failed.conflicting_id() {
        match provider.get(id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            outcome => return outcome.map(Some),
        }
    }
    let lower = new.email.to_lowercase();
    let mut spellings = vec![new.email.as_str()];
    if lower != new.email && provider.capabilities().server_side_filters {
        spellings.push(&lower);
    }
    let same = |invitation: &Invitation| invitation.email.eq_ignore_ascii_case(&new.email);
    for spelling in spellings {
        let list = provider.list(ListQuery::new().email(spelling));
        if let Some(found) = first_match(list, same).await? {
            return Ok(Some(found));
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
    let clock = &call.connection.clock;
    let order = match found.created_at {
        _ if !is_as_asked(new, &found) => Order::Before,
        Some(created) => clock.compare(created, progress.first_sent),
        None => Order::Unknown,
    };
    let open = match (progress.lost, order) {
        (_, Order::Before) => false,
        (true, Order::ProbablyBefore) => true,
        (true, _) => return Ok(found),
        // Nothing was lost, yet it is as new as the request: another made it in the same moment, or the
        // request was delivered twice.
        (false, order) => order != Order::ProbablyBefore,
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
