//! The errors that Confluent Cloud answers, and their form.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::auth::PresentedCredentials;
use crate::error::{ApiError, Source};

pub(super) fn bad_request(detail: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_request", detail)
}

pub(super) fn invalid_parameter(name: &'static str, detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail).at(Source::Parameter(name))
}

/// A property of a JSON body is wrong.
pub(super) fn invalid_property(pointer: &'static str, detail: &str) -> ApiError {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    ApiError::new(status, "invalid_property", detail).at(Source::Pointer(pointer))
}

/// A field of a form is wrong.
pub(super) fn invalid_field(pointer: &'static str, detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_request", detail).at(Source::Pointer(pointer))
}

pub(super) fn unauthenticated(presented: &PresentedCredentials) -> ApiError {
    let challenge = match presented {
        PresentedCredentials::Bearer(_) => {
            r#"Bearer error="invalid_token", error_description="The access token is unknown""#
        }
        PresentedCredentials::Basic { .. } | PresentedCredentials::Missing => {
            r#"Basic error="invalid_key", error_description="The API key is missing or unknown""#
        }
    };
    let detail = "The API key or access token is missing or unknown";
    ApiError::new(StatusCode::UNAUTHORIZED, "user_unauthenticated", detail)
        .with_header("www-authenticate", challenge)
}

pub(super) fn expired_token() -> ApiError {
    let challenge =
        r#"Bearer error="invalid_token", error_description="The access token has expired""#;
    let detail = "The access token has expired";
    ApiError::new(StatusCode::UNAUTHORIZED, "user_unauthenticated", detail)
        .with_header("www-authenticate", challenge)
}

/// An error with any status, as faults inject it.
pub(super) fn with_status(status: StatusCode) -> ApiError {
    let code = match status {
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        status if status.is_server_error() => "internal_error",
        _ => "refused",
    };
    ApiError::new(status, code, "The service could not answer this request")
}

pub(super) fn not_found() -> ApiError {
    let detail = "The resource does not exist";
    ApiError::new(StatusCode::NOT_FOUND, "resource_not_found", detail)
}

pub(super) fn method_not_allowed(allowed: &'static str) -> ApiError {
    let detail = format!("The resource allows {allowed}");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    ApiError::new(status, "method_not_allowed", detail).with_header("allow", allowed)
}

/// The rights of the credentials do not suffice.
pub(super) fn forbidden() -> ApiError {
    let detail = "The owner of these credentials lacks the permission";
    ApiError::new(StatusCode::FORBIDDEN, "forbidden_access", detail)
}

/// A local user is invited to an organisation with single sign-on.
pub(super) fn local_user_forbidden() -> ApiError {
    let detail = "Only an OrganizationAdmin may invite local users to an SSO organization";
    ApiError::new(StatusCode::FORBIDDEN, "forbidden_access", detail)
        .at(Source::Pointer("/auth_type"))
}

/// The resource belongs to another organisation. The real service says "not found" with 403.
pub(super) fn other_organization(kind: &str, id: &str) -> ApiError {
    let detail = format!("The {kind} {id} was not found.");
    ApiError::new(StatusCode::FORBIDDEN, "forbidden_access", detail)
}

pub(super) fn quota_exceeded(status: StatusCode) -> ApiError {
    let detail = "The request would exceed the quota: invitations_per_org";
    ApiError::new(status, "quota_exceeded", detail)
}

/// Another request holds a lock.
pub(super) fn locked() -> ApiError {
    let detail = "The organization is being modified by another request";
    ApiError::new(StatusCode::CONFLICT, "resource_locked", detail)
}

pub(super) fn already_invited(email: &str, location: &str) -> ApiError {
    let detail = format!("'{email}' has an invitation to this organization");
    ApiError::new(StatusCode::CONFLICT, "resource_already_exists", detail)
        .with_header("location", location)
}

/// The address belongs to a user. The words are those of the real service.
pub(super) fn already_a_user(location: &str) -> ApiError {
    let detail = "This user already exists within the Organization";
    ApiError::new(StatusCode::CONFLICT, "resource_already_exists", detail)
        .with_header("location", location)
}

/// The organisation has no such user, or the id is that of an invitation. Confluent's document of role bindings has no
/// 404 for a create.
pub(super) fn unknown_principal(principal: &str) -> ApiError {
    let detail = format!("The principal {principal} was not found.");
    ApiError::new(StatusCode::FORBIDDEN, "forbidden_access", detail)
        .at(Source::Pointer("/principal"))
}

/// The pattern is outside the organisation of the credentials.
pub(super) fn forbidden_pattern() -> ApiError {
    let detail = "The CRN pattern is not within the organization of these credentials";
    ApiError::new(StatusCode::FORBIDDEN, "forbidden_access", detail)
        .at(Source::Pointer("/crn_pattern"))
}

pub(super) fn already_bound(location: &str) -> ApiError {
    let detail = "This role binding already exists";
    ApiError::new(StatusCode::CONFLICT, "resource_already_exists", detail)
        .with_header("location", location)
}

pub(super) fn too_large() -> ApiError {
    let detail = "The body exceeds the size limit";
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
}

pub(super) fn response(error: ApiError, request_id: &str) -> Response {
    let source = match error.source {
        None => json!({}),
        Some(Source::Parameter(name)) => json!({ "parameter": name }),
        Some(Source::Pointer(pointer)) => json!({ "pointer": pointer }),
    };
    let body = json!({ "errors": [{
        "id": request_id,
        "status": error.status.as_str(),
        "code": error.code,
        "title": error.status.canonical_reason(),
        "detail": error.detail,
        "source": source,
    }] });
    let header = error.header.map(|header| [header]);
    (error.status, header, Json(body)).into_response()
}
