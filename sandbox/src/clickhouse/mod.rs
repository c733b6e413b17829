//! ClickHouse Cloud, v1: the invitation operations.

pub(crate) mod roles;
mod seed;
mod wire;

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::auth::PresentedCredentials;
use crate::config::{CustomRole, Rights};
use crate::email::is_email;
use crate::exchange::{self, ApiRequest, BodyError};
use crate::invitations::{Invitation, Invitations, New};
use crate::ledger::Change;
use crate::state::{Provider, Shared, State};
use roles::Role;
use wire::Refusal;

pub(crate) use seed::seed;

/// What an invitation has here and not at the other vendor.
#[derive(Debug)]
pub(crate) struct Details {
    roles: Vec<Role>,
    /// What the deprecated `role` property shows, for good.
    legacy_role: &'static str,
}

impl Details {
    fn new(roles: Vec<Role>, are_there_custom_roles: bool) -> Self {
        let legacy_role = if are_there_custom_roles {
            roles::FROZEN
        } else {
            roles::legacy_name(&roles)
        };
        Self { roles, legacy_role }
    }
}

/// What a request under `/v1/` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    List {
        organization: String,
    },
    Create {
        organization: String,
    },
    Roles {
        organization: String,
    },
    Get {
        organization: String,
        id: String,
    },
    Delete {
        organization: String,
        id: String,
    },
    /// A path that exists, a method that does not; with the methods that do.
    MethodNotAllowed(&'static str),
    Unknown,
}

impl Route {
    /// The route of a path given by its decoded segments after `v1`.
    pub(crate) fn find(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["organizations", organization, "invitations"] if !organization.is_empty() => {
                let organization = (*organization).to_owned();
                match *method {
                    Method::GET => Self::List { organization },
                    Method::POST => Self::Create { organization },
                    _ => Self::MethodNotAllowed("GET, POST"),
                }
            }
            ["organizations", organization, "roles"] if !organization.is_empty() => {
                let organization = (*organization).to_owned();
                match *method {
                    Method::GET => Self::Roles { organization },
                    _ => Self::MethodNotAllowed("GET"),
                }
            }
            ["organizations", organization, "invitations", id]
                if !organization.is_empty() && !id.is_empty() =>
            {
                let (organization, id) = ((*organization).to_owned(), (*id).to_owned());
                match *method {
                    Method::GET => Self::Get { organization, id },
                    Method::DELETE => Self::Delete { organization, id },
                    _ => Self::MethodNotAllowed("GET, DELETE"),
                }
            }
            _ => Self::Unknown,
        }
    }

    pub(crate) fn operation(&self) -> Option<&'static str> {
        match self {
            Self::List { .. } => Some("invitationGetList"),
            Self::Create { .. } => Some("invitationCreate"),
            Self::Roles { .. } => Some("organizationRolesGetList"),
            Self::Get { .. } => Some("invitationGet"),
            Self::Delete { .. } => Some("invitationDelete"),
            Self::MethodNotAllowed(_) | Self::Unknown => None,
        }
    }
}

pub(crate) fn answer(shared: &Shared, route: &Route, request: &ApiRequest) -> Response {
    let admitted = |organization, may| authorize(shared, request, organization, may);
    let answer = match route {
        Route::List { organization } => {
            admitted(organization, Rights::read).and_then(|it| list(shared, request, it))
        }
        Route::Create { organization } => {
            admitted(organization, Rights::write).and_then(|it| create(shared, request, it))
        }
        Route::Roles { organization } => {
            admitted(organization, Rights::read).map(|it| list_roles(shared, request, it))
        }
        Route::Get { organization, id } => {
            admitted(organization, Rights::read).and_then(|it| get(shared, request, it, id))
        }
        Route::Delete { organization, id } => {
            admitted(organization, Rights::write).and_then(|it| delete(shared, request, it, id))
        }
        Route::MethodNotAllowed(allowed) => Err(Refusal::wrong_method(allowed)),
        Route::Unknown => return exchange::not_found_page(),
    };
    answer.unwrap_or_else(|refusal| wire::failure(refusal, &request.request_id))
}

