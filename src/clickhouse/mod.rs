//! ClickHouse Cloud, organisation invitations.

mod activities;
mod builder;
mod convert;
mod error;
mod members;
mod roles;

use std::{fmt, pin::pin, sync::Arc};

use async_trait::async_trait;
use tracing::Instrument;

pub use self::builder::ClickHouseBuilder;
use self::roles::RoleCache;
use crate::{
    bindings::clickhouse::{Client, OPERATIONS, offers},
    capabilities::Capabilities,
    config::ProviderKind,
    error::{Operation, Result},
    http::HttpClient,
    invitation::{Invitation, InvitationId, NewInvitation, Roles},
    list::{ListQuery, Page, PageCursor, PageToken},
    lookup::SharedLookups,
    member::MemberProvider,
    operation::OperationContext,
    provider::InvitationProvider,
    reconcile::{create_reconciled, reconcile_delete},
};

/// Invitations to one ClickHouse Cloud organisation, over the `v1` API.
///
/// Cheap to clone; clones share the connection.
///
/// ```
/// # async fn example() -> org_invitations::Result<()> {
/// use org_invitations::{ClickHouse, InvitationProvider, NewInvitation};
///
/// # let sandbox = org_invitations_sandbox::Sandbox::start().await.unwrap();
/// # let credentials = &sandbox.credentials().clickhouse;
/// # let organization = &credentials.organization_id;
/// # let (key, secret) = (&credentials.api_key, credentials.api_secret.as_str());
/// # let url = sandbox.url();
/// let clickhouse = ClickHouse::builder(organization).api_key(key, secret).base_url(url).build()?;
/// let new = NewInvitation::new("Ann@example.com").legacy_role("developer");
/// let invitation = clickhouse.create(new).await?;
/// assert_eq!(invitation.email, "ann@example.com");
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct ClickHouse {
    api: Client,
    lookups: Arc<SharedLookups>,
    roles: Arc<RoleCache>,
    organization: Arc<str>,
}

impl ClickHouse {
    /// The name in errors, logs and configuration.
    pub const NAME: &'static str = ProviderKind::ClickHouse.as_str();

    /// Sets up a provider for the organisation with this id (a UUID).
    pub fn builder(organization_id: impl Into<String>) -> ClickHouseBuilder {
        ClickHouseBuilder::new(organization_id.into())
    }

    /// Sets up a provider from `CLICKHOUSE_ORG_ID`, `CLICKHOUSE_CLOUD_API_KEY`,
    /// `CLICKHOUSE_CLOUD_API_SECRET` and, optionally, `CLICKHOUSE_API_URL` (with or without `/v1`). An
    /// empty variable counts as absent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the variable that is missing or wrong.
    pub fn from_env() -> Result<Self> {
        ClickHouseBuilder::from_env()?.build()
    }

    /// The id of the organisation.
    pub fn organization_id(&self) -> &str {
        &self.organization
    }

    /// The generated client that this provider uses: every operation of the API that was generated, with the
    /// provider's credentials, rate limit and options. See [`bindings`](crate::bindings).
    ///
    /// ```
    #[doc = example!(clickhouse)]
    /// let organization = provider.organization_id();
    /// let list = provider.bindings().invitation_get_list().organization_id(organization).send().await?;
    /// println!("{:?} in request {:?}", list.result, list.request_id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bindings(&self) -> &crate::bindings::clickhouse::Client {
        &self.api
    }

    fn new(client: Arc<HttpClient>, organization: &str) -> Self {
        Self {
            api: Client::over(client),
            lookups: Arc::default(),
            roles: Arc::default(),
            organization: organization.into(),
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn decode_anything(
        &self,
        reply: impl Fn() -> crate::http::Reply,
        query: &ListQuery,
        token: &PageToken,
    ) {
        for operation in [
            Operation::Create,
            Operation::Get,
            Operation::List,
            Operation::Delete,
        ] {
            let context = self.context(operation, Some("id"));
            let start = PageCursor::parse(&context, token).ok();
            drop(error::failure(&context, &reply()));
            let invitation = convert::invitation_from(&context, context.decoded(reply()));
            drop(format!("{invitation:?}"));
            let page = convert::page_from(&context, Ok(reply()), query, start);
            drop(format!("{page:?}"));
            drop(context.expect_deleted(&reply()));
        }
    }

    fn context<'a>(
        &'a self,
        operation: Operation,
        target: Option<&'a str>,
    ) -> OperationContext<'a> {
        OperationContext::new(self.api.inner.client(), error::failure, operation, target)
    }
}

