//! Reads replies whole within a size limit, and converts them into `reqwest::Response`.

use std::{fmt, mem, sync::OnceLock};

use bytes::{Bytes, BytesMut};
use http::response::Builder;
use reqwest::{
    Response, ResponseBuilderExt, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::http::{RequestTimeouts, headers};

/// The largest body that is read as a [`Value`].
const MAX_VALUE_BYTES: usize = 1 << 20;

/// A complete reply of any status.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    json: OnceLock<Option<Value>>,
    request_id: OnceLock<Option<String>>,
    /// The response that the reply was read from, with its URL, version and extensions.
    drained: Option<Response>,
}

impl Reply {
    #[cfg(any(test, fuzzing))]
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
            json: OnceLock::new(),
            request_id: OnceLock::new(),
            drained: None,
        }
    }

    /// The reply of `response` and its `body`.
    pub(super) fn complete(mut response: Response, body: Bytes) -> Self {
        let headers = mem::take(response.headers_mut());
        Self {
            status: response.status(),
            headers,
            body,
            json: OnceLock::new(),
            request_id: OnceLock::new(),
            drained: Some(response),
        }
    }

    /// A header's value, when it is present and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        headers::text(&self.headers, name)
    }

    /// Whether the body is JSON.
    pub fn is_json(&self) -> bool {
        serde_json::from_slice::<IgnoredAny>(&self.body).is_ok()
    }

    /// The body as JSON, if it is JSON of at most 1 MiB: a [`Value`] takes many times the size of its text, and neither
    /// a failure nor a single object is larger. Parsed once.
    pub fn json(&self) -> Option<&Value> {
        let parse = || {
            let body = Some(&self.body).filter(|body| body.len() <= MAX_VALUE_BYTES)?;
            serde_json::from_slice(body).ok()
        };
        self.json.get_or_init(parse).as_ref()
    }

    /// The id of the request, which `find` extracts from headers and body. Extracted once.
    pub fn request_id(&self, find: fn(&HeaderMap, &[u8]) -> Option<String>) -> Option<String> {
        let id = self
            .request_id
            .get_or_init(|| find(&self.headers, &self.body));
        id.clone()
    }

    /// The same reply as a `reqwest::Response`.
    pub(super) fn into_response(mut self) -> Response {
        let drained = self.take_drained();
        response_like(&drained, self.headers, self.body)
    }

    /// Takes the response that the reply was read from, without headers and body.
    pub(super) fn take_drained(&mut self) -> Response {
        let none = || Response::from(http::Response::<Bytes>::default());
        self.drained.take().unwrap_or_else(none)
    }
}

/// A response with the status, URL, version and extensions of another.
fn response_like(original: &Response, headers: HeaderMap, body: Bytes) -> Response {
    let mut builder = Builder::new();
    if let Some(extensions) = builder.extensions_mut() {
        *extensions = original.extensions().clone();
    }
    let builder = builder.url(original.url().clone());
    // The builder fails on unparsed values only, and there are none.
    let mut response = builder.body(()).unwrap_or_default().map(|()| body);
    *response.status_mut() = original.status();
    *response.version_mut() = original.version();
    *response.headers_mut() = headers;
    Response::from(response)
}

/// The body of a response that a generated client cannot decode.
#[derive(Clone)]
struct UndecodableBody(Bytes);

/// Marks a response that is not in the documented form of its operation.
pub(super) fn mark_undecodable(response: &mut Response, body: Bytes) {
    response.extensions_mut().insert(UndecodableBody(body));
}

/// A copy of a response that was marked as undecodable by `mark_undecodable`; `None` for any other.
pub fn undecodable(result: &reqwest::Result<Response>) -> Option<Response> {
    let response = result.as_ref().ok()?;
    let UndecodableBody(body) = response.extensions().get().cloned()?;
    Some(response_like(response, response.headers().clone(), body))
}

/// Replaces the values that `redact` changes.
pub(super) fn redact_headers(headers: &mut HeaderMap, redact: impl Fn(&str) -> Option<String>) {
    for value in headers.values_mut() {
        let redacted = value.to_str().ok().and_then(&redact);
        if let Some(redacted) = redacted {
            *value = HeaderValue::from_str(&redacted)
                .unwrap_or_else(|_| HeaderValue::from_static("[REDACTED]"));
        }
    }
}

/// Shows neither headers nor body: a server may have echoed a secret into them.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum BodyError {
    TooLarge,
    Timeout,
    Transport(reqwest::Error),
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(
    response: &mut Response,
    limit: usize,
    timeouts: &RequestTimeouts,
) -> Result<Bytes, BodyError> {
    let Some(first) = next_chunk(response, timeouts).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(BodyError::TooLarge);
    }
    // Most bodies are one chunk, which needs no copy.
    let Some(mut chunk) = next_chunk(response, timeouts).await? else {
        return Ok(first);
    };
    // One allocation for the whole body if the server announced its length.
    let length = response.content_length().unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(limit).min(limit);
    let mut body = BytesMut::with_capacity(length.max(first.len() + chunk.len()));
    body.extend_from_slice(&first);
    drop(first);
    loop {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        chunk = match next_chunk(response, timeouts).await? {
            Some(chunk) => chunk,
            None => return Ok(body.freeze()),
        };
    }
}

async fn next_chunk(
    response: &mut Response,
    timeouts: &RequestTimeouts,
) -> Result<Option<Bytes>, BodyError> {
    match timeouts.wait(response.chunk()).await {
        Ok(chunk) => chunk.map_err(BodyError::Transport),
        Err(_) => Err(BodyError::Timeout),
    }
}
