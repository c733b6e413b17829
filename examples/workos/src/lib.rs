//! Invitations to one organisation on [WorkOS](https://workos.com), as a provider of `org-invitations`.
//!
//! An example of the provider kit: [`bindings`] come from an OpenAPI document, the kit has the rest, and what is written
//! by hand is in this file and in `convert.rs`.

mod convert;
mod failure;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider, InvitationStatus,
    ListQuery, NewInvitation, Operation, Page, PageToken, Result, Roles,
    kit::{Call, Connection, ConnectionBuilder, Failure, Rejection, Vendor},
};

use crate::bindings::{Client, OPERATIONS, offers, types};

/// The client that the build generates from `specs/workos.yaml`, or from the document that `WORKOS_SPEC` names.
pub mod bindings {
    org_invitations::kit::bindings!("workos.rs");
}

/// The largest page.
const MAX_PAGE_SIZE: u32 = 100;

/// The parameters of the list that the provider sets itself.
const QUERY_FIELDS: &[&str] = &[
    "after",
    "before",
    "email",
    "limit",
    "order",
    "organization_id",
];

/// Invitations to one organisation on WorkOS. Cheap to clone; `Debug` shows no secret.
///
/// An API key is for a whole environment. This provider sees and withdraws the invitations of its organisation only.
///
/// ```
/// use org_invitations::{Credentials, InvitationProvider};
/// use org_invitations_workos::WorkOs;
///
/// let connection = WorkOs::connection().credentials(Credentials::bearer("sk_example"));
/// let provider = WorkOs::new("org_1", connection.build()?)?;
/// assert_eq!(provider.to_string(), "workos");
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone)]
pub struct WorkOs {
    api: Client,
    connection: Connection,
    organization: Arc<str>,
}

impl WorkOs {
    /// Sets up the connection, which takes an API key as [bearer](org_invitations::Credentials::bearer) credentials.
    pub fn connection() -> ConnectionBuilder {
        Connection::builder::<Self>()
    }

    /// A provider for the organisation with this id (`org_…`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an empty id, with which the invitations of all organisations would be listed.
    pub fn new(organization_id: &str, connection: Connection) -> Result<Self> {
        if organization_id.trim().is_empty() {
            let empty = "the organisation id is empty";
            let error = Error::new(ErrorKind::Config, Operation::Configure, empty);
            return Err(error.with_provider(Self::NAME));
        }
        Ok(Self {
            api: Client::over(&connection),
            connection,
            organization: organization_id.into(),
        })
    }

    fn call<'a>(&'a self, operation: Operation, target: Option<&'a str>) -> Call<'a> {
        self.connection.call(operation, target)
    }

    /// Whether an invitation is one of the organisation's.
    fn is_own(&self, invitation: &Invitation) -> bool {
        let organization = invitation.extra.get("organization_id");
        organization.and_then(|id| id.as_str()) == Some(&self.organization)
    }

    /// Checks that there is an invitation of the organisation to withdraw.
    async fn expect_deletable(&self, id: &InvitationId) -> Result<()> {
        let found = self.get(id).await;
        let found = found.map_err(|error| error.with_operation(Operation::Delete))?;
        let call = self.call(Operation::Delete, Some(id.as_str()));
        match found.status {
            Some(InvitationStatus::Accepted) => {
                Err(call.error(ErrorKind::AlreadyAccepted, "the invitee has accepted"))
            }
            Some(InvitationStatus::Deactivated) => {
                Err(call.error(ErrorKind::NotFound, "the invitation was withdrawn before"))
            }
            Some(InvitationStatus::Expired) => {
                Err(call.error(ErrorKind::NotFound, "the invitation has expired"))
            }
            _ => Ok(()),
        }
    }
}

impl Vendor for WorkOs {
    const NAME: &'static str = "workos";
    const BASE_URL: &'static str = "https://api.workos.com";

