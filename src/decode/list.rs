//! Decodes lists item by item, so that an item that cannot be decoded is one error and hides no other item.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::HashMap,
    fmt,
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

use reqwest::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    address::same_email,
    decode::{
        ObjectText, Text, lossy_text, parse,
        scan::{self, Layout, Span},
    },
    error::{Error, ErrorKind, Result, excerpt},
    extra::Extra,
    http::Reply,
    invitation::Invitation,
    list::ListItem,
    operation::OperationContext,
};

/// The largest number of item errors of one body; one more error counts the rest.
const MAX_ITEM_ERRORS: usize = 100;

/// The number of failed items after which the rest of a body is not decoded.
const MAX_FAILED_ITEMS: usize = 10_000;

/// The largest body that its invitations keep and share until their `extra` is read.
const MAX_SHARED_BYTES: usize = 256 << 10;

/// The body of a list: an object with the list in a property, or a bare list.
pub(crate) struct ListBody<E, T = Invitation> {
    /// The items; one that cannot be decoded is an error.
    pub items: Vec<Result<T>>,
    /// The properties beside the list as a type of the bindings, or the decode error.
    pub envelope: Result<E, String>,
    /// The JSON object of the properties beside the list.
    rest: String,
}

impl<E: DeserializeOwned, T: ListItem> ListBody<E, T> {
    /// Decodes the list in `property`. `convert` converts an item that the bindings decoded, `decode` an object that they
    /// cannot decode.
    ///
    /// # Errors
    ///
    /// The body has no such list, or is not a whole list.
    pub fn read<W: DeserializeOwned>(
        context: &OperationContext<'_>,
        reply: &Reply,
        property: &'static str,
        convert: impl Fn(W, Option<&dyn ObjectText>) -> Result<T, String>,
        decode: fn(&Value) -> Result<T, String>,
    ) -> Result<Self> {
        if reply.status != StatusCode::OK {
            // 206 is a part of a list.
            return Err(context.decode_error(
                reply,
                "the status of the response is not that of a complete list",
            ));
        }
        let mut decoded = DecodedItems::new(context, reply);
        let texts = ItemTexts::new(reply, property);
        let text = str::from_utf8(&reply.body).ok();
        let streamed = text.and_then(|text| {
            let visitor = ListVisitor {
                property,
                each: |item: W, index| {
                    let text = ItemText {
                        texts: &texts,
                        index,
                    };
                    decoded.push(index, convert(item, Some(&text)), None)
                },
                item: PhantomData,
            };
            let mut json = serde_json::Deserializer::from_str(text);
            let rest = json.deserialize_map(visitor).ok()?;
            json.end().ok()?;
            Some(rest)
        });
        let rest = match streamed {
            Some(rest) => rest,
            // One item failed: decode each item alone.
            None => {
                decoded = DecodedItems::new(context, reply);
                let layout = scan::layout(&reply.body, property);
                let layout = layout.map_err(|why| context.decode_error(reply, &why))?;
                for (index, span) in layout.items.iter().enumerate() {
                    let item = &reply.body[span.range()];
                    let read = decode_item(item, |wire| convert(wire, Some(&Text(item))), decode);
                    if !decoded.push(index, read, Some(item)) {
                        break;
                    }
                }
                rest_of(&reply.body, &layout)
            }
        };
        Ok(Self {
            items: decoded.finish(),
            envelope: parse(rest.as_bytes()).map_err(|error| error.to_string()),
            rest,
        })
    }

    /// The properties beside the list, as values.
    pub fn rest(&self) -> Map<String, Value> {
        serde_json::from_str(&self.rest).unwrap_or_default()
    }

    /// The properties beside the list, except `fields`.
    pub fn extra(&self, fields: &[&str]) -> Extra {
        let mut rest = self.rest();
        rest.retain(|name, _| !fields.contains(&name.as_str()));
        rest.into()
    }
}

/// Decodes the text of one item.
fn decode_item<W: DeserializeOwned, T>(
    item: &[u8],
    convert: impl Fn(W) -> Result<T, String>,
    decode: fn(&Value) -> Result<T, String>,
) -> Result<T, String> {
    match serde_json::from_slice(item) {
        Ok(wire) => convert(wire),
        Err(error) => match serde_json::from_slice(item) {
            Ok(value) if !super::is_ambiguous(&error.to_string()) => decode(&value),
            _ => Err(error.to_string()),
        },
    }
}

/// The JSON object of the properties beside a list.
fn rest_of(body: &[u8], layout: &Layout) -> String {
    let text = |span: &Span| lossy_text(&body[span.range()]);
    let property = |(name, value): &(Span, Span)| format!("{}:{}", text(name), text(value));
    let properties: Vec<_> = layout.rest.iter().map(property).collect();
    format!("{{{}}}", properties.join(","))
}

/// The items decoded so far, with a bound on the errors among them.
struct DecodedItems<'a, T> {
    context: &'a OperationContext<'a>,
    reply: &'a Reply,
    items: Vec<Result<T>>,
    errors: usize,
}

impl<'a, T: ListItem> DecodedItems<'a, T> {
    fn new(context: &'a OperationContext<'_>, reply: &'a Reply) -> Self {
        Self {
            context,
            reply,
            items: Vec::new(),
            errors: 0,
        }
    }

