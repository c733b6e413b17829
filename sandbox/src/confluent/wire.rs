//! Bodies and headers as Confluent Cloud sends them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::Details;
use crate::auth::Presented;
use crate::state::{Invitation, Shared};
use crate::view::Status;

/// Sent with every success. There is no limit yet, so the numbers do not move.
const RATE_LIMIT: [(&str, &str); 3] = [
    ("x-ratelimit-limit", "1000"),
    ("x-ratelimit-remaining", "999"),
    ("x-ratelimit-reset", "1"),
];

/// A refusal.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    detail: String,
    source: Source,
    /// One more header.
    header: Option<(&'static str, String)>,
}

/// The part of a request that a refusal is about.
#[derive(Debug)]
enum Source {
    Unnamed,
    Parameter(&'static str),
    Pointer(&'static str),
}

impl Failure {
    pub(crate) fn bad_request(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    pub(crate) fn invalid_parameter(name: &'static str, detail: &str) -> Self {
        Self {
            source: Source::Parameter(name),
            ..Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail)
        }
    }

    pub(crate) fn invalid_property(pointer: &'static str, detail: &str) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self {
            source: Source::Pointer(pointer),
            ..Self::new(status, "invalid_property", detail)
        }
    }

    /// A field of a form that is not as it must be.
    pub(crate) fn invalid_field(pointer: &'static str, detail: &str) -> Self {
        Self {
            source: Source::Pointer(pointer),
            ..Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
        }
    }

    pub(crate) fn unauthenticated(presented: &Presented) -> Self {
        let challenge = match presented {
            Presented::Bearer(_) => {
                r#"Bearer error="invalid_token", error_description="The access token is unknown""#
            }
            Presented::Basic { .. } | Presented::Nothing => {
                r#"Basic error="invalid_key", error_description="The API key is missing or unknown""#
            }
        };
        let detail = "No API key or access token that this API knows was sent";
        Self::new(StatusCode::UNAUTHORIZED, "user_unauthenticated", detail)
            .with("www-authenticate", challenge)
    }

    pub(crate) fn expired() -> Self {
        let challenge =
            r#"Bearer error="invalid_token", error_description="The access token has expired""#;
        let detail = "The access token has expired";
        Self::new(StatusCode::UNAUTHORIZED, "user_unauthenticated", detail)
            .with("www-authenticate", challenge)
    }

    pub(crate) fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
            status if status.is_server_error() => "internal_error",
            _ => "refused",
        };
        Self::new(status, code, "The service could not answer this request")
    }

    pub(crate) fn not_found() -> Self {
        let detail = "There is no such resource";
        Self::new(StatusCode::NOT_FOUND, "resource_not_found", detail)
    }

    pub(crate) fn wrong_method(allowed: &str) -> Self {
        let detail = format!("This resource takes {allowed}");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method_not_allowed", &detail).with("allow", allowed)
    }

    pub(crate) fn already_exists(email: &str, location: &str) -> Self {
        let detail = format!("'{email}' has an invitation to this organization");
        Self::new(StatusCode::CONFLICT, "resource_already_exists", &detail)
            .with("location", location)
    }

    pub(crate) fn too_large() -> Self {
        let detail = "The body is larger than this API takes";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
    }

    fn new(status: StatusCode, code: &'static str, detail: &str) -> Self {
        Self {
            status,
            code,
            detail: detail.to_owned(),
            source: Source::Unnamed,
            header: None,
        }
    }

    fn with(self, header: &'static str, value: &str) -> Self {
        Self {
            header: Some((header, value.to_owned())),
            ..self
        }
    }

    fn into_response(self, request_id: &str) -> Response {
        let source = match self.source {
            Source::Unnamed => json!({}),
            Source::Parameter(name) => json!({ "parameter": name }),
            Source::Pointer(pointer) => json!({ "pointer": pointer }),
        };
        let body = json!({ "errors": [{
            "id": request_id,
            "status": self.status.as_str(),
            "code": self.code,
            "title": self.status.canonical_reason(),
            "detail": self.detail,
            "source": source,
        }] });
        (self.header.map(|header| [header]), json(self.status, &body)).into_response()
    }
}

/// Adds what every reply carries.
pub(crate) fn finish(answer: Result<Response, Failure>, request_id: &str) -> Response {
    let response = match answer {
        Ok(response) => (RATE_LIMIT, response).into_response(),
        Err(failure) => failure.into_response(request_id),
    };
    ([("x-request-id", request_id)], response).into_response()
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    (status, Json(body)).into_response()
}

pub(crate) fn invitation(
    shared: &Shared,
    invitation: &Invitation<Details>,
    now: DateTime<Utc>,
) -> Value {
    let organization = shared.confluent.organization;
    let details = &invitation.details;
    json!({
        "api_version": "iam/v2",
        "kind": "Invitation",
        "id": invitation.id,
        "metadata": {
            "self": invitation_url(shared, &invitation.id),
            "resource_name": format!(
                "crn://confluent.cloud/organization={organization}/invitation={}",
                invitation.id,
            ),
            "created_at": time(invitation.created_at),
            "updated_at": time(invitation.updated_at),
        },
        "email": invitation.email,
        "auth_type": details.auth_type,
        "status": status(invitation, now),
        "accepted_at": invitation.accepted_at.map(time),
        "expires_at": time(invitation.expires_at),
        "user": user(shared, &details.user),
        "creator": user(shared, &details.creator),
    })
}

pub(crate) fn invitation_list(
    first: &str,
    next: Option<String>,
    total: usize,
    items: Vec<Value>,
) -> Value {
    let mut metadata = json!({ "first": first, "total_size": total });
    if let Some(next) = next {
        metadata["next"] = Value::String(next);
    }
    json!({
        "api_version": "iam/v2",
        "kind": "InvitationList",
        "metadata": metadata,
        "data": items,
    })
}

pub(crate) fn invitation_url(shared: &Shared, id: &str) -> String {
    format!("{}/iam/v2/invitations/{id}", shared.url)
}

pub(crate) fn status(invitation: &Invitation<Details>, now: DateTime<Utc>) -> &'static str {
    match invitation.status(now) {
        Status::Accepted => "INVITE_STATUS_ACCEPTED",
        Status::Expired => "INVITE_STATUS_EXPIRED",
        Status::Sent => "INVITE_STATUS_SENT",
    }
}

fn user(shared: &Shared, id: &str) -> Value {
    let organization = shared.confluent.organization;
    json!({
        "id": id,
        "related": format!("{}/iam/v2/users/{id}", shared.url),
        "resource_name": format!("crn://confluent.cloud/organization={organization}/user={id}"),
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
