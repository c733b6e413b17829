//! One request to a vendor's API and its answer.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Version, header, response};
use axum::response::Response;

use super::AppState;
use super::route::Route;
use crate::faults::Fault;
use crate::ledger::{BodyPair, KeptBody, ReceivedRequest};
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

    /// Records the body of a request that a fault may leave unanswered.
    pub(super) fn record_body(&self) {
        let bodies = BodyPair {
            request: self.request_body(),
            ..BodyPair::default()
        };
        let ledger = &mut self.app.lock().state.ledger;
        ledger.record_bodies(self.sequence, bodies);
    }

    /// Carries out the request and returns its answer, neither recorded nor sent. What it changed is in the state file
    /// by then, if there is one.
    pub(super) async fn handle(&self) -> Response {
        let response = self.app.lock().handle(&self.route, &self.request);
        self.app.saved().await;
        response
    }

    /// Records the answer and makes it ready to be sent.
    pub(super) async fn finish(&self, response: Response) -> Response {
        let (head, body) = self.finish_parts(response).await;
        Response::from_parts(head, Body::from(body))
    }

    /// As [`finish`](Self::finish), with the body apart.
    pub(super) async fn finish_parts(&self, response: Response) -> (response::Parts, Bytes) {
        let (mut head, body) = read(response).await;
        let state = &mut self.app.lock().state;
        state.ledger.record_status(self.sequence, head.status);
        if let Some(date) = state.clock.date_header() {
            head.headers.insert(header::DATE, date);
        }
        let bodies = BodyPair {
            request: self.request_body(),
            response: Some(KeptBody::new(&body)),
            response_headers: Some(head.headers.clone()),
        };
        state.ledger.record_bodies(self.sequence, bodies);
        (head, body)
    }

    fn request_body(&self) -> Option<KeptBody> {
        let body = self.request.body.as_ref();
        body.map(KeptBody::new)
    }
}

/// The parts of an answer.
pub(super) async fn read(response: Response) -> (response::Parts, Bytes) {
    let (head, body) = response.into_parts();
    // The body is in memory already, so that reading it does not fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    (head, body)
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
