//! Bodies and headers as Confluent Cloud sends them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::json;

use super::{Details, user_of};
use crate::accounts::ConfluentOrg;
use crate::auth::PresentedCredentials;
use crate::invitations::Invitation;
use crate::snapshot::InvitationStatus;

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

    pub(crate) fn unauthenticated(presented: &PresentedCredentials) -> Self {
        let challenge = match presented {
            PresentedCredentials::Bearer(_) => {
                r#"Bearer error="invalid_token", error_description="The access token is unknown""#
            }
            PresentedCredentials::Basic { .. } | PresentedCredentials::Nothing => {
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

    /// These credentials may not do this.
    pub(crate) fn forbidden() -> Self {
        let detail = "The owner of these credentials may not do this";
        Self::new(StatusCode::FORBIDDEN, "forbidden_access", detail)
    }

    /// A local user for an organisation with single sign-on.
    pub(crate) fn local_user() -> Self {
        let detail = "Only an OrganizationAdmin may invite local users to an SSO organization";
        Self {
            source: Source::Pointer("/auth_type"),
            ..Self::new(StatusCode::FORBIDDEN, "forbidden_access", detail)
        }
    }

    /// What another organisation has. As observed, in words that say "not found".
    pub(crate) fn elsewhere(id: &str) -> Self {
        let detail = format!("The invitation {id} was not found.");
        Self::new(StatusCode::FORBIDDEN, "forbidden_access", &detail)
    }

    /// 402, or 400 when told to.
    pub(crate) fn over_quota(status: StatusCode) -> Self {
        let detail = "The request would exceed the quota: invitations_per_org";
        Self::new(status, "quota_exceeded", detail)
    }

    pub(crate) fn locked() -> Self {
        let detail = "The organization is being modified by another request";
        Self::new(StatusCode::CONFLICT, "resource_locked", detail)
    }

    pub(crate) fn already_invited(email: &str, location: &str) -> Self {
        let detail = format!("'{email}' has an invitation to this organization");
        Self::new(StatusCode::CONFLICT, "resource_already_exists", &detail)
            .with("location", location)
    }

    /// As observed.
    pub(crate) fn already_a_user(location: &str) -> Self {
        let detail = "This user already exists within the Organization";
        Self::new(StatusCode::CONFLICT, "resource_already_exists", detail)
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

pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, Json(body)).into_response()
}

#[derive(Serialize)]
pub(crate) struct Body<'a> {
    api_version: &'static str,
    kind: &'static str,
    id: &'a str,
    metadata: Metadata,
    email: &'a str,
    auth_type: &'a str,
    status: &'static str,
    accepted_at: Option<String>,
    expires_at: String,
    user: Reference,
    creator: Reference,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(rename = "self")]
    own: String,
    resource_name: String,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

#[derive(Serialize)]
struct Reference {
    id: String,
    related: String,
    resource_name: String,
}

#[derive(Serialize)]
pub(crate) struct ListBody<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: ListMetadata,
    data: Vec<Body<'a>>,
}

#[derive(Serialize)]
struct ListMetadata {
    first: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    total_size: usize,
}

pub(crate) fn invitation<'a>(
    url: &str,
    organization: &ConfluentOrg,
    invitation: &'a Invitation<Details>,
    now: DateTime<Utc>,
) -> Body<'a> {
    let details = &invitation.details;
    let name = &organization.id;
    Body {
        api_version: "iam/v2",
        kind: "Invitation",
        id: &invitation.id,
        metadata: Metadata {
            own: invitation_url(url, &invitation.id),
            resource_name: format!(
                "crn://confluent.cloud/organization={name}/invitation={}",
                invitation.id,
            ),
            created_at: time(invitation.created_at),
            updated_at: time(invitation.updated_at),
            deleted_at: invitation.deleted_at.map(time),
        },
        email: &invitation.email,
        auth_type: &details.auth_type,
        status: status(invitation, now),
        accepted_at: invitation.accepted_at.map(time),
        expires_at: time(invitation.expires_at),
        user: user(url, name, &user_of(&invitation.id)),
        creator: user(url, name, &details.creator),
    }
}

pub(crate) fn invitation_list(
    first: String,
    next: Option<String>,
    total_size: usize,
    data: Vec<Body<'_>>,
) -> ListBody<'_> {
    ListBody {
        api_version: "iam/v2",
        kind: "InvitationList",
        metadata: ListMetadata {
            first,
            next,
            total_size,
        },
        data,
    }
}

pub(crate) fn invitation_url(url: &str, id: &str) -> String {
    format!("{url}/iam/v2/invitations/{id}")
}

pub(crate) fn status(invitation: &Invitation<Details>, now: DateTime<Utc>) -> &'static str {
    match invitation.status(now) {
        InvitationStatus::Staged => "INVITE_STATUS_STAGED",
        InvitationStatus::Sent => "INVITE_STATUS_SENT",
        InvitationStatus::Accepted => "INVITE_STATUS_ACCEPTED",
        InvitationStatus::Expired => "INVITE_STATUS_EXPIRED",
        InvitationStatus::Deactivated => "INVITE_STATUS_DEACTIVATED",
    }
}

fn user(url: &str, organization: &str, id: &str) -> Reference {
    Reference {
        id: id.to_owned(),
        related: format!("{url}/iam/v2/users/{id}"),
        resource_name: format!("crn://confluent.cloud/organization={organization}/user={id}"),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