    fn capabilities() -> Capabilities {
        Capabilities::default()
            .legacy_role(offers::NEW_INVITATION_ROLE_SLUG)
            .filter_email(true)
            .server_side_filters(true)
            .reports_status(true)
            .max_page_size(Some(MAX_PAGE_SIZE))
    }

    fn failure(rejection: &Rejection<'_>) -> Option<Failure> {
        failure::failure(rejection)
    }
}

#[async_trait]
impl InvitationProvider for WorkOs {
    fn capabilities(&self) -> Capabilities {
        <Self as Vendor>::capabilities()
    }

    /// `POST /user_management/invitations`
    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let call = self.call(Operation::Create, Some(&new.email));
        call.check_new(&new)?;
        let role = match &new.roles {
            Some(Roles::Legacy(role)) => Some(role.as_str().into()),
            _ => None,
        };
        let fields = [
            ("email", Some(new.email.as_str().into())),
            ("organization_id", Some((*self.organization).into())),
            ("role_slug", role),
        ];
        let body = call.request_body(fields, &new.extra, |body: &types::NewInvitation| {
            &body.extra
        })?;
        let api = self.api.within(&call);
        let request = || api.create_invitation().body(body.clone()).send();
        let made = call.create(self, &new, request).await?;
        if !self.is_own(&made) {
            let error = call.error(
                ErrorKind::Decode,
                "the answer is about another organisation",
            );
            return Err(error
                .with_conflicting_id(made.id)
                .with_may_have_executed(true));
        }
        Ok(made)
    }

    /// `GET /user_management/invitations/{id}`
    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let call = self.call(Operation::Get, Some(id.as_str()));
        let api = self.api.within(&call);
        let request = api.get_invitation().id(id.as_str());
        let found = call.get(id, || request.send()).await?;
        if !self.is_own(&found) {
            let other = "the invitation is to another organisation";
            return Err(call.error(ErrorKind::NotFound, other));
        }
        Ok(found)
    }

    /// `GET /user_management/invitations`
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let call = self.call(Operation::List, None);
        call.check_query(query)?;
        let call = call.with_query(OPERATIONS, "list_invitations", query, QUERY_FIELDS)?;
        let api = self.api.within(&call);
        // What is created meanwhile comes last.
        let mut request = api
            .list_invitations()
            .organization_id(&*self.organization)
            .order("asc")
            .limit(i64::from(query.page_size.unwrap_or(MAX_PAGE_SIZE)));
        if let Some(email) = &query.email {
            request = request.email(email.as_str());
        }
        if let Some(token) = token {
            request = request.after(token.as_str());
        }
        let mut page = call.list(query, token, || request.send()).await?;
        // A server that ignores the filter.
        page.items
            .retain(|item| item.as_ref().map_or(true, |found| self.is_own(found)));
        Ok(page)
    }

    /// `POST /user_management/invitations/{id}/revoke`, if the invitation is one of the organisation's.
    async fn delete(&self, id: &InvitationId) -> Result<()> {
        self.expect_deletable(id).await?;
        let call = self.call(Operation::Delete, Some(id.as_str()));
        let api = self.api.within(&call);
        let request = api.revoke_invitation().id(id.as_str());
        let outcome = call.delete(|| request.send()).await;
        let Some(refusal) = outcome
            .as_ref()
            .err()
            .filter(|error| failure::is_not_pending(error))
        else {
            return outcome;
        };
        // Between the two requests somebody accepted or withdrew it, or it was this call, whose answer was lost.
        let ambiguous = refusal.may_have_executed();
        match self.expect_deletable(id).await {
            Ok(()) => outcome,
            Err(now) if now.kind() == ErrorKind::NotFound && ambiguous => Ok(()),
            Err(now) => Err(now.with_may_have_executed(ambiguous)),
        }
    }
}

impl fmt::Display for WorkOs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAME)
    }
}

impl fmt::Debug for WorkOs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkOs")
            .field("organization", &self.organization)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// The README, whose example is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
