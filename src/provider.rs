//! The contract between this crate and a provider, and what follows from it.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};

use crate::{
    bulk::{self, BulkOptions, CreateOutcome, DeleteOutcome},
    capabilities::Capabilities,
    error::{Error, ErrorKind, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    list::{self, ListQuery, Page, PageToken, Prefetch},
    lookup,
    removal::RemovalLimit,
    renewal::{Renewal, RenewalOptions, RenewalResult},
};

/// A service that invites people to an organisation.
///
/// Implemented by [`Confluent`](crate::Confluent) and [`ClickHouse`](crate::ClickHouse), and open to
/// others. The trait is what an implementor provides; callers find the rest in
/// [`InvitationProviderExt`]. But for [`check`](Self::check), it has no default bodies, so a wrapper cannot forget to
/// forward.
///
/// A request means the same on every provider: an option is honoured or refused, never ignored.
/// `Display` is the provider's short name (`confluent`), `Debug` must not show a secret. Dropping a
/// future cancels the call; whether the server carried it out is then unknown.
#[async_trait]
pub trait InvitationProvider: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// What this provider offers, as far as providers differ. Sends nothing.
    fn capabilities(&self) -> Capabilities;

    /// Invites a person. Not idempotent: the second call for an email is refused.
    ///
    /// One request, as a rule. When its answer is lost, or it is refused because the email is invited,
    /// this crate's providers look for the invitation to find out who made it, unless their retries are
    /// switched off: that is a get, or a list of the address (on ClickHouse the whole list).
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) when the email is invited or a member,
    /// [`Unsupported`](ErrorKind::Unsupported) for an option this provider does not have,
    /// [`InvalidInput`](ErrorKind::InvalidInput), [`QuotaExceeded`](ErrorKind::QuotaExceeded), and
    /// those of every call: see [`ErrorKind`]. When
    /// [`may_have_executed`](crate::Error::may_have_executed) is true, look before repeating it.
    async fn create(&self, new: NewInvitation) -> Result<Invitation>;

    /// Looks, without changing anything, whether this invitation could be created, as far as the server tells: on
    /// ClickHouse, whether the organisation has the roles. A [renewal](crate::Renewal) asks before it withdraws
    /// anything. Where the server does not tell, that is no error. Default: nothing is known.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput), when the invitation would be refused.
    async fn check(&self, new: &NewInvitation) -> Result<()> {
        let _ = new;
        Ok(())
    }

    /// Reads one invitation. Idempotent.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound), and those of every call.
    async fn get(&self, id: &InvitationId) -> Result<Invitation>;

    /// Reads one page of the invitations that match `query`, the first one without a `token`.
    /// Idempotent; the order is the provider's. Give the same `query` with every token.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) for a filter this provider does not have,
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a page size or token that is out of range, and
    /// those of every call.
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page>;

    /// Withdraws an invitation. The second call for an id reports
    /// [`NotFound`](ErrorKind::NotFound); [`delete_if_exists`](InvitationProviderExt::delete_if_exists)
    /// does not.
    ///
    /// On Confluent this also deactivates the user that the invitation created.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound), [`AlreadyAccepted`](ErrorKind::AlreadyAccepted), and those
    /// of every call.
    async fn delete(&self, id: &InvitationId) -> Result<()>;
}

