//! Confluent Cloud: the invitation operations of IAM v2; the token exchange is next door.

mod list;
mod sts;
mod wire;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::Presented;
use crate::call::{BodyError, Call};
use crate::email::is_email;
use crate::faults::Fault;
use crate::ledger::Change;
use crate::state::{Provider, Shared, State, random_suffix};
use crate::tokens::Found;
use wire::Failure;

const DEFAULT_AUTH_TYPE: &str = "AUTH_TYPE_LOCAL";

/// What an invitation has here and not at the other vendor.
#[derive(Debug)]
pub(crate) struct Details {
    auth_type: String,
    /// The invitee's user id.
    user: String,
    /// The user id behind the credentials that created it.
    creator: String,
}

/// The organisation the sandbox emulates.
#[derive(Debug)]
pub(crate) struct Account {
    organization: Uuid,
    /// The user that the credentials belong to.
    user: String,
}

impl Account {
    pub(crate) fn random() -> Self {
        Self {
            organization: Uuid::new_v4(),
            user: user_id(),
        }
    }
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
    WrongMethod(&'static str),
    Unknown,
}

impl Route {
    /// The route of a path given by its decoded segments after `iam`.
    pub(crate) fn find(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["v2", "invitations"] => match *method {
                Method::GET => Self::List,
                Method::POST => Self::Create,
                _ => Self::WrongMethod("GET, POST"),
            },
            ["v2", "invitations", id] if !id.is_empty() => match *method {
                Method::GET => Self::Get((*id).to_owned()),
                Method::DELETE => Self::Delete((*id).to_owned()),
                _ => Self::WrongMethod("GET, DELETE"),
            },
            _ => Self::Unknown,
        }
    }

    /// The route of a path given by its decoded segments after `sts`.
    pub(crate) fn find_sts(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["v1", "oauth2", "token"] => match *method {
                Method::POST => Self::Exchange,
                _ => Self::WrongMethod("POST"),
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
            Self::WrongMethod(_) | Self::Unknown => None,
        }
    }
}

pub(crate) fn answer(shared: &Shared, route: &Route, call: &Call) -> Response {
    let authenticated = || authenticate(shared, call);
    let answer = match route {
        Route::List => authenticated().and_then(|()| list(shared, call)),
        Route::Create => authenticated().and_then(|()| create(shared, call)),
        Route::Get(id) => authenticated().and_then(|()| get(shared, id)),
        Route::Delete(id) => authenticated().and_then(|()| delete(shared, call, id)),
        Route::Exchange => sts::exchange(shared, call),
        Route::WrongMethod(allowed) => Err(Failure::wrong_method(allowed)),
        Route::Unknown => Err(Failure::not_found()),
    };
    wire::finish(answer, &call.request_id)
}

/// A refusal with this status that is not the request's fault.
pub(crate) fn refusal(status: StatusCode, request_id: &str) -> Response {
    wire::finish(Err(Failure::of_status(status)), request_id)
}

/// The refusal of a token that was good once.
pub(crate) fn expired(request_id: &str) -> Response {
    wire::finish(Err(Failure::expired()), request_id)
}

/// As documented, without a body.
pub(crate) fn too_many_requests(request_id: &str) -> Response {
    let headers = [("x-request-id", request_id)];
    (StatusCode::TOO_MANY_REQUESTS, headers).into_response()
}