/// A refusal with this status that is not the request's fault.
pub(crate) fn refusal(status: StatusCode, request_id: &str) -> Response {
    wire::failure(Refusal::of_status(status), request_id)
}

/// The refusal of a key that was good once.
pub(crate) fn inactive(request_id: &str) -> Response {
    wire::failure(Refusal::inactive(), request_id)
}

/// The refusal of a request while another one holds a lock.
pub(crate) fn locked(request_id: &str) -> Response {
    let detail = "The organization is being modified by another request";
    wire::failure(Refusal::conflict(detail), request_id)
}

/// An id such as invitations have.
pub(crate) fn random_id() -> String {
    Uuid::new_v4().to_string()
}

/// As observed, outside the envelope.
pub(crate) fn too_many_requests() -> Response {
    let body = json!({ "error": "TOO_MANY_REQUESTS" });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

/// What the requests with these credentials are counted under; `None` for credentials that are not good.
pub(crate) fn credential(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let PresentedCredentials::Basic { key, secret } = PresentedCredentials::in_headers(headers)
    else {
        return None;
    };
    shared.accounts.clickhouse_key(&key, &secret).map(|_| key)
}

/// Checks the credentials, then the organisation, then what the credentials allow; returns the position of the
/// organisation.
fn authorize(
    shared: &Shared,
    request: &ApiRequest,
    organization: &str,
    may: fn(Rights) -> bool,
) -> Result<usize, Refusal> {
    let PresentedCredentials::Basic { key, secret } =
        PresentedCredentials::in_headers(&request.headers)
    else {
        return Err(Refusal::unauthorized());
    };
    let (position, key) = shared
        .accounts
        .clickhouse_key(&key, &secret)
        .ok_or_else(Refusal::unauthorized)?;
    let organization = uuid(organization, "organization")?;
    let own = shared.accounts.clickhouse.get(position);
    if own.is_none_or(|own| own.id != organization) {
        return Err(Refusal::elsewhere());
    }
    if !may(key.rights) {
        return Err(Refusal::forbidden());
    }
    Ok(position)
}

fn list(shared: &Shared, request: &ApiRequest, organization: usize) -> Result<Response, Refusal> {
    let state = shared.lock();
    let invitations = invitations(&state, organization)?;
    let logical_time = state.logical_time();
    let open = invitations
        .after(0)
        .filter(|it| is_open(it) && invitations.is_listed(it, logical_time));
    let result: Vec<_> = open.map(wire::invitation).collect();
    Ok(wire::success(Some(result), &request.request_id))
}

fn list_roles(shared: &Shared, request: &ApiRequest, organization: usize) -> Response {
    let state = shared.lock();
    let custom = state.custom_roles.get(organization).into_iter().flatten();
    let system = roles::SYSTEM_ROLES.into_iter().map(Role::System);
    let all = system.chain(custom.cloned().map(Role::Custom));
    let role = |role: Role| json!({ "id": role.id(), "name": role.name(), "type": role.kind() });
    wire::success(Some(all.map(role).collect::<Vec<_>>()), &request.request_id)
}

fn create(shared: &Shared, request: &ApiRequest, organization: usize) -> Result<Response, Refusal> {
    let body = request.json_object().map_err(|error| match error {
        BodyError::TooLarge => Refusal::too_large(),
        BodyError::NotJson => Refusal::bad_request("The body is not JSON"),
        BodyError::NotAnObject => Refusal::bad_request("The body is not a JSON object"),
    })?;
    let email = email(&body)?;

    let mut state = shared.lock();
    let state = &mut *state;
    let now = state.now();
    let logical_time = state.logical_time();
    let custom = state
        .custom_roles
        .get(organization)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let details = Details::new(roles(&body, custom)?, !custom.is_empty());
    let invitations = state
        .clickhouse
        .get_mut(organization)
        .ok_or_else(Refusal::not_found)?;
    if let Some(existing) = invitations.find_conflicting(&email, logical_time) {
        return Err(Refusal::conflict(if is_open(existing) {
            "This email address is invited to the organization"
        } else {
            "This email address belongs to a member of the organization"
        }));
    }
    let new = New {
        id: random_id(),
        email,
        staging: TimeDelta::zero(),
        in_effect: state.faults.in_effect(logical_time),
        details,
    };
    let created = invitations.insert(new, now);
    state.ledger.commit(
        Provider::ClickHouse,
        Change::Create,
        &created.id,
        &created.email,
        Some(&request.request_id),
    );
    let result = wire::invitation(created);
    Ok(wire::success(Some(result), &request.request_id))
}

fn get(
    shared: &Shared,
    request: &ApiRequest,
    organization: usize,
    id: &str,
) -> Result<Response, Refusal> {
    let id = uuid(id, "invitation")?;
    let state = shared.lock();
    let found = find(&state, organization, &id)?;
    let result = wire::invitation(found);
    Ok(wire::success(Some(result), &request.request_id))
}

fn delete(
    shared: &Shared,
    request: &ApiRequest,
    organization: usize,
    id: &str,
) -> Result<Response, Refusal> {
    let id = uuid(id, "invitation")?;
    let mut state = shared.lock();
    let email = find(&state, organization, &id)?.email.clone();
    if let Some(invitations) = state.clickhouse.get_mut(organization) {
        invitations.remove(&id);
    }
    state.ledger.commit(
        Provider::ClickHouse,
        Change::Delete,
        &id,
        &email,
        Some(&request.request_id),
    );
    Ok(wire::success(None::<()>, &request.request_id))
}

fn invitations(state: &State, organization: usize) -> Result<&Invitations<Details>, Refusal> {
    let found = state.clickhouse.get(organization);
    found.ok_or_else(Refusal::not_found)
}

fn find<'a>(
    state: &'a State,
    organization: usize,
    id: &str,
) -> Result<&'a Invitation<Details>, Refusal> {
    let found = invitations(state, organization)?.get(id);
    found
        .filter(|it| is_open(it))
        .ok_or_else(Refusal::not_found)
}

