//! Confluent Cloud, IAM v2.

mod api_keys;
mod builder;
#[cfg(feature = "client-credentials")]
mod client_credentials;
mod convert;
mod credentials;
mod error;
mod members;
mod role_bindings;
#[cfg(feature = "sts")]
mod sts;
#[cfg(feature = "sts")]
mod subject_token;

use std::{fmt, pin::pin, sync::Arc};

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tracing::Instrument;

#[cfg(feature = "client-credentials")]
pub use self::client_credentials::ClientCredentials;
pub use self::{builder::ConfluentBuilder, credentials::ConfluentCredentials};
#[cfg(feature = "sts")]
pub use self::{sts::StsCredentials, subject_token::SubjectToken};
use crate::{
    bindings::confluent::{Client, OPERATIONS, offers},
    capabilities::Capabilities,
    config::ProviderKind,
    error::{Operation, Result},
    http::HttpClient,
    invitation::{Invitation, InvitationId, NewInvitation},
    list::{ListQuery, Page, PageToken},
    lookup::SharedLookups,
    member::MemberProvider,
    operation::OperationContext,
    provider::InvitationProvider,
    reconcile::{create_reconciled, reconcile_delete},
};

/// The largest page size that the vendor documents.
const MAX_PAGE_SIZE: u32 = 100;

/// The longest page token that the vendor documents.
const MAX_TOKEN_CHARS: usize = 255;

/// The largest page size that is requested: pages of 100 were observed to lose the rest of the list.
const SAFE_PAGE_SIZE: u32 = 99;

/// The query parameters of a list that [`ListQuery`] has fields for.
const QUERY_FIELDS: &[&str] = &[
    "creator",
    "email",
    "page_size",
    "page_token",
    "status",
    "user",
];

/// Invitations to a Confluent Cloud organisation, over the IAM v2 API.
///
/// The organisation is the one that the credential belongs to. Cheap to clone; clones share the
/// connection.
///
/// ```
/// # async fn example() -> org_invitations::Result<()> {
/// use org_invitations::{Confluent, InvitationProvider, NewInvitation};
///
/// # let sandbox = org_invitations_sandbox::Sandbox::start().await.unwrap();
/// # let key = &sandbox.credentials().confluent.api_key;
/// # let secret = sandbox.credentials().confluent.api_secret.as_str();
/// # let endpoint = sandbox.url();
/// let confluent = Confluent::builder().api_key(key, secret).base_url(endpoint).build()?;
/// let invitation = confluent.create(NewInvitation::new("ann@example.com")).await?;
/// // Role bindings go on the user, not on the invitation.
/// println!("{} invites {:?}", invitation.id, invitation.user);
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct Confluent {
    api: Client,
    lookups: Arc<SharedLookups>,
    /// The id of the organisation, once it is looked up.
    organizations: Arc<OnceCell<Vec<String>>>,
    /// The id of the API key that requests authenticate with, unless they have a token.
    key_id: Option<Arc<str>>,
}

impl Confluent {
    /// The name in errors, logs and configuration.
    pub const NAME: &'static str = ProviderKind::Confluent.as_str();

    /// Sets up a provider.
    pub fn builder() -> ConfluentBuilder {
        ConfluentBuilder::new()
    }

    /// Sets up a provider from `CONFLUENT_CLOUD_API_KEY`, `CONFLUENT_CLOUD_API_SECRET` and, optionally,
    /// `CONFLUENT_CLOUD_ENDPOINT`. An empty variable counts as absent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the variable that is missing or wrong.
    pub fn from_env() -> Result<Self> {
        ConfluentBuilder::from_env()?.build()
    }

    /// The generated client that this provider uses: every operation of the API that was generated, with the
    /// provider's credentials, rate limit and options. See [`bindings`](crate::bindings).
    pub fn bindings(&self) -> &crate::bindings::confluent::Client {
        &self.api
    }

