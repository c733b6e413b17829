//! `/_sandbox/…`: looking into the sandbox and steering it. Not recorded in the ledger, no credentials asked.

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

use crate::config::CustomRole;
use crate::faults::Faults;
use crate::idp;
use crate::limits::Limits;
use crate::quota::Quotas;
use crate::state::{AcceptError, Provider, Shared};
use crate::tokens::StsSettings;

/// The JSON body of a request, or why it is none.
type Body<T> = Result<Json<T>, JsonRejection>;

/// The document of all this, in OpenAPI.
const DOCUMENT: &str = include_str!("../openapi.yaml");

pub(crate) fn router() -> Router<Arc<Shared>> {
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

fn endpoint_table() -> [(&'static str, MethodRouter<Arc<Shared>>); 13] {
    [
        ("/accept", post(accept)),
        ("/clock", post(clock)),
        ("/faults", get(faults).put(set_faults).delete(clear_faults)),
        ("/idp/token", post(idp::token)),
        ("/invitations", get(invitations)),
        ("/ledger", get(ledger)),
        ("/limits", get(limits).put(set_limits)),
        ("/openapi.yaml", get(document)),
        ("/quota", get(quota).put(set_quota)),
        ("/refuse", post(refuse)),
        ("/reset", post(reset)),
        ("/roles", get(roles).put(set_roles)),
        ("/sts", get(sts).put(set_sts)),
    ]
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml")], DOCUMENT).into_response()
}

async fn ledger(State(shared): State<Arc<Shared>>) -> Response {
    let ledger = shared.lock().ledger.snapshot();
    Json(ledger).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    provider: Provider,
    email: String,
}

async fn accept(
    State(shared): State<Arc<Shared>>,
    body: Body<Accept>,
) -> Result<Response, Refusal> {
    let Accept { provider, email } = read(body)?;
    let accepted = shared.lock().accept(provider, &email);
    accepted
        .map(|id| Json(json!({ "id": id })).into_response())
        .map_err(|error| {
            let status = match error {
                AcceptError::NotInvited => StatusCode::NOT_FOUND,
                AcceptError::NotSent | AcceptError::AlreadyAccepted | AcceptError::Expired => {
                    StatusCode::CONFLICT
                }
            };
            Refusal(status, error.to_string())
        })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn clock(
    State(shared): State<Arc<Shared>>,
    body: Body<Advance>,
) -> Result<Response, Refusal> {
    let Advance { advance_seconds } = read(body)?;
    let mut state = shared.lock();
    state.clock.advance(Duration::from_secs(advance_seconds));
    Ok(Json(json!({ "now": state.now() })).into_response())
}

async fn faults(State(shared): State<Arc<Shared>>) -> Response {
    let left = shared.lock().faults.left();
    Json(left).into_response()
}

async fn set_faults(
    State(shared): State<Arc<Shared>>,
    body: Body<Faults>,
) -> Result<StatusCode, Refusal> {
    let faults = read(body)?;
    if let Some(problem) = faults.problem() {
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, problem));
    }
    shared.lock().set_faults(faults);
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.lock().set_faults(Faults::default());
    StatusCode::NO_CONTENT
}

async fn limits(State(shared): State<Arc<Shared>>) -> Response {
    let limits = shared.lock().limits.limits().clone();
    Json(limits).into_response()
}

async fn set_limits(
    State(shared): State<Arc<Shared>>,
    body: Body<Limits>,
) -> Result<StatusCode, Refusal> {
    let limits = read(body)?;
    shared.lock().limits.set(limits);
    Ok(StatusCode::NO_CONTENT)
}

async fn quota(State(shared): State<Arc<Shared>>) -> Response {
    let quotas = shared.lock().quotas.clone();
    Json(quotas).into_response()
}

async fn set_quota(
    State(shared): State<Arc<Shared>>,
    body: Body<Quotas>,
) -> Result<StatusCode, Refusal> {
    let quotas = read(body)?;
    shared.lock().quotas = quotas;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    custom_roles: Vec<CustomRole>,
}

async fn roles(State(shared): State<Arc<Shared>>) -> Response {
    let first = shared.lock().custom_roles.first().cloned();
    let custom_roles = first.unwrap_or_default();
    Json(Roles { custom_roles }).into_response()
}

async fn set_roles(
    State(shared): State<Arc<Shared>>,
    body: Body<Roles>,
) -> Result<StatusCode, Refusal> {
    let Roles { custom_roles } = read(body)?;
    shared
        .set_custom_roles(custom_roles)
        .map_err(|problem| Refusal(StatusCode::UNPROCESSABLE_ENTITY, problem))?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refuse {
    for_ms: u64,
}

async fn refuse(
    State(shared): State<Arc<Shared>>,
    body: Body<Refuse>,
) -> Result<StatusCode, Refusal> {
    let Refuse { for_ms } = read(body)?;
    let length = Duration::from_millis(for_ms);
    shared.outage.take_effect(length).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}

async fn invitations(State(shared): State<Arc<Shared>>) -> Response {
    let invitations = shared.invitations();
    Json(json!({ "invitations": invitations })).into_response()
}

async fn sts(State(shared): State<Arc<Shared>>) -> Response {
    let state = shared.lock();
    let credentials = &shared.credentials;
    let settings = state.tokens.settings();
    Json(json!({
        "subject_tokens": settings.subject_tokens,
        "expires_in_as_text": settings.expires_in_as_text,
        "lifetime_seconds": settings.lifetime_seconds,
        "identity_pool_id": credentials.identity_pool_id(),
        "subject_token": credentials.subject_token(),
        "idp": credentials.idp(),
        "idp_tokens_issued": state.tokens.subjects_issued(),
    }))
    .into_response()
}

async fn set_sts(
    State(shared): State<Arc<Shared>>,
    body: Body<StsSettings>,
) -> Result<StatusCode, Refusal> {
    let sts = read(body)?;
    shared.lock().tokens.set(sts);
    Ok(StatusCode::NO_CONTENT)
}

fn read<T>(body: Body<T>) -> Result<T, Refusal> {
    body.map(|Json(body)| body)
        .map_err(|rejection| Refusal(rejection.status(), rejection.body_text()))
}

async fn not_found() -> Refusal {
    Refusal(StatusCode::NOT_FOUND, "no such endpoint".to_owned())
}

async fn method_not_allowed() -> Refusal {
    Refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        "not this method here".to_owned(),
    )
}

/// Why something cannot be done.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        (status, Json(json!({ "error": error }))).into_response()
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
