//! Many invitations at once: a few at a time, one outcome for each.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::stream::{self, BoxStream, StreamExt};

use crate::{
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    provider::InvitationProvider,
};

/// How `create_many` and `delete_many` go about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkOptions {
    /// How many requests may be under way at once; at least 1. Default: 4.
    pub concurrency: usize,
}

impl Default for BulkOptions {
    fn default() -> Self {
        Self { concurrency: 4 }
    }
}

impl BulkOptions {
    /// Sets how many requests may be under way at once.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }
}

/// What became of one item of `create_many`.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateOutcome {
    /// Its position in the input, counted from 0.
    pub index: usize,
    /// The item itself.
    pub new: NewInvitation,
    /// What became of it.
    pub result: Created,
}

/// What can become of an item of `create_many`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Created {
    /// Invited now.
    Created(Box<Invitation>),
    /// Invited before, or a member; the error is the provider's refusal.
    Existed(Error),
    /// Not invited; the error says why. The others go on.
    Refused(Error),
    /// Not sent, because an earlier item showed that the credential does not work.
    NotAttempted,
}

/// What became of one item of `delete_many`.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteOutcome {
    /// Its position in the input, counted from 0.
    pub index: usize,
    /// The item itself.
    pub id: InvitationId,
    /// What became of it.
    pub result: Deleted,
}

/// What can become of an item of `delete_many`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Deleted {
    /// Withdrawn now.
    Deleted,
    /// There was no such invitation.
    Missing,
    /// Still there; the error says why. The others go on.
    Refused(Error),
    /// Not sent, because an earlier item showed that the credential does not work.
    NotAttempted,
}

pub(crate) fn create_many<'a, P, I>(
    provider: &'a P,
    items: I,
    options: BulkOptions,
) -> BoxStream<'a, CreateOutcome>
where
    P: InvitationProvider + ?Sized,
    I: IntoIterator<Item = NewInvitation>,
    I::IntoIter: Send + 'a,
{
    let create = move |new: NewInvitation| async move { provider.create(new).await };
    run(items, options, create)
        .map(|(index, new, result)| {
            let result = match result {
                None => Created::NotAttempted,
                Some(Ok(invitation)) => Created::Created(Box::new(invitation)),
                Some(Err(error)) if error.kind() == ErrorKind::AlreadyExists => {
                    Created::Existed(error)
                }
                Some(Err(error)) => Created::Refused(error),
            };
            CreateOutcome { index, new, result }
        })
        .boxed()
}

pub(crate) fn delete_many<'a, P, I>(
    provider: &'a P,
    ids: I,
    options: BulkOptions,
) -> BoxStream<'a, DeleteOutcome>
where
    P: InvitationProvider + ?Sized,
    I: IntoIterator<Item = InvitationId>,
    I::IntoIter: Send + 'a,
{
    let delete = move |id: InvitationId| async move { provider.delete(&id).await };
    run(ids, options, delete)
        .map(|(index, id, result)| {
            let result = match result {
                None => Deleted::NotAttempted,
                Some(Ok(())) => Deleted::Deleted,
                Some(Err(error)) if error.kind() == ErrorKind::NotFound => Deleted::Missing,
                Some(Err(error)) => Deleted::Refused(error),
            };
            DeleteOutcome { index, id, result }
        })
        .boxed()
}

/// Runs `work` on each item, some at a time; `None` for those that a stop left over.
fn run<'a, I, T, F, Work, Out>(
    items: I,
    options: BulkOptions,
    work: F,
) -> impl futures::Stream<Item = (usize, T, Option<Result<Out>>)> + Send + 'a
where
    I: IntoIterator<Item = T>,
    I::IntoIter: Send + 'a,
    T: Clone + Send + 'a,
    F: Fn(T) -> Work + Copy + Send + 'a,
    Work: Future<Output = Result<Out>> + Send + 'a,
    Out: Send + 'a,
{
    let stopped = Arc::new(AtomicBool::new(false));
    stream::iter(items.into_iter().enumerate())
        .map(move |(index, item)| {
            let stopped = Arc::clone(&stopped);
            async move {
                if stopped.load(Ordering::Relaxed) {
                    return (index, item, None);
                }
                let result = work(item.clone()).await;
                if result.as_ref().is_err_and(stops_the_rest) {
                    stopped.store(true, Ordering::Relaxed);
                }
                (index, item, Some(result))
            }
        })
        .buffer_unordered(options.concurrency.max(1))
}

/// A failure that every further item would meet too.
fn stops_the_rest(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Config)
}
