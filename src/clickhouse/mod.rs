//! ClickHouse Cloud, organisation invitations.

mod builder;
mod convert;
mod failure;
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used
)]
mod generated;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::Utc;

pub use self::builder::ClickHouseBuilder;
use self::generated::{Client, offers};
use crate::{
    capabilities::Capabilities,
    client::{Call, Connection, Reply, create_exactly_once, delete_exactly_once},
    error::{Operation, Result},
    invitation::{Invitation, InvitationId, NewInvitation, Roles},
    list::{ListQuery, Page, PageToken},
    provider::InvitationProvider,
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
    organization: Arc<str>,
}

impl ClickHouse {
    /// The name in errors, logs and configuration.
    pub const NAME: &'static str = "clickhouse";

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

    fn new(connection: Arc<Connection>, organization: &str) -> Self {
        let base = connection.endpoint.as_base().to_owned();
        let http = connection.http.clone();
        let api = Client::new_with_client(&base, http, connection);
        Self {
            api,
            organization: organization.into(),
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn decode_anything(&self, reply: &Reply, query: &ListQuery, token: &PageToken) {
        for operation in [
            Operation::Create,
            Operation::Get,
            Operation::List,
            Operation::Delete,
        ] {
            let call = self.call(operation, Some("id"));
            let start = convert::Position::parse(&call, token).ok();
            drop(failure::failure(&call, reply));
            drop(format!("{:?}", convert::one(&call, reply, Utc::now())));
            let page = convert::page(&call, reply, query, start, Utc::now());
            drop(format!("{page:?}"));
            drop(call.done(reply));
        }
    }

    fn call<'a>(&'a self, operation: Operation, subject: Option<&'a str>) -> Call<'a> {
        self.api.inner.call(operation, subject)
    }
}

#[async_trait]
impl InvitationProvider for ClickHouse {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            auth_type: false,
            role_ids: offers::INVITATION_CREATE_ASSIGNED_ROLE_IDS,
            legacy_role: offers::INVITATION_CREATE_ROLE,
            filter_email: true,
            filter_status: true,
            filter_user: false,
            filter_creator: false,
            server_side_filters: false,
            reports_status: false,
            max_page_size: None,
        }
    }

    /// `POST /v1/organizations/{organizationId}/invitations`
    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let call = self.call(Operation::Create, Some(&new.email));
        call.check(new.validate())?;
        call.offered(new.auth_type.is_none(), "auth types")?;
        let offered = match new.roles {
            None => true,
            Some(Roles::Ids(_)) => offers::INVITATION_CREATE_ASSIGNED_ROLE_IDS,
            Some(Roles::Legacy(_)) => offers::INVITATION_CREATE_ROLE,
        };
        call.offered(offered, "roles of this form")?;
        let body = convert::new_to_wire(&new);
        let send = || self.api.invitation_create(&self.organization, &body);
        let read = |reply: &Reply| convert::one(&call, reply, Utc::now());
        create_exactly_once(self, &call, &new, send, read).await
    }

    /// `GET /v1/organizations/{organizationId}/invitations/{invitationId}`
    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let call = self.call(Operation::Get, Some(id.as_str()));
        let send = || self.api.invitation_get(&self.organization, id.as_str());
        let reply = call.send(send).await?;
        convert::one(&call, &reply, Utc::now())
    }

    /// `GET /v1/organizations/{organizationId}/invitations`, which sends everything at once; filters
    /// and pages are applied here.
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let call = self.call(Operation::List, None);
        call.check(query.validate(None))?;
        call.offered(query.user.is_none(), "user filter")?;
        call.offered(query.creator.is_none(), "creator filter")?;
        let start = token
            .map(|token| convert::Position::parse(&call, token))
            .transpose()?;
        let send = || self.api.invitation_get_list(&self.organization);
        let reply = call.send(send).await?;
        convert::page(&call, &reply, query, start, Utc::now())
    }

    /// `DELETE /v1/organizations/{organizationId}/invitations/{invitationId}`
    async fn delete(&self, id: &InvitationId) -> Result<()> {
        let call = self.call(Operation::Delete, Some(id.as_str()));
        let send = || self.api.invitation_delete(&self.organization, id.as_str());
        delete_exactly_once(&call, send).await
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
            .field("connection", &self.api.inner)
            .finish()
    }
}
