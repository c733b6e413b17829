//! One request to a vendor's API and its answer: receiving, recording, handling.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Version, header};
use axum::response::Response;

use super::AppState;
use super::connection::ConnectionHandle;
use super::inject::{inject, refuse_connections};
use super::route::Route;
use crate::faults::Fault;
use crate::ledger::ReceivedRequest;
use crate::request::{ApiRequest, FilterMode};

/// The largest request body that is accepted.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of a larger body is read and discarded, so that its sender can read the error.
const MAX_DISCARDED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// A request with its route, and its place in the ledger.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    app: Arc<AppState>,
    pub(super) route: Route,
    pub(super) request: ApiRequest,
    pub(super) version: Version,
    sequence: u64,
    generation: u64,
}

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
        None => exchange.finish(exchange.handle()),
        Some(fault) => inject(fault, &exchange, &connection).await,
    }
}

impl Exchange {
    /// Records a request whose head has arrived, and chooses the fault to inject.
    fn begin(
        app: Arc<AppState>,
        route: Route,
        request: ApiRequest,
        version: Version,
    ) -> (Self, Option<Fault>) {
        let state = &mut app.lock().state;
        let fault = route
            .provider()
            .zip(route.operation())
            .and_then(|(provider, operation)| state.faults.next_fault(provider, operation));
        let received = received(&route, &request, fault.as_ref());
        let exchange = Self {
            sequence: state.ledger.receive(received),
            generation: state.generation,
            app: Arc::clone(&app),
            route,
            request,
            version,
        };
        (exchange, fault)
    }

    /// The same request once more, under a new request id, as a proxy would send it again.
    pub(super) fn replay(&self, fault: &Fault) -> Self {
        let request = ApiRequest {
            request_id: self.route.random_request_id(),
            ..self.request.clone()
        };
        let received = received(&self.route, &request, Some(fault));
        let sequence = self.app.lock().state.ledger.receive(received);
        Self {
            request,
            sequence,
            ..self.clone()
        }
    }

    /// The same request, with its filters applied in another way.
    pub(super) fn with_filter_mode(&self, filter_mode: FilterMode) -> Self {
        let request = ApiRequest {
            filter_mode,
            ..self.request.clone()
        };
        Self {
            request,
            ..self.clone()
        }
    }

    pub(super) fn app(&self) -> &AppState {
        &self.app
    }

    /// Whether the sandbox was not reset since the request arrived.
    pub(super) fn is_current(&self) -> bool {
        self.app.lock().state.generation == self.generation
    }

    /// Carries out the request and returns its answer, neither recorded nor sent.
    pub(super) fn handle(&self) -> Response {
        self.app.lock().handle(&self.route, &self.request)
    }

    /// Records the answer and makes it ready to be sent.
    pub(super) fn finish(&self, mut response: Response) -> Response {
        let state = &mut self.app.lock().state;
        state.ledger.record_status(self.sequence, response.status());
        if let Some(date) = state.clock.date_header() {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }
}

fn received<'a>(
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

async fn read(body: Body) -> Option<Bytes> {
    let bytes = to_bytes(body, MAX_DISCARDED_BYTES).await.ok()?;
    (bytes.len() <= MAX_BODY_BYTES).then_some(bytes)
}
