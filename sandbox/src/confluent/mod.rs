//! Confluent Cloud: the invitation operations of IAM v2; the token exchange is next door.

mod identity;
mod list;
mod seed;
mod sts;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use crate::accounts::{Caller, ConfluentOrg};
use crate::config::Rights;
use crate::email::is_email;
use crate::exchange::{ApiRequest, BodyError};
use crate::faults::Fault;
use crate::invitations::{Invitation, New};
use crate::ledger::Change;
use crate::state::{Provider, Shared, State, random_suffix};
use wire::Failure;

pub(crate) use identity::credential;
pub(crate) use seed::seed;

const LOCAL: &str = "AUTH_TYPE_LOCAL";
const SSO: &str = "AUTH_TYPE_SSO";

/// What an invitation has here and not at the other vendor.
#[derive(Debug)]
pub(crate) struct Details {
    auth_type: Cow<'static, str>,
    /// The user id behind the credentials that created it.
    creator: Arc<str>,
}

/// What a request under `/iam/` or `/sts/` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    List,
    Create,
    Get(String),
    Delete(String),
    Exchange,
    /// A path that exists, a method that does not; with the methods that do.
    MethodNotAllowed(&'static str),
    Unknown,
}

impl Route {
    /// The route of a path given by its decoded segments after `iam`.
    pub(crate) fn find(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["v2", "invitations"] => match *method {
                Method::GET => Self::List,
                Method::POST => Self::Create,
                _ => Self::MethodNotAllowed("GET, POST"),
            },
            ["v2", "invitations", id] if !id.is_empty() => match *method {
                Method::GET => Self::Get((*id).to_owned()),
                Method::DELETE => Self::Delete((*id).to_owned()),
                _ => Self::MethodNotAllowed("GET, DELETE"),
            },
            _ => Self::Unknown,
        }
    }

    /// The route of a path given by its decoded segments after `sts`.
    pub(crate) fn find_sts(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["v1", "oauth2", "token"] => match *method {
                Method::POST => Self::Exchange,
                _ => Self::MethodNotAllowed("POST"),
            },
            _ => Self::Unknown,
        }
    }

    pub(crate) fn operation(&self) -> Option<&'static str> {
        match self {
            Self::List => Some("listIamV2Invitations"),
            Self::Create => Some("createIamV2Invitation"),
            Self::Get(_) => Some("getIamV2Invitation"),
            Self::Delete(_) => Some("deleteIamV2Invitation"),
            Self::Exchange => Some("exchangeStsV1OauthToken"),
            Self::MethodNotAllowed(_) | Self::Unknown => None,
        }
    }
}

pub(crate) fn answer(shared: &Shared, route: &Route, request: &ApiRequest) -> Response {
    let caller = |may: fn(Rights) -> bool| {
        let caller = identity::caller(shared, &shared.lock(), &request.headers)?;
        if may(caller.rights) {
            Ok(caller)
        } else {
            Err(Failure::forbidden())
        }
    };
    let answer = match route {
        Route::List => caller(Rights::read).and_then(|it| list(shared, &it, request)),
        Route::Create => caller(Rights::write).and_then(|it| create(shared, &it, request)),
        Route::Get(id) => caller(Rights::read).and_then(|it| get(shared, &it, id)),
        Route::Delete(id) => caller(Rights::write).and_then(|it| delete(shared, &it, request, id)),
        Route::Exchange => sts::exchange(shared, request),
        Route::MethodNotAllowed(allowed) => Err(Failure::wrong_method(allowed)),
        Route::Unknown => Err(Failure::not_found()),
    };
    wire::finish(answer, &request.request_id)
}

/// A refusal with this status that is not the request's fault.
pub(crate) fn refusal(status: StatusCode, request_id: &str) -> Response {
    wire::finish(Err(Failure::of_status(status)), request_id)
}

/// The refusal of a token that was good once.
pub(crate) fn expired(request_id: &str) -> Response {
    wire::finish(Err(Failure::expired()), request_id)
}

/// The refusal of a request while another one holds a lock.
pub(crate) fn locked(request_id: &str) -> Response {
    wire::finish(Err(Failure::locked()), request_id)
}

