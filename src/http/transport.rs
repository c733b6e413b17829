//! What the generated clients send through.

use std::{fmt, pin::pin, sync::Arc};

use reqwest::{
    Request, Response,
    header::{ACCEPT, HeaderName, HeaderValue},
};
use tracing::{Instrument, Span};

use crate::http::{
    CallState, HttpClient, OperationSpec, Outgoing, Reply, response::mark_undecodable,
};

/// The header that generated code adds and no service asks for.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");

/// The transport of a generated client: everything between a request and its complete response.
///
/// It authenticates, keeps the rate limit, repeats what may be repeated, follows redirects within the configured
/// origin, keeps deadlines and the limit of the body, removes secrets that a server echoes in a failure, and
/// traces. A call fails with a [`TransportError`](crate::http::TransportError) inside a `reqwest::Error` when no
/// complete response arrives.
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
    /// Their replies are left in `call`; the generated client gets responses without headers and body.
    pub(crate) fn within(&self, call: &Arc<CallState>) -> Self {
        Self {
            client: Arc::clone(&self.client),
            call: Some(Arc::clone(call)),
        }
    }

    /// Whether replies are left in a call.
    pub(crate) fn keeps_replies(&self) -> bool {
        self.call.is_some()
    }

    /// Makes a generated request ready to be sent. `operations` has every operation of the client.
    ///
    /// # Errors
    ///
    /// A value in the path leads out of the operation's path, or the document does not offer what the request
    /// uses.
    pub(crate) fn prepare(
        &self,
        request: &mut Request,
        operation: &str,
        operations: &[OperationSpec],
    ) -> Result<(), String> {
        let mut known = operations.iter();
        let spec = known
            .find(|known| known.name == operation)
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
        let accepted = if spec.is_raw { ANYTHING } else { JSON };
        headers.entry(ACCEPT).or_insert(accepted);
        Ok(())
    }

    /// Sends a request until it is answered, or may not be sent again.
    ///
    /// # Errors
    ///
    /// A [`TransportError`](crate::http::TransportError) inside.
    // No request is an argument of an `async fn`, which would store it twice: the future stays small.
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
            // Pinned in its place: a future is large, and is copied whole when it is moved.
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
                    // Boxed, because it is seldom made and large.
                    Err(Box::pin(error.into_reqwest()).await)
                }
            }
        }
    }

    /// The span of a call that is part of no operation of the facade.
    fn span(&self, operation: &'static str) -> Span {
        tracing::info_span!(
            "request",
            otel.kind = "client",
            provider = self.client.service.name,
            operation,
        )
    }
}

/// The response of a reply, marked if the generated code could not decode it.
fn response_of(reply: Reply, decodes_success: bool) -> Response {
    let is_decodable = if reply.status.is_success() {
        // An empty success may be what the operation documents.
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
