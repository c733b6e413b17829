//! Invites many people.

use futures_util::stream::{BoxStream, Stream, StreamExt};
use serde::Serialize;

use super::{BulkOptions, ItemResult, for_each_concurrent_from_stream};
use crate::{
    address::normalize_email,
    error::{Error, ErrorKind},
    invitation::{Invitation, NewInvitation},
    provider::InvitationProvider,
};

/// The outcome of one item of `create_many`. A test of what reads outcomes makes its own, and a log writes them as data:
///
/// ```
/// use org_invitations::{CreateOutcome, CreateResult, NewInvitation};
///
/// let new = NewInvitation::new("ann@example.com");
/// let outcome = CreateOutcome::new(1, new, CreateResult::Duplicate(0));
/// let data = serde_json::to_value(outcome.clone())?;
/// assert_eq!(data["result"]["duplicate"], 0);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CreateOutcome {
    /// The position of the item in the input, from 0.
    pub index: usize,
    /// The item.
    pub new: NewInvitation,
    /// The result.
    pub result: CreateResult,
}

impl CreateOutcome {
    /// An outcome, for tests of what reads it.
    pub fn new(index: usize, new: NewInvitation, result: CreateResult) -> Self {
        Self { index, new, result }
    }
}

/// The result of one item of `create_many`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CreateResult {
    /// The invitation was created.
    Created(Box<Invitation>),
    /// The person was invited before or is a member, as the error says.
    AlreadyExists(Error),
    /// The create failed; the error says whether it may have been executed nevertheless
    /// ([`may_have_executed`](Error::may_have_executed)). The other items continue.
    Failed(Error),
    /// Not sent: the item at this earlier position has the same address, as [`normalize_email`] compares them. Detected
    /// within the last 65 536 distinct addresses; beyond that, the result is `AlreadyExists`.
    Duplicate(usize),
    /// Not sent: an earlier item failed with a [fatal](Error::is_fatal) error, the server was
    /// [unreachable](BulkOptions::outage) for too long, or the run was [stopped](BulkOptions::stop).
    NotAttempted,
}

pub(crate) fn create_many<'a, P, S>(
    provider: &'a P,
    items: S,
    options: BulkOptions,
) -> BoxStream<'a, CreateOutcome>
where
    P: InvitationProvider + ?Sized,
    S: Stream<Item = NewInvitation> + Send + 'a,
{
    let create = move |new: NewInvitation| async move { provider.create(new).await };
    let key = |new: &NewInvitation| Some(normalize_email(&new.email));
    for_each_concurrent_from_stream(provider, items, options, key, create)
        .map(|outcome| {
            let result = match outcome.result {
                ItemResult::NotAttempted => CreateResult::NotAttempted,
                ItemResult::Duplicate(first) => CreateResult::Duplicate(first),
                ItemResult::Finished(Ok(invitation)) => CreateResult::Created(Box::new(invitation)),
                ItemResult::Finished(Err(error)) if error.kind() == ErrorKind::AlreadyExists => {
                    CreateResult::AlreadyExists(error)
                }
                ItemResult::Finished(Err(error)) => CreateResult::Failed(error),
            };
            CreateOutcome {
                index: outcome.index,
                new: outcome.item,
                result,
            }
        })
        .boxed()
}
