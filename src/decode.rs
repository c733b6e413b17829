//! Reads success bodies beside the bindings: the text of single items, and lists with an odd item.

use std::{borrow::Cow, cell::OnceCell, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    error::{Error, ErrorKind, Result, excerpt},
    extra::{Extra, is_empty_object},
    http::Reply,
    invitation::Invitation,
    operation::OperationContext,
};

/// The text of the items in a body: the elements of the list that is one of its properties. Scanned when it is first
/// needed.
///
/// The bindings read what a document describes. They do not keep whether a property was null or absent, nor how a
/// number was written; an [`Extra`] does, because it is made from this text.
pub(crate) struct RawList<'a> {
    body: &'a [u8],
    property: &'static str,
    scanned: OnceCell<Option<Scanned<'a>>>,
}

struct Scanned<'a> {
    items: Vec<&'a RawValue>,
    /// The text of every other property.
    rest: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> RawList<'a> {
    pub fn new(reply: &'a Reply, property: &'static str) -> Self {
        Self {
            body: &reply.body,
            property,
            scanned: OnceCell::new(),
        }
    }

    /// The text of one item.
    pub fn item(&self, index: usize) -> Option<&'a str> {
        Some(self.scanned()?.items.get(index)?.get())
    }

    /// The properties beside the list.
    pub fn rest(&self) -> Extra {
        let rest = self.scanned().map_or(&[][..], |scanned| &scanned.rest);
        if rest.is_empty() {
            return Extra::default();
        }
        let write =
            |(name, value): &(Cow<'_, str>, &RawValue)| format!("{}:{value}", Value::from(&**name));
        let properties: Vec<_> = rest.iter().map(write).collect();
        Extra::from_text(&format!("{{{}}}", properties.join(",")), &[])
    }

    fn scanned(&self) -> Option<&Scanned<'a>> {
        let scan = || scan(self.body, Some(self.property));
        self.scanned.get_or_init(scan).as_ref()
    }
}

/// The text of one property of a body.
pub(crate) fn raw_property<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let mut properties = scan(&reply.body, None)?.rest.into_iter();
    let (_, value) = properties.find(|(known, _)| known == name)?;
    Some(value.get())
}

fn scan<'a>(body: &'a [u8], list: Option<&'static str>) -> Option<Scanned<'a>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(ScanVisitor { list }).ok()
}

struct ScanVisitor {
    /// The property whose elements are told apart.
    list: Option<&'static str>,
}

impl<'de> Visitor<'de> for ScanVisitor {
    type Value = Scanned<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scanned<'de>, A::Error> {
        /// Borrowed where the text has it without escapes.
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut scanned = Scanned {
            items: Vec::new(),
            rest: Vec::new(),
        };
        while let Some(Name(name)) = map.next_key()? {
            if self.list.is_some_and(|list| name == list) {
                scanned.items = map.next_value()?;
            } else {
                scanned.rest.push((name, map.next_value()?));
            }
        }
        Ok(scanned)
    }
}

/// What an object has beyond the fields that were taken out of `rest`, from its text where that is known.
pub(crate) fn extra_of<'a>(
    rest: &impl Serialize,
    text: impl FnOnce() -> Option<&'a str>,
    fields: &'static [&'static str],
) -> Extra {
    if is_empty_object(rest) {
        return Extra::default();
    }
    match text() {
        Some(text) => Extra::from_text(text, fields),
        None => Extra::from_rest(rest, Map::new()),
    }
}

/// Decodes JSON. Checking once that all of it is UTF-8 costs less than for every string in it.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        // For the error, which says where; or for a value that leaves the place out.
        Err(_) => serde_json::from_slice(body),
    }
}

/// An object that the bindings could not read: its `fields`, read alone, and the rest, which may be anything.
///
/// # Errors
///
/// The value is no object, or one of the fields is odd.
pub(crate) fn split<W: DeserializeOwned>(
    value: &Value,
    fields: &[&str],
) -> Result<(W, Map<String, Value>), String> {
    let Value::Object(object) = value else {
        return Err("it is not an object".to_owned());
    };
    let (known, rest): (Map<_, _>, Map<_, _>) = object
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .partition(|(name, _)| fields.contains(&name.as_str()));
    let known = serde_json::from_value(Value::Object(known)).map_err(|error| error.to_string())?;
    Ok((known, rest))
}

/// Whether a body could not be read because it has a property twice.
pub(crate) fn is_ambiguous(why: &str) -> bool {
    why.starts_with("duplicate field")
}

/// The error for one item of a list.
pub(crate) fn item_error(
    context: &OperationContext<'_>,
    reply: &Reply,
    index: usize,
    why: &str,
) -> Error {
    let why = excerpt(&context.redact(why));
    let message = format!("item {index} of the page: {why}");
    context.error_from_reply(reply, ErrorKind::Decode, message)
}

/// Decodes the items of a list one by one, so that one odd item hides none of the others.
pub(crate) fn decode_items(
    context: &OperationContext<'_>,
    reply: &Reply,
    values: &[Value],
    decode: impl Fn(&Value) -> Result<Invitation, String>,
) -> Vec<Result<Invitation>> {
    let decode = |(index, value): (usize, &Value)| {
        decode(value).map_err(|why| {
            let excerpt = context.redact_body(value.to_string().as_bytes());
            item_error(context, reply, index, &why).with_body_excerpt(&excerpt)
        })
    };
    values.iter().enumerate().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};
    use serde_json::json;

    use super::*;

    fn reply(body: &'static str) -> Reply {
        Reply::new(StatusCode::OK, HeaderMap::new(), body.into())
    }

    #[test]
    fn items_are_found_as_they_were_written() {
        let reply =
            reply(r#" {"kind": "List", "d\u0061ta": [ {"a": 1.0} ,null], "m": {"n": null}} "#);
        let list = RawList::new(&reply, "data");
        let items = [0, 1, 2].map(|index| list.item(index));
        assert_eq!(items, [Some(r#"{"a": 1.0}"#), Some("null"), None]);
        let rest = serde_json::to_value(list.rest()).unwrap();
        assert_eq!(rest, json!({ "kind": "List", "m": { "n": null } }));
        assert_eq!(raw_property(&reply, "m"), Some(r#"{"n": null}"#));
        assert_eq!(raw_property(&reply, "o"), None);
    }

    #[test]
    fn what_is_no_list_has_no_items() {
        for body in ["", "[]", "{", r#"{"data": 7}"#, r#"{"other": []}"#, "\0"] {
            assert_eq!(RawList::new(&reply(body), "data").item(0), None, "{body}");
        }
        assert!(RawList::new(&reply("{}"), "data").rest().is_empty());
    }

    #[test]
    fn an_odd_property_without_a_field_is_kept_and_one_with_a_field_is_an_error() {
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
