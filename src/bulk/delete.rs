//! Withdraws many invitations.

use std::collections::HashSet;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use serde::Serialize;

use super::{BulkOptions, ItemResult, for_each_concurrent_from_stream};
use crate::{
    error::{Error, ErrorKind},
    invitation::InvitationId,
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
};

/// The outcome of one item of `delete_many`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeleteOutcome {
    /// The position of the item in the input, from 0.
    pub index: usize,
    /// The item.
    pub id: InvitationId,
    /// The result.
    pub result: DeleteResult,
}

impl DeleteOutcome {
    /// An outcome, for tests of what reads it.
    pub fn new(index: usize, id: InvitationId, result: DeleteResult) -> Self {
        Self { index, id, result }
    }
}

/// The result of one item of `delete_many`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeleteResult {
    /// The invitation was withdrawn.
    Deleted,
    /// There is no invitation with this id.
    NotFound,
    /// The delete failed; the error says whether it may have been executed nevertheless
    /// ([`may_have_executed`](Error::may_have_executed)). The other items continue.
    Failed(Error),
    /// Not sent: the item at this earlier position has the same id. Detected within the last 65 536 distinct ids;
    /// beyond that, the result is `NotFound`.
    Duplicate(usize),
    /// Not sent: an earlier item failed with a [fatal](Error::is_fatal) error, the server was
    /// [unreachable](BulkOptions::outage) for too long, or the run was [stopped](BulkOptions::stop).
    NotAttempted,
}

pub(crate) fn delete_many<'a, P, S>(
    provider: &'a P,
    ids: S,
    options: BulkOptions,
) -> BoxStream<'a, DeleteOutcome>
where
    P: InvitationProvider + ?Sized,
    S: Stream<Item = InvitationId> + Send + 'a,
{
    let Some(limit) = options.removals else {
        return delete_all(provider, ids, options);
    };
    let checked = async move {
        let ids: Vec<InvitationId> = ids.collect().await;
        let removals = ids.iter().collect::<HashSet<_>>().len();
        (provider.check_removals(removals, limit).await, ids)
    };
    stream::once(checked)
        .flat_map(move |(checked, ids)| match checked {
            Ok(()) => delete_all(provider, stream::iter(ids), options.clone()),
            Err(error) => {
                let outcomes = ids.into_iter().enumerate().map(move |(index, id)| {
                    let error = error.clone().with_target(id.as_str());
                    let result = DeleteResult::Failed(error);
                    DeleteOutcome { index, id, result }
                });
                stream::iter(outcomes).boxed()
            }
        })
        .boxed()
}

fn delete_all<'a, P, S>(
    provider: &'a P,
    ids: S,
    options: BulkOptions,
) -> BoxStream<'a, DeleteOutcome>
where
    P: InvitationProvider + ?Sized,
    S: Stream<Item = InvitationId> + Send + 'a,
{
    let delete = move |id: InvitationId| async move { provider.delete(&id).await };
    let key = |id: &InvitationId| Some(id.to_string());
    for_each_concurrent_from_stream(provider, ids, options, key, delete)
        .map(|outcome| {
            let result = match outcome.result {
                ItemResult::NotAttempted => DeleteResult::NotAttempted,
                ItemResult::Duplicate(first) => DeleteResult::Duplicate(first),
                ItemResult::Finished(Ok(())) => DeleteResult::Deleted,
                ItemResult::Finished(Err(error)) if error.kind() == ErrorKind::NotFound => {
                    DeleteResult::NotFound
                }
                ItemResult::Finished(Err(error)) => DeleteResult::Failed(error),
            };
            DeleteOutcome {
                index: outcome.index,
                id: outcome.item,
                result,
            }
        })
        .boxed()
}
