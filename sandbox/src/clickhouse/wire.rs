//! Bodies and headers as ClickHouse Cloud sends them.

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Details, Outcome, roles};
use crate::state::Invitation;

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

    pub(crate) fn forbidden() -> Self {
        let detail = "The API key belongs to another organization";
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

pub(crate) fn respond(outcome: Outcome, request_id: &str) -> Response {
    let (status, allow, mut body) = match outcome {
        Ok(None) => (StatusCode::OK, None, json!({})),
        Ok(Some(result)) => (StatusCode::OK, None, json!({ "result": result })),
        Err(refusal) => {
            let error = format!("{}: {}", refusal.code, refusal.detail);
            (refusal.status, refusal.allow, json!({ "error": error }))
        }
    };
    body["status"] = status.as_u16().into();
    body["requestId"] = request_id.into();
    let allow = allow.map(|allowed| [(header::ALLOW, allowed)]);
    (status, RATE_LIMIT, allow, Json(body)).into_response()
}

pub(crate) fn invitation(invitation: &Invitation<Details>) -> Value {
    let assigned = &invitation.details.roles;
    let assigned_roles: Vec<Value> = assigned
        .iter()
        .map(|role| json!({ "roleId": role.id, "roleName": role.name, "roleType": "system" }))
        .collect();
    json!({
        "id": invitation.id,
        "email": invitation.email,
        "role": roles::legacy_name(assigned),
        "createdAt": time(invitation.created_at),
        "expireAt": time(invitation.expires_at),
        "assignedRoles": assigned_roles,
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