/// Rewrites a page, the answer to a list, as a fault of lists wants it.
pub(crate) fn twist_page(page: &mut Value, fault: &Fault, shared: &Shared, uri: &Uri) {
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

/// Whose credentials a request carries.
pub(crate) fn identify(
    shared: &Shared,
    state: &State,
    headers: &HeaderMap,
) -> Result<String, Failure> {
    let expected = &shared.credentials.confluent;
    let presented = Presented::in_headers(headers);
    if presented.is_basic(&expected.api_key, &expected.api_secret) {
        return Ok("key".to_owned());
    }
    if presented.is_bearer(&expected.access_token) {
        return Ok("token".to_owned());
    }
    if let Presented::Bearer(token) = &presented {
        match state.tokens.find(token, state.now()) {
            Found::Good(pool) => return Ok(pool.to_owned()),
            Found::Expired => return Err(Failure::expired()),
            Found::Unknown => {}
        }
    }
    Err(Failure::unauthenticated(&presented))
}

fn authenticate(shared: &Shared, call: &Call) -> Result<(), Failure> {
    identify(shared, &shared.lock(), &call.headers).map(drop)
}

fn list(shared: &Shared, call: &Call) -> Result<Response, Failure> {
    let query = list::Query::parse(&call.uri)?;
    let state = shared.lock();
    let now = state.now();
    let page = query.select(&state.confluent, now);
    let items = page
        .items
        .iter()
        .map(|invitation| wire::invitation(shared, invitation, now))
        .collect();
    let next = page.next.map(|token| query.link(&shared.url, Some(&token)));
    let body = wire::invitation_list(&query.link(&shared.url, None), next, page.total, items);
    Ok(wire::json(StatusCode::OK, &body))
}

fn create(shared: &Shared, call: &Call) -> Result<Response, Failure> {
    let body = call.json_object().map_err(|error| match error {
        BodyError::TooLarge => Failure::too_large(),
        BodyError::NotJson => Failure::bad_request("The body is not JSON"),
        BodyError::NotAnObject => Failure::bad_request("The body is not a JSON object"),
    })?;
    let email = email(&body)?;
    let auth_type = auth_type(&body)?;

    let mut state = shared.lock();
    let now = state.now();
    if let Some(existing) = state.confluent.get_by_email(email) {
        let location = wire::invitation_url(shared, &existing.id);
        return Err(Failure::already_exists(email, &location));
    }
    let id = loop {
        let id = format!("i-{}", random_suffix(6));
        if state.confluent.get(&id).is_none() {
            break id;
        }
    };
    let details = Details {
        auth_type: auth_type.to_owned(),
        user: user_id(),
        creator: shared.confluent.user.clone(),
    };
    let created = state
        .confluent
        .insert(id.clone(), email.to_owned(), now, details);
    let body = wire::invitation(shared, created, now);
    state.journal.commit(
        Provider::Confluent,
        Change::Create,
        &id,
        email,
        Some(&call.request_id),
    );
    let location = wire::invitation_url(shared, &id);
    let response = wire::json(StatusCode::CREATED, &body);
    Ok(([(header::LOCATION, location)], response).into_response())
}

fn get(shared: &Shared, id: &str) -> Result<Response, Failure> {
    let state = shared.lock();
    let invitation = state.confluent.get(id).ok_or_else(Failure::not_found)?;
    let body = wire::invitation(shared, invitation, state.now());
    Ok(wire::json(StatusCode::OK, &body))
}

fn delete(shared: &Shared, call: &Call, id: &str) -> Result<Response, Failure> {
    let mut state = shared.lock();
    let invitation = state.confluent.get(id).ok_or_else(Failure::not_found)?;
    if invitation.accepted_at.is_some() {
        return Err(Failure::bad_request("The invitation was already accepted"));
    }
    let deleted = state.confluent.remove(id).ok_or_else(Failure::not_found)?;
    state.journal.commit(
        Provider::Confluent,
        Change::Delete,
        &deleted.id,
        &deleted.email,
        Some(&call.request_id),
    );
    Ok(StatusCode::NO_CONTENT.into_response())
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

fn auth_type(body: &Map<String, Value>) -> Result<&str, Failure> {
    let refused = |why| Err(Failure::invalid_property("/auth_type", why));
    match body.get("auth_type") {
        None => Ok(DEFAULT_AUTH_TYPE),
        Some(Value::String(auth_type)) if auth_type.starts_with("AUTH_TYPE_") => Ok(auth_type),
        Some(Value::String(_)) => refused("The property is not a known type of authentication"),
        Some(_) => refused("The property is not a string"),
    }
}

fn user_id() -> String {
    format!("u-{}", random_suffix(6))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use chrono::TimeDelta;

    use super::*;
    use crate::Credentials;
    use crate::journal::Journal;

    fn call(shared: &Shared, route: &Route, path_and_query: &str, body: &'static str) -> Response {
        let token = shared.credentials.confluent.access_token();
        let authorization = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let call = Call {
            request_id: "1".to_owned(),
            method: Method::GET,
            uri: path_and_query.parse().unwrap(),
            headers: HeaderMap::from_iter([(header::AUTHORIZATION, authorization)]),
            body: Some(body.into()),
        };
        answer(shared, route, &call)
    }

    #[test]
    fn an_expired_invitation_says_so_stands_in_the_way_and_can_be_deleted() {
        let shared = Shared::new(Credentials::random(), Journal::default());
        let query = {
            let mut state = shared.lock();
            let now = state.now();
            let details = Details {
                auth_type: DEFAULT_AUTH_TYPE.to_owned(),
                user: user_id(),
                creator: user_id(),
            };
            let (id, email) = ("i-1".to_owned(), "ada@example.com".to_owned());
            let long_ago = now - TimeDelta::days(8);
            let expired = state.confluent.insert(id, email, long_ago, details);
            assert_eq!(wire::status(expired, now), "INVITE_STATUS_EXPIRED");
            assert_eq!(wire::status(expired, long_ago), "INVITE_STATUS_SENT");
            let uri = "/?status=INVITE_STATUS_EXPIRED".parse().unwrap();
            let query = list::Query::parse(&uri).unwrap();
            assert_eq!(query.select(&state.confluent, now).total, 1);
            assert_eq!(query.select(&state.confluent, long_ago).total, 0);
            query
        };

        let ada = r#"{"email":"ada@example.com"}"#;
        let refused = call(&shared, &Route::Create, "/", ada);
        assert_eq!(refused.status(), StatusCode::CONFLICT);
        let deleted = call(&shared, &Route::Delete("i-1".to_owned()), "/", "");
        assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
        let state = shared.lock();
        assert_eq!(query.select(&state.confluent, state.now()).total, 0);
    }
}
