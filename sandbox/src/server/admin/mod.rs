//! The admin API, `/_sandbox/…`: inspects and controls the sandbox. It asks for no credentials, and the ledger does not
//! record it.

mod ledger;
mod people;
mod rules;

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde_json::json;

use super::{AppState, guard, idp, page};

/// The JSON body of a request, or why it is invalid.
type Body<T> = Result<Json<T>, JsonRejection>;
/// The query of a request, or why it is invalid.
type Parameters<T> = Result<Query<T>, QueryRejection>;

/// The OpenAPI document of the admin API.
const DOCUMENT: &str = include_str!("../../../openapi.yaml");

pub(crate) fn router(app: &Arc<AppState>) -> Router<Arc<AppState>> {
    let mut endpoints = Router::new();
    for (path, methods) in endpoint_table() {
        endpoints = endpoints.route(path, methods);
    }
    for (path, file) in page::FILES {
        endpoints = endpoints.route(path, get(move || async move { file.response() }));
    }
    endpoints = endpoints
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    // What a nested router answers at its root has no slash, on which the page's relative links depend.
    Router::new()
        .nest("/_sandbox", endpoints)
        .route(
            "/_sandbox",
            get(|| async { Redirect::permanent("/_sandbox/") }),
        )
        .route("/_sandbox/", get(|| async { page::INDEX.response() }))
        .layer(from_fn_with_state(Arc::clone(app), save))
        .layer(from_fn_with_state(Arc::clone(app), guard::check))
}

fn endpoint_table() -> [(&'static str, MethodRouter<Arc<AppState>>); 20] {
    [
        ("/accept", post(people::accept)),
        ("/api-keys", get(people::api_keys).post(people::add_api_key)),
        ("/clock", get(rules::clock).post(rules::advance_clock)),
        ("/credentials", get(credentials)),
        ("/exchanges/{sequence}", get(ledger::exchange)),
        (
            "/faults",
            get(rules::faults)
                .put(rules::set_faults)
                .delete(rules::clear_faults),
        ),
        ("/idp/token", post(idp::token)),
        ("/invitations", get(people::invitations)),
        ("/ledger", get(ledger::ledger)),
        ("/limits", get(rules::limits).put(rules::set_limits)),
        ("/members", get(people::members)),
        ("/openapi.yaml", get(document)),
        ("/quota", get(rules::quota).put(rules::set_quota)),
        ("/refuse", post(rules::refuse)),
        ("/reset", post(reset)),
        ("/role-bindings", get(people::role_bindings)),
        ("/roles", get(rules::roles).put(rules::set_roles)),
        ("/status", get(ledger::status)),
        ("/stop", post(stop)),
        ("/sts", get(rules::sts).put(rules::set_sts)),
    ]
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml")], DOCUMENT).into_response()
}

async fn credentials(State(app): State<Arc<AppState>>) -> Response {
    Json(&app.credentials).into_response()
}

async fn reset(State(app): State<Arc<AppState>>) -> StatusCode {
    app.reset();
    StatusCode::NO_CONTENT
}

async fn stop(State(app): State<Arc<AppState>>) -> StatusCode {
    app.stop.notify_one();
    StatusCode::NO_CONTENT
}

/// Answers a request that may change something once the change is in the state file, if there is one.
async fn save(State(app): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let may_change = request.method() != Method::GET;
    let response = next.run(request).await;
    if may_change {
        app.saved().await;
    }
    response
}

fn parse<T>(body: Body<T>) -> Result<T, AdminError> {
    body.map(|Json(body)| body)
        .map_err(|rejection| AdminError(rejection.status(), rejection.body_text()))
}

fn parse_query<T>(parameters: Parameters<T>) -> Result<T, AdminError> {
    parameters
        .map(|Query(parameters)| parameters)
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
pub(super) struct AdminError(pub(super) StatusCode, pub(super) String);

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
