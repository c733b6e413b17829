//! What happened: the ledger, and what to look at for news.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::{AdminError, AppState, Parameters, parse_query};

/// Cheap to ask for again and again: the numbers say whether anything else is worth asking for.
pub(super) async fn status(State(app): State<Arc<AppState>>) -> Response {
    let apis = app.lock();
    let ledger = &apis.state.ledger;
    Json(json!({
        "url": app.credentials.url,
        "run": ledger.run().to_string(),
        "sequence": ledger.last_sequence(),
        "revision": ledger.revision(),
        "now": apis.state.now(),
        "advanced_seconds": apis.state.clock.advanced_seconds(),
        "organizations": apis.organization_snapshots(),
    }))
    .into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LedgerParameters {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

pub(super) async fn ledger(
    State(app): State<Arc<AppState>>,
    parameters: Parameters<LedgerParameters>,
) -> Result<Response, AdminError> {
    let LedgerParameters { after, limit } = parse_query(parameters)?;
    let ledger = &app.lock().state.ledger;
    let ledger = ledger.after(after, limit.unwrap_or(usize::MAX));
    Ok(Json(ledger).into_response())
}

pub(super) async fn exchange(
    State(app): State<Arc<AppState>>,
    sequence: Result<Path<u64>, PathRejection>,
) -> Result<Response, AdminError> {
    let found = match sequence {
        Ok(Path(sequence)) => app.lock().state.ledger.exchange(sequence),
        Err(_) => None,
    };
    let message = || "the ledger has no request of this sequence".to_owned();
    let exchange = found.ok_or_else(|| AdminError(StatusCode::NOT_FOUND, message()))?;
    Ok(Json(exchange).into_response())
}
