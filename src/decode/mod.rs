//! Decodes the bodies of successes as types of the bindings: objects, and lists item by item.

mod list;
mod scan;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub(crate) use self::list::{ListBody, ListText};
use crate::{
    bindings::Timestamp,
    extra::{Extra, is_empty_object},
    http::Reply,
    invitation::{Invitation, InvitationId},
};

/// The JSON text of an object.
pub(crate) trait ObjectText {
    /// The properties of the object except `fields`. There is at least one.
    fn extra(&self, fields: &'static [&'static str]) -> Extra;
}

/// The JSON text of one object.
pub(crate) struct Text<'a>(pub &'a [u8]);

impl ObjectText for Text<'_> {
    fn extra(&self, fields: &'static [&'static str]) -> Extra {
        Extra::from_text(&lossy_text(self.0), fields)
    }
}

/// The JSON text of the object in a property of a body, which is looked for when it is needed.
pub(crate) struct PropertyText<'a>(pub &'a Reply, pub &'static str);

impl ObjectText for PropertyText<'_> {
    fn extra(&self, fields: &'static [&'static str]) -> Extra {
        Text(raw_property(self.0, self.1)).extra(fields)
    }
}

/// The JSON text of one property of a body; empty if there is none.
fn raw_property<'a>(reply: &'a Reply, name: &str) -> &'a [u8] {
    scan::property(&reply.body, name).unwrap_or_default()
}

/// The properties of an object except the fields that were taken out of `rest`, from the text of the object if known.
///
/// The bindings do not keep whether a property was null or absent, nor how a number was written. The text does.
pub(crate) fn extra_of(
    rest: &impl Serialize,
    text: Option<&dyn ObjectText>,
    fields: &'static [&'static str],
) -> Extra {
    if is_empty_object(rest) {
        return Extra::default();
    }
    match text {
        Some(text) => text.extra(fields),
        None => Extra::from_rest(rest, Map::new()),
    }
}

/// The invitation with this id and address, for a conversion that sets its other fields.
///
/// ```
/// use org_invitations::kit::invitation_of;
///
/// let mut ann = invitation_of(Some("i-1".into()), Some("ann@example.com".into()))?;
/// ann.role = Some("admin".to_owned());
/// assert!(invitation_of(None, Some("ann@example.com".into())).is_err());
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// One of them is missing, or the id cannot be one.
pub fn invitation_of(id: Option<String>, email: Option<String>) -> Result<Invitation, String> {
    let id = id.ok_or("the invitation has no `id`")?;
    let id = InvitationId::new(id).map_err(|error| error.to_string())?;
    let email = email.ok_or("the invitation has no `email`")?;
    Ok(Invitation::new(id, email))
}

/// The time in the property `name` of an invitation, for a conversion.
///
/// ```
/// use org_invitations::kit::{Timestamp, time_of};
///
/// let time = time_of(Some(Timestamp::from("2026-03-01T10:00:00Z")), "expires_at")?;
/// assert!(time.is_some());
/// assert!(time_of(Some(Timestamp::from("tomorrow")), "expires_at").is_err());
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// The server sent something else.
pub fn time_of(wire: Option<Timestamp>, name: &str) -> Result<Option<DateTime<Utc>>, String> {
    let Some(wire) = wire else { return Ok(None) };
    match wire.utc() {
        Some(time) => Ok(Some(time)),
        None => Err(format!("`{name}` of the invitation is not a time: {wire}")),
    }
}

/// A time as the vendors write it.
pub(crate) fn wire_time(time: Option<DateTime<Utc>>) -> Option<Value> {
    time.map(|time| Value::from(Timestamp::from(time).to_string()))
}

/// The properties that have a value, for an object.
pub(crate) fn present<'n>(
    properties: impl IntoIterator<Item = (&'n str, Option<Value>)>,
) -> impl Iterator<Item = (String, Value)> {
    let properties = properties.into_iter();
    properties.filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

/// Whether decoding failed because of a duplicate property.
pub(crate) fn is_ambiguous(why: &str) -> bool {
    why.starts_with("duplicate field")
}

/// A body as text. Checking first costs a tenth of the conversion, which most bodies do not need.
fn lossy_text(body: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(body),
    }
}

/// Decodes JSON. One UTF-8 check of the whole costs less than one for each string.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        // Fails with the position, or succeeds if the value ignores the invalid bytes.
        Err(_) => serde_json::from_slice(body),
    }
}

/// Splits an object that the bindings could not decode into its `fields`, decoded alone, and all other properties.
///
/// # Errors
///
/// The value is not an object, or a field cannot be decoded.
pub(crate) fn split<W: DeserializeOwned>(
    value: &Value,
    fields: &[&str],
) -> Result<(W, Map<String, Value>), String> {
    let Value::Object(object) = value else {
        return Err("the invitation is not an object".to_owned());
    };
    let (selected, rest): (Map<_, _>, Map<_, _>) = object
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .partition(|(name, _)| fields.contains(&name.as_str()));
    let selected =
        serde_json::from_value(Value::Object(selected)).map_err(|error| error.to_string())?;
    Ok((selected, rest))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_malformed_property_with_a_field_is_an_error() {
        #[derive(Debug, Deserialize)]
        struct Wire {
            id: String,
        }
        let value = json!({ "id": "i-1", "metadata": [1], "kind": 7 });
        let (wire, rest) = split::<Wire>(&value, &["id"]).unwrap();
        assert_eq!(wire.id, "i-1");
        assert_eq!(Value::Object(rest), json!({ "metadata": [1], "kind": 7 }));
        for value in [json!({ "id": 7 }), json!([]), json!(null), json!("text")] {
            split::<Wire>(&value, &["id"]).unwrap_err();
        }
    }
}
