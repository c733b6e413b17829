//! ClickHouse Cloud, v1: the invitation operations.

pub(crate) mod roles;
mod wire;

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::auth::Presented;
use crate::call::{self, BodyError, Call};
use crate::email::is_email;
use crate::ledger::Change;
use crate::state::{Invitation, Provider, Shared};
use roles::SystemRole;
use wire::Refusal;

/// What an invitation has here and not at the other vendor.
#[derive(Debug, Default)]
pub(crate) struct Details {
    roles: Vec<SystemRole>,
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
    Get {
        organization: String,
        id: String,
    },
    Delete {
        organization: String,
        id: String,
    },
    /// A path that exists, a method that does not; with the methods that do.
    WrongMethod(&'static str),
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
                    _ => Self::WrongMethod("GET, POST"),
                }
            }
            ["organizations", organization, "invitations", id]
                if !organization.is_empty() && !id.is_empty() =>
            {
                let (organization, id) = ((*organization).to_owned(), (*id).to_owned());
                match *method {
                    Method::GET => Self::Get { organization, id },
                    Method::DELETE => Self::Delete { organization, id },
                    _ => Self::WrongMethod("GET, DELETE"),
                }
            }
            _ => Self::Unknown,
        }
    }

    pub(crate) fn operation(&self) -> Option<&'static str> {
        match self {
            Self::List { .. } => Some("invitationGetList"),
            Self::Create { .. } => Some("invitationCreate"),
            Self::Get { .. } => Some("invitationGet"),
            Self::Delete { .. } => Some("invitationDelete"),
            Self::WrongMethod(_) | Self::Unknown => None,
        }
    }
}

/// What a request that worked returns: the envelope's `result`, which a delete has not.
type Outcome = Result<Option<Value>, Refusal>;

pub(crate) fn answer(shared: &Shared, route: &Route, call: &Call) -> Response {
    let admitted = |organization| admit(shared, call, organization);
    let outcome = match route {
        Route::List { organization } => admitted(organization).map(|()| Some(list(shared))),
        Route::Create { organization } => {
            admitted(organization).and_then(|()| create(shared, call))
        }
        Route::Get { organization, id } => admitted(organization).and_then(|()| get(shared, id)),
        Route::Delete { organization, id } => {
            admitted(organization).and_then(|()| delete(shared, call, id))
        }
        Route::WrongMethod(allowed) => Err(Refusal::wrong_method(allowed)),
        Route::Unknown => return call::not_found_page(),
    };
    wire::respond(outcome, &call.request_id)
}

/// A refusal with this status that is not the request's fault.
pub(crate) fn refusal(status: StatusCode, request_id: &str) -> Response {
    wire::respond(Err(Refusal::of_status(status)), request_id)
}

/// The refusal of a key that was good once.
pub(crate) fn inactive(request_id: &str) -> Response {
    wire::respond(Err(Refusal::inactive()), request_id)
}

/// As observed, outside the envelope.
pub(crate) fn too_many_requests() -> Response {
    let body = json!({ "error": "TOO_MANY_REQUESTS" });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

/// Whose credentials a request carries.
pub(crate) fn identify(shared: &Shared, headers: &HeaderMap) -> Result<String, Refusal> {
    let expected = &shared.credentials.clickhouse;
    let presented = Presented::in_headers(headers);
    if presented.is_basic(&expected.api_key, &expected.api_secret) {
        return Ok("key".to_owned());
    }
    Err(Refusal::unauthorized())
}

/// Checks the credentials, then the organisation.
fn admit(shared: &Shared, call: &Call, organization: &str) -> Result<(), Refusal> {
    identify(shared, &call.headers)?;
    if uuid(organization, "organization")? != shared.credentials.clickhouse.organization_id {
        return Err(Refusal::forbidden());
    }
    Ok(())
}

fn list(shared: &Shared) -> Value {
    let state = shared.lock();
    let open = state.clickhouse.after(0).filter(|it| is_open(it));
    Value::Array(open.map(wire::invitation).collect())
}

fn create(shared: &Shared, call: &Call) -> Outcome {
    let body = call.json_object().map_err(|error| match error {
        BodyError::TooLarge => Refusal::too_large(),
        BodyError::NotJson => Refusal::bad_request("The body is not JSON"),
        BodyError::NotAnObject => Refusal::bad_request("The body is not a JSON object"),
    })?;
    let email = email(&body)?;
    let roles = roles(&body)?;

    let mut state = shared.lock();
    if let Some(existing) = state.clickhouse.get_by_email(&email) {
        return Err(Refusal::conflict(if is_open(existing) {
            "This email address is invited to the organization"
        } else {
            "This email address belongs to a member of the organization"
        }));
    }
    let id = Uuid::new_v4().to_string();
    let now = state.now();
    let created = state
        .clickhouse
        .insert(id.clone(), email.clone(), now, Details { roles });
    let result = wire::invitation(created);
    state.journal.commit(
        Provider::ClickHouse,
        Change::Create,
        &id,
        &email,
        Some(&call.request_id),
    );
    Ok(Some(result))
}

fn get(shared: &Shared, id: &str) -> Outcome {
    let id = uuid(id, "invitation")?;
    let state = shared.lock();
    let found = state.clickhouse.get(&id).filter(|it| is_open(it));
    found
        .map(|invitation| Some(wire::invitation(invitation)))
        .ok_or_else(Refusal::not_found)
}

fn delete(shared: &Shared, call: &Call, id: &str) -> Outcome {
    let id = uuid(id, "invitation")?;
    let mut state = shared.lock();
    if !state.clickhouse.get(&id).is_some_and(is_open) {
        return Err(Refusal::not_found());
    }
    let deleted = state
        .clickhouse
        .remove(&id)
        .ok_or_else(Refusal::not_found)?;
    state.journal.commit(
        Provider::ClickHouse,
        Change::Delete,
        &deleted.id,
        &deleted.email,
        Some(&call.request_id),
    );
    Ok(None)
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

fn roles(body: &Map<String, Value>) -> Result<Vec<SystemRole>, Refusal> {
    match (body.get("role"), body.get("assignedRoleIds")) {
        (None, None) => Ok(vec![roles::DEFAULT]),
        (Some(role), None) => role
            .as_str()
            .and_then(roles::by_legacy_name)
            .map(|role| vec![role])
            .ok_or_else(|| Refusal::bad_request("'role' is neither 'admin' nor 'developer'")),
        (None, Some(ids)) => assigned(ids),
        (Some(_), Some(_)) => Err(Refusal::bad_request(
            "'role' and 'assignedRoleIds' exclude each other",
        )),
    }
}

fn assigned(ids: &Value) -> Result<Vec<SystemRole>, Refusal> {
    let not_strings = || Refusal::bad_request("'assignedRoleIds' is not an array of strings");
    let mut roles = Vec::new();
    for id in ids.as_array().ok_or_else(not_strings)? {
        let id = id.as_str().ok_or_else(not_strings)?;
        let role = roles::by_id(id)
            .ok_or_else(|| Refusal::bad_request(&format!("Unknown role id \"{id}\"")))?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(roles)
}