/// As documented, without a body.
pub(crate) fn too_many_requests(request_id: &str) -> Response {
    let headers = [("x-request-id", request_id)];
    (StatusCode::TOO_MANY_REQUESTS, headers).into_response()
}

/// Rewrites a page, the answer to a list, as a fault of lists wants it.
pub(crate) fn rewrite_page(page: &mut Value, fault: &Fault, shared: &Shared, uri: &Uri) {
    let Ok(query) = list::Query::parse(uri) else {
        return;
    };
    let metadata = &mut page["metadata"];
    let is_last = metadata.get("next").is_none();
    match fault {
        Fault::NextRepeats => metadata["next"] = query.link_to_same(&shared.url).into(),
        Fault::NextElsewhere { origin } => {
            let next = metadata["next"].as_str();
            let path = next.and_then(|link| link.strip_prefix(&shared.url));
            if let Some(path) = path {
                metadata["next"] = format!("{}{path}", origin.trim_end_matches('/')).into();
            }
        }
        Fault::NextEmpty if is_last => metadata["next"] = "".into(),
        Fault::NextNull if is_last => metadata["next"] = Value::Null,
        Fault::EmptyPage => {
            metadata["next"] = query.link_after_detour(&shared.url).into();
            page["data"] = Value::Array(Vec::new());
        }
        _ => {}
    }
}

fn list(shared: &Shared, caller: &Caller, request: &ApiRequest) -> Result<Response, Failure> {
    let query = list::Query::of(request)?;
    let organization = organization(shared, caller)?;
    let state = shared.lock();
    let invitations = state
        .confluent
        .get(caller.organization)
        .ok_or_else(Failure::not_found)?;
    let now = state.now();
    let logical_time = state.logical_time();
    let page = query.select(
        invitations,
        list::Now {
            time: now,
            logical_time,
        },
    );
    let items = page.items.iter();
    let items = items.map(|item| wire::invitation(&shared.url, organization, item, now));
    let next = page.next.map(|token| query.link(&shared.url, Some(&token)));
    let first = query.link(&shared.url, None);
    let body = wire::invitation_list(first, next, page.total, items.collect());
    Ok(wire::json(StatusCode::OK, &body))
}

fn create(shared: &Shared, caller: &Caller, request: &ApiRequest) -> Result<Response, Failure> {
    let body = request.json_object().map_err(|error| match error {
        BodyError::TooLarge => Failure::too_large(),
        BodyError::NotJson => Failure::bad_request("The body is not JSON"),
        BodyError::NotAnObject => Failure::bad_request("The body is not a JSON object"),
    })?;
    let email = email(&body)?;
    let organization = organization(shared, caller)?;
    let auth_type = auth_type(&body, organization)?;
    if organization.sso && auth_type == LOCAL && caller.rights != Rights::Admin {
        return Err(Failure::local_user());
    }

    let mut state = shared.lock();
    let state = &mut *state;
    let now = state.now();
    let logical_time = state.logical_time();
    let invitations = state
        .confluent
        .get_mut(caller.organization)
        .ok_or_else(Failure::not_found)?;
    if let Some(existing) = invitations.find_conflicting(email, logical_time) {
        let location = wire::invitation_url(&shared.url, &existing.id);
        return Err(match existing.accepted_at {
            Some(_) => Failure::already_a_user(&location),
            None => Failure::already_invited(email, &location),
        });
    }
    if let Some(quota) = &state.quotas.confluent
        && invitations.invited() >= quota.invitations_per_org
    {
        return Err(Failure::over_quota(quota.refused_as()));
    }
    let id = loop {
        let id = random_id();
        if invitations.get(&id).is_none() {
            break id;
        }
    };
    let new = New {
        id,
        email: email.to_owned(),
        staging: organization.staging,
        in_effect: state.faults.in_effect(logical_time),
        details: Details {
            auth_type,
            creator: Arc::clone(&caller.user),
        },
    };
    let created = invitations.insert(new, now);
    let body = wire::invitation(&shared.url, organization, created, now);
    state.ledger.commit(
        Provider::Confluent,
        Change::Create,
        &created.id,
        email,
        Some(&request.request_id),
    );
    let location = wire::invitation_url(&shared.url, &created.id);
    let response = wire::json(StatusCode::CREATED, &body);
    Ok(([(header::LOCATION, location)], response).into_response())
}

