//! Confluent Cloud: the invitations, users and role bindings of IAM v2, the organisations of Org v2, and the token
//! exchange of the Security Token Service.

mod accounts;
mod api_keys;
mod authentication;
mod bindings;
mod body;
mod error;
mod list;
mod organizations;
mod paging;
mod role_bindings;
mod route;
mod seed;
mod snapshots;
mod sts;
mod tokens;
mod users;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Quotas, Rights};
use crate::credentials::Credentials;
use crate::error::ApiError;
use crate::invitations::{AcceptError, Invitation, NewInvitation, accept_first};
use crate::ledger::Change;
use crate::members::NewMember;
use crate::provider::Provider;
use crate::random;
use crate::request::ApiRequest;
use crate::state::State;
use accounts::{Caller, Organization};
use body::{auth_type, email, json_object};
use list::{Query, ReadTime};
use tokens::TokenStore;

pub(crate) use paging::rewrite_page;
pub(crate) use route::Route;
pub(crate) use tokens::SUBJECT_TOKEN_LIFETIME_SECONDS;

const LOCAL: &str = "AUTH_TYPE_LOCAL";
const SSO: &str = "AUTH_TYPE_SSO";

/// The emulated Confluent Cloud.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Confluent {
    /// Base URL of the links in answers, without a trailing slash. Another process has another one.
    #[serde(skip)]
    url: String,
    organizations: Vec<Organization>,
    /// When the sandbox started or was reset.
    started_at: DateTime<Utc>,
    pub(crate) quotas: Quotas,
    pub(crate) tokens: TokenStore,
}

/// The properties of an invitation that only Confluent has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Details {
    auth_type: Cow<'static, str>,
    /// The id of the user who created the invitation.
    creator: Arc<str>,
}

/// The properties of a user that only Confluent has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UserDetails {
    auth_type: Cow<'static, str>,
}

impl Confluent {
    /// Confluent Cloud with the configured organisations; [`reset`](Self::reset) fills in the rest.
    ///
    /// # Errors
    ///
    /// The configuration of the organisations is invalid.
    pub(crate) fn new(config: &Config, credentials: &Credentials) -> Result<Self, String> {
        Ok(Self {
            url: credentials.url.clone(),
            organizations: accounts::organizations(config.confluent.clone(), credentials)?,
            started_at: DateTime::default(),
            quotas: Quotas::default(),
            tokens: TokenStore::new(credentials.subject_token().to_owned()),
        })
    }