    /// Adds an item. Returns false once too many items failed to decode the rest.
    fn push(&mut self, index: usize, item: Result<T, String>, text: Option<&[u8]>) -> bool {
        match item {
            Ok(item) => self.items.push(Ok(item)),
            Err(why) => {
                self.errors += 1;
                if self.errors <= MAX_ITEM_ERRORS {
                    let message = format!("item {index} of the page: {}", self.sanitize(&why));
                    let error = self.error(message);
                    let error = match text {
                        Some(text) => error.with_body_excerpt(&self.context.redact_body(text)),
                        None => error,
                    };
                    self.items.push(Err(error));
                }
            }
        }
        self.errors < MAX_FAILED_ITEMS
    }

    fn finish(mut self) -> Vec<Result<T>> {
        for (index, id) in shared_ids(&self.items) {
            let message = format!("the id {} belongs to two addresses", self.sanitize(&id));
            self.items[index] = Err(self.error(message));
        }
        if let Some(more @ 1..) = self.errors.checked_sub(MAX_ITEM_ERRORS) {
            let message = if self.errors < MAX_FAILED_ITEMS {
                format!("{more} further items of the page cannot be read")
            } else {
                format!(
                    "{MAX_FAILED_ITEMS} items of the page cannot be read; the items after them were not decoded"
                )
            };
            self.items.push(Err(self.error(message)));
        }
        self.items
    }

    fn sanitize(&self, why: &str) -> String {
        excerpt(&self.context.redact(why))
    }

    fn error(&self, message: String) -> Error {
        let (context, kind) = (self.context, ErrorKind::Decode);
        context.error_from_reply(self.reply, kind, message)
    }
}

/// The indices and ids of items whose id an item of another address has too. Acting on such an id may
/// affect the other person.
fn shared_ids<T: ListItem>(items: &[Result<T>]) -> Vec<(usize, String)> {
    let mut first_seen = HashMap::new();
    let mut shared = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Ok(item) = item else { continue };
        let (id, Some(own)) = (item.id(), item.email()) else {
            continue;
        };
        let (first_index, email) = *first_seen.entry(id).or_insert((index, own));
        if first_index != index && !same_email(email, own) {
            shared.push((first_index, id.to_owned()));
            shared.push((index, id.to_owned()));
        }
    }
    shared
}

/// Decodes a list in an object in one pass, until `each` returns false. Returns the JSON of the properties beside it.
struct ListVisitor<W, F> {
    property: &'static str,
    each: F,
    item: PhantomData<W>,
}

impl<'de, W: DeserializeOwned, F: FnMut(W, usize) -> bool> Visitor<'de> for ListVisitor<W, F> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the list `{}`", self.property)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<String, A::Error> {
        /// Borrowed if the text has no escapes.
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut found = false;
        let mut rest = "{".to_owned();
        while let Some(Name(name)) = map.next_key()? {
            if name != self.property {
                let value: &RawValue = map.next_value()?;
                let comma = if rest.len() > 1 { "," } else { "" };
                rest.push_str(&format!("{comma}{}:{value}", Value::from(&*name)));
                continue;
            }
            if found {
                return Err(A::Error::custom("duplicate list"));
            }
            found = true;
            map.next_value_seed(ItemsSeed {
                each: &mut self.each,
                item: PhantomData,
            })?;
        }
        if !found {
            return Err(A::Error::custom("no list"));
        }
        rest.push('}');
        Ok(rest)
    }
}

struct ItemsSeed<'f, W, F> {
    each: &'f mut F,
    item: PhantomData<W>,
}

impl<'de, W: DeserializeOwned, F: FnMut(W, usize) -> bool> DeserializeSeed<'de>
    for ItemsSeed<'_, W, F>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, W: DeserializeOwned, F: FnMut(W, usize) -> bool> Visitor<'de> for ItemsSeed<'_, W, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(item) = items.next_element()? {
            if !(self.each)(item, index) {
                return Err(A::Error::custom("too many invalid items"));
            }
            index += 1;
        }
        Ok(())
    }
}

/// The texts of the items of a body, located when the first is needed.
struct ItemTexts<'a> {
    body: &'a [u8],
    property: &'static str,
    shared: OnceCell<Arc<ListText>>,
    layout: OnceCell<Layout>,
}

impl<'a> ItemTexts<'a> {
    fn new(reply: &'a Reply, property: &'static str) -> Self {
        Self {
            body: &reply.body,
            property,
            shared: OnceCell::new(),
            layout: OnceCell::new(),
        }
    }
}

/// The text of one item.
struct ItemText<'a> {
    texts: &'a ItemTexts<'a>,
    index: usize,
}

impl ObjectText for ItemText<'_> {
    fn extra(&self, fields: &'static [&'static str]) -> Extra {
        let texts = self.texts;
        if texts.body.len() <= MAX_SHARED_BYTES {
            let share = || Arc::new(ListText::new(texts.body, texts.property));
            let list = Arc::clone(texts.shared.get_or_init(share));
            return Extra::from_item(list, self.index, fields);
        }
        let find = || scan::layout(texts.body, texts.property).unwrap_or_default();
        let span = texts.layout.get_or_init(find).items.get(self.index);
        Text(span.map_or(&[], |span| &texts.body[span.range()])).extra(fields)
    }
}

/// The text of a list, shared by its items.
pub(crate) struct ListText {
    text: Box<str>,
    property: &'static str,
    layout: OnceLock<Layout>,
}

impl ListText {
    fn new(body: &[u8], property: &'static str) -> Self {
        Self {
            text: lossy_text(body).into(),
            property,
            layout: OnceLock::new(),
        }
    }

    /// The text of one item.
    pub fn item(&self, index: usize) -> &str {
        let body = self.text.as_bytes();
        let find = || scan::layout(body, self.property).unwrap_or_default();
        let span = self.layout.get_or_init(find).items.get(index);
        span.map_or("", |span| &self.text[span.range()])
    }
}
