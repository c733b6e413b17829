//! The options of bulk operations, and bulk operations of one's own.

use std::sync::{Arc, atomic::AtomicBool};

use futures_util::stream::{BoxStream, StreamExt};

use super::{BulkRun, ItemResult, for_each_concurrent};
use crate::{
    error::Result,
    outage::{OutageOptions, reachability},
    provider::InvitationProvider,
    removal::RemovalLimit,
};

/// The options of `create_many`, `delete_many` and [`for_each`](Self::for_each).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BulkOptions {
    /// The number of concurrent items; at least 1. Default: 4.
    pub concurrency: usize,
    /// Stops the run once it is true: items in progress complete, and the rest is `NotAttempted`. Default: never.
    pub stop: Arc<AtomicBool>,
    /// How many invitations a `delete_many` may withdraw. With more distinct ids, every item fails before a request is
    /// sent, except the list that a limit in percent needs. Default: no limit.
    pub removals: Option<RemovalLimit>,
    /// When the run pauses because the server is unreachable, and when it gives up, with `NotAttempted` for the rest.
    pub outage: OutageOptions,
}

impl Default for BulkOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            stop: Arc::default(),
            removals: None,
            outage: OutageOptions::default(),
        }
    }
}

impl BulkOptions {
    /// Sets the number of concurrent items.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets the flag that stops the run.
    #[must_use]
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    /// Sets how many invitations a `delete_many` may withdraw.
    #[must_use]
    pub fn removals(mut self, limit: RemovalLimit) -> Self {
        self.removals = Some(limit);
        self
    }

    /// Sets when the run pauses because the server is unreachable, and when it gives up.
    #[must_use]
    pub fn outage(mut self, outage: OutageOptions) -> Self {
        self.outage = outage;
        self
    }

    /// Runs `work` on each item, a few at a time, as `create_many` and `delete_many` do: items with the same key once,
    /// none after a fatal error, and with pauses while the server is unreachable. Each result has the position of its
    /// item, and the item; they come in the order of completion. [`removals`](Self::removals) is not applied.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use org_invitations::{
    ///     BulkOptions, InvitationProvider, ItemResult, MemberId, MemberProvider, NewInvitation,
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = org_invitations_sandbox::Sandbox::builder().seed_members(2).start().await?;
    /// # let key = &sandbox.credentials().confluent;
    /// # let builder = org_invitations::Confluent::builder();
    /// # let builder = builder.api_key(&key.api_key, key.api_secret.as_str());
    /// # let provider = builder.base_url(sandbox.url()).build()?;
    /// # if !provider.capabilities().members { return Ok(()); }
    /// let ids = [MemberId::new("u-seed-member-1")?, MemberId::new("u-seed-member-2")?];
    /// let key = |id: &MemberId| Some(id.to_string());
    /// let remove = |id: MemberId| {
    ///     let provider = &provider;
    ///     async move { provider.remove_member(&id).await }
    /// };
    /// let mut results = BulkOptions::default().for_each(&provider, ids, key, remove);
    /// while let Some((_, id, result)) = results.next().await {
    ///     assert!(matches!(result, ItemResult::Finished(Ok(()))), "{id}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_each<'a, P, I, T, K, F, Work, Out>(
        self,
        provider: &'a P,
        items: I,
        key: K,
        work: F,
    ) -> BoxStream<'a, (usize, T, ItemResult<Out>)>
    where
        P: InvitationProvider + ?Sized,
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'a,
        T: Clone + Send + Sync + 'a,
        K: Fn(&T) -> Option<String> + Send + 'a,
        F: Fn(T) -> Work + Clone + Send + Sync + 'a,
        Work: Future<Output = Result<Out>> + Send + 'a,
        Out: Send + 'a,
    {
        for_each_concurrent(provider, items, BulkRun::new(self), key, work, reachability).boxed()
    }
}