/// What every provider can do because it is an [`InvitationProvider`].
#[async_trait]
pub trait InvitationProviderExt: InvitationProvider {
    /// All invitations that match `query`, page after page, as they arrive.
    ///
    /// An item that cannot be read is an `Err` among the others; when a page cannot be fetched, the
    /// stream ends with that error, so a list without an error is complete.
    ///
    /// While the items of a page are read, the next page is on its way;
    /// [`list_without_prefetch`](InvitationProviderExt::list_without_prefetch) asks for it later.
    fn list(&self, query: ListQuery) -> BoxStream<'_, Result<Invitation>> {
        list::stream(self, query, Prefetch::OnePage)
    }

    /// The same as [`list`](InvitationProviderExt::list), but a page is asked for only once every item of
    /// the one before was read: for a reader who may stop early, and sends no request too many.
    fn list_without_prefetch(&self, query: ListQuery) -> BoxStream<'_, Result<Invitation>> {
        list::stream(self, query, Prefetch::None)
    }

    /// The first invitation of this address, or `None`. Addresses compare without regard to case as
    /// far as [`ListQuery`] says.
    ///
    /// # Errors
    ///
    /// Those of [`list_page`](InvitationProvider::list_page).
    async fn find_by_email(&self, email: &str) -> Result<Option<Invitation>> {
        list::first_match(self.list(ListQuery::new().email(email)), |_| true).await
    }

    /// Invites a person, or returns the invitation that is there already: idempotent. Look at its
    /// status: it may have been accepted, or have expired.
    ///
    /// Costs one request, and as many more as it takes to find an invitation that is in the way: the
    /// one that the server named, else a list of the address, else the whole list, since it may have
    /// been made in another spelling.
    ///
    /// # Errors
    ///
    /// Those of [`create`](InvitationProvider::create); [`AlreadyExists`](ErrorKind::AlreadyExists)
    /// only when there is no invitation to return, because the person is a member, and
    /// [`Conflict`](ErrorKind::Conflict) when nothing in the way was found.
    async fn get_or_create(&self, new: NewInvitation) -> Result<Invitation> {
        let email = new.email.clone();
        let refused = match self.create(new).await {
            Err(error)
                if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict) =>
            {
                error
            }
            outcome => return outcome,
        };
        match lookup::find(self, &email, &refused, None).await {
            Ok(Some(found)) => Ok(found),
            // Who is a member has none; of anybody else nothing was seen.
            Ok(None) if lookup::is_about_a_member(&refused) => {
                Err(refused.with_kind(ErrorKind::AlreadyExists))
            }
            Ok(None) => Err(refused.with_kind(ErrorKind::Conflict)),
            // Nobody was seen, and what the create did is still open.
            Err(lookup) => Err(refused
                .with_kind(ErrorKind::Conflict)
                .with_may_have_executed(true)
                .with_source(lookup)),
        }
    }

    /// Withdraws an invitation; `false` when there was none. Idempotent.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](InvitationProvider::delete) except [`NotFound`](ErrorKind::NotFound).
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
    async fn renew(&self, renewal: &Renewal, options: &RenewalOptions) -> RenewalResult {
        renewal.run(self, options).await
    }

    /// How many invitations can be withdrawn: those that were neither accepted nor withdrawn. Reads the whole list.
    ///
    /// # Errors
    ///
    /// Those of [`list_page`](InvitationProvider::list_page), also of a single item.
    async fn count_removable(&self) -> Result<usize> {
        let mut list = self.list(ListQuery::new());
        let mut count = 0;
        while let Some(invitation) = list.next().await {
            count += usize::from(invitation?.is_deletable());
        }
        Ok(count)
    }

    /// Checks a run that withdraws so many invitations. Lists those that there are only where it depends on them.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) with [`TooManyRemovals`](crate::TooManyRemovals) as its source; and
    /// those of a list.
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
    fn create_many<'a, I>(&'a self, items: I, options: BulkOptions) -> BoxStream<'a, CreateOutcome>
    where
        I: IntoIterator<Item = NewInvitation>,
        I::IntoIter: Send + 'a,
    {
        bulk::create_many(self, items, options)
    }

    /// Withdraws many invitations, a few at a time; one outcome for each, in the order of completion.
    ///
    /// With [`BulkOptions::removals`], the ids are counted first, and too many are all
    /// [`Refused`](crate::Deleted::Refused).
    ///
    /// See [`DeleteOutcome`] for what can become of an item. Dropping the stream stops it.
    fn delete_many<'a, I>(&'a self, ids: I, options: BulkOptions) -> BoxStream<'a, DeleteOutcome>
    where
        I: IntoIterator<Item = InvitationId>,
        I::IntoIter: Send + 'a,
    {
        bulk::delete_many(self, ids, options)
    }
}

impl<P: InvitationProvider + ?Sized> InvitationProviderExt for P {}

/// A pointer to a provider is a provider. Written without `async`, so that what comes back is the
/// provider's own future and not one more around it.
macro_rules! forward {
    ($($pointer:tt)+) => {
        #[deny(clippy::missing_trait_methods)]
        impl<P: InvitationProvider + ?Sized> InvitationProvider for $($pointer)+ {
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            fn create<'a, 'f>(&'a self, new: NewInvitation) -> BoxFuture<'f, Result<Invitation>>
            where
                'a: 'f,
                Self: 'f,
            {
                (**self).create(new)
            }

            fn check<'a, 'b, 'f>(&'a self, new: &'b NewInvitation) -> BoxFuture<'f, Result<()>>
            where
                'a: 'f,
                'b: 'f,
                Self: 'f,
            {
                (**self).check(new)
            }

            fn get<'a, 'b, 'f>(
                &'a self,
                id: &'b InvitationId,
            ) -> BoxFuture<'f, Result<Invitation>>
            where
                'a: 'f,
                'b: 'f,
                Self: 'f,
            {
                (**self).get(id)
            }

            fn list_page<'a, 'b, 'c, 'f>(
                &'a self,
                query: &'b ListQuery,
                token: Option<&'c PageToken>,
            ) -> BoxFuture<'f, Result<Page>>
            where
                'a: 'f,
                'b: 'f,
                'c: 'f,
                Self: 'f,
            {
                (**self).list_page(query, token)
            }

            fn delete<'a, 'b, 'f>(&'a self, id: &'b InvitationId) -> BoxFuture<'f, Result<()>>
            where
                'a: 'f,
                'b: 'f,
                Self: 'f,
            {
                (**self).delete(id)
            }
        }
    };
}

forward!(&'static P);
forward!(Box<P>);
forward!(Arc<P>);
