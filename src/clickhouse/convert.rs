//! Between ClickHouse's wire and the facade.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    clickhouse::{failure::request_id, generated::types},
    client::{Call, Items, Reply, decode, items_of, parse, unreadable},
    error::{ErrorKind, Result},
    extra::Extra,
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
        None => decode(call, reply)?,
    };
    let mut invitation = Invitation::try_from(wire).map_err(|why| unreadable(call, reply, &why))?;
    invitation.status = status(&invitation, now);
    Ok(invitation)
}

/// The error says what is odd about it. The status depends on the time, and is not there yet.
impl TryFrom<types::Invitation> for Invitation {
    type Error = String;

    fn try_from(wire: types::Invitation) -> Result<Self, String> {
        let id = wire.id.ok_or("it has no `id`")?;
        let id = InvitationId::new(id).map_err(|error| error.to_string())?;
        let mut invitation = Self::new(id, wire.email.ok_or("it has no `email`")?);
        invitation.role = wire.role;
        let roles = wire.assigned_roles;
        invitation.assigned_roles = roles.map(|roles| roles.into_iter().map(role).collect());
        invitation.created_at = wire.created_at;
        invitation.expires_at = wire.expire_at;
        invitation.extra = wire.extra;
        Ok(invitation)
    }
}

/// What the server does not say.
fn status(invitation: &Invitation, now: DateTime<Utc>) -> Option<InvitationStatus> {
    invitation.expires_at.map(|end| {
        if end > now {
            InvitationStatus::Sent
        } else {
            InvitationStatus::Expired
        }
    })
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
    let (mut items, extra) = items(call, reply)?;
    for invitation in items.iter_mut().flatten() {
        invitation.status = status(invitation, now);
    }
    // What cannot be read may match, so it stays.
    items.retain(|item| item.as_ref().map_or(true, |item| matches(query, item)));
    let total = items.len();
    let size = query.page_size.and_then(|size| usize::try_from(size).ok());
    let mut next = None;
    if size.is_some() || start.is_some() {
        let mut placed = Position::place(items);
        placed.sort_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(start) = start {
            placed.retain(|(position, _)| *position > start);
        }
        if let Some(size) = size
            && placed.len() > size
        {
            placed.truncate(size);
            next = placed.last().map(|(position, _)| position.to_token());
        }
        items = placed.into_iter().map(|(_, item)| item).collect();
    }
    let mut page = Page::new(items, next);
    page.total = u64::try_from(total).ok();
    page.request_id = extra
        .request_id
        .or_else(|| reply.header("x-request-id").map(str::to_owned));
    if extra
        .rest
        .get("nextCursor")
        .is_some_and(|cursor| !cursor.is_null())
    {
        // Sibling resources have gained pages; a list that has them is not all here.
        let why = "it has a `nextCursor`, which this version does not follow";
        page.items.push(Err(unreadable(call, reply, why)));
    }
    page.extra = extra.rest;
    Ok(page)
}

struct EnvelopeRest {
    request_id: Option<String>,
    rest: Extra,
}

fn items(call: &Call<'_>, reply: &Reply) -> Result<(Vec<Result<Invitation>>, EnvelopeRest)> {
    type List = types::InvitationListEnvelope<Items<types::Invitation>>;
    let error = match parse::<List>(&reply.body) {
        Ok(envelope) => {
            let Some(result) = envelope.result else {
                return Err(unreadable(call, reply, "it has no `result`"));
            };
            let rest = EnvelopeRest {
                request_id: envelope.request_id,
                rest: envelope.extra,
            };
            return Ok((result.into_results(call, reply), rest));
        }
        Err(error) => error,
    };
    // One odd item spoils the typed list, and older documentation has the list bare.
    let (list, envelope) = match reply.json() {
        Some(Value::Array(list)) => (list, None),
        Some(Value::Object(envelope)) => match envelope.get("result") {
            Some(Value::Array(list)) => (list, Some(envelope)),
            _ => return Err(unreadable(call, reply, "its `result` is not a list")),
        },
        _ => return Err(unreadable(call, reply, &error.to_string())),
    };
    let rest = envelope.into_iter().flatten();
    // An id that is no text is not read, but kept.
    let read =
        |name: &str, value: &Value| name == "result" || name == "requestId" && value.is_string();
    let rest = rest.filter(|(name, value)| !read(name, value));
    let rest = EnvelopeRest {
        request_id: request_id(reply),
        rest: rest.map(|(name, value)| (name, value.clone())).collect(),
    };
    Ok((items_of::<types::Invitation>(call, reply, list), rest))
}

/// The server has no filters; emails are stored in lower case.
fn matches(query: &ListQuery, invitation: &Invitation) -> bool {
    let email = |wanted: &String| invitation.email.to_lowercase() == wanted.to_lowercase();
    let status = |wanted| invitation.status.as_ref() == Some(wanted);
    query.email.as_ref().is_none_or(email) && query.status.as_ref().is_none_or(status)
}

/// The place of an item in the order of the pages: by the time of creation, then by id. It does not
/// depend on the other items, so none is lost or repeated when some are deleted between two pages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    created_micros: u64,
    id: String,
    /// How many that cannot be read stand between the item with this id and this one.
    unreadable: usize,
}

impl Position {
    /// Gives every item its place; one that cannot be read stays behind the one before it.
    fn place(items: Vec<Result<Invitation>>) -> Vec<(Self, Result<Invitation>)> {
        let mut last = Self {
            created_micros: 0,
            id: String::new(),
            unreadable: 0,
        };
        let place = |item: Result<Invitation>| {
            match &item {
                Ok(invitation) => {
                    let micros = invitation
                        .created_at
                        .map_or(0, |time| time.timestamp_micros());
                    last = Self {
                        created_micros: micros.try_into().unwrap_or(0),
                        id: invitation.id.to_string(),
                        unreadable: 0,
                    };
                }
                Err(_) => last.unreadable += 1,
            }
            (last.clone(), item)
        };
        items.into_iter().map(place).collect()
    }

    /// Reads a token, which is `<microseconds>:<unreadable>:<id>`.
    pub fn parse(call: &Call<'_>, token: &PageToken) -> Result<Self> {
        let mut parts = token.as_str().splitn(3, ':');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let parsed = number()
            .zip(number())
            .and_then(|(created_micros, unreadable)| {
                let unreadable = usize::try_from(unreadable).ok()?;
                Some(Self {
                    created_micros,
                    id: parts.next()?.to_owned(),
                    unreadable,
                })
            });
        parsed.ok_or_else(|| {
            call.refuse(
                ErrorKind::InvalidInput,
                "this page token is not one of mine",
            )
        })
    }

    fn to_token(&self) -> PageToken {
        PageToken::new(format!(
            "{}:{}:{}",
            self.created_micros, self.unreadable, self.id
        ))
    }
}
