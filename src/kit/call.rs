//! One operation of a provider.

use std::{fmt, pin::pin, sync::Arc};

use progenitor_client::{Error as ClientError, ResponseValue};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tracing::Instrument;

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    extra::Extra,
    http::{CallState, HttpClient, OperationSpec, Reply},
    invitation::{Invitation, InvitationId, NewInvitation},
    kit::{
        Connection, InvitationList, InvitationObject,
        object::{invitation_from, page_from},
    },
    list::{ListQuery, Page, PageCursor, PageToken, cut_page},
    operation::{OperationContext, ReadFailure},
    provider::InvitationProvider,
    reconcile::{create_reconciled, reconcile_delete},
};

/// One operation of a provider: its checks, which send nothing, and then one of [`create`](Self::create),
/// [`get`](Self::get), [`list`](Self::list) and [`delete`](Self::delete), which take the request of the generated client.
///
/// Each takes a closure that makes and sends one request, so that the future of the request is made where it stays. The
/// requests are made by `client.within(&call)`, so that attempts, deadline and ambiguity are counted over all of them.
///
/// ```
/// use org_invitations::{AuthType, Credentials, ErrorKind, NewInvitation, Operation, kit::Connection};
/// # use org_invitations::{Capabilities, kit::{Failure, Rejection, Vendor}};
/// # struct Acme;
/// # impl Vendor for Acme {
/// #     const NAME: &'static str = "acme";
/// #     const BASE_URL: &'static str = "https://api.acme.example";
/// #     fn capabilities() -> Capabilities { Capabilities::default() }
/// #     fn failure(_: &Rejection<'_>) -> Option<Failure> { None }
/// # }
///
/// let builder = Connection::builder::<Acme>().credentials(Credentials::bearer("a-secret"));
/// let connection = builder.build()?;
/// let new = NewInvitation::new("ann@example.com").auth_type(AuthType::Sso);
/// let call = connection.call(Operation::Create, Some(&new.email));
/// // Acme has no auth types.
/// assert_eq!(call.check_new(&new).unwrap_err().kind(), ErrorKind::Unsupported);
/// # Ok::<(), org_invitations::Error>(())
/// ```
pub struct Call<'a> {
    connection: &'a Connection,
    context: OperationContext<'a>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        client: &'a HttpClient,
        read_failure: ReadFailure,
        operation: Operation,
        target: Option<&'a str>,
    ) -> Self {
        Self {
            connection,
            context: OperationContext::new(client, read_failure, operation, target),
        }
    }

    pub(super) fn state(&self) -> &Arc<CallState> {
        &self.context.call
    }

    /// An error of this operation, with provider, target and attempts, and whether it may have been executed.
    pub fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.context.error(kind, message)
    }

    /// Checks a new invitation against the capabilities of the vendor. Every create begins with it.
    ///
    /// # Errors
    ///
    /// Those of [`NewInvitation::check`]: [`ErrorKind::InvalidInput`] for an address that cannot be one, [`ErrorKind::Unsupported`] for an option that the
    /// vendor does not have.
    pub fn check_new(&self, new: &NewInvitation) -> Result<()> {
        let offered = (self.connection.capabilities)();
        self.context.with_context(new.check(&offered))
    }

    /// Checks the query of a list against the capabilities of the vendor. Every list begins with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a page size out of range or an empty filter, [`ErrorKind::Unsupported`] for a filter
    /// that the vendor does not have.
    pub fn check_query(&self, query: &ListQuery) -> Result<()> {
        let offered = (self.connection.capabilities)();
        self.context.with_context(query.check(&offered))
    }

    /// Fails with [`ErrorKind::Unsupported`] unless the vendor supports the option.
    ///
    /// # Errors
    ///
    /// The option is not supported.
    pub fn require_supported(&self, supported: bool, option: &str) -> Result<()> {
        self.context.require_supported(supported, option)
    }

    /// Adds the parameters of [`ListQuery::extra`](crate::ListQuery::extra) to the requests of a list. `operations` and
    /// `operation` are the bindings' `OPERATIONS` and the name of the method; `fields` are the parameters that the provider
    /// itself sets.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the document has no such parameter, [`ErrorKind::InvalidInput`] if the provider sets
    /// it.
    pub fn with_query(
        self,
        operations: &[OperationSpec],
        operation: &str,
        query: &ListQuery,
        fields: &[&str],
    ) -> Result<Self> {
        let context = self.context;
        let context = context.with_query(operations, operation, &query.extra, fields)?;
        Ok(Self { context, ..self })
    }

    /// The body of a create: the `fields` that have a value, and the properties of
    /// [`NewInvitation::extra`](crate::NewInvitation::extra()). `unknown` is the field `extra` of the generated type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if `extra` has one of the fields or a property of another type, or if a required one is
    /// missing; [`ErrorKind::Unsupported`] if the document has no such property.
    pub fn request_body<T: DeserializeOwned, const N: usize>(
        &self,
        fields: [(&str, Option<Value>); N],
        extra: &Extra,
        unknown: impl FnOnce(&T) -> &Map<String, Value>,
    ) -> Result<T> {
        let body = self.context.request_body(fields, extra)?;
        self.context.require_known(unknown(&body).keys())?;
        Ok(body)
    }

    /// Creates an invitation exactly once. `request` makes and sends one request.
    ///
    /// Where a request got no answer, the invitation is looked for, for
    /// [`settle_for`](crate::RetryPolicy::settle_for), with the lists of `provider`; the request is sent again only if
    /// there is none.
    ///
    /// # Errors
    ///
    /// Those of [`InvitationProvider::create`]. The answer is about another address, or cannot be read: the outcome is open
    /// then.
    pub async fn create<P, W, E, F>(
        &self,
        provider: &P,
        new: &NewInvitation,
        request: impl Fn() -> F + Sync,
    ) -> Result<Invitation>
    where
        P: InvitationProvider,
        W: InvitationObject,
        F: Future<Output = Result<ResponseValue<W>, ClientError<E>>> + Send,
    {
        let context = &self.context;
        let request = &request;
        let send = || async move {
            let reply = context.reply(request().await)?;
            context.expect_address(&new.email, invitation_from::<W>(context, &reply)?)
        };
        create_reconciled(provider, &self.connection.lookups, context, new, send).await
    }

    /// Reads the invitation with this id.
    ///
    /// # Errors
    ///
    /// Those of [`InvitationProvider::get`]. The answer is about another invitation, or cannot be read.
    pub async fn get<W, E, F>(
        &self,
        id: &InvitationId,
        request: impl FnOnce() -> F,
    ) -> Result<Invitation>
    where
        W: InvitationObject,
        F: Future<Output = Result<ResponseValue<W>, ClientError<E>>>,
    {
        let reply = self.reply(request).await?;
        let found = invitation_from::<W>(&self.context, &reply)?;
        self.context.expect_id(id, found)
    }

    /// Reads a page. Items that the query does not match are left out, and an item that cannot be read is an `Err` among
    /// the others.
    ///
    /// A vendor whose [`max_page_size`](crate::Capabilities::max_page_size) is `None` sends everything at once: the page is
    /// cut out of it then, and `token` is checked before anything is sent. With any other vendor the provider puts the
    /// token into the request.
    ///
    /// # Errors
    ///
    /// Those of [`InvitationProvider::list_page`]. The body is not such a list.
    pub async fn list<L, E, F>(
        &self,
        query: &ListQuery,
        token: Option<&PageToken>,
        request: impl FnOnce() -> F,
    ) -> Result<Page>
    where
        L: InvitationList,
        F: Future<Output = Result<ResponseValue<L>, ClientError<E>>>,
    {
        let context = &self.context;
        let capabilities = (self.connection.capabilities)();
        let is_whole = capabilities.max_page_size.is_none();
        let start = token.filter(|_| is_whole);
        let start = start.map(|token| PageCursor::parse(context, token));
        let start = start.transpose()?;
        let reply = self.reply(request).await?;
        let mut page = page_from::<L>(context, &reply)?;
        if capabilities.server_side_filters {
            context.drop_mismatches(query, &mut page);
        } else {
            // What cannot be read may match, so it stays.
            page.items
                .retain(|item| item.as_ref().map_or(true, |item| query.matches(item)));
        }
        if is_whole && page.next.is_none() {
            page.total = u64::try_from(page.items.len()).ok();
            (page.items, page.next) = cut_page(page.items, query, start);
        }
        Ok(page)
    }

    /// Deletes an invitation. It is repeated whatever its method, and "not found" after an attempt without an answer is a
    /// success.
    ///
    /// # Errors
    ///
    /// Those of [`InvitationProvider::delete`]. The answer does not confirm the deletion.
    pub async fn delete<T, E, F>(&self, request: impl FnOnce() -> F) -> Result<()>
    where
        F: Future<Output = Result<ResponseValue<T>, ClientError<E>>>,
    {
        reconcile_delete(&self.context, self.reply(request).await)
    }

    async fn reply<T, E, F>(&self, request: impl FnOnce() -> F) -> Result<Reply>
    where
        F: Future<Output = Result<ResponseValue<T>, ClientError<E>>>,
    {
        let sent = pin!(request()).instrument(self.context.span()).await;
        self.context.reply(sent)
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.context.operation)
            .field("target", &self.context.target)
            .finish_non_exhaustive()
    }
}
