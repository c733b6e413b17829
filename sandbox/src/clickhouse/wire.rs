//! Bodies and headers as ClickHouse Cloud sends them.

use axum::Json;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Details;
use super::activities::{Activity, Actor};
use super::roles::Role;
use crate::invitations::Invitation;
use crate::members::Member;

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
    role: &'a str,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberBody<'a> {
    user_id: &'a str,
    name: &'a str,
    email: &'a str,
    role: &'a str,
    joined_at: String,
    assigned_roles: Vec<AssignedRole<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleBody {
    id: String,
    tenant_id: String,
    owner_id: String,
    name: String,
    #[serde(rename = "type")]
    role_type: &'static str,
    actors: Vec<String>,
    policies: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivityBody<'a> {
    id: String,
    created_at: String,
    #[serde(rename = "type")]
    kind: &'a str,
    actor_type: &'static str,
    actor_id: &'a str,
    actor_details: &'a str,
    organization_id: &'a str,
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
    Body {
        id: &invitation.id,
        email: &invitation.email,
        role: &invitation.details.legacy_role,
        created_at: time(invitation.created_at),
        expire_at: time(invitation.expires_at),
        assigned_roles: assigned_roles(&invitation.details),
    }
}

pub(crate) fn member(member: &Member<Details>) -> MemberBody<'_> {
    MemberBody {
        user_id: &member.id,
        name: &member.name,
        email: &member.email,
        role: &member.details.legacy_role,
        joined_at: time(member.joined_at),
        assigned_roles: assigned_roles(&member.details),
    }
}

/// A role of an organisation, and who has it.
pub(crate) fn role(organization: &str, role: &Role, actors: Vec<String>) -> RoleBody {
    let tenant = format!("organization/{organization}");
    RoleBody {
        id: role.id().to_owned(),
        owner_id: tenant.clone(),
        tenant_id: tenant,
        name: role.name().to_owned(),
        role_type: role.role_type(),
        actors,
        policies: [],
    }
}

pub(crate) fn activity<'a>(organization: &'a str, activity: &'a Activity) -> ActivityBody<'a> {
    let (actor_type, actor_id, actor_details) = match &activity.actor {
        Actor::Key(id) => ("api", id, id),
        Actor::User { id, email } => ("user", id, email),
    };
    ActivityBody {
        id: activity.id(),
        created_at: time(activity.at),
        kind: &activity.kind,
        actor_type,
        actor_id,
        actor_details,
        organization_id: organization,
    }
}

fn assigned_roles(details: &Details) -> Vec<AssignedRole<'_>> {
    let assigned = details.roles.iter().map(|role| AssignedRole {
        role_id: role.id(),
        role_name: role.name(),
        role_type: role.role_type(),
    });
    assigned.collect()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
