//! Between ClickHouse's bindings and the facade.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::{
    bindings::clickhouse::types,
    decode::{
        ListBody, ObjectText, PropertyText, Text, extra_of, invitation_of, is_ambiguous, parse,
        present, split, time_of, wire_time,
    },
    error::{ErrorKind, Result, excerpt},
    extra::Extra,
    http::Reply,
    invitation::{
        Invitation, InvitationStatus, NewInvitation, RoleAssignment, RoleKind, Roles,
        WireInvitation, sealed::Properties,
    },
    list::{ListQuery, Page, PageCursor, cut_page},
    operation::{FAILURE_IN_SUCCESS, OperationContext, Success},
};

/// The properties of an invitation that the facade has fields for.
const FIELDS: &[&str] = &[
    "assignedRoles",
    "createdAt",
    "email",
    "expireAt",
    "id",
    "role",
];

/// The body of a create; `ids` are those of the roles that the invitation grants.
///
/// # Errors
///
/// The document has no such property, or requires one that nobody set.
pub(super) fn to_request_body(
    context: &OperationContext<'_>,
    new: &NewInvitation,
    ids: Option<Vec<String>>,
) -> Result<types::NewInvitation> {
    let role = match &new.roles {
        Some(Roles::Legacy(role)) => Some(role),
        _ => None,
    };
    let fields = [
        ("email", Some(new.email.as_str().into())),
        ("role", role.map(|role| role.as_str().into())),
        ("assignedRoleIds", ids.map(Value::from)),
    ];
    let body: types::NewInvitation = context.request_body(fields, &new.extra)?;
    context.require_known(body.extra.keys())?;
    Ok(body)
}

/// Checks that a created invitation has these roles and no other, as far as it reports them.
///
/// # Errors
///
/// [`Incomplete`](ErrorKind::Incomplete), as the person is invited.
pub(super) fn expect_roles(
    context: &OperationContext<'_>,
    requested: &[String],
    created: Invitation,
) -> Result<Invitation> {
    let reported = created.roles.as_deref();
    let reported: Option<HashSet<&str>> = reported.and_then(|roles| {
        let ids = roles.iter().map(|role| role.id.as_deref());
        ids.collect()
    });
    let requested: HashSet<&str> = requested.iter().map(String::as_str).collect();
    let Some(reported) = reported.filter(|ids| !requested.is_empty() && *ids != requested) else {
        return Ok(created);
    };
    let differing = reported.symmetric_difference(&requested).copied();
    let differing: Vec<&str> = differing.collect();
    let message = format!(
        "{} is invited ({}), but not with the roles that were asked for; these differ: {}",
        excerpt(&created.email),
        created.id,
        excerpt(&differing.join(", "))
    );
    let error = context.error(ErrorKind::Incomplete, message);
    Err(error
        .with_conflicting_id(created.id)
        .with_may_have_executed(true))
}

/// One invitation, in its envelope or, as older documentation has it, bare.
pub(super) fn invitation_from(
    context: &OperationContext<'_>,
    success: Result<Success<types::InvitationResponse>>,
) -> Result<Invitation> {
    let Success { value, reply } = success?;
    let invitation = match value {
        Ok(envelope) => match envelope.result {
            Some(_) if is_failure_status(envelope.status) => Err(FAILURE_IN_SUCCESS.to_owned()),
            Some(wire) => {
                context.expect_no_failure(&reply, &envelope.extra)?;
                invitation_from_wire(wire, Some(&PropertyText(&reply, "result")))
            }
            None => match parse(&reply.body) {
                Ok(wire) => invitation_from_wire(wire, Some(&Text(&reply.body))),
                Err(error) => Err(error.to_string()),
            },
        },
        Err(why) if is_ambiguous(&why) => Err(why),
        Err(why) => match reply.json() {
            Some(json) => decode(json.get("result").unwrap_or(json)),
            None => Err(why),
        },
    };
    let mut invitation = invitation.map_err(|why| context.decode_error(&reply, &why))?;
    invitation.status = status(&invitation, context.server_time(&reply));
    Ok(invitation)
}

/// Whether an envelope says that a request failed, in spite of the status of its reply.
fn is_failure_status(status: Option<f64>) -> bool {
    status.is_some_and(|status| status >= 300.0)
}

/// Converts what the bindings read; `text` is what they read it from. The error is the reason. The status
/// depends on the time, and is not set.
fn invitation_from_wire(
    mut wire: types::Invitation,
    text: Option<&dyn ObjectText>,
) -> Result<Invitation, String> {
    let mut invitation = invitation_of(wire.id.take(), wire.email.take())?;
    let role = wire.role.take();
    invitation.role = role.map(|role| role.as_str().to_owned());
    let roles = wire.assigned_roles.take();
    invitation.roles = roles.map(|roles| roles.into_iter().map(assignment).collect());
    invitation.created_at = time_of(wire.created_at.take(), "createdAt")?;
    invitation.expires_at = time_of(wire.expire_at.take(), "expireAt")?;
    invitation.extra = extra_of(&wire, text, FIELDS);
    Ok(invitation)
}

