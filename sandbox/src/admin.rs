//! `/_sandbox/…`: looking into the sandbox and steering it. Not recorded in the ledger, no credentials asked.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::faults::Faults;
use crate::idp;
use crate::limits::Limits;
use crate::state::{AcceptError, Provider, Shared};
use crate::tokens::Sts;

/// The JSON body of a request, or why it is none.
type Body<T> = Result<Json<T>, JsonRejection>;

pub(crate) fn router() -> Router<Arc<Shared>> {
    let endpoints = Router::new()
        .route("/accept", post(accept))
        .route("/clock", post(clock))
        .route("/faults", get(faults).put(set_faults).delete(clear_faults))
        .route("/idp/token", post(idp::token))
        .route("/invitations", get(invitations))
        .route("/ledger", get(ledger))
        .route("/limits", get(limits).put(set_limits))
        .route("/refuse", post(refuse))
        .route("/reset", post(reset))
        .route("/sts", get(sts).put(set_sts))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    Router::new()
        .nest("/_sandbox", endpoints)
        .route("/_sandbox/", any(not_found))
}

async fn ledger(State(shared): State<Arc<Shared>>) -> Response {
    let ledger = shared.lock().journal.ledger();
    Json(ledger).into_response()
}

#[derive(Deserialize)]
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
                AcceptError::AlreadyAccepted | AcceptError::Expired => StatusCode::CONFLICT,
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
    shared.lock().reset();
    StatusCode::NO_CONTENT
}

async fn invitations(State(shared): State<Arc<Shared>>) -> Response {
    let invitations = shared.lock().invitations();
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
        "idp": credentials.idp(),
        "idp_tokens_issued": state.tokens.subjects_issued(),
    }))
    .into_response()
}

async fn set_sts(
    State(shared): State<Arc<Shared>>,
    body: Body<Sts>,
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