    fn new(client: Arc<HttpClient>, key_id: Option<Arc<str>>) -> Self {
        Self {
            api: Client::over(client),
            lookups: Arc::default(),
            organizations: Arc::default(),
            key_id,
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn decode_anything(&self, reply: impl Fn() -> crate::http::Reply) {
        for operation in [
            Operation::Create,
            Operation::Get,
            Operation::List,
            Operation::Delete,
        ] {
            let context = self.context(operation, Some("i-1"));
            drop(error::failure(&context, &reply()));
            let invitation = convert::invitation_from(&context, context.decoded(reply()));
            drop(format!("{invitation:?}"));
            let page = convert::page_from(&context, Ok(reply()));
            drop(format!("{page:?}"));
            drop(context.expect_deleted(&reply()));
        }
        #[cfg(feature = "sts")]
        sts::decode_anything(reply());
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
impl InvitationProvider for Confluent {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            auth_type: offers::NEW_INVITATION_AUTH_TYPE,
            roles: role_bindings::OFFERED,
            role_scopes: role_bindings::OFFERED,
            list_roles: false,
            members: offers::LIST_IAM_V2_USERS
                && offers::GET_IAM_V2_USER
                && offers::DELETE_IAM_V2_USER
                && role_bindings::OFFERED,
            removal_deletes_owned: offers::DELETE_IAM_V2_USER,
            membership_events: false,
            api_keys: api_keys::OFFERED,
            legacy_role: false,
            filter_email: offers::LIST_IAM_V2_INVITATIONS_EMAIL,
            filter_status: offers::LIST_IAM_V2_INVITATIONS_STATUS,
            filter_user: offers::LIST_IAM_V2_INVITATIONS_USER,
            filter_creator: offers::LIST_IAM_V2_INVITATIONS_CREATOR,
            server_side_filters: true,
            reports_status: true,
            max_page_size: Some(MAX_PAGE_SIZE),
        }
    }

    fn members(&self) -> Option<&dyn MemberProvider> {
        Some(self)
    }

    /// `POST /iam/v2/invitations`
    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let context = self.context(Operation::Create, Some(&new.email));
        context.with_context(new.check(&self.capabilities()))?;
        let body = convert::to_request_body(&context, &new)?;
        let roles = self.resolve_roles(&context, &new).await?;
        let api = self.api.within(&context.call);
        let send = || async {
            let request = api.create_iam_v2_invitation().body(body.clone());
            let made = convert::invitation_from(&context, context.outcome(request.send().await))?;
            context.expect_address(&new.email, made)
        };
        let created = create_reconciled(self, &self.lookups, &context, &new, send).await?;
        self.bind_invited(&context, created, roles).await
    }

    /// Looks up the organisation, where roles are given in a part of it.
    async fn check(&self, new: &NewInvitation) -> Result<()> {
        let context = self.context(Operation::Create, Some(&new.email));
        context.with_context(new.check(&self.capabilities()))?;
        self.resolve_roles(&context, new).await.map(drop)
    }

    /// `GET /iam/v2/invitations/{id}`
    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let context = self.context(Operation::Get, Some(id.as_str()));
        let api = self.api.within(&context.call);
        let sent = pin!(api.get_iam_v2_invitation().id(id.as_str()).send());
        let sent = sent.instrument(context.span()).await;
        let found = convert::invitation_from(&context, context.outcome(sent))?;
        context.expect_id(id, found)
    }

    /// `GET /iam/v2/invitations`
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let context = self.context(Operation::List, None);
        context.with_context(query.check(&self.capabilities()))?;
        self.check_token(&context, token)?;
        let operation = "list_iam_v2_invitations";
        let context = context.with_query(OPERATIONS, operation, &query.extra, QUERY_FIELDS)?;
        let api = self.api.within(&context.call);
        let mut request = api.list_iam_v2_invitations();
        if let Some(creator) = &query.creator {
            request = request.creator(creator.as_str());
        }
        if let Some(email) = &query.email {
            request = request.email(email.as_str());
        }
        if let Some(status) = &query.status {
            request = request.status(convert::status_to_wire(status));
        }
        if let Some(user) = &query.user {
            request = request.user(user.as_str());
        }
        // The first request sets the page size; the token keeps it.
        request = match token {
            Some(token) => request.page_token(token.as_str()),
            None => {
                let size = query.page_size.unwrap_or(SAFE_PAGE_SIZE);
                request.page_size(i64::from(size.min(SAFE_PAGE_SIZE)))
            }
        };
        let sent = pin!(request.send()).instrument(context.span()).await;
        let mut page = convert::page_from(&context, context.reply(sent))?;
        context.drop_mismatches(query, &mut page);
        context.expect_whole(page)
    }

    /// `DELETE /iam/v2/invitations/{id}`
    async fn delete(&self, id: &InvitationId) -> Result<()> {
        let context = self.context(Operation::Delete, Some(id.as_str()));
        let api = self.api.within(&context.call);
        let sent = pin!(api.delete_iam_v2_invitation().id(id.as_str()).send());
        let sent = sent.instrument(context.span()).await;
        reconcile_delete(&context, context.reply(sent))
    }
}

impl fmt::Display for Confluent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAME)
    }
}

impl fmt::Debug for Confluent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Confluent").field(&self.api.inner).finish()
    }
}
