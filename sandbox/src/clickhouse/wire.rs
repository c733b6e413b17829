//! Bodies and headers as ClickHouse Cloud sends them.

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Details;
use crate::invitations::Invitation;

/// Sent with every reply of the API. There is no limit yet, so the numbers do not move.
const RATE_LIMIT: [(HeaderName, &str); 3] = [
    (HeaderName::from_static("x-ratelimit-limit"), "1000"),
    (HeaderName::from_static("x-ratelimit-remaining"), "999"),
    (HeaderName::from_static("x-ratelimit-reset"), "0.998"),
];

/// A refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
    allow: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn bad_request(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", detail)
    }

    pub(crate) fn unauthorized() -> Self {
        let detail = "No API key that this API knows was sent";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", detail)
    }

    pub(crate) fn inactive() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHORIZED",
            "Key is not active",
        )
    }

    pub(crate) fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::TOO_MANY_REQUESTS => "TOO_MANY_REQUESTS",
            status if status.is_server_error() => "INTERNAL_ERROR",
            _ => "REFUSED",
        };
        Self::new(status, code, "The service could not answer this request")
    }

    pub(crate) fn elsewhere() -> Self {
        let detail = "The API key belongs to another organization";
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", detail)
    }

    /// This key may not do this.
    pub(crate) fn forbidden() -> Self {
        let detail = "The roles of the API key do not allow this";
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", detail)
    }

    pub(crate) fn not_found() -> Self {
        let detail = "There is no such invitation";
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
    }

    pub(crate) fn wrong_method(allowed: &'static str) -> Self {
        let detail = format!("This resource takes {allowed}");
        Self {
            allow: Some(allowed),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                &detail,
            )
        }
    }

    pub(crate) fn conflict(detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", detail)
    }

    pub(crate) fn too_large() -> Self {
        let detail = "The body is larger than this API takes";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail)
    }

    fn new(status: StatusCode, code: &'static str, detail: &str) -> Self {
        Self {
            status,
            code,
            detail: detail.to_owned(),
            allow: None,
        }
    }
}

/// The envelope of a success. A delete has no result.
#[derive(Serialize)]
struct Success<'a, T> {
    status: u16,
    #[serde(rename = "requestId")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<T>,
}

/// The envelope of a failure.
#[derive(Serialize)]
struct Failure<'a> {
    status: u16,
    #[serde(rename = "requestId")]
    request_id: &'a str,
    error: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body<'a> {
    id: &'a str,
    email: &'a str,
    role: &'static str,
    created_at: String,
    expire_at: String,
    assigned_roles: Vec<AssignedRole<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssignedRole<'a> {
    role_id: &'a str,
    role_name: &'a str,
    role_type: &'static str,
}

pub(crate) fn success<T: Serialize>(result: Option<T>, request_id: &str) -> Response {
    let body = Success {
        status: StatusCode::OK.as_u16(),
        request_id,
        result,
    };
    (RATE_LIMIT, Json(body)).into_response()
}

pub(crate) fn failure(refusal: Refusal, request_id: &str) -> Response {
    let body = Failure {
        status: refusal.status.as_u16(),
        request_id,
        error: format!("{}: {}", refusal.code, refusal.detail),
    };
    let allow = refusal.allow.map(|allowed| [(header::ALLOW, allowed)]);
    (refusal.status, RATE_LIMIT, allow, Json(body)).into_response()
}

pub(crate) fn invitation(invitation: &Invitation<Details>) -> Body<'_> {
    let assigned = invitation.details.roles.iter().map(|role| AssignedRole {
        role_id: role.id(),
        role_name: role.name(),
        role_type: role.kind(),
    });
    Body {
        id: &invitation.id,
        email: &invitation.email,
        role: invitation.details.legacy_role,
        created_at: time(invitation.created_at),
        expire_at: time(invitation.expires_at),
        assigned_roles: assigned.collect(),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
