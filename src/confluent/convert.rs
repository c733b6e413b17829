//! Between Confluent's bindings and the facade.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    bindings::{Timestamp, confluent::types, parse_rfc3339},
    decode::{
        ListBody, ObjectText, Text, extra_of, invitation_of, is_ambiguous, present, split, time_of,
        wire_time,
    },
    error::Result,
    extra::Extra,
    http::Reply,
    invitation::{
        AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, ResourceReference,
        WireInvitation, sealed::Properties,
    },
    list::{ListItem, Page, PageToken},
    operation::{OperationContext, Success},
};

const STATUSES: [(InvitationStatus, &str); 5] = [
    (InvitationStatus::Sent, "INVITE_STATUS_SENT"),
    (InvitationStatus::Staged, "INVITE_STATUS_STAGED"),
    (InvitationStatus::Accepted, "INVITE_STATUS_ACCEPTED"),
    (InvitationStatus::Expired, "INVITE_STATUS_EXPIRED"),
    (InvitationStatus::Deactivated, "INVITE_STATUS_DEACTIVATED"),
];

const AUTH_TYPES: [(AuthType, &str); 2] = [
    (AuthType::Local, "AUTH_TYPE_LOCAL"),
    (AuthType::Sso, "AUTH_TYPE_SSO"),
];

/// The properties of an invitation that the facade has fields for. The time of creation, in `metadata`, stays in
/// `extra` too.
const FIELDS: &[&str] = &[
    "accepted_at",
    "auth_type",
    "creator",
    "email",
    "expires_at",
    "id",
    "status",
    "user",
];

pub(super) fn status_to_wire(status: &InvitationStatus) -> &str {
    to_wire(&STATUSES, status)
}

pub(super) fn auth_type_from_wire(word: &str) -> AuthType {
    from_wire(&AUTH_TYPES, word)
}

fn auth_type_to_wire(auth_type: &AuthType) -> &str {
    to_wire(&AUTH_TYPES, auth_type)
}

/// The word on the wire; an unknown value goes out as it came in.
fn to_wire<'v, T: PartialEq + AsRef<str>>(table: &[(T, &'static str)], value: &'v T) -> &'v str {
    let entry = table.iter().find(|(known, _)| known == value);
    entry.map_or(value.as_ref(), |(_, word)| word)
}

fn from_wire<T: Clone + for<'a> From<&'a str>>(table: &[(T, &str)], word: &str) -> T {
    let entry = table.iter().find(|(_, known)| *known == word);
    entry.map_or_else(|| T::from(word), |(value, _)| value.clone())
}

/// The body of a create.
///
/// # Errors
///
/// The document has no such property, or requires one that nobody set.
pub(super) fn to_request_body(
    context: &OperationContext<'_>,
    new: &NewInvitation,
) -> Result<types::NewInvitation> {
    let auth_type = new.auth_type.as_ref().map(auth_type_to_wire);
    let fields = [
        ("email", Some(new.email.as_str().into())),
        ("auth_type", auth_type.map(Value::from)),
    ];
    let body: types::NewInvitation = context.request_body(fields, &new.extra)?;
    context.require_known(body.extra.keys())?;
    Ok(body)
}

/// The invitation that a reply holds.
pub(super) fn invitation_from(
    context: &OperationContext<'_>,
    success: Result<Success<types::Invitation>>,
) -> Result<Invitation> {
    let Success { value, reply } = success?;
    let invitation = match value {
        Ok(wire) => {
            context.expect_no_failure(&reply, &wire.extra)?;
            invitation_from_wire(wire, Some(&Text(&reply.body)))
        }
        Err(why) if is_ambiguous(&why) => Err(why),
        Err(why) => reply.json().map_or(Err(why), decode),
    };
    invitation.map_err(|why| context.decode_error(&reply, &why))
}

/// Converts what the bindings read; `text` is what they read it from. The error is the reason.
fn invitation_from_wire(
    mut wire: types::Invitation,
    text: Option<&dyn ObjectText>,
) -> Result<Invitation, String> {
    let mut invitation = invitation_of(wire.id.take(), wire.email.take())?;
    let status = wire.status.take();
    invitation.status = status.map(|word| from_wire(&STATUSES, word.as_str()));
    let auth_type = wire.auth_type.take();
    invitation.auth_type = auth_type.map(|word| auth_type_from_wire(word.as_str()));
    let metadata = wire.metadata.as_ref();
    let created_at = metadata.and_then(|metadata| metadata.created_at.as_ref());
    invitation.created_at = created_at.and_then(Timestamp::utc);
    invitation.expires_at = time_of(wire.expires_at.take(), "expires_at")?;
    invitation.accepted_at = time_of(wire.accepted_at.take(), "accepted_at")?;
    let (user, creator) = (wire.user.take(), wire.creator.take());
    invitation.extra = extra_of(&wire, text, FIELDS);
    invitation.user = reference(user, "user", &mut invitation.extra);
    invitation.creator = reference(creator, "creator", &mut invitation.extra);
    Ok(invitation)
}

/// Converts an object that the bindings may not be able to read: what has no field in the facade may be anything.
fn decode(value: &Value) -> Result<Invitation, String> {
    let (wire, mut rest) = split::<types::Invitation>(value, FIELDS)?;
    let mut invitation = invitation_from_wire(wire, None)?;
    let created_at = rest
        .get("metadata")
        .and_then(|metadata| metadata.get("created_at")?.as_str());
    invitation.created_at = created_at.and_then(|text| parse_rfc3339(text).ok());
    rest.extend(Map::from(invitation.extra));
    invitation.extra = rest.into();
    Ok(invitation)
}

