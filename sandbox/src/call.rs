//! From an HTTP request to the operation it calls, and back: reading, recording, dispatching.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::ledger::Arrival;
use crate::state::{Provider, Shared};
use crate::{clickhouse, confluent};

/// The largest request body taken.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of a larger one is read and thrown away, so that its sender gets to see the refusal.
const MAX_DISCARDED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// A vendor request, read in full.
#[derive(Debug)]
pub(crate) struct Call {
    /// In the form of the vendor whose path it is.
    pub(crate) request_id: String,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// `None` when it was too large, or broke off.
    pub(crate) body: Option<Bytes>,
}

/// Why a request body is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    NotJson,
    NotAnObject,
}

impl Call {
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, BodyError> {
        let body = self.body.as_ref().ok_or(BodyError::TooLarge)?;
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(BodyError::NotAnObject),
            Err(_) => Err(BodyError::NotJson),
        }
    }
}

/// Whose API a request addresses, and what it asks for.
enum Route {
    Confluent(confluent::Route),
    ClickHouse(clickhouse::Route),
    Unknown,
}

impl Route {
    fn find(method: &Method, path: &str) -> Self {
        let segments: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["iam", rest @ ..] => Self::Confluent(confluent::Route::find(method, rest)),
            ["v1", rest @ ..] => Self::ClickHouse(clickhouse::Route::find(method, rest)),
            _ => Self::Unknown,
        }
    }

    fn provider(&self) -> Option<Provider> {
        match self {
            Self::Confluent(_) => Some(Provider::Confluent),
            Self::ClickHouse(_) => Some(Provider::ClickHouse),
            Self::Unknown => None,
        }
    }

    fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Confluent(route) => route.operation(),
            Self::ClickHouse(route) => route.operation(),
            Self::Unknown => None,
        }
    }

    fn request_id(&self) -> String {
        let id = Uuid::new_v4();
        match self {
            Self::Confluent(_) => id.simple().to_string(),
            Self::ClickHouse(_) | Self::Unknown => id.to_string(),
        }
    }
}

/// Answers every request outside `/_sandbox/`.
pub(crate) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let route = Route::find(&head.method, head.uri.path());
    let request_id = route.request_id();
    let sequence = shared.lock().ledger.received(Arrival {
        provider: route.provider(),
        operation: route.operation(),
        request_id: &request_id,
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
    });
    let call = Call {
        request_id,
        uri: head.uri,
        headers: head.headers,
        body: read(body).await,
    };
    let response = match route {
        Route::Confluent(route) => confluent::answer(&shared, &route, &call),
        Route::ClickHouse(route) => clickhouse::answer(&shared, &route, &call),
        Route::Unknown => not_found_page(),
    };
    shared.lock().ledger.answered(sequence, response.status());
    response
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
