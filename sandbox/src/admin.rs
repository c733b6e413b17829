//! `/_sandbox/…`: looking into the sandbox and steering it. Not recorded in the ledger, no credentials asked.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::state::{AcceptError, Provider, Shared};

pub(crate) fn router() -> Router<Arc<Shared>> {
    let endpoints = Router::new()
        .route("/ledger", get(ledger))
        .route("/accept", post(accept))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    Router::new()
        .nest("/_sandbox", endpoints)
        .route("/_sandbox/", any(not_found))
}

async fn ledger(State(shared): State<Arc<Shared>>) -> Response {
    let ledger = shared.lock().ledger.clone();
    Json(ledger).into_response()
}

#[derive(Deserialize)]
struct Accept {
    provider: Provider,
    email: String,
}

async fn accept(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Accept>, JsonRejection>,
) -> Response {
    let Json(Accept { provider, email }) = match body {
        Ok(body) => body,
        Err(rejection) => return refusal(rejection.status(), rejection.body_text()),
    };
    match shared.lock().accept(provider, &email) {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(error) => {
            let status = match error {
                AcceptError::NotInvited => StatusCode::NOT_FOUND,
                AcceptError::AlreadyAccepted | AcceptError::Expired => StatusCode::CONFLICT,
            };
            refusal(status, error.to_string())
        }
    }
}

async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "no such endpoint".to_owned())
}

async fn method_not_allowed() -> Response {
    refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        "not this method here".to_owned(),
    )
}

fn refusal(status: StatusCode, error: String) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