    /// Confluent Cloud as another process left it.
    pub(crate) fn at(self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self
        }
    }

    /// Goes back to the state at the start. The organisations, keys and pools stay.
    pub(crate) fn reset(&mut self, config: &Config, now: DateTime<Utc>) {
        self.started_at = now;
        self.quotas = config.quota.clone();
        self.tokens.reset(config.sts.clone());
        for organization in &mut self.organizations {
            organization.reset(now);
        }
        for (organization, configured) in self.organizations.iter_mut().zip(&config.confluent) {
            seed::people(organization, configured, now);
        }
        if let Some(first) = self.organizations.first_mut() {
            seed::invitations(first, config.seed, now);
            seed::members(first, config.seed_members, now);
        }
    }

    pub(crate) fn handle(
        &mut self,
        state: &mut State,
        route: &Route,
        request: &ApiRequest,
    ) -> Response {
        let may = |is_allowed| self.authorize(state, request, is_allowed);
        let answer = match route {
            Route::List => may(Rights::can_read).and_then(|it| self.list(state, &it, request)),
            Route::Create => may(Rights::can_write).and_then(|it| self.create(state, &it, request)),
            Route::Get(id) => may(Rights::can_read).and_then(|it| self.get(state, &it, id)),
            Route::Delete(id) => {
                may(Rights::can_write).and_then(|it| self.delete(state, &it, request, id))
            }
            Route::ListUsers => may(Rights::can_read).and_then(|it| self.list_users(&it, request)),
            Route::GetUser(id) => may(Rights::can_read).and_then(|it| self.get_user(&it, id)),
            Route::UpdateUser(id) => {
                may(Rights::can_write).and_then(|it| self.update_user(state, &it, request, id))
            }
            Route::DeleteUser(id) => {
                may(Rights::can_write).and_then(|it| self.delete_user(state, &it, request, id))
            }
            Route::ListRoleBindings => {
                may(Rights::can_read).and_then(|it| self.list_role_bindings(state, &it, request))
            }
            Route::CreateRoleBinding => {
                may(Rights::can_write).and_then(|it| self.create_role_binding(state, &it, request))
            }
            Route::GetRoleBinding(id) => {
                may(Rights::can_read).and_then(|it| self.get_role_binding(&it, id))
            }
            Route::DeleteRoleBinding(id) => may(Rights::can_write)
                .and_then(|it| self.delete_role_binding(state, &it, request, id)),
            Route::ListApiKeys => {
                may(Rights::can_read).and_then(|it| self.list_api_keys(&it, request))
            }
            Route::GetApiKey(id) => may(Rights::can_read).and_then(|it| self.get_api_key(&it, id)),
            Route::ListOrganizations => {
                may(Rights::can_read).and_then(|it| self.list_organizations(&it, request))
            }
            Route::GetOrganization(id) => {
                may(Rights::can_read).and_then(|it| self.get_organization(&it, id))
            }
            Route::ExchangeToken => self.exchange_token(state, request),
            Route::MethodNotAllowed(allowed) => Err(error::method_not_allowed(allowed)),
            Route::NotFound => Err(error::not_found()),
        };
        wire::finish(answer, &request.request_id)
    }

    /// Accepts the open invitation of an address, in the first organisation that has one or the named one, and returns
    /// its id and address. The invitee is a user from then on.
    pub(crate) fn accept(
        &mut self,
        organization: Option<&str>,
        email: &str,
        now: DateTime<Utc>,
    ) -> Result<(String, String), AcceptError> {
        let organizations = self.organizations.iter_mut();
        let organizations = organizations.filter(|it| organization.is_none_or(|id| id == it.id));
        let organizations = organizations.map(|it| (&mut it.invitations, &mut it.users));
        let (invitation, users) = accept_first(organizations, email, now)?;
        let auth_type = invitation.details.auth_type.clone();
        let new = NewMember {
            id: user_id(&invitation.id),
            email: invitation.email.to_string(),
            name: None,
            details: UserDetails { auth_type },
        };
        users.insert(new, now);
        Ok((invitation.id.to_string(), invitation.email.to_string()))
    }

    fn authorize(
        &self,
        state: &State,
        request: &ApiRequest,
        is_allowed: fn(Rights) -> bool,
    ) -> Result<Caller, ApiError> {
        let caller = self.authenticate(&request.headers, state.now())?;
        if is_allowed(caller.rights) {
            Ok(caller.clone())
        } else {
            Err(error::forbidden())
        }
    }

    fn list(
        &self,
        state: &State,
        caller: &Caller,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let query = Query::from_request(request)?;
        let organization = self.organization(caller)?;
        let now = state.now();
        let time = ReadTime {
            clock: now,
            logical: state.logical_time(),
        };
        let (page, total) = query.select(&organization.invitations, time);
        let items = page.items.iter();
        let items = items.map(|item| wire::invitation(&self.url, &organization.id, item, now));
        let next = page.next.map(|token| query.link(&self.url, Some(&token)));
        let first = query.link(&self.url, None);
        let body = wire::list(
            ("iam/v2", "InvitationList"),
            (first, next),
            total,
            items.collect(),
        );
        Ok(wire::json(StatusCode::OK, &body))
    }

    fn create(
        &mut self,
        state: &mut State,
        caller: &Caller,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let body = json_object(request)?;
        let email = email(&body)?;
        let organization = self
            .organizations
            .get_mut(caller.organization)
            .ok_or_else(error::not_found)?;
        let auth_type = auth_type(&body, organization)?;
        if organization.sso && auth_type == LOCAL && caller.rights != Rights::Admin {
            return Err(error::local_user_forbidden());
        }

        let now = state.now();
        let logical_time = state.logical_time();
        let invitations = &mut organization.invitations;
        if let Some(existing) = invitations.find_conflicting(email, logical_time) {
            let location = wire::invitation_url(&self.url, &existing.id);
            return Err(match existing.accepted_at {
                Some(_) => error::already_a_user(&location),
                None => error::already_invited(email, &location),
            });
        }
        if let Some(user) = organization.users.get_by_email(email) {
            return Err(error::already_a_user(&wire::user_url(&self.url, &user.id)));
        }
        if let Some(quota) = &self.quotas.confluent
            && invitations.undeleted_count() >= quota.invitations_per_org
        {
            return Err(error::quota_exceeded(quota.error_status()));
        }
        let id = loop {
            let id = random_id();
            if invitations.get(&id).is_none() {
                break id;
            }
        };
        let new = NewInvitation {
            id,
            email: email.to_owned(),
            staging: organization.staging,
            effective_from: state.faults.effective_from(logical_time),
            details: Details {
                auth_type,
                creator: Arc::clone(&caller.user),
            },
        };
        let created = invitations.insert(new, now);
        state.ledger.commit(
            Provider::Confluent,
            Change::Create,
            &created.id,
            email,
            Some(&request.request_id),
        );
        let body = wire::invitation(&self.url, &organization.id, created, now);
        let location = wire::invitation_url(&self.url, &created.id);
        let response = wire::json(StatusCode::CREATED, &body);
        Ok(([(header::LOCATION, location)], response).into_response())
    }

    fn get(&self, state: &State, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let invitation = self.find(caller, id)?;
        let organization = self.organization(caller)?;
        let body = wire::invitation(&self.url, &organization.id, invitation, state.now());
        Ok(wire::json(StatusCode::OK, &body))
    }

    fn delete(
        &mut self,
        state: &mut State,
        caller: &Caller,
        request: &ApiRequest,
        id: &str,
    ) -> Result<Response, ApiError> {
        let invitation = self.find(caller, id)?;
        if invitation.deleted_at.is_some() {
            return Err(error::not_found());
        }
        if invitation.accepted_at.is_some() {
            return Err(error::bad_request("The invitation was already accepted"));
        }
        state.ledger.commit(
            Provider::Confluent,
            Change::Delete,
            id,
            &invitation.email,
            Some(&request.request_id),
        );
        self.organization_mut(caller)?.withdraw(id, state.now());
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// The invitation of an id. The invitations of other organisations are forbidden.
    fn find(&self, caller: &Caller, id: &str) -> Result<&Invitation<Details>, ApiError> {
        if let Some(found) = self.organization(caller)?.invitations.get(id) {
            return Ok(found);
        }
        let mut organizations = self.organizations.iter();
        Err(
            if organizations.any(|other| other.invitations.get(id).is_some()) {
                error::other_organization("invitation", id)
            } else {
                error::not_found()
            },
        )
    }

    fn organization(&self, caller: &Caller) -> Result<&Organization, ApiError> {
        let found = self.organizations.get(caller.organization);
        found.ok_or_else(error::not_found)
    }

    fn organization_mut(&mut self, caller: &Caller) -> Result<&mut Organization, ApiError> {
        let found = self.organizations.get_mut(caller.organization);
        found.ok_or_else(error::not_found)
    }
}

/// An error with this status, as faults inject it.
pub(crate) fn error_response(status: StatusCode, request_id: &str) -> Response {
    wire::finish(Err(error::with_status(status)), request_id)
}

/// The error of a token that has expired.
pub(crate) fn expired_credentials(request_id: &str) -> Response {
    wire::finish(Err(error::expired_token()), request_id)
}

/// The error of a request while another one holds a lock.
pub(crate) fn locked(request_id: &str) -> Response {
    wire::finish(Err(error::locked()), request_id)
}

/// 429 without a body, as documented.
pub(crate) fn too_many_requests(request_id: &str) -> Response {
    let headers = [("x-request-id", request_id)];
    (StatusCode::TOO_MANY_REQUESTS, headers).into_response()
}

/// A new invitation id.
pub(crate) fn random_id() -> String {
    format!("i-{}", random::alphanumeric(6))
}

/// The id of the invitee's user. Both ids have the same letters, so that one leads to the other.
fn user_id(invitation_id: &str) -> String {
    format!("u-{}", invitation_id.trim_start_matches("i-"))
}

/// The id of the invitation that created a user.
fn invitation_id(user_id: &str) -> Option<String> {
    Some(format!("i-{}", user_id.strip_prefix("u-")?))
}
