//! The contract of a provider, and the methods that every provider gets from it.

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
/// [`Confluent`](crate::Confluent) and [`ClickHouse`](crate::ClickHouse) implement it, and programs may add providers of
/// their own. Callers find further methods in [`InvitationProviderExt`]. Except for [`check`](Self::check), the trait has
/// no default bodies, so a wrapper cannot forget to forward a method.
///
/// A request means the same on every provider: an option is honoured or refused, never ignored. `Display` is the
/// provider's short name (`confluent`), and `Debug` must not show a secret. Dropping a future cancels the call; whether
/// the server executed it is then unknown.
#[async_trait]
pub trait InvitationProvider: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The optional features of the provider. Sends nothing.
    fn capabilities(&self) -> Capabilities;

    /// Invites a person. Not idempotent: a second call for an address fails.
    ///
    /// A create usually takes one request. Without a response, or after a conflict, this crate's providers look for the
    /// invitation to find out who created it, unless retries are disabled: with a get, or a list of the address (on
    /// ClickHouse the whole list).
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if the person is invited or a member,
    /// [`Unsupported`](ErrorKind::Unsupported) for an option that the provider does not have,
    /// [`InvalidInput`](ErrorKind::InvalidInput), [`QuotaExceeded`](ErrorKind::QuotaExceeded), and the errors of every
    /// call: see [`ErrorKind`]. If [`may_have_executed`](crate::Error::may_have_executed) is true, look for the
    /// invitation before repeating the create.
    async fn create(&self, new: NewInvitation) -> Result<Invitation>;

    /// Checks, without changing anything, whether the server would accept this invitation: on ClickHouse, whether the
    /// organisation has the roles. A [renewal](crate::Renewal) checks before it withdraws anything. If the server does
    /// not tell, that is not an error. Default: no check.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the server would reject the invitation.
    async fn check(&self, new: &NewInvitation) -> Result<()> {
        let _ = new;
        Ok(())
    }

    /// Reads one invitation. Idempotent.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound), and the errors of every call.
    async fn get(&self, id: &InvitationId) -> Result<Invitation>;

    /// Reads one page of the invitations that match `query`; the first page without a `token`. Idempotent. The order is
    /// the provider's. Pass the same `query` with every token.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) for a filter that the provider does not have,
    /// [`InvalidInput`](ErrorKind::InvalidInput) for an invalid page size or token, and the errors of every call.
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page>;

    /// Withdraws an invitation. A second call for an id fails with [`NotFound`](ErrorKind::NotFound);
    /// [`delete_if_exists`](InvitationProviderExt::delete_if_exists) does not.
    ///
    /// On Confluent this also deactivates the user that the invitation created.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound), [`AlreadyAccepted`](ErrorKind::AlreadyAccepted), and the errors of every call.
    async fn delete(&self, id: &InvitationId) -> Result<()>;
}

/// Methods of every [`InvitationProvider`].
#[async_trait]
pub trait InvitationProviderExt: InvitationProvider {
    /// Streams all invitations that match `query`, page by page.
    ///
    /// An item that cannot be decoded is an `Err` among the others. If a page cannot be fetched, the stream ends with
    /// that error, so a list without an error is complete.
    ///
    /// The next page is fetched while the items of a page are read;
    /// [`list_without_prefetch`](InvitationProviderExt::list_without_prefetch) fetches it later.
    fn list(&self, query: ListQuery) -> BoxStream<'_, Result<Invitation>> {
        list::stream(self, query, Prefetch::OnePage)
    }

    /// The same as [`list`](InvitationProviderExt::list), but fetches a page when every item of the page before was read,
    /// which saves a request for a reader that stops early.
    fn list_without_prefetch(&self, query: ListQuery) -> BoxStream<'_, Result<Invitation>> {
        list::stream(self, query, Prefetch::None)
    }

    /// Finds the first invitation of an address. [`ListQuery`] says how each provider compares addresses.
    ///
    /// # Errors
    ///
    /// Those of [`list_page`](InvitationProvider::list_page).
    async fn find_by_email(&self, email: &str) -> Result<Option<Invitation>> {
        list::first_match(self.list(ListQuery::new().email(email)), |_| true).await
    }

    /// Invites a person, or returns the existing invitation. Idempotent. Check the status of the result: it may be
    /// accepted or expired.
    ///
    /// Takes one request, and after a conflict as many more as finding the invitation needs: a get of the one that the
    /// server named, else a list of the address, else the whole list, since the spelling may differ.
    ///
    /// # Errors
    ///
    /// Those of [`create`](InvitationProvider::create); [`AlreadyExists`](ErrorKind::AlreadyExists) only if the person is
    /// a member, who has no invitation, and [`Conflict`](ErrorKind::Conflict) if no conflicting invitation was found.
    async fn get_or_create(&self, new: NewInvitation) -> Result<Invitation> {
        let email = new.email.clone();
        let error = match self.create(new).await {
            Err(error)
                if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict) =>
            {
                error
            }
            outcome => return outcome,
        };
        match lookup::find(self, &email, &error, None).await {
            Ok(Some(found)) => Ok(found),
            // A member has no invitation; for anybody else the outcome is unknown.
            Ok(None) if lookup::is_about_a_member(&error) => {
                Err(error.with_kind(ErrorKind::AlreadyExists))
            }
            Ok(None) => Err(error.with_kind(ErrorKind::Conflict)),
            // The lookup failed, so the outcome of the create stays ambiguous.
            Err(lookup) => Err(error
                .with_kind(ErrorKind::Conflict)
                .with_may_have_executed(true)
                .with_source(lookup)),
        }
    }

    /// Withdraws an invitation; returns `false` if it does not exist. Idempotent.
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

    /// Withdraws an invitation and creates another in its place. See [`Renewal`] for the guarantees.
    ///
    /// Dropping the future may leave the person without an invitation. [`RenewalOptions::observer`] receives an event
    /// before that becomes possible.
    async fn renew(&self, renewal: &Renewal, options: &RenewalOptions) -> RenewalResult {
        renewal.run(self, options).await
    }

    /// Counts the invitations that can be withdrawn: those that were neither accepted nor withdrawn. Reads the whole
    /// list.
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

    /// Checks a number of removals against a limit. Reads the whole list only if the limit depends on it.
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
        checked.map_err(|error| Error::from(error).with_provider(self.to_string()))
    }

    /// Invites many people, several at a time. The stream has one [`CreateOutcome`] per item, in order of completion.
    /// Dropping the stream stops the run.
    fn create_many<'a, I>(&'a self, items: I, options: BulkOptions) -> BoxStream<'a, CreateOutcome>
    where
        I: IntoIterator<Item = NewInvitation>,
        I::IntoIter: Send + 'a,
    {
        bulk::create_many(self, items, options)
    }

    /// Withdraws many invitations, several at a time. The stream has one [`DeleteOutcome`] per item, in order of
    /// completion. Dropping the stream stops the run.
    ///
    /// With more distinct ids than [`BulkOptions::removals`] allows, every item
    /// [fails](crate::DeleteResult::Failed) and none is sent.
    fn delete_many<'a, I>(&'a self, ids: I, options: BulkOptions) -> BoxStream<'a, DeleteOutcome>
    where
        I: IntoIterator<Item = InvitationId>,
        I::IntoIter: Send + 'a,
    {
        bulk::delete_many(self, ids, options)
    }
}

impl<P: InvitationProvider + ?Sized> InvitationProviderExt for P {}

/// Implements the trait for a pointer to a provider. Without `async`, so that a method returns the provider's own future
/// and not a second one around it.
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
