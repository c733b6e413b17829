//! Bodies and headers as ClickHouse Cloud sends them.

use axum::Json;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Details;
use crate::invitations::Invitation;

/// Sent with every answer. Without a limit the numbers do not change.
pub(super) const RATE_LIMIT: [(HeaderName, &str); 3] = [
    (HeaderName::from_static("x-ratelimit-limit"), "1000"),
    (HeaderName::from_static("x-ratelimit-remaining"), "999"),
    (HeaderName::from_static("x-ratelimit-reset"), "0.998"),
];

/// The envelope of a success. That of a delete has no result.
#[derive(Serialize)]
struct Envelope<'a, T> {
    status: u16,
    #[serde(rename = "requestId")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<T>,
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
    let body = Envelope {
        status: StatusCode::OK.as_u16(),
        request_id,
        result,
    };
    (RATE_LIMIT, Json(body)).into_response()
}

pub(crate) fn invitation(invitation: &Invitation<Details>) -> Body<'_> {
    let assigned = invitation.details.roles.iter().map(|role| AssignedRole {
        role_id: role.id(),
        role_name: role.name(),
        role_type: role.role_type(),
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
