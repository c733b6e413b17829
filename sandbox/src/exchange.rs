//! From an HTTP request to the operation it calls, and back: reading, recording, dispatching.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, Version, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Map, Value};

use crate::connection::ConnectionHandle;
use crate::faults::{self, Fault, FilterMode};
use crate::ledger::ReceivedRequest;
use crate::limits::{self, Allowance};
use crate::route::Route;
use crate::state::{Provider, Shared};
use crate::{clickhouse, confluent};

/// The largest request body taken.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of a larger one is read and thrown away, so that its sender gets to see the refusal.
const MAX_DISCARDED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// A vendor request, read in full.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequest {
    /// In the form of the vendor whose path it is.
    pub(crate) request_id: String,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// `None` when it was too large, or broke off.
    pub(crate) body: Option<Bytes>,
    /// How its filters are taken.
    pub(crate) filtering: FilterMode,
}

/// A request on its way: where it goes, and where its answer is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    shared: Arc<Shared>,
    pub(crate) route: Route,
    pub(crate) request: ApiRequest,
    pub(crate) version: Version,
    sequence: u64,
    generation: u64,
}

/// Why a request body is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    NotJson,
    NotAnObject,
}

impl ApiRequest {
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, BodyError> {
        let body = self.body.as_ref().ok_or(BodyError::TooLarge)?;
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(BodyError::NotAnObject),
            Err(_) => Err(BodyError::NotJson),
        }
    }
}

impl Exchange {
    /// Records that the head of a request has come, and chooses what goes wrong with it.
    fn begin(
        shared: Arc<Shared>,
        route: Route,
        request: ApiRequest,
        version: Version,
    ) -> (Self, Option<Fault>) {
        let mut state = shared.lock();
        let fault = route
            .provider()
            .zip(route.operation())
            .and_then(|(provider, operation)| state.faults.next_fault(provider, operation));
        let sequence = state
            .ledger
            .received(arrival(&route, &request, fault.as_ref()));
        let generation = state.generation;
        drop(state);
        let exchange = Self {
            shared,
            route,
            request,
            version,
            sequence,
            generation,
        };
        (exchange, fault)
    }

    /// The same request once more, as if it had been sent twice.
    pub(crate) fn again(&self, fault: &Fault) -> Self {
        let request = ApiRequest {
            request_id: self.route.request_id(),
            ..self.request.clone()
        };
        let mut state = self.shared.lock();
        let sequence = state
            .ledger
            .received(arrival(&self.route, &request, Some(fault)));
        drop(state);
        Self {
            request,
            sequence,
            ..self.clone()
        }
    }

    /// The same request, its filters taken in another way.
    pub(crate) fn filtering(&self, filtering: FilterMode) -> Self {
        let request = ApiRequest {
            filtering,
            ..self.request.clone()
        };
        Self {
            request,
            ..self.clone()
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Whether the sandbox has not been reset since the request came.
    pub(crate) fn is_current(&self) -> bool {
        self.shared.lock().generation == self.generation
    }

    /// Does what is asked, and returns the answer without sending or recording it.
    ///
    /// It counts against the limit of its credential first, and may go no further.
    pub(crate) fn handle(&self) -> Response {
        let allowance = self.take_allowance();
        let provider = self.route.provider();
        let (Some(allowance), Some(provider)) = (allowance, provider) else {
            return self.route.answer(&self.shared, &self.request);
        };
        let mut response = if allowance.is_granted() {
            self.route.answer(&self.shared, &self.request)
        } else {
            match provider {
                Provider::Confluent => confluent::too_many_requests(&self.request.request_id),
                Provider::ClickHouse => clickhouse::too_many_requests(),
            }
        };
        limits::mark(&mut response, provider, &allowance);
        response
    }

    /// `None` when there is no limit, or no credential that it could be counted for.
    fn take_allowance(&self) -> Option<Allowance> {
        let provider = self.route.provider()?;
        let mut state = self.shared.lock();
        let state = &mut *state;
        if !state.limits.has(provider) {
            return None;
        }
        let credential = match provider {
            Provider::Confluent => {
                confluent::credential(&self.shared, state, &self.request.headers)?
            }
            Provider::ClickHouse => clickhouse::credential(&self.shared, &self.request.headers)?,
        };
        state
            .limits
            .take(provider, credential, state.clock.elapsed())
    }

    /// Records the answer and makes it ready to be sent.
    pub(crate) fn answered(&self, mut response: Response) -> Response {
        let mut state = self.shared.lock();
        state.ledger.answered(self.sequence, response.status());
        if let Some(date) = state.clock.date() {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }
}

fn arrival<'a>(
    route: &Route,
    request: &'a ApiRequest,
    fault: Option<&'a Fault>,
) -> ReceivedRequest<'a> {
    ReceivedRequest {
        provider: route.provider(),
        operation: route.operation_id(),
        request_id: &request.request_id,
        method: &request.method,
        uri: &request.uri,
        headers: &request.headers,
        fault,
    }
}

/// Answers every request outside `/_sandbox/`.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(connection): Extension<ConnectionHandle>,
    incoming: Request,
) -> Response {
    let (head, body) = incoming.into_parts();
    let route = Route::find(&head.method, head.uri.path());
    let request = ApiRequest {
        request_id: route.request_id(),
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body: None,
        filtering: FilterMode::Exact,
    };
    let (mut exchange, fault) = Exchange::begin(shared, route, request, head.version);
    if let Some(Fault::Refuse { for_ms }) = fault {
        match faults::refuse(&exchange, &connection, for_ms).await {}
    }
    exchange.request.body = read(body).await;
    match fault {
        None => exchange.answered(exchange.handle()),
        Some(fault) => faults::inject(fault, &exchange, &connection).await,
    }
}

/// What a web server says about a path that no API is behind.
pub(crate) fn not_found_page() -> Response {
    const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Not found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n";
    (StatusCode::NOT_FOUND, Html(PAGE)).into_response()
}

async fn read(body: Body) -> Option<Bytes> {
    let bytes = to_bytes(body, MAX_DISCARDED_BYTES).await.ok()?;
    (bytes.len() <= MAX_BODY_BYTES).then_some(bytes)
}