fn get(shared: &Shared, caller: &Caller, id: &str) -> Result<Response, Failure> {
    let organization = organization(shared, caller)?;
    let state = shared.lock();
    let invitation = find(&state, caller, id)?;
    let body = wire::invitation(&shared.url, organization, invitation, state.now());
    Ok(wire::json(StatusCode::OK, &body))
}

fn delete(
    shared: &Shared,
    caller: &Caller,
    request: &ApiRequest,
    id: &str,
) -> Result<Response, Failure> {
    let keep = organization(shared, caller)?.keep_deleted;
    let mut state = shared.lock();
    let state = &mut *state;
    let now = state.now();
    let invitation = find(state, caller, id)?;
    if invitation.deleted_at.is_some() {
        return Err(Failure::not_found());
    }
    if invitation.accepted_at.is_some() {
        return Err(Failure::bad_request("The invitation was already accepted"));
    }
    state.ledger.commit(
        Provider::Confluent,
        Change::Delete,
        id,
        &invitation.email.clone(),
        Some(&request.request_id),
    );
    if let Some(invitations) = state.confluent.get_mut(caller.organization) {
        if keep {
            invitations.deactivate(id, now);
        } else {
            invitations.remove(id);
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The invitation of an id. One of another organisation is forbidden.
fn find<'a>(
    state: &'a State,
    caller: &Caller,
    id: &str,
) -> Result<&'a Invitation<Details>, Failure> {
    let own = state.confluent.get(caller.organization);
    if let Some(found) = own.and_then(|invitations| invitations.get(id)) {
        return Ok(found);
    }
    let elsewhere = state.confluent.iter().any(|it| it.get(id).is_some());
    Err(if elsewhere {
        Failure::elsewhere(id)
    } else {
        Failure::not_found()
    })
}

fn organization<'a>(shared: &'a Shared, caller: &Caller) -> Result<&'a ConfluentOrg, Failure> {
    let found = shared.accounts.confluent.get(caller.organization);
    found.ok_or_else(Failure::not_found)
}

fn email(body: &Map<String, Value>) -> Result<&str, Failure> {
    let refused = |why| Err(Failure::invalid_property("/email", why));
    match body.get("email") {
        None => refused("The property is required"),
        Some(Value::String(email)) if is_email(email) => Ok(email),
        Some(Value::String(_)) => refused("The property is not an email address"),
        Some(_) => refused("The property is not a string"),
    }
}

fn auth_type(
    body: &Map<String, Value>,
    organization: &ConfluentOrg,
) -> Result<Cow<'static, str>, Failure> {
    let refused = |why| Err(Failure::invalid_property("/auth_type", why));
    match body.get("auth_type") {
        None => Ok(default_auth_type(organization).into()),
        Some(Value::String(auth_type)) => match auth_type.as_str() {
            LOCAL => Ok(LOCAL.into()),
            SSO => Ok(SSO.into()),
            other if other.starts_with("AUTH_TYPE_") => Ok(other.to_owned().into()),
            _ => refused("The property is not a known type of authentication"),
        },
        Some(_) => refused("The property is not a string"),
    }
}

fn default_auth_type(organization: &ConfluentOrg) -> &'static str {
    if organization.sso { SSO } else { LOCAL }
}

/// An id such as invitations have.
pub(crate) fn random_id() -> String {
    format!("i-{}", random_suffix(6))
}

/// The id of the invitee's user: of the same letters as that of the invitation, so that one is found by the other.
fn user_of(id: &str) -> String {
    format!("u-{}", id.trim_start_matches("i-"))
}

/// The id of the invitation that made a user.
fn invitation_of(user: &str) -> Option<String> {
    Some(format!("i-{}", user.strip_prefix("u-")?))
}