/// Converts an object that the bindings may not be able to read: what has no field in the facade may be anything.
fn decode(value: &Value) -> Result<Invitation, String> {
    let (wire, rest) = split(value, FIELDS)?;
    let mut invitation = invitation_from_wire(wire, None)?;
    invitation.extra = rest.into();
    Ok(invitation)
}

/// The status, which the server does not report.
fn status(invitation: &Invitation, now: DateTime<Utc>) -> Option<InvitationStatus> {
    invitation.expires_at.map(|end| match end > now {
        true => InvitationStatus::Sent,
        false => InvitationStatus::Expired,
    })
}

pub(super) fn assignment(mut wire: types::AssignedRole) -> RoleAssignment {
    let kind = wire.role_type.take();
    let unknown = std::mem::take(&mut wire.extra);
    RoleAssignment {
        id: wire.role_id.take(),
        name: wire.role_name.take(),
        kind: kind.map(|kind| RoleKind::from(kind.as_str())),
        scope: None,
        binding_id: None,
        extra: Extra::from_rest(&wire, unknown),
    }
}

/// The whole list, filtered and cut to the page that begins at `start`.
pub(super) fn page_from(
    context: &OperationContext<'_>,
    reply: Result<Reply>,
    query: &ListQuery,
    start: Option<PageCursor>,
) -> Result<Page> {
    let reply = reply?;
    let list: ListBody<types::InvitationListResponse> =
        ListBody::read(context, &reply, "result", invitation_from_wire, decode)?;
    let (request_id, extra) = match &list.envelope {
        Ok(envelope) => (envelope.request_id.clone(), list.extra(&["requestId"])),
        Err(why) if is_ambiguous(why) => return Err(context.decode_error(&reply, why)),
        // What has no field in the facade may be anything. An id that is no text is kept.
        Err(_) => match list.rest().get("requestId").and_then(Value::as_str) {
            Some(id) => (Some(id.to_owned()), list.extra(&["requestId"])),
            None => (None, list.extra(&[])),
        },
    };
    let mut items = list.items;
    let now = context.server_time(&reply);
    for invitation in items.iter_mut().flatten() {
        invitation.status = status(invitation, now);
    }
    // What cannot be read may match, so it stays.
    items.retain(|item| item.as_ref().map_or(true, |item| query.matches(item)));
    let total = items.len();
    let (items, next) = cut_page(items, query, start);
    let mut page = page_of(context, &reply, items, request_id, extra);
    page.next = next;
    page.total = u64::try_from(total).ok();
    Ok(page)
}

/// A page of these items, which is the last one.
pub(super) fn page_of<T>(
    context: &OperationContext<'_>,
    reply: &Reply,
    items: Vec<Result<T>>,
    request_id: Option<String>,
    extra: Extra,
) -> Page<T> {
    let mut page = Page::new(items, None);
    let in_header = || reply.header("x-request-id").map(str::to_owned);
    page.request_id = request_id.or_else(in_header);
    if let Some(cursor) = cursor_in(&extra) {
        // Sibling resources have gained pages; a list that has them is not all here.
        let why = format!("the list has a `{cursor}`, which this version does not follow");
        page.items.push(Err(context.decode_error(reply, &why)));
    }
    page.extra = extra;
    page
}

/// The name of a property that says that a list goes on.
pub(super) fn cursor_in(extra: &Extra) -> Option<&str> {
    if extra.is_empty() {
        return None;
    }
    let goes_on = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(_) | Value::Bool(true) => true,
        Value::Array(_) | Value::Object(_) => false,
    };
    let is_cursor = |name: &str| {
        let name = name.to_ascii_lowercase().replace(['_', '-'], "");
        name.contains("cursor") && !name.starts_with("prev")
            || matches!(
                name.as_str(),
                "next" | "nextpage" | "nextpagetoken" | "pagetoken" | "hasmore" | "hasnext"
            )
    };
    let found = |object: &'_ Map<String, Value>| {
        let mut properties = object.iter();
        properties.any(|(name, value)| is_cursor(name) && goes_on(value))
    };
    extra.iter().find_map(|(name, value)| {
        let nested = value.as_object().is_some_and(found);
        (nested || is_cursor(name) && goes_on(value)).then_some(name.as_str())
    })
}

impl WireInvitation for types::Invitation {}

impl Properties for types::Invitation {
    fn properties(invitation: &Invitation) -> Map<String, Value> {
        let assignment = |role: &RoleAssignment| {
            let mut object = Map::from(role.extra.clone());
            let kind = role.kind.as_ref().map(RoleKind::as_str);
            object.extend(present([
                ("roleId", role.id.as_deref().map(Value::from)),
                ("roleName", role.name.as_deref().map(Value::from)),
                ("roleType", kind.map(Value::from)),
            ]));
            Value::Object(object)
        };
        let roles = invitation.roles.as_ref();
        let properties = present([
            ("id", Some(invitation.id.as_str().into())),
            ("email", Some(invitation.email.as_str().into())),
            ("role", invitation.role.as_deref().map(Value::from)),
            ("createdAt", wire_time(invitation.created_at)),
            ("expireAt", wire_time(invitation.expires_at)),
            (
                "assignedRoles",
                roles.map(|roles| roles.iter().map(assignment).collect()),
            ),
        ]);
        properties.collect()
    }
}
