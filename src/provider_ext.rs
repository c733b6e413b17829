//! What follows from the contract of a provider, for every provider.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use crate::{
    bulk::{self, BulkOptions, CreateOutcome, DeleteOutcome},
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    list::{self, ListQuery, Prefetch},
    lookup,
    provider::InvitationProvider,
    removal::RemovalLimit,
    renewal::{Renewal, RenewalOptions, RenewalResult},
};

/// What every provider can do because it is an [`InvitationProvider`].
#[async_trait]
pub trait InvitationProviderExt: InvitationProvider {
    /// All invitations that match `query`, page after page, as they arrive.
    ///
    /// An item that cannot be read is an `Err` among the others; when a page cannot be fetched, the
    /// stream ends with that error, so a list without an error is complete.
    ///
    /// While the items of a page are read, the next page is fetched;
    /// [`list_without_prefetch`](InvitationProviderExt::list_without_prefetch) fetches it later.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// for email in ["ann@example.com", "bob@example.com"] {
    ///     provider.create(NewInvitation::new(email)).await?;
    /// }
    /// let all: Vec<_> = provider.list(ListQuery::new()).try_collect().await?;
    /// assert_eq!(all.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    fn list(&self, query: ListQuery) -> BoxStream<'_, Result<Invitation>> {
        list::stream(self, query, Prefetch::OnePage)
    }

    /// The same as [`list`](InvitationProviderExt::list), but each page is fetched only after every item of the
    /// page before was read. A reader who stops early then causes no unneeded request.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// for email in ["ann@example.com", "bob@example.com", "eve@example.com"] {
    ///     provider.create(NewInvitation::new(email)).await?;
    /// }
    /// let mut list = provider.list_without_prefetch(ListQuery::new().page_size(2));
    /// assert!(list.try_next().await?.is_some());
    /// drop(list);
    /// assert_eq!(sandbox.ledger().requests.len(), 4, "three creates and one page");
    /// # Ok(())
    /// # }
    /// ```
    fn list_without_prefetch(&self, query: ListQuery) -> BoxStream<'_, Result<Invitation>> {
        list::stream(self, query, Prefetch::None)
    }

    /// The same as [`list`](InvitationProviderExt::list), by a stream that owns its provider, so that it can be
    /// spawned, or be the body of a response (`axum::body::Body::from_stream`). Call it on a clone:
    /// `Arc::clone(&provider)` of any provider, or `provider.clone()` of one of this crate's.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use futures::TryStreamExt;
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let provider: Arc<dyn InvitationProvider> = Arc::new(provider);
    /// provider.create(NewInvitation::new("ann@example.com")).await?;
    ///
    /// let list = Arc::clone(&provider).into_list(ListQuery::new());
    /// let all: Vec<_> = tokio::spawn(list.try_collect()).await??;
    /// assert_eq!(all.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    fn into_list(self, query: ListQuery) -> BoxStream<'static, Result<Invitation>>
    where
        Self: Sized + 'static,
    {
        list::stream(Arc::new(self), query, Prefetch::OnePage)
    }

    /// The first invitation of this address, or `None`. Addresses compare without regard to case as
    /// far as [`ListQuery`] says.
    ///
    /// # Errors
    ///
    /// Those of [`list_page`](InvitationProvider::list_page).
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let ann = provider.create(NewInvitation::new("ann@example.com")).await?;
    /// assert_eq!(provider.find_by_email("ann@example.com").await?, Some(ann));
    /// assert_eq!(provider.find_by_email("bob@example.com").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    async fn find_by_email(&self, email: &str) -> Result<Option<Invitation>> {
        list::first(self.list(ListQuery::new().email(email))).await
    }

    /// Invites a person, or returns the invitation that is there already: idempotent. Look at its
    /// status: it may have been accepted, or have expired.
    ///
    /// It costs one request, and as many more as it takes to find a conflicting invitation: a get of the one that the
    /// server named, else a list of the address, else the whole list, because the invitation may have another spelling.
    ///
    /// # Errors
    ///
    /// Those of [`create`](InvitationProvider::create); [`AlreadyExists`](ErrorKind::AlreadyExists)
    /// only when there is no invitation to return, because the person is a member, and
    /// [`Conflict`](ErrorKind::Conflict) when nothing in the way was found.
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let first = provider.get_or_create(NewInvitation::new("ann@example.com")).await?;
    /// let second = provider.get_or_create(NewInvitation::new("Ann@example.com")).await?;
    /// assert_eq!(first.id, second.id);
    /// # Ok(())
    /// # }
    /// ```
    async fn get_or_create(&self, new: NewInvitation) -> Result<Invitation> {
        let (invitation, _) = self.create_if_not_exists(new).await?;
        Ok(invitation)
    }

    /// The same as [`get_or_create`](InvitationProviderExt::get_or_create), and whether this call created the
    /// invitation.
    ///
    /// # Errors
    ///
    /// Those of [`get_or_create`](InvitationProviderExt::get_or_create).
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let (ann, is_new) = provider.create_if_not_exists(NewInvitation::new("ann@example.com")).await?;
    /// assert!(is_new);
    /// let (same, is_new) = provider.create_if_not_exists(NewInvitation::new("ann@example.com")).await?;
    /// assert!(!is_new && same.id == ann.id);
    /// # Ok(())
    /// # }
    /// ```
    async fn create_if_not_exists(&self, new: NewInvitation) -> Result<(Invitation, bool)> {
        lookup::create_if_not_exists(self, new).await
    }

    /// Withdraws an invitation; `false` when there was none. Idempotent.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](InvitationProvider::delete) except [`NotFound`](ErrorKind::NotFound).
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, NewInvitation};
    ///
    #[doc = example!(clickhouse)]
    /// let ann = provider.create(NewInvitation::new("ann@example.com")).await?;
    /// assert!(provider.delete_if_exists(&ann.id).await?);
    /// assert!(!provider.delete_if_exists(&ann.id).await?);
    /// # Ok(())
    /// # }
    /// ```
    async fn delete_if_exists(&self, id: &InvitationId) -> Result<bool> {
        match self.delete(id).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Withdraws an invitation and invites its person again. See [`Renewal`] for what is promised.
    ///
    /// Dropping the future in the middle may leave the person without an invitation:
    /// [`RenewalOptions::observer`] is told before that becomes possible.
    ///
    /// ```
    /// use org_invitations::{
    ///     InvitationProvider, InvitationProviderExt, NewInvitation, Renewal, RenewalOptions,
    ///     RenewalResult,
    /// };
    ///
    #[doc = example!(confluent)]
    /// let old = provider.create(NewInvitation::new("ann@example.com")).await?;
    /// let renewal = Renewal::of(&old, &provider.capabilities())?;
    /// match provider.renew(&renewal, &RenewalOptions::default()).await {
    ///     RenewalResult::Renewed(new) => assert_ne!(new.id, old.id),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    async fn renew(&self, renewal: &Renewal, options: &RenewalOptions) -> RenewalResult {
        renewal.run(self, options).await
    }

    /// How many invitations can be withdrawn: those that were neither accepted nor withdrawn. Reads the whole list.
    ///
    /// # Errors
    ///
    /// Those of [`list_page`](InvitationProvider::list_page), also of a single item.
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, InvitationProviderExt, NewInvitation};
    /// use org_invitations_sandbox::Provider;
    ///
    #[doc = example!(confluent)]
    /// for email in ["ann@example.com", "bob@example.com"] {
    ///     provider.create(NewInvitation::new(email)).await?;
    /// }
    /// sandbox.accept(Provider::Confluent, "bob@example.com")?;
    /// assert_eq!(provider.count_removable().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    async fn count_removable(&self) -> Result<usize> {
        let mut list = self.list(ListQuery::new());
        let mut count = 0;
        while let Some(invitation) = list.next().await {
            count += usize::from(invitation?.is_deletable());
        }
        Ok(count)
    }

    /// Checks whether a run may withdraw this number of invitations. Counts the existing invitations, by a list, only
    /// where `removals` is more than `limit` allows without them.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) with [`TooManyRemovals`](crate::TooManyRemovals) as its
    /// [cause](Error::cause); and those of a list.
    ///
    /// ```
    /// use org_invitations::{
    ///     InvitationProvider, InvitationProviderExt, NewInvitation, RemovalLimit,
    /// };
    ///
    #[doc = example!(confluent)]
    /// for email in ["ann@example.com", "bob@example.com"] {
    ///     provider.create(NewInvitation::new(email)).await?;
    /// }
    /// let half = RemovalLimit::percent(50);
    /// assert!(provider.check_removals(1, half).await.is_ok());
    /// assert!(provider.check_removals(2, half).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    async fn check_removals(&self, removals: usize, limit: RemovalLimit) -> Result<()> {
        if limit.check(removals, 0).is_ok() {
            return Ok(());
        }
        let existing = self.count_removable().await?;
        let checked = limit.check(removals, existing);
        checked.map_err(|refused| Error::from(refused).with_provider(self.to_string()))
    }

    /// Invites many people, a few at a time; one outcome for each, in the order of completion.
    ///
    /// See [`CreateOutcome`] for what can become of an item. Dropping the stream stops it.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use org_invitations::{BulkOptions, CreateResult, InvitationProviderExt, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let people = ["ann@example.com", "bob@example.com"].map(NewInvitation::new);
    /// let mut outcomes = provider.create_many(people, BulkOptions::default());
    /// while let Some(outcome) = outcomes.next().await {
    ///     match outcome.result {
    ///         CreateResult::Created(invitation) => println!("{}: {}", invitation.email, invitation.id),
    ///         other => panic!("{}: {other:?}", outcome.new.email),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn create_many<'a, I>(&'a self, items: I, options: BulkOptions) -> BoxStream<'a, CreateOutcome>
    where
        I: IntoIterator<Item = NewInvitation>,
        I::IntoIter: Send + 'a,
    {
        bulk::create_many(self, stream::iter(items), options)
    }

    /// The same as [`create_many`](InvitationProviderExt::create_many), for items that arrive over time: from a
    /// queue, a file, or another organisation. Items are taken as they are needed; [`stop`](BulkOptions::stop) ends
    /// no wait for the next one.
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use org_invitations::{BulkOptions, InvitationProviderExt, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let people = stream::unfold(1, |number| async move {
    ///     let new = NewInvitation::new(format!("person-{number}@example.com"));
    ///     (number <= 3).then_some((new, number + 1))
    /// });
    /// let outcomes = provider.create_many_from_stream(people, BulkOptions::default());
    /// assert_eq!(outcomes.count().await, 3);
    /// # Ok(())
    /// # }
    /// ```
    fn create_many_from_stream<'a, S>(
        &'a self,
        items: S,
        options: BulkOptions,
    ) -> BoxStream<'a, CreateOutcome>
    where
        S: Stream<Item = NewInvitation> + Send + 'a,
    {
        bulk::create_many(self, items, options)
    }

    /// Withdraws many invitations, a few at a time; one outcome for each, in the order of completion.
    ///
    /// With [`BulkOptions::removals`], the ids are counted first, and where they are too many, every outcome is
    /// [`Failed`](crate::DeleteResult::Failed) and nothing is sent.
    ///
    /// See [`DeleteOutcome`] for what can become of an item. Dropping the stream stops it.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use org_invitations::{
    ///     BulkOptions, DeleteResult, InvitationProvider, InvitationProviderExt, NewInvitation,
    /// };
    ///
    #[doc = example!(confluent)]
    /// let ann = provider.create(NewInvitation::new("ann@example.com")).await?;
    /// let ids = [ann.id.clone(), ann.id];
    /// let mut outcomes: Vec<_> = provider.delete_many(ids, BulkOptions::default()).collect().await;
    /// outcomes.sort_by_key(|outcome| outcome.index);
    /// assert!(matches!(outcomes[0].result, DeleteResult::Deleted));
    /// assert!(matches!(outcomes[1].result, DeleteResult::Duplicate(0)));
    /// # Ok(())
    /// # }
    /// ```
    fn delete_many<'a, I>(&'a self, ids: I, options: BulkOptions) -> BoxStream<'a, DeleteOutcome>
    where
        I: IntoIterator<Item = InvitationId>,
        I::IntoIter: Send + 'a,
    {
        bulk::delete_many(self, stream::iter(ids), options)
    }

    /// The same as [`delete_many`](InvitationProviderExt::delete_many), for ids that arrive over time. With
    /// [`BulkOptions::removals`], nothing is withdrawn before the last id has arrived, since they are counted first.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use org_invitations::{
    ///     BulkOptions, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation,
    /// };
    ///
    #[doc = example!(confluent)]
    /// provider.create(NewInvitation::new("ann@example.com")).await?;
    /// let listed = provider.list(ListQuery::new());
    /// let ids = listed.filter_map(async |item| item.ok().map(|invitation| invitation.id));
    /// let outcomes = provider.delete_many_from_stream(ids, BulkOptions::default());
    /// assert_eq!(outcomes.count().await, 1);
    /// # Ok(())
    /// # }
    /// ```
    fn delete_many_from_stream<'a, S>(
        &'a self,
        ids: S,
        options: BulkOptions,
    ) -> BoxStream<'a, DeleteOutcome>
    where
        S: Stream<Item = InvitationId> + Send + 'a,
    {
        bulk::delete_many(self, ids, options)
    }
}

impl<P: InvitationProvider + ?Sized> InvitationProviderExt for P {}
