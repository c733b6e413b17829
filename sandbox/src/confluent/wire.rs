//! Bodies and headers as Confluent Cloud sends them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{Details, error, user_id};
use crate::error::ApiError;
use crate::invitations::{Invitation, InvitationStatus};

/// Sent with every success. Without a limit the numbers do not change.
const RATE_LIMIT: [(&str, &str); 3] = [
    ("x-ratelimit-limit", "1000"),
    ("x-ratelimit-remaining", "999"),
    ("x-ratelimit-reset", "1"),
];

/// Adds the headers that every answer has.
pub(crate) fn finish(answer: Result<Response, ApiError>, request_id: &str) -> Response {
    let response = match answer {
        Ok(response) => (RATE_LIMIT, response).into_response(),
        Err(error) => error::response(error, request_id),
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
pub(crate) struct ListBody<T> {
    api_version: &'static str,
    kind: &'static str,
    metadata: ListMetadata,
    data: Vec<T>,
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
    organization: &str,
    invitation: &'a Invitation<Details>,
    now: DateTime<Utc>,
) -> Body<'a> {
    let details = &invitation.details;
    Body {
        api_version: "iam/v2",
        kind: "Invitation",
        id: &invitation.id,
        metadata: Metadata {
            own: invitation_url(url, &invitation.id),
            resource_name: format!(
                "crn://confluent.cloud/organization={organization}/invitation={}",
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
        user: user(url, organization, &user_id(&invitation.id)),
        creator: user(url, organization, &details.creator),
    }
}

/// A page of a list, of this API version and kind, with the links to the first page and to the next one.
pub(crate) fn list<T>(
    (api_version, kind): (&'static str, &'static str),
    (first, next): (String, Option<String>),
    total_size: usize,
    data: Vec<T>,
) -> ListBody<T> {
    ListBody {
        api_version,
        kind,
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
