//! What requests meet: the clock, faults, limits, quotas, roles, the token exchange.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AdminError, AppState, Body, parse};
use crate::config::{CustomRole, Quotas, StsSettings};
use crate::faults::Faults;
use crate::limits::Limits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    advance_seconds: u64,
}

pub(super) async fn clock(State(app): State<Arc<AppState>>) -> Response {
    let state = &app.lock().state;
    let advanced = state.clock.advanced_seconds();
    Json(json!({ "now": state.now(), "advanced_seconds": advanced })).into_response()
}

pub(super) async fn advance_clock(
    State(app): State<Arc<AppState>>,
    body: Body<Advance>,
) -> Result<Response, AdminError> {
    let Advance { advance_seconds } = parse(body)?;
    let by = Duration::from_secs(advance_seconds);
    app.change(|apis| apis.state.clock.advance(by));
    Ok(clock(State(app)).await)
}

pub(super) async fn faults(State(app): State<Arc<AppState>>) -> Response {
    let remaining = app.lock().state.faults.remaining();
    Json(remaining).into_response()
}

pub(super) async fn set_faults(
    State(app): State<Arc<AppState>>,
    body: Body<Faults>,
) -> Result<StatusCode, AdminError> {
    let faults = parse(body)?;
    faults.validate().map_err(AdminError::unprocessable)?;
    app.change(|apis| apis.state.set_faults(faults));
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn clear_faults(State(app): State<Arc<AppState>>) -> StatusCode {
    app.change(|apis| apis.state.set_faults(Faults::default()));
    StatusCode::NO_CONTENT
}

pub(super) async fn limits(State(app): State<Arc<AppState>>) -> Response {
    let limits = app.lock().state.limits.limits().clone();
    Json(limits).into_response()
}

pub(super) async fn set_limits(
    State(app): State<Arc<AppState>>,
    body: Body<Limits>,
) -> Result<StatusCode, AdminError> {
    let limits = parse(body)?;
    app.change(|apis| apis.state.limits.set(limits));
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn quota(State(app): State<Arc<AppState>>) -> Response {
    let quotas = app.lock().confluent.quotas.clone();
    Json(quotas).into_response()
}

pub(super) async fn set_quota(
    State(app): State<Arc<AppState>>,
    body: Body<Quotas>,
) -> Result<StatusCode, AdminError> {
    let quotas = parse(body)?;
    app.change(|apis| apis.confluent.quotas = quotas);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Roles {
    custom_roles: Vec<CustomRole>,
}

pub(super) async fn roles(State(app): State<Arc<AppState>>) -> Response {
    let custom_roles = app.lock().clickhouse.custom_roles().to_vec();
    Json(Roles { custom_roles }).into_response()
}

pub(super) async fn set_roles(
    State(app): State<Arc<AppState>>,
    body: Body<Roles>,
) -> Result<StatusCode, AdminError> {
    let Roles { custom_roles } = parse(body)?;
    let set = app.change(|apis| apis.clickhouse.set_custom_roles(custom_roles));
    set.map_err(AdminError::unprocessable)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refuse {
    for_ms: u64,
}

pub(super) async fn refuse(
    State(app): State<Arc<AppState>>,
    body: Body<Refuse>,
) -> Result<StatusCode, AdminError> {
    let Refuse { for_ms } = parse(body)?;
    let length = Duration::from_millis(for_ms);
    app.outage.begin_and_wait(length).await;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn sts(State(app): State<Arc<AppState>>) -> Response {
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

pub(super) async fn set_sts(
    State(app): State<Arc<AppState>>,
    body: Body<StsSettings>,
) -> Result<StatusCode, AdminError> {
    let sts = parse(body)?;
    app.change(|apis| apis.set_sts(sts));
    Ok(StatusCode::NO_CONTENT)
}