/// A reference without an id refers to nothing; what it holds is then kept in `extra`.
fn reference(
    wire: Option<types::ResourceReference>,
    name: &str,
    extra: &mut Extra,
) -> Option<ResourceReference> {
    let mut wire = wire?;
    let Some(id) = wire.id.take() else {
        extra.insert(name, serde_json::to_value(wire).unwrap_or_default());
        return None;
    };
    let mut reference = ResourceReference::new(id);
    reference.related = wire.related.take();
    reference.resource_name = wire.resource_name.take();
    let unknown = std::mem::take(&mut wire.extra);
    reference.extra = Extra::from_rest(&wire, unknown);
    Some(reference)
}

/// One page.
pub(super) fn page_from(context: &OperationContext<'_>, reply: Result<Reply>) -> Result<Page> {
    let reply = reply?;
    let list: ListBody<types::InvitationList> =
        ListBody::read(context, &reply, "data", invitation_from_wire, decode)?;
    let (next, total) = match &list.envelope {
        Ok(envelope) => {
            let metadata = envelope.metadata.as_ref();
            let total = metadata.and_then(|metadata| metadata.total_size);
            let next = metadata.and_then(|metadata| Some(metadata.next.as_ref()?.as_str()));
            (
                next_token(next),
                total.and_then(|total| u64::try_from(total).ok()),
            )
        }
        Err(why) if is_ambiguous(why) => return Err(context.decode_error(&reply, why)),
        // What has no field in the facade may be anything.
        Err(why) => {
            let rest = list.rest();
            if rest.is_empty() {
                // Whether it goes on is not known.
                return Err(context.decode_error(&reply, why));
            }
            let metadata = rest.get("metadata").unwrap_or(&Value::Null);
            let next = match &metadata["next"] {
                Value::Null => Ok(None),
                Value::String(link) => next_token(Some(link)),
                _ => Err("the link to the next page is not a string"),
            };
            (next, metadata["total_size"].as_u64())
        }
    };
    Ok(page_of(context, &reply, list, next, total))
}

/// The page of a list that goes on at `next`, as far as that is known.
pub(super) fn page_of<E: DeserializeOwned, T: ListItem>(
    context: &OperationContext<'_>,
    reply: &Reply,
    list: ListBody<E, T>,
    next: Result<Option<PageToken>, &'static str>,
    total: Option<u64>,
) -> Page<T> {
    let extra = list.extra(&[]);
    let mut page = Page::new(list.items, None);
    page.extra = extra;
    page.total = total;
    page.request_id = reply.header("x-request-id").map(str::to_owned);
    match next {
        Ok(next) => page.next = next,
        // The items are still valid, but they are not all.
        Err(why) => page.items.push(Err(context.decode_error(reply, why))),
    }
    page
}

/// The token inside `metadata.next`, which is absent, `null` or empty on the last page.
///
/// The link itself is never followed: it was observed to name another host than the API's.
pub(super) fn next_token(link: Option<&str>) -> Result<Option<PageToken>, &'static str> {
    let Some(link) = link.filter(|link| !link.is_empty()) else {
        return Ok(None);
    };
    let token = parse_link(link).and_then(|link| {
        let pair = link.query_pairs().find(|(name, _)| name == "page_token");
        pair.map(|(_, token)| PageToken::new(token))
    });
    match token {
        Some(token) if !token.as_str().is_empty() => Ok(Some(token)),
        _ => Err("the link to the next page has no `page_token`"),
    }
}

/// The invitation that a link leads to, if it leads to one.
pub(super) fn id_in_link(link: &str) -> Option<InvitationId> {
    let link = parse_link(link)?;
    let (_, id) = link.path().rsplit_once("/invitations/")?;
    InvitationId::new(id).ok()
}

/// Only paths and queries are read, so a relative link may stand on any host.
fn parse_link(link: &str) -> Option<Url> {
    Url::parse("https://relative.invalid/")
        .ok()?
        .join(link)
        .ok()
}

impl WireInvitation for types::Invitation {}

impl Properties for types::Invitation {
    fn properties(invitation: &Invitation) -> Map<String, Value> {
        let reference = |reference: &ResourceReference| {
            let mut object = Map::from(reference.extra.clone());
            object.extend(present([
                ("id", Some(reference.id.as_str().into())),
                ("related", reference.related.as_deref().map(Value::from)),
                (
                    "resource_name",
                    reference.resource_name.as_deref().map(Value::from),
                ),
            ]));
            Value::Object(object)
        };
        let status = invitation.status.as_ref().map(status_to_wire);
        let auth_type = invitation.auth_type.as_ref().map(auth_type_to_wire);
        let metadata = invitation.extra.get("metadata").is_none();
        let created_at = wire_time(invitation.created_at.filter(|_| metadata));
        let properties = present([
            ("id", Some(invitation.id.as_str().into())),
            ("email", Some(invitation.email.as_str().into())),
            ("status", status.map(Value::from)),
            ("auth_type", auth_type.map(Value::from)),
            ("expires_at", wire_time(invitation.expires_at)),
            ("accepted_at", wire_time(invitation.accepted_at)),
            ("user", invitation.user.as_ref().map(reference)),
            ("creator", invitation.creator.as_ref().map(reference)),
            (
                "metadata",
                created_at.map(|time| Value::from_iter([("created_at", time)])),
            ),
        ]);
        properties.collect()
    }
}