/// An accepted invitation has done its work: the API no longer shows it.
fn is_open(invitation: &Invitation<Details>) -> bool {
    invitation.accepted_at.is_none()
}

/// Reads an id of a path, into the spelling that ids are kept in.
fn uuid(text: &str, of_what: &str) -> Result<String, Refusal> {
    Uuid::try_parse(text)
        .map(|uuid| uuid.to_string())
        .map_err(|_| Refusal::bad_request(&format!("Invalid {of_what} id string:\"{text}\"")))
}

fn email(body: &Map<String, Value>) -> Result<String, Refusal> {
    match body.get("email") {
        Some(Value::String(email)) if is_email(email) => Ok(email.to_lowercase()),
        Some(_) => Err(Refusal::bad_request("'email' is not an email address")),
        None => Err(Refusal::bad_request("'email' is required")),
    }
}

/// The roles to assign, in an organisation with these custom roles.
fn roles(body: &Map<String, Value>, custom: &[CustomRole]) -> Result<Vec<Role>, Refusal> {
    match (body.get("role"), body.get("assignedRoleIds")) {
        (None, None) => Ok(vec![roles::DEFAULT]),
        (Some(_), Some(_)) => Err(Refusal::bad_request(
            "'role' and 'assignedRoleIds' exclude each other",
        )),
        // As observed.
        (Some(_), None) if !custom.is_empty() => Err(Refusal::bad_request(
            "Use 'assignedRoleIds' instead of 'role'.",
        )),
        (Some(role), None) => role
            .as_str()
            .and_then(roles::by_legacy_name)
            .map(|role| vec![role])
            .ok_or_else(|| Refusal::bad_request("'role' is neither 'admin' nor 'developer'")),
        (None, Some(ids)) => assigned(ids, custom),
    }
}

fn assigned(ids: &Value, custom: &[CustomRole]) -> Result<Vec<Role>, Refusal> {
    let not_strings = || Refusal::bad_request("'assignedRoleIds' is not an array of strings");
    let mut roles = Vec::new();
    for id in ids.as_array().ok_or_else(not_strings)? {
        let id = id.as_str().ok_or_else(not_strings)?;
        let role = roles::by_id(id, custom)
            .ok_or_else(|| Refusal::bad_request(&format!("Unknown role id \"{id}\"")))?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(roles)
}
