//! People: invitations, members, role bindings, keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AdminError, AppState, Body, Parameters, parse, parse_query};
use crate::config::ConfluentKey;
use crate::invitations::AcceptError;
use crate::provider::Provider;
use crate::snapshot::Person;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {
    provider: Provider,
    email: String,
    organization: Option<String>,
}

pub(super) async fn accept(
    State(app): State<Arc<AppState>>,
    body: Body<Accept>,
) -> Result<Response, AdminError> {
    let Accept {
        provider,
        email,
        organization,
    } = parse(body)?;
    let accepted = app.lock().accept(provider, organization.as_deref(), &email);
    accepted
        .map(|id| Json(json!({ "id": id })).into_response())
        .map_err(|error| {
            let status = match error {
                AcceptError::NotInvited => StatusCode::NOT_FOUND,
                AcceptError::NotSent | AcceptError::AlreadyAccepted | AcceptError::Expired => {
                    StatusCode::CONFLICT
                }
            };
            AdminError(status, error.to_string())
        })
}

/// Which people a list has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    provider: Option<Provider>,
    organization: Option<String>,
    /// Part of the address, in any case.
    email: Option<String>,
    /// How many, the latest ones.
    limit: Option<usize>,
}

impl Selection {
    /// The selected people in their order, and how many there are without the limit.
    fn select<P: Person>(self, mut people: Vec<P>) -> (Vec<P>, usize) {
        let part = self.email.map(|part| part.to_lowercase());
        people.retain(|person| {
            self.provider.is_none_or(|only| only == person.provider())
                && (self.organization.as_ref()).is_none_or(|only| only == person.organization())
                && (part.as_ref())
                    .is_none_or(|part| person.email().to_lowercase().contains(part.as_str()))
        });
        let total = people.len();
        let over = total.saturating_sub(self.limit.unwrap_or(usize::MAX));
        people.drain(..over);
        (people, total)
    }
}

fn listing<P: Person + Serialize>(name: &str, (people, total): (Vec<P>, usize)) -> Response {
    Json(json!({ name: people, "total": total })).into_response()
}

pub(super) async fn invitations(
    State(app): State<Arc<AppState>>,
    parameters: Parameters<Selection>,
) -> Result<Response, AdminError> {
    let selection = parse_query(parameters)?;
    let invitations = app.lock().snapshots();
    Ok(listing("invitations", selection.select(invitations)))
}

pub(super) async fn members(
    State(app): State<Arc<AppState>>,
    parameters: Parameters<Selection>,
) -> Result<Response, AdminError> {
    let selection = parse_query(parameters)?;
    let members = app.lock().member_snapshots();
    Ok(listing("members", selection.select(members)))
}

pub(super) async fn role_bindings(State(app): State<Arc<AppState>>) -> Response {
    let bindings: Vec<_> = app.lock().confluent.role_binding_snapshots().collect();
    Json(json!({ "role_bindings": bindings })).into_response()
}

pub(super) async fn api_keys(State(app): State<Arc<AppState>>) -> Response {
    let keys: Vec<_> = app.lock().confluent.api_key_snapshots().collect();
    Json(json!({ "api_keys": keys })).into_response()
}

pub(super) async fn add_api_key(
    State(app): State<Arc<AppState>>,
    body: Body<ConfluentKey>,
) -> Result<StatusCode, AdminError> {
    let key = parse(body)?;
    let added = app.change(|apis| apis.add_key(key));
    added.map_err(AdminError::unprocessable)?;
    Ok(StatusCode::NO_CONTENT)
}
