//! Between ClickHouse's wire and the facade.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    clickhouse::generated::types,
    client::{Call, Reply, decode, items_of, odd_item, unreadable},
    error::{ErrorKind, Result},
    invitation::{
        Invitation, InvitationId, InvitationStatus, NewInvitation, RoleAssignment, RoleKind, Roles,
    },
    list::{ListQuery, Page, PageToken},
};

pub(super) fn new_to_wire(new: &NewInvitation) -> types::NewInvitation {
    let (role, ids) = match &new.roles {
        None => (None, None),
        Some(Roles::Legacy(role)) => (Some(role.clone()), None),
        Some(Roles::Ids(ids)) => (None, Some(ids.clone())),
    };
    types::NewInvitation {
        email: new.email.clone(),
        role,
        assigned_role_ids: ids,
    }
}

/// One invitation, in its envelope or, as older documentation has it, bare.
pub(super) fn one(call: &Call<'_>, reply: &Reply, now: DateTime<Utc>) -> Result<Invitation> {
    let envelope: types::InvitationEnvelope = decode(call, reply)?;
    let wire = match envelope.result {
        Some(wire) => wire,
        None => from_map(envelope.extra).map_err(|why| unreadable(call, reply, &why))?,
    };
    invitation(wire, now).map_err(|why| unreadable(call, reply, &why))
}

fn from_map<T: DeserializeOwned>(map: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(map)).map_err(|error| error.to_string())
}

/// One invitation; the error says what is odd about it.
fn invitation(wire: types::Invitation, now: DateTime<Utc>) -> Result<Invitation, String> {
    let id = wire.id.ok_or("it has no `id`")?;
    let id = InvitationId::new(id).map_err(|error| error.to_string())?;
    let mut invitation = Invitation::new(id, wire.email.ok_or("it has no `email`")?);
    invitation.status = wire.expire_at.map(|end| {
        if end > now {
            InvitationStatus::Sent
        } else {
            InvitationStatus::Expired
        }
    });
    invitation.role = wire.role;
    let roles = wire.assigned_roles;
    invitation.assigned_roles = roles.map(|roles| roles.into_iter().map(role).collect());
    invitation.created_at = wire.created_at;
    invitation.expires_at = wire.expire_at;
    invitation.extra = wire.extra;
    Ok(invitation)
}

fn role(wire: types::AssignedRole) -> RoleAssignment {
    RoleAssignment {
        id: wire.role_id,
        name: wire.role_name,
        kind: wire.role_type.as_deref().map(RoleKind::from),
        extra: wire.extra,
    }
}

/// The whole list, filtered and cut to the page that begins at `start`.
pub(super) fn page(
    call: &Call<'_>,
    reply: &Reply,
    query: &ListQuery,
    start: Option<Position>,
    now: DateTime<Utc>,
) -> Result<Page> {
    let (items, extra) = items(call, reply)?;
    let convert = |(index, item): (usize, Result<types::Invitation>)| {
        item.and_then(|wire| {
            invitation(wire, now).map_err(|why| odd_item(call, reply, index, &why))
        })
    };
    let mut items: Vec<Result<Invitation>> = items
        .into_iter()
        .enumerate()
        .map(convert)
        // What cannot be read may match, so it stays.
        .filter(|item| {
            item.as_ref()
                .map_or(true, |invitation| matches(query, invitation))
        })
        .collect();
    let total = items.len();
    let begin = start.map_or(0, |start| start.find(&items));
    items.drain(..begin);
    let mut next = None;
    if let Some(size) = query.page_size.and_then(|size| usize::try_from(size).ok())
        && items.len() > size
    {
        items.truncate(size);
        next = Some(Position::after(begin + size, items.last()).to_token());
    }
    let mut page = Page::new(items, next);
    page.total = u64::try_from(total).ok();
    page.request_id = extra
        .request_id
        .or_else(|| reply.header("x-request-id").map(str::to_owned));
    page.extra = extra.rest;
    Ok(page)
}

struct EnvelopeRest {
    request_id: Option<String>,
    rest: Map<String, Value>,
}

fn items(call: &Call<'_>, reply: &Reply) -> Result<(Vec<Result<types::Invitation>>, EnvelopeRest)> {
    let error = match serde_json::from_slice::<types::InvitationListEnvelope>(&reply.body) {
        Ok(envelope) => {
            let Some(result) = envelope.result else {
                return Err(unreadable(call, reply, "it has no `result`"));
            };
            let rest = EnvelopeRest {
                request_id: envelope.request_id,
                rest: envelope.extra,
            };
            return Ok((result.into_iter().map(Ok).collect(), rest));
        }
        Err(error) => error,
    };
    // One odd item spoils the typed list, and older documentation has the list bare.
    let (list, mut rest) = match reply.json() {
        Some(Value::Array(list)) => (list, Map::new()),
        Some(Value::Object(mut envelope)) => match envelope.remove("result") {
            Some(Value::Array(list)) => (list, envelope),
            _ => return Err(unreadable(call, reply, "its `result` is not a list")),
        },
        _ => return Err(unreadable(call, reply, &error.to_string()).with_source(error)),
    };
    let request_id = match rest.remove("requestId") {
        Some(Value::String(id)) => Some(id),
        _ => None,
    };
    Ok((
        items_of(call, reply, list),
        EnvelopeRest { request_id, rest },
    ))
}

/// The server has no filters; emails are stored in lower case.
fn matches(query: &ListQuery, invitation: &Invitation) -> bool {
    let email = |wanted: &String| invitation.email.to_lowercase() == wanted.to_lowercase();
    let status = |wanted| invitation.status.as_ref() == Some(wanted);
    query.email.as_ref().is_none_or(email) && query.status.as_ref().is_none_or(status)
}

/// Where a page begins in a list that may change between requests: `<items before>:<last id>`.
pub(super) struct Position {
    offset: usize,
    last: String,
}

impl Position {
    pub fn parse(call: &Call<'_>, token: &PageToken) -> Result<Self> {
        let parts = token.as_str().split_once(':');
        let parsed = parts.and_then(|(offset, last)| Some((offset.parse().ok()?, last.to_owned())));
        let Some((offset, last)) = parsed else {
            return Err(call.refuse(
                ErrorKind::InvalidInput,
                "this page token is not one of mine",
            ));
        };
        Ok(Self { offset, last })
    }

    fn after(offset: usize, last: Option<&Result<Invitation>>) -> Self {
        let last = match last {
            Some(Ok(invitation)) => invitation.id.to_string(),
            _ => String::new(),
        };
        Self { offset, last }
    }

    fn to_token(&self) -> PageToken {
        PageToken::new(format!("{}:{}", self.offset, self.last))
    }

    /// After the last item of the page before, wherever it stands now. When it is gone, the rest has
    /// moved up by one; showing an item twice is better than leaving one out.
    fn find(&self, items: &[Result<Invitation>]) -> usize {
        let is_last = |item: &Result<Invitation>| {
            item.as_ref()
                .is_ok_and(|invitation| invitation.id.as_str() == self.last)
        };
        let found = if self.last.is_empty() {
            Some(self.offset)
        } else {
            items.iter().position(is_last).map(|position| position + 1)
        };
        found
            .unwrap_or(self.offset.saturating_sub(1))
            .min(items.len())
    }
}
