//! One request to a vendor's API and its answer.

use std::sync::Arc;

use axum::http::{Version, header};
use axum::response::Response;

use super::AppState;
use super::route::Route;
use crate::faults::Fault;
use crate::ledger::ReceivedRequest;
use crate::request::{ApiRequest, FilterMode};

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

impl Exchange {
    /// Records a request whose head has arrived, and chooses the fault to inject.
    pub(super) fn begin(
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
