//! The transport of the generated clients.

use std::{fmt, pin::pin, sync::Arc};

use reqwest::{
    Request, Response,
    header::{ACCEPT, HeaderName, HeaderValue},
};
use tracing::{Instrument, Span};

use crate::http::{
    CallState, HttpClient, OperationSpec, Outgoing, Reply, response::mark_undecodable,
};

/// A header that the generated code adds and no service needs.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

const ANY: HeaderValue = HeaderValue::from_static("*/*");

/// The transport of a generated client: everything between a request and its complete response.
///
/// The transport authenticates, observes the rate limit, retries, follows redirects within the configured origin,
/// enforces deadlines and the body limit, redacts secrets that a server echoes in a failure, and traces. Without a
/// complete response, a call fails with a [`TransportError`](crate::http::TransportError) inside a `reqwest::Error`.
///
/// Cheap to clone; clones share credentials, connections and the rate limit. `Debug` shows no secret.
#[derive(Clone)]
pub struct Transport {
    client: Arc<HttpClient>,
    call: Option<Arc<CallState>>,
}

impl Transport {
    pub(crate) fn new(client: Arc<HttpClient>) -> Self {
        Self { client, call: None }
    }

    pub(crate) fn client(&self) -> &Arc<HttpClient> {
        &self.client
    }

    /// The same transport, for requests that are part of `call`.
    ///
    /// Their replies are stored in `call`; the generated client gets responses without headers and body.
    pub(crate) fn within(&self, call: &Arc<CallState>) -> Self {
        Self {
            client: Arc::clone(&self.client),
            call: Some(Arc::clone(call)),
        }
    }

    /// Whether replies are stored in a call.
    pub(crate) fn keeps_replies(&self) -> bool {
        self.call.is_some()
    }

    /// Completes and checks a generated request. `operations` has every operation of the client.
    ///
    /// # Errors
    ///
    /// A value leads out of the operation's path, or the document lacks a part of the request.
    pub(crate) fn prepare(
        &self,
        request: &mut Request,
        operation: &str,
        operations: &[OperationSpec],
    ) -> Result<(), String> {
        let mut specs = operations.iter();
        let spec = specs
            .find(|spec| spec.name == operation)
            .ok_or_else(|| format!("there is no operation {operation}"))?;
        if let Some(call) = &self.call
            && !call.query().is_empty()
        {
            let mut query = request.url_mut().query_pairs_mut();
            query.extend_pairs(call.query());
        }
        spec.check(&self.client.endpoint, request)?;
        let headers = request.headers_mut();
        headers.remove(API_VERSION);
        let accepted = if spec.is_raw { ANY } else { JSON };
        headers.entry(ACCEPT).or_insert(accepted);
        Ok(())
    }

    /// Sends a request, with retries, and returns its complete response.
    ///
    /// # Errors
    ///
    /// A [`TransportError`](crate::http::TransportError) inside.
    // Not an `async fn`, which would store the request twice: the future stays small.
    pub(crate) fn execute(
        &self,
        request: Request,
        operation: &'static str,
    ) -> impl Future<Output = reqwest::Result<Response>> + Send {
        let decodes_success = request.headers().get(ACCEPT) == Some(&JSON);
        let mut outgoing = Outgoing::new(request);
        async move {
            let own;
            let (call, span) = match &self.call {
                Some(call) => (&**call, None),
                None => {
                    own = self.client.start_call();
                    (&own, Some(self.span(operation)))
                }
            };
            // Pinned in place: moving a large future copies it.
            let send = pin!(self.client.send(call, operation, &mut outgoing));
            let sent = match span {
                Some(span) => send.instrument(span).await,
                None => send.await,
            };
            match sent {
                Ok(mut reply) if self.call.is_some() => {
                    let response = reply.take_drained();
                    call.set_reply(Some(reply));
                    Ok(response)
                }
                Ok(reply) => Ok(response_of(reply, decodes_success)),
                Err(error) => {
                    call.set_reply(None);
                    // Boxed, because this future is large and rare.
                    Err(Box::pin(error.into_reqwest()).await)
                }
            }
        }
    }

    /// The span of a call through the bindings.
    fn span(&self, operation: &'static str) -> Span {
        tracing::info_span!(
            "request",
            otel.kind = "client",
            provider = self.client.service.name,
            operation,
            attempts = tracing::field::Empty,
            outcome = tracing::field::Empty,
        )
    }
}

/// The response of a reply, marked if the generated code could not decode it.
fn response_of(reply: Reply, decodes_success: bool) -> Response {
    let is_decodable = if reply.status.is_success() {
        // An operation may document an empty success.
        !decodes_success || reply.body.is_empty() || reply.is_json()
    } else {
        reply.is_json()
    };
    let undecodable = (!is_decodable).then(|| reply.body.clone());
    let mut response = reply.into_response();
    if let Some(body) = undecodable {
        mark_undecodable(&mut response, body);
    }
    response
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.client, f)
    }
}
