//! Conversions of the generated types: an invitation, and a list of them.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    decode::{ListBody, ObjectText, Text, extra_of, is_ambiguous, parse, split},
    error::Result,
    http::Reply,
    invitation::Invitation,
    list::{Page, PageToken},
    operation::OperationContext,
};

/// An invitation as the vendor's bindings have it.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use org_invitations::{Invitation, InvitationId, kit::InvitationObject};
/// use serde_json::{Map, Value};
///
/// /// In a provider, it is `types::Invitation` of the bindings.
/// #[derive(Default, serde::Deserialize, serde::Serialize)]
/// #[serde(default)]
/// struct Wire {
///     id: Option<String>,
///     email: Option<String>,
///     #[serde(flatten)]
///     extra: Map<String, Value>,
/// }
///
/// impl InvitationObject for Wire {
///     const FIELDS: &'static [&'static str] = &["id", "email"];
///
///     fn unknown(&self) -> &Map<String, Value> {
///         &self.extra
///     }
///
///     fn invitation(&mut self) -> Result<Invitation, String> {
///         let id = self.id.take().ok_or("the invitation has no `id`")?;
///         let id = InvitationId::new(id).map_err(|error| error.to_string())?;
///         let email = self.email.take().ok_or("the invitation has no `email`")?;
///         Ok(Invitation::new(id, email))
///     }
/// }
/// ```
pub trait InvitationObject: DeserializeOwned + Serialize {
    /// The properties that [`invitation`](Self::invitation) takes. All others go to
    /// [`Invitation::extra`](crate::Invitation::extra), as the server wrote them.
    const FIELDS: &'static [&'static str];

    /// The properties that the document does not have: the field `extra` of the generated type.
    fn unknown(&self) -> &Map<String, Value>;

    /// Takes the [`FIELDS`](Self::FIELDS) out of the object and converts them. `extra` is set afterwards.
    ///
    /// # Errors
    ///
    /// Why the object is not an invitation. In a list, it costs the other items nothing.
    fn invitation(&mut self) -> Result<Invitation, String>;
}

/// A list of invitations as the vendor's bindings have it: an object with the list in one of its properties.
///
/// ```
/// use org_invitations::kit::InvitationList;
/// # use org_invitations::{Invitation, kit::InvitationObject};
/// # use serde_json::{Map, Value};
/// # #[derive(serde::Deserialize, serde::Serialize)]
/// # struct Wire(Map<String, Value>);
/// # impl InvitationObject for Wire {
/// #     const FIELDS: &'static [&'static str] = &[];
/// #     fn unknown(&self) -> &Map<String, Value> { &self.0 }
/// #     fn invitation(&mut self) -> Result<Invitation, String> { Err(String::new()) }
/// # }
///
/// /// In a provider, it is `types::InvitationList` of the bindings.
/// #[derive(serde::Deserialize)]
/// struct WireList {
///     next_page: Option<String>,
/// }
///
/// impl InvitationList for WireList {
///     type Item = Wire;
///     const ITEMS: &'static str = "invitations";
///
///     fn next(&self) -> Option<&str> {
///         self.next_page.as_deref()
///     }
/// }
/// ```
pub trait InvitationList: DeserializeOwned {
    /// The type of the items.
    type Item: InvitationObject;

    /// The property with the items. It is read item by item, and is absent in `self`.
    const ITEMS: &'static str;

    /// The token of the next page; `None` or an empty text on the last one. Default: none, for a vendor that sends
    /// everything at once.
    fn next(&self) -> Option<&str> {
        None
    }

    /// The number of invitations on all pages, where the vendor tells it. Default: unknown.
    fn total(&self) -> Option<u64> {
        None
    }
}

/// The invitation that a reply is.
pub(super) fn invitation_from<W: InvitationObject>(
    context: &OperationContext<'_>,
    reply: &Reply,
) -> Result<Invitation> {
    let invitation = match parse::<W>(&reply.body) {
        Ok(wire) => {
            context.expect_no_failure(reply, wire.unknown())?;
            convert(wire, Some(&Text(&reply.body)))
        }
        Err(error) => match (error.to_string(), reply.json()) {
            (why, Some(json)) if !is_ambiguous(&why) => decode::<W>(json),
            (why, _) => Err(why),
        },
    };
    invitation.map_err(|why| context.decode_error(reply, &why))
}

/// The page that a reply is.
pub(super) fn page_from<L: InvitationList>(
    context: &OperationContext<'_>,
    reply: &Reply,
) -> Result<Page> {
    let list: ListBody<L> = ListBody::read(
        context,
        reply,
        L::ITEMS,
        convert::<L::Item>,
        decode::<L::Item>,
    )?;
    let extra = list.extra(&[]);
    // Without its envelope, it is not known whether the list goes on.
    let envelope = list.envelope;
    let envelope = envelope.map_err(|why| context.decode_error(reply, &why))?;
    let next = envelope.next().filter(|token| !token.is_empty());
    let mut page = Page::new(list.items, next.map(PageToken::new));
    page.total = envelope.total();
    page.request_id = reply.request_id(context.client.service.request_id);
    page.extra = extra;
    context.expect_whole(page)
}

fn convert<W: InvitationObject>(
    mut wire: W,
    text: Option<&dyn ObjectText>,
) -> Result<Invitation, String> {
    let mut invitation = wire.invitation()?;
    invitation.extra = extra_of(&wire, text, W::FIELDS);
    Ok(invitation)
}

/// Converts an object that the bindings may not be able to read: what has no field in the facade may be anything.
fn decode<W: InvitationObject>(value: &Value) -> Result<Invitation, String> {
    let (mut wire, rest) = split::<W>(value, W::FIELDS)?;
    let mut invitation = wire.invitation()?;
    invitation.extra = rest.into();
    Ok(invitation)
}
