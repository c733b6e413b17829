//! The admin API, `/_sandbox/…`: inspects and controls the sandbox. It asks for no credentials, and the ledger does not
//! record it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AppState, idp};
use crate::config::{ConfluentKey, CustomRole, Quotas, StsSettings};
use crate::faults::Faults;
use crate::invitations::AcceptError;
use crate::limits::Limits;
use crate::provider::Provider;

/// The JSON body of a request, or why it is invalid.
type Body<T> = Result<Json<T>, JsonRejection>;

/// The OpenAPI document of the admin API.
const DOCUMENT: &str = include_str!("../../openapi.yaml");

pub(crate) fn router() -> Router<Arc<AppState>> {
    let mut endpoints = Router::new();
    for (path, methods) in endpoint_table() {
        endpoints = endpoints.route(path, methods);
    }
    endpoints = endpoints
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    Router::new()
        .nest("/_sandbox", endpoints)
        .route("/_sandbox/", any(not_found))
}

fn endpoint_table() -> [(&'static str, MethodRouter<Arc<AppState>>); 16] {
    [
        ("/accept", post(accept)),
        ("/api-keys", get(api_keys).post(add_api_key)),
        ("/clock", post(clock)),
        ("/faults", get(faults).put(set_faults).delete(clear_faults)),
        ("/idp/token", post(idp::token)),
        ("/invitations", get(invitations)),
        ("/ledger", get(ledger)),
        ("/limits", get(limits).put(set_limits)),
        ("/members", get(members)),
        ("/openapi.yaml", get(document)),
        ("/quota", get(quota).put(set_quota)),
        ("/refuse", post(refuse)),
        ("/reset", post(reset)),
        ("/role-bindings", get(role_bindings)),
        ("/roles", get(roles).put(set_roles)),
        ("/sts", get(sts).put(set_sts)),
    ]
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml")], DOCUMENT).into_response()
}

async fn ledger(State(app): State<Arc<AppState>>) -> Response {
    let ledger = app.lock().state.ledger.snapshot();
    Json(ledger).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    provider: Provider,
    email: String,
}

async fn accept(
    State(app): State<Arc<AppState>>,
    body: Body<Accept>,
) -> Result<Response, AdminError> {
    let Accept { provider, email } = parse(body)?;
    let accepted = app.lock().accept(provider, &email);
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn clock(
    State(app): State<Arc<AppState>>,
    body: Body<Advance>,
) -> Result<Response, AdminError> {
    let Advance { advance_seconds } = parse(body)?;
    let state = &mut app.lock().state;
    state.clock.advance(Duration::from_secs(advance_seconds));
    Ok(Json(json!({ "now": state.now() })).into_response())
}

async fn faults(State(app): State<Arc<AppState>>) -> Response {
    let remaining = app.lock().state.faults.remaining();
    Json(remaining).into_response()
}

async fn set_faults(
    State(app): State<Arc<AppState>>,
    body: Body<Faults>,
) -> Result<StatusCode, AdminError> {
    let faults = parse(body)?;
    faults.validate().map_err(AdminError::unprocessable)?;
    app.lock().state.set_faults(faults);
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(app): State<Arc<AppState>>) -> StatusCode {
    app.lock().state.set_faults(Faults::default());
    StatusCode::NO_CONTENT
}

async fn limits(State(app): State<Arc<AppState>>) -> Response {
    let limits = app.lock().state.limits.limits().clone();
    Json(limits).into_response()
}

async fn set_limits(
    State(app): State<Arc<AppState>>,
    body: Body<Limits>,
) -> Result<StatusCode, AdminError> {
    let limits = parse(body)?;
    app.lock().state.limits.set(limits);
    Ok(StatusCode::NO_CONTENT)
}

async fn quota(State(app): State<Arc<AppState>>) -> Response {
    let quotas = app.lock().confluent.quotas.clone();
    Json(quotas).into_response()
}

async fn set_quota(
    State(app): State<Arc<AppState>>,
    body: Body<Quotas>,
) -> Result<StatusCode, AdminError> {
    let quotas = parse(body)?;
    app.lock().confluent.quotas = quotas;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    custom_roles: Vec<CustomRole>,
}

async fn roles(State(app): State<Arc<AppState>>) -> Response {
    let custom_roles = app.lock().clickhouse.custom_roles().to_vec();
    Json(Roles { custom_roles }).into_response()
}

async fn set_roles(
    State(app): State<Arc<AppState>>,
    body: Body<Roles>,
) -> Result<StatusCode, AdminError> {
    let Roles { custom_roles } = parse(body)?;
    let set = app.lock().clickhouse.set_custom_roles(custom_roles);
    set.map_err(AdminError::unprocessable)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refuse {
    for_ms: u64,
}

async fn refuse(
    State(app): State<Arc<AppState>>,
    body: Body<Refuse>,
) -> Result<StatusCode, AdminError> {
    let Refuse { for_ms } = parse(body)?;
    let length = Duration::from_millis(for_ms);
    app.outage.begin_and_wait(length).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(State(app): State<Arc<AppState>>) -> StatusCode {
    app.reset();
    StatusCode::NO_CONTENT
}

async fn invitations(State(app): State<Arc<AppState>>) -> Response {
    let invitations = app.lock().snapshots();
    Json(json!({ "invitations": invitations })).into_response()
}

async fn members(State(app): State<Arc<AppState>>) -> Response {
    let members = app.lock().member_snapshots();
    Json(json!({ "members": members })).into_response()
}

async fn role_bindings(State(app): State<Arc<AppState>>) -> Response {
    let bindings: Vec<_> = app.lock().confluent.role_binding_snapshots().collect();
    Json(json!({ "role_bindings": bindings })).into_response()
}

async fn api_keys(State(app): State<Arc<AppState>>) -> Response {
    let keys: Vec<_> = app.lock().confluent.api_key_snapshots().collect();
    Json(json!({ "api_keys": keys })).into_response()
}

async fn add_api_key(
    State(app): State<Arc<AppState>>,
    body: Body<ConfluentKey>,
) -> Result<StatusCode, AdminError> {
    let key = parse(body)?;
    let added = app.lock().add_key(key);
    added.map_err(AdminError::unprocessable)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sts(State(app): State<Arc<AppState>>) -> Response {
    let tokens = &app.lock().confluent.tokens;
    let credentials = &app.credentials;
    let settings = tokens.settings();
    Json(json!({
        "subject_tokens": settings.subject_tokens,
        "expires_in_as_text": settings.expires_in_as_text,
        "lifetime_seconds": settings.lifetime_seconds,
        "identity_pool_id": credentials.identity_pool_id(),
        "subject_token": credentials.subject_token(),
        "idp": credentials.idp(),
        "idp_tokens_issued": tokens.subject_tokens_issued(),
    }))
    .into_response()
}

async fn set_sts(
    State(app): State<Arc<AppState>>,
    body: Body<StsSettings>,
) -> Result<StatusCode, AdminError> {
    let sts = parse(body)?;
    app.lock().confluent.tokens.set(sts);
    Ok(StatusCode::NO_CONTENT)
}

fn parse<T>(body: Body<T>) -> Result<T, AdminError> {
    body.map(|Json(body)| body)
        .map_err(|rejection| AdminError(rejection.status(), rejection.body_text()))
}

async fn not_found() -> AdminError {
    AdminError(StatusCode::NOT_FOUND, "unknown endpoint".to_owned())
}

async fn method_not_allowed() -> AdminError {
    AdminError(
        StatusCode::METHOD_NOT_ALLOWED,
        "the endpoint does not have this method".to_owned(),
    )
}

/// An error of the admin API: its status and its message.
struct AdminError(StatusCode, String);

impl AdminError {
    fn unprocessable(message: String) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, message)
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        (status, Json(json!({ "error": message }))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_document_has_every_endpoint_and_no_other() {
        let document: Value = serde_norway::from_str(DOCUMENT).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let documented: BTreeSet<_> = paths.keys().map(String::as_str).collect();
        let served = endpoint_table().map(|(path, _)| format!("/_sandbox{path}"));
        assert_eq!(documented, served.iter().map(String::as_str).collect());
    }
}
