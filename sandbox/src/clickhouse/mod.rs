//! ClickHouse Cloud, v1: invitations, members, roles and activities.

mod accounts;
mod activities;
mod body;
mod error;
mod members;
pub(crate) mod roles;
mod route;
mod seed;
mod snapshots;
mod wire;

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::auth::PresentedCredentials;
use crate::config::{ClickHouseKey, Config, CustomRole, Rights};
use crate::credentials::Credentials;
use crate::error::ApiError;
use crate::html;
use crate::invitations::{AcceptError, Invitation, NewInvitation, accept_first};
use crate::ledger::Change;
use crate::members::NewMember;
use crate::provider::Provider;
use crate::request::ApiRequest;
use crate::state::State;
use accounts::Organization;
use activities::{Actor, INVITE_CREATE, INVITE_DELETE, MEMBER_JOIN};
use body::{email, json_object, requested_roles};
use roles::Role;

pub(crate) use route::Route;

/// The emulated ClickHouse Cloud.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClickHouse {
    organizations: Vec<Organization>,
}

/// The properties of an invitation or a member that only ClickHouse has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Details {
    roles: Vec<Role>,
    /// The deprecated `role`, which never changes.
    legacy_role: Cow<'static, str>,
}

impl Details {
    fn new(roles: Vec<Role>, has_custom_roles: bool) -> Self {
        let legacy_role = if has_custom_roles {
            roles::FROZEN_LEGACY_NAME
        } else {
            roles::legacy_name(&roles)
        };
        Self {
            roles,
            legacy_role: legacy_role.into(),
        }
    }
}

impl ClickHouse {
    /// ClickHouse Cloud with the configured organisations; [`reset`](Self::reset) fills in the rest.
    ///
    /// # Errors
    ///
    /// The configuration of the organisations is invalid.
    pub(crate) fn new(config: &Config, credentials: &mut Credentials) -> Result<Self, String> {
        Ok(Self {
            organizations: accounts::organizations(config.clickhouse.clone(), credentials)?,
        })
    }

