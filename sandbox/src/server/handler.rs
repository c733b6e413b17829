//! The handler of every request to the emulated APIs.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;

use super::AppState;
use super::connection::ConnectionHandle;
use super::exchange::Exchange;
use super::inject::{inject, refuse_connections};
use super::route::Route;
use crate::faults::Fault;
use crate::request::{ApiRequest, FilterMode};

/// The largest request body that is accepted.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of a larger body is read and discarded, so that its sender can read the error.
const MAX_DISCARDED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// Answers every request outside `/_sandbox/`.
pub(super) async fn answer(
    State(app): State<Arc<AppState>>,
    Extension(connection): Extension<ConnectionHandle>,
    incoming: Request,
) -> Response {
    let (head, body) = incoming.into_parts();
    let route = Route::parse(&head.method, head.uri.path());
    let request = ApiRequest {
        request_id: route.random_request_id(),
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body: None,
        filter_mode: FilterMode::Exact,
    };
    let (mut exchange, fault) = Exchange::begin(app, route, request, head.version);
    if let Some(Fault::Refuse { for_ms }) = fault {
        match refuse_connections(&exchange, &connection, for_ms).await {}
    }
    exchange.request.body = read(body).await;
    match fault {
        None => exchange.finish(exchange.handle().await).await,
        Some(fault) => {
            exchange.record_body();
            inject(fault, &exchange, &connection).await
        }
    }
}

async fn read(body: Body) -> Option<Bytes> {
    let bytes = to_bytes(body, MAX_DISCARDED_BYTES).await.ok()?;
    (bytes.len() <= MAX_BODY_BYTES).then_some(bytes)
}
