//! Between Confluent's wire and the facade.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::{
    client::{Call, Items, Reply, items_of, parse, parse_time, unreadable},
    confluent::generated::types,
    error::Result,
    extra::Extra,
    invitation::{
        AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, ResourceReference,
    },
    list::{Page, PageToken},
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

/// The word on the wire; an unknown value goes out as it came in.
pub(super) fn status_to_wire(status: &InvitationStatus) -> &str {
    let known = STATUSES.iter().find(|(known, _)| known == status);
    known.map_or(status.as_str(), |(_, word)| word)
}

fn auth_type_to_wire(auth_type: &AuthType) -> &str {
    let known = AUTH_TYPES.iter().find(|(known, _)| known == auth_type);
    known.map_or(auth_type.as_str(), |(_, word)| word)
}

fn from_wire<T: Clone>(table: &[(T, &str)], other: fn(String) -> T, word: String) -> T {
    let known = table
        .iter()
        .find(|(_, known)| *known == word)
        .map(|(value, _)| value.clone());
    known.unwrap_or_else(|| other(word))
}

pub(super) fn new_to_wire(new: &NewInvitation) -> types::NewInvitation {
    types::NewInvitation {
        email: new.email.clone(),
        auth_type: new
            .auth_type
            .as_ref()
            .map(|auth_type| auth_type_to_wire(auth_type).to_owned()),
    }
}

/// The error says what is odd about it.
impl TryFrom<types::Invitation> for Invitation {
    type Error = String;

    fn try_from(wire: types::Invitation) -> Result<Self, String> {
        let id = wire.id.ok_or("it has no `id`")?;
        let id = InvitationId::new(id).map_err(|error| error.to_string())?;
        let mut extra = wire.extra;
        let mut invitation = Self::new(id, wire.email.ok_or("it has no `email`")?);
        invitation.status = wire
            .status
            .map(|word| from_wire(&STATUSES, InvitationStatus::Other, word));
        invitation.auth_type = wire
            .auth_type
            .map(|word| from_wire(&AUTH_TYPES, AuthType::Other, word));
        invitation.created_at = wire.metadata_created_at.as_ref().and_then(created_at);
        invitation.expires_at = wire.expires_at;
        invitation.accepted_at = wire.accepted_at;
        invitation.user = reference(wire.user, "user", &mut extra);
        invitation.creator = reference(wire.creator, "creator", &mut extra);
        invitation.extra = extra;
        Ok(invitation)
    }
}

/// The time of creation, which stays in `extra` too, so an odd one loses nothing.
fn created_at(said: &Value) -> Option<DateTime<Utc>> {
    parse_time(said.as_str()?).ok()
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
    reference.related = wire.related;
    reference.resource_name = wire.resource_name;
    reference.extra = wire.extra;
    Some(reference)
}

/// One page.
pub(super) fn page(call: &Call<'_>, reply: &Reply) -> Result<Page> {
    match parse::<types::InvitationList<Items<types::Invitation>>>(&reply.body) {
        Ok(list) => page_of(call, reply, list, |data| data.into_results(call, reply)),
        // One odd item spoils the typed list: look at each alone.
        Err(error) => match parse::<types::InvitationList<Vec<Value>>>(&reply.body) {
            Ok(list) => page_of(call, reply, list, |data| {
                items_of::<types::Invitation>(call, reply, &data)
            }),
            Err(_) => Err(unreadable(call, reply, &error.to_string())),
        },
    }
}

fn page_of<L>(
    call: &Call<'_>,
    reply: &Reply,
    list: types::InvitationList<L>,
    items: impl FnOnce(L) -> Vec<Result<Invitation>>,
) -> Result<Page> {
    let data = list.data;
    let data = data.ok_or_else(|| unreadable(call, reply, "it has no `data`"))?;
    let mut page = Page::new(items(data), None);
    page.request_id = reply.header("x-request-id").map(str::to_owned);
    match next_token(list.metadata_next.as_ref()) {
        Ok(next) => page.next = next,
        // What is there is still good, but it is not all.
        Err(why) => page.items.push(Err(unreadable(call, reply, &why))),
    }
    page.total = list.metadata_total_size.as_ref().and_then(Value::as_u64);
    page.extra = list.extra;
    Ok(page)
}

/// The token inside `metadata.next`, which is absent, `null` or empty on the last page.
///
/// The link itself is never followed: it was observed to name another host than the API's.
fn next_token(link: Option<&Value>) -> Result<Option<PageToken>, String> {
    let link = match link {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(link)) if link.is_empty() => return Ok(None),
        Some(Value::String(link)) => link,
        Some(_) => return Err("the link to the next page is not text".to_owned()),
    };
    let token = parse_link(link).and_then(|link| {
        let pair = link.query_pairs().find(|(name, _)| name == "page_token");
        pair.map(|(_, token)| PageToken::new(token))
    });
    match token {
        Some(token) if !token.as_str().is_empty() => Ok(Some(token)),
        _ => Err("the link to the next page has no `page_token`".to_owned()),
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