    /// Goes back to the state at the start. The organisations and keys stay.
    pub(crate) fn reset(&mut self, config: &Config, now: DateTime<Utc>) {
        for organization in &mut self.organizations {
            organization.invitations = Default::default();
            organization.members = Default::default();
            organization.activities = Default::default();
            organization.custom_roles.clear();
        }
        for (organization, configured) in self.organizations.iter_mut().zip(&config.clickhouse) {
            organization
                .custom_roles
                .clone_from(&configured.custom_roles);
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
        let may = |organization, is_allowed| self.authorize(request, organization, is_allowed);
        let answer =
            match route {
                Route::List { organization } => {
                    may(organization, Rights::can_read).and_then(|it| self.list(state, request, it))
                }
                Route::Create { organization } => may(organization, Rights::can_write)
                    .and_then(|it| self.create(state, request, it)),
                Route::ListRoles { organization } => {
                    may(organization, Rights::can_read).and_then(|it| self.list_roles(request, it))
                }
                Route::GetRole { organization, id } => may(organization, Rights::can_read)
                    .and_then(|it| self.get_role(request, it, id)),
                Route::ListActivities { organization } => may(organization, Rights::can_read)
                    .and_then(|it| self.list_activities(request, it)),
                Route::ListMembers { organization } => may(organization, Rights::can_read)
                    .and_then(|it| self.list_members(request, it)),
                Route::GetMember { organization, id } => may(organization, Rights::can_read)
                    .and_then(|it| self.get_member(request, it, id)),
                Route::UpdateMember { organization, id } => may(organization, Rights::can_write)
                    .and_then(|it| self.update_member(state, request, it, id)),
                Route::DeleteMember { organization, id } => may(organization, Rights::can_write)
                    .and_then(|it| self.delete_member(state, request, it, id)),
                Route::Get { organization, id } => {
                    may(organization, Rights::can_read).and_then(|it| self.get(request, it, id))
                }
                Route::Delete { organization, id } => may(organization, Rights::can_write)
                    .and_then(|it| self.delete(state, request, it, id)),
                Route::MethodNotAllowed(allowed) => Err(error::method_not_allowed(allowed)),
                Route::NotFound => return html::not_found_page(),
            };
        answer.unwrap_or_else(|error| error::response(error, &request.request_id))
    }

    /// The key under which a rate limit counts a request; `None` without valid credentials.
    pub(crate) fn rate_limit_key(&self, headers: &HeaderMap) -> Option<String> {
        let (_, key) = self.authenticate(headers)?;
        Some(key.api_key.clone())
    }

    /// Accepts the open invitation of an address, in the first organisation that has one or the named one, and returns
    /// its id and address. The invitee is a member from then on, with the roles of the invitation.
    pub(crate) fn accept(
        &mut self,
        organization: Option<&str>,
        email: &str,
        now: DateTime<Utc>,
    ) -> Result<(String, String), AcceptError> {
        let organizations = self.organizations.iter_mut();
        let organizations = organizations.filter(|it| organization.is_none_or(|id| id == it.id));
        let organizations = organizations.map(|it| {
            let people = (&mut it.members, &mut it.activities);
            (&mut it.invitations, people)
        });
        let (invitation, (members, activities)) = accept_first(organizations, email, now)?;
        let new = NewMember {
            id: random_id(),
            email: invitation.email.to_string(),
            name: None,
            details: invitation.details.clone(),
        };
        let member = members.insert(new, now);
        let (id, email) = (member.id.clone(), member.email.clone());
        activities.record(MEMBER_JOIN, Actor::User { id, email }, now);
        Ok((invitation.id.to_string(), invitation.email.to_string()))
    }

    /// The custom roles of the first organisation.
    pub(crate) fn custom_roles(&self) -> &[CustomRole] {
        let first = self.organizations.first();
        first.map(|it| &it.custom_roles[..]).unwrap_or_default()
    }

    /// Sets the custom roles of the first organisation.
    ///
    /// # Errors
    ///
    /// An id is not a uuid or appears twice.
    pub(crate) fn set_custom_roles(&mut self, roles: Vec<CustomRole>) -> Result<(), String> {
        roles::check(&roles)?;
        if let Some(first) = self.organizations.first_mut() {
            first.custom_roles = roles;
        }
        Ok(())
    }

    /// Checks the credentials, then the organisation, then the rights of the key, and returns the position of the
    /// organisation.
    fn authorize(
        &self,
        request: &ApiRequest,
        organization: &str,
        is_allowed: fn(Rights) -> bool,
    ) -> Result<usize, ApiError> {
        let (position, key) = self
            .authenticate(&request.headers)
            .ok_or_else(error::unauthorized)?;
        let organization = uuid(organization, "organization")?;
        let own = self.organizations.get(position);
        if own.is_none_or(|own| own.id != organization) {
            return Err(error::other_organization());
        }
        if !is_allowed(key.rights) {
            return Err(error::forbidden());
        }
        Ok(position)
    }

    /// The key of a request, and the position of its organisation.
    fn authenticate(&self, headers: &HeaderMap) -> Option<(usize, &ClickHouseKey)> {
        let PresentedCredentials::Basic { key: id, secret } =
            PresentedCredentials::from_headers(headers)
        else {
            return None;
        };
        let organizations = self.organizations.iter().enumerate();
        organizations
            .flat_map(|(position, it)| it.keys.iter().map(move |key| (position, key)))
            .find(|(_, key)| key.api_key == id && key.api_secret == secret)
    }

    fn list(
        &self,
        state: &State,
        request: &ApiRequest,
        position: usize,
    ) -> Result<Response, ApiError> {
        let invitations = &self.organization(position)?.invitations;
        let now = state.logical_time();
        let open = invitations
            .after(0)
            .filter(|it| is_open(it) && invitations.is_listed(it, now));
        let result: Vec<_> = open.map(wire::invitation).collect();
        Ok(wire::success(Some(result), &request.request_id))
    }

    fn create(
        &mut self,
        state: &mut State,
        request: &ApiRequest,
        position: usize,
    ) -> Result<Response, ApiError> {
        let body = json_object(request)?;
        let actor = self.actor(request);
        let email = email(&body)?;
        let logical_time = state.logical_time();
        let organization = self.organization_mut(position)?;
        let custom = &organization.custom_roles;
        let roles = requested_roles(&body, custom)?.unwrap_or_else(|| vec![roles::DEFAULT]);
        let details = Details::new(roles, !custom.is_empty());
        let invitations = &mut organization.invitations;
        if let Some(existing) = invitations.find_conflicting(&email, logical_time) {
            return Err(if is_open(existing) {
                error::conflict("This email address is invited to the organization")
            } else {
                error::already_a_member()
            });
        }
        if organization.members.get_by_email(&email).is_some() {
            return Err(error::already_a_member());
        }
        let new = NewInvitation {
            id: random_id(),
            email,
            staging: TimeDelta::zero(),
            effective_from: state.faults.effective_from(logical_time),
            details,
        };
        let created = invitations.insert(new, state.now());
        state.ledger.commit(
            Provider::ClickHouse,
            Change::Create,
            &created.id,
            &created.email,
            Some(&request.request_id),
        );
        let result = wire::invitation(created);
        let activities = &mut organization.activities;
        activities.record(INVITE_CREATE, actor, state.now());
        Ok(wire::success(Some(result), &request.request_id))
    }

    fn get(&self, request: &ApiRequest, position: usize, id: &str) -> Result<Response, ApiError> {
        let id = uuid(id, "invitation")?;
        let result = wire::invitation(self.find(position, &id)?);
        Ok(wire::success(Some(result), &request.request_id))
    }

    fn delete(
        &mut self,
        state: &mut State,
        request: &ApiRequest,
        position: usize,
        id: &str,
    ) -> Result<Response, ApiError> {
        let id = uuid(id, "invitation")?;
        let email = self.find(position, &id)?.email.clone();
        let actor = self.actor(request);
        let organization = self.organization_mut(position)?;
        organization.invitations.remove(&id);
        let activities = &mut organization.activities;
        activities.record(INVITE_DELETE, actor, state.now());
        state.ledger.commit(
            Provider::ClickHouse,
            Change::Delete,
            &id,
            &email,
            Some(&request.request_id),
        );
        Ok(wire::success(None::<()>, &request.request_id))
    }

    /// The open invitation of an id.
    fn find(&self, position: usize, id: &str) -> Result<&Invitation<Details>, ApiError> {
        let found = self.organization(position)?.invitations.get(id);
        let open = found.filter(|it| is_open(it));
        open.ok_or_else(|| error::not_found("invitation"))
    }

    fn organization(&self, position: usize) -> Result<&Organization, ApiError> {
        let found = self.organizations.get(position);
        found.ok_or_else(|| error::not_found("organization"))
    }

    fn organization_mut(&mut self, position: usize) -> Result<&mut Organization, ApiError> {
        let found = self.organizations.get_mut(position);
        found.ok_or_else(|| error::not_found("organization"))
    }

    /// The key that a request acts with.
    fn actor(&self, request: &ApiRequest) -> Actor {
        let key = self.authenticate(&request.headers);
        Actor::Key(key.map_or("", |(_, key)| &key.api_key).into())
    }
}

/// An error with this status, as faults inject it.
pub(crate) fn error_response(status: StatusCode, request_id: &str) -> Response {
    error::response(error::with_status(status), request_id)
}

/// The error of a key that is no longer active.
pub(crate) fn expired_credentials(request_id: &str) -> Response {
    error::response(error::inactive_key(), request_id)
}

/// The error of a request while another one holds a lock.
pub(crate) fn locked(request_id: &str) -> Response {
    error::response(error::locked(), request_id)
}

/// 429 without the envelope, as observed on the real service.
pub(crate) fn too_many_requests() -> Response {
    let body = json!({ "error": "TOO_MANY_REQUESTS" });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

/// A new invitation id.
pub(crate) fn random_id() -> String {
    Uuid::new_v4().to_string()
}

/// Whether the API shows an invitation. An accepted one is not shown.
fn is_open(invitation: &Invitation<Details>) -> bool {
    invitation.accepted_at.is_none()
}

/// Parses an id of a path into hyphenated lower case.
fn uuid(text: &str, of_what: &str) -> Result<String, ApiError> {
    Uuid::try_parse(text)
        .map(|uuid| uuid.to_string())
        .map_err(|_| error::bad_request(&format!("Invalid {of_what} id string:\"{text}\"")))
}