#[async_trait]
impl InvitationProvider for ClickHouse {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            auth_type: false,
            roles: offers::NEW_INVITATION_ASSIGNED_ROLE_IDS,
            role_scopes: false,
            list_roles: offers::ORGANIZATION_ROLES_GET_LIST,
            members: offers::MEMBER_GET_LIST
                && offers::MEMBER_GET
                && offers::MEMBER_UPDATE
                && offers::MEMBER_DELETE,
            removal_deletes_owned: false,
            membership_events: offers::ACTIVITY_GET_LIST,
            api_keys: false,
            legacy_role: offers::NEW_INVITATION_ROLE,
            filter_email: true,
            filter_status: true,
            filter_user: false,
            filter_creator: false,
            server_side_filters: false,
            reports_status: false,
            max_page_size: None,
        }
    }

    fn members(&self) -> Option<&dyn MemberProvider> {
        Some(self)
    }

    /// `POST /v1/organizations/{organizationId}/invitations`
    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let context = self.context(Operation::Create, Some(&new.email));
        context.with_context(new.check(&self.capabilities()))?;
        let ids = match &new.roles {
            Some(Roles::Grants(grants)) => Some(self.role_ids(&context, grants).await?),
            _ => None,
        };
        let body = convert::to_request_body(&context, &new, ids.clone())?;
        let api = self.api.within(&context.call);
        let send = || async {
            let request = api.invitation_create().organization_id(&*self.organization);
            let sent = request.body(body.clone()).send().await;
            let made = convert::invitation_from(&context, context.outcome(sent))?;
            context.expect_address(&new.email, made)
        };
        let created = create_reconciled(self, &self.lookups, &context, &new, send).await?;
        convert::expect_roles(&context, &ids.unwrap_or_default(), created)
    }

    /// `GET /v1/organizations/{organizationId}/roles`, where the invitation asks for roles by id.
    async fn check(&self, new: &NewInvitation) -> Result<()> {
        let context = self.context(Operation::Create, Some(&new.email));
        context.with_context(new.check(&self.capabilities()))?;
        self.check_roles(&context, new).await
    }

    /// `GET /v1/organizations/{organizationId}/invitations/{invitationId}`
    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let context = self.context(Operation::Get, Some(id.as_str()));
        let api = self.api.within(&context.call);
        let request = api.invitation_get().organization_id(&*self.organization);
        let sent = pin!(request.invitation_id(id.as_str()).send());
        let sent = sent.instrument(context.span()).await;
        let found = convert::invitation_from(&context, context.outcome(sent))?;
        context.expect_id(id, found)
    }

    /// `GET /v1/organizations/{organizationId}/invitations`, which sends everything at once; filters
    /// and pages are applied here.
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let context = self.context(Operation::List, None);
        context.with_context(query.check(&self.capabilities()))?;
        let start = token
            .map(|token| PageCursor::parse(&context, token))
            .transpose()?;
        let context = context.with_query(OPERATIONS, "invitation_get_list", &query.extra, &[])?;
        let api = self.api.within(&context.call);
        let request = api
            .invitation_get_list()
            .organization_id(&*self.organization);
        let sent = pin!(request.send()).instrument(context.span()).await;
        let page = convert::page_from(&context, context.reply(sent), query, start)?;
        context.expect_whole(page)
    }

    /// `DELETE /v1/organizations/{organizationId}/invitations/{invitationId}`
    async fn delete(&self, id: &InvitationId) -> Result<()> {
        let context = self.context(Operation::Delete, Some(id.as_str()));
        let api = self.api.within(&context.call);
        let request = api.invitation_delete().organization_id(&*self.organization);
        let sent = pin!(request.invitation_id(id.as_str()).send());
        let sent = sent.instrument(context.span()).await;
        reconcile_delete(&context, context.reply(sent))
    }
}

impl fmt::Display for ClickHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAME)
    }
}

impl fmt::Debug for ClickHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickHouse")
            .field("organization", &self.organization)
            .field("client", &self.api.inner)
            .finish()
    }
}
