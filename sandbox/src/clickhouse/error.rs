//! The errors that ClickHouse Cloud answers, and their form.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::wire::RATE_LIMIT;
use crate::error::ApiError;

/// The envelope of an error.
#[derive(Serialize)]
struct Envelope<'a> {
    status: u16,
    #[serde(rename = "requestId")]
    request_id: &'a str,
    error: String,
}

pub(super) fn bad_request(detail: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", detail)
}

pub(super) fn unauthorized() -> ApiError {
    let detail = "The API key is missing or unknown";
    ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", detail)
}

/// The words are those of the real service.
pub(super) fn inactive_key() -> ApiError {
    let detail = "Key is not active";
    ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", detail)
}

/// An error with any status, as faults inject it.
pub(super) fn with_status(status: StatusCode) -> ApiError {
    let code = match status {
        StatusCode::TOO_MANY_REQUESTS => "TOO_MANY_REQUESTS",
        status if status.is_server_error() => "INTERNAL_ERROR",
        _ => "REFUSED",
    };
    ApiError::new(status, code, "The service could not answer this request")
}

/// The key belongs to another organisation.
pub(super) fn other_organization() -> ApiError {
    let detail = "The API key belongs to another organization";
    ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", detail)
}

/// The rights of the key do not suffice.
pub(super) fn forbidden() -> ApiError {
    let detail = "The roles of the API key do not allow this operation";
    ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", detail)
}

pub(super) fn not_found(what: &str) -> ApiError {
    let detail = format!("The {what} does not exist");
    ApiError::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
}

pub(super) fn method_not_allowed(allowed: &'static str) -> ApiError {
    let detail = format!("The resource allows {allowed}");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    ApiError::new(status, "METHOD_NOT_ALLOWED", detail).with_header("allow", allowed)
}

pub(super) fn conflict(detail: &str) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "CONFLICT", detail)
}

/// The address belongs to a member.
pub(super) fn already_a_member() -> ApiError {
    conflict("This email address belongs to a member of the organization")
}

/// Another request holds a lock.
pub(super) fn locked() -> ApiError {
    conflict("The organization is being modified by another request")
}

pub(super) fn too_large() -> ApiError {
    let detail = "The body exceeds the size limit";
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail)
}

pub(super) fn response(error: ApiError, request_id: &str) -> Response {
    let body = Envelope {
        status: error.status.as_u16(),
        request_id,
        error: format!("{}: {}", error.code, error.detail),
    };
    let header = error.header.map(|header| [header]);
    (error.status, RATE_LIMIT, header, Json(body)).into_response()
}
