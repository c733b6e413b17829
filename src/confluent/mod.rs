//! Confluent Cloud, IAM v2.

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
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used
)]
mod generated_sts;
#[cfg(feature = "oidc")]
mod oidc;
mod sts;
mod subject;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use self::generated::{Client, offers, types};
#[cfg(feature = "oidc")]
pub use self::oidc::ClientCredentials;
pub use self::{builder::ConfluentBuilder, sts::StsCredentials, subject::SubjectToken};
use crate::{
    capabilities::Capabilities,
    client::{
        Call, Connection, Reply, create_exactly_once, decode, delete_exactly_once, unreadable,
    },
    error::{ErrorKind, Operation, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    list::{ListQuery, Page, PageToken},
    provider::InvitationProvider,
};

/// What the vendor documents as the largest page.
const MAX_PAGE_SIZE: u32 = 100;

/// What the vendor documents as the longest page token.
const MAX_TOKEN_CHARS: usize = 255;

/// What is asked for at most: pages of 100 were observed to lose the rest of the list.
const SAFE_PAGE_SIZE: u32 = 99;

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
}

impl Confluent {
    /// The name in errors, logs and configuration.
    pub const NAME: &'static str = "confluent";

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

    fn new(connection: Arc<Connection>) -> Self {
        let base = connection.endpoint.as_base().to_owned();
        let http = connection.http.clone();
        Self {
            api: Client::new_with_client(&base, http, connection),
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn decode_anything(&self, reply: &Reply) {
        for operation in [
            Operation::Create,
            Operation::Get,
            Operation::List,
            Operation::Delete,
        ] {
            let call = self.call(operation, Some("i-1"));
            drop(failure::failure(&call, reply));
            drop(format!("{:?}", one(&call, reply)));
            drop(format!("{:?}", convert::page(&call, reply)));
            drop(call.done(reply));
        }
        sts::decode_anything(reply);
    }

    fn call<'a>(&'a self, operation: Operation, subject: Option<&'a str>) -> Call<'a> {
        self.api.inner.call(operation, subject)
    }
}

#[async_trait]
impl InvitationProvider for Confluent {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            auth_type: offers::CREATE_IAM_V2_INVITATION_AUTH_TYPE,
            role_ids: false,
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

    /// `POST /iam/v2/invitations`
    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let call = self.call(Operation::Create, Some(&new.email));
        call.check(new.validate())?;
        call.offered(
            new.roles.is_none(),
            "roles; bind roles to the invited user instead",
        )?;
        let auth_type = offers::CREATE_IAM_V2_INVITATION_AUTH_TYPE;
        call.offered(new.auth_type.is_none() || auth_type, "auth types")?;
        let body = convert::new_to_wire(&new);
        let send = || self.api.create_iam_v2_invitation(&body);
        create_exactly_once(self, &call, &new, send, |reply| one(&call, reply)).await
    }

    /// `GET /iam/v2/invitations/{id}`
    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let call = self.call(Operation::Get, Some(id.as_str()));
        let reply = call
            .send(|| self.api.get_iam_v2_invitation(id.as_str()))
            .await?;
        one(&call, &reply)
    }

    /// `GET /iam/v2/invitations`
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let call = self.call(Operation::List, None);
        call.check(query.validate(Some(MAX_PAGE_SIZE)))?;
        if let Some(token) = token {
            let fits = (1..=MAX_TOKEN_CHARS).contains(&token.as_str().chars().count());
            call.check(fits.then_some(()).ok_or_else(|| {
                call.refuse(
                    ErrorKind::InvalidInput,
                    "a page token has 1 to 255 characters",
                )
            }))?;
        }
        let size = query
            .page_size
            .unwrap_or(SAFE_PAGE_SIZE)
            .min(SAFE_PAGE_SIZE);
        for (filter, offered, name) in [
            (
                query.email.is_some(),
                offers::LIST_IAM_V2_INVITATIONS_EMAIL,
                "email filter",
            ),
            (
                query.status.is_some(),
                offers::LIST_IAM_V2_INVITATIONS_STATUS,
                "status filter",
            ),
            (
                query.user.is_some(),
                offers::LIST_IAM_V2_INVITATIONS_USER,
                "user filter",
            ),
            (
                query.creator.is_some(),
                offers::LIST_IAM_V2_INVITATIONS_CREATOR,
                "creator filter",
            ),
        ] {
            call.offered(!filter || offered, name)?;
        }
        let send = || {
            self.api.list_iam_v2_invitations(
                query.creator.as_deref(),
                query.email.as_deref(),
                // Only the first request decides the size; the token carries it on.
                token.is_none().then_some(size.into()),
                token.map(PageToken::as_str),
                query.status.as_ref().map(convert::status_to_wire),
                query.user.as_deref(),
            )
        };
        let reply = call.send(send).await?;
        convert::page(&call, &reply)
    }

    /// `DELETE /iam/v2/invitations/{id}`
    async fn delete(&self, id: &InvitationId) -> Result<()> {
        let call = self.call(Operation::Delete, Some(id.as_str()));
        delete_exactly_once(&call, || self.api.delete_iam_v2_invitation(id.as_str())).await
    }
}

/// The invitation that a reply holds.
fn one(call: &Call<'_>, reply: &Reply) -> Result<Invitation> {
    let wire: types::Invitation = decode(call, reply)?;
    wire.try_into()
        .map_err(|why: String| unreadable(call, reply, &why))
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
