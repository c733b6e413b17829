//! Bodies and headers as Confluent Cloud sends them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::accounts::{ApiKey, Organization};
use super::bindings::RoleBinding;
use super::{Details, UserDetails, error, user_id};
use crate::error::ApiError;
use crate::invitations::{Invitation, InvitationStatus};
use crate::members::Member;

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
pub(crate) struct UserBody<'a> {
    api_version: &'static str,
    kind: &'static str,
    id: &'a str,
    metadata: Metadata,
    email: &'a str,
    full_name: &'a str,
    auth_type: &'a str,
}

#[derive(Serialize)]
pub(crate) struct RoleBindingBody<'a> {
    api_version: &'static str,
    kind: &'static str,
    id: &'a str,
    metadata: Metadata,
    principal: &'a str,
    role_name: &'a str,
    crn_pattern: &'a str,
}

#[derive(Serialize)]
pub(crate) struct ApiKeyBody<'a> {
    api_version: &'static str,
    kind: &'static str,
    id: &'a str,
    metadata: Metadata,
    spec: ApiKeySpec<'a>,
}

/// What a key is for, and whose it is. Never the secret.
#[derive(Serialize)]
struct ApiKeySpec<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    owner: TypedReference,
    resource: Option<TypedReference>,
}

#[derive(Serialize)]
struct TypedReference {
    #[serde(flatten)]
    reference: Reference,
    api_version: &'static str,
    kind: &'static str,
}

#[derive(Serialize)]
pub(crate) struct OrganizationBody<'a> {
    api_version: &'static str,
    kind: &'static str,
    id: &'a str,
    metadata: Metadata,
    display_name: &'static str,
    jit_enabled: bool,
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
            resource_name: resource_name(organization, "invitation", &invitation.id),
            created_at: time(invitation.created_at),
            updated_at: time(invitation.updated_at),
            deleted_at: invitation.deleted_at.map(time),
        },
        email: &invitation.email,
        auth_type: &details.auth_type,
        status: status(invitation, now),
        accepted_at: invitation.accepted_at.map(time),
        expires_at: time(invitation.expires_at),
        user: reference(url, organization, &user_id(&invitation.id)),
        creator: reference(url, organization, &details.creator),
    }
}

pub(crate) fn user<'a>(
    url: &str,
    organization: &str,
    user: &'a Member<UserDetails>,
) -> UserBody<'a> {
    UserBody {
        api_version: "iam/v2",
        kind: "User",
        id: &user.id,
        metadata: Metadata {
            own: user_url(url, &user.id),
            resource_name: resource_name(organization, "user", &user.id),
            created_at: time(user.joined_at),
            updated_at: time(user.updated_at),
            deleted_at: None,
        },
        email: &user.email,
        full_name: &user.name,
        auth_type: &user.details.auth_type,
    }
}

pub(crate) fn role_binding<'a>(
    url: &str,
    organization: &str,
    binding: &'a RoleBinding,
) -> RoleBindingBody<'a> {
    let created_at = time(binding.created_at);
    RoleBindingBody {
        api_version: "iam/v2",
        kind: "RoleBinding",
        id: &binding.id,
        metadata: Metadata {
            own: role_binding_url(url, &binding.id),
            resource_name: resource_name(organization, "role-binding", &binding.id),
            updated_at: created_at.clone(),
            created_at,
            deleted_at: None,
        },
        principal: &binding.grant.principal,
        role_name: &binding.grant.role_name,
        crn_pattern: &binding.grant.crn_pattern,
    }
}

pub(crate) fn api_key<'a>(url: &str, organization: &str, key: &'a ApiKey) -> ApiKeyBody<'a> {
    let created_at = time(key.created_at);
    let owner = &*key.caller.user;
    let (list, crn, kind) = match owner.starts_with("sa-") {
        true => ("service-accounts", "service-account", "ServiceAccount"),
        false => ("users", "user", "User"),
    };
    let resource = |id: &String| TypedReference {
        reference: Reference {
            id: id.clone(),
            related: format!("{url}/cmk/v2/clusters/{id}"),
            resource_name: resource_name(organization, "cloud-cluster", id),
        },
        api_version: "cmk/v2",
        kind: "Cluster",
    };
    ApiKeyBody {
        api_version: "iam/v2",
        kind: "ApiKey",
        id: &key.api_key,
        metadata: Metadata {
            own: format!("{url}/iam/v2/api-keys/{}", key.api_key),
            resource_name: resource_name(organization, "api-key", &key.api_key),
            updated_at: created_at.clone(),
            created_at,
            deleted_at: None,
        },
        spec: ApiKeySpec {
            display_name: key.display_name.as_deref(),
            description: key.description.as_deref(),
            owner: TypedReference {
                reference: Reference {
                    id: owner.to_owned(),
                    related: format!("{url}/iam/v2/{list}/{owner}"),
                    resource_name: resource_name(organization, crn, owner),
                },
                api_version: "iam/v2",
                kind,
            },
            resource: key.resource.as_ref().map(resource),
        },
    }
}

pub(crate) fn organization<'a>(
    url: &str,
    organization: &'a Organization,
    started_at: DateTime<Utc>,
) -> OrganizationBody<'a> {
    OrganizationBody {
        api_version: "org/v2",
        kind: "Organization",
        id: &organization.id,
        metadata: Metadata {
            own: format!("{url}/org/v2/organizations/{}", organization.id),
            resource_name: organization.crn(),
            created_at: time(started_at),
            updated_at: time(started_at),
            deleted_at: None,
        },
        display_name: "Sandbox",
        jit_enabled: organization.sso,
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

pub(crate) fn user_url(url: &str, id: &str) -> String {
    format!("{url}/iam/v2/users/{id}")
}

pub(crate) fn role_binding_url(url: &str, id: &str) -> String {
    format!("{url}/iam/v2/role-bindings/{id}")
}

fn resource_name(organization: &str, kind: &str, id: &str) -> String {
    format!("crn://confluent.cloud/organization={organization}/{kind}={id}")
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

fn reference(url: &str, organization: &str, id: &str) -> Reference {
    Reference {
        id: id.to_owned(),
        related: user_url(url, id),
        resource_name: resource_name(organization, "user", id),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
