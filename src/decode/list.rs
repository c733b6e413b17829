//! Lists: item by item, so that an odd one hides none of the others and is never more than its text and an error.

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
        ObjectText, Text, parse,
        scan::{self, Layout, Span},
    },
    error::{Error, ErrorKind, Result, excerpt},
    extra::Extra,
    http::Reply,
    invitation::Invitation,
    list::ListItem,
    operation::OperationContext,
};

/// How many odd items of one body have an error each; the rest are counted in one more.
const MAX_ITEM_ERRORS: usize = 100;

/// After so many odd items, a body is not read any further.
const MAX_ODD_ITEMS: usize = 10_000;

/// A body up to this size is kept whole by the invitations of it whose `extra` nobody looked at.
const MAX_SHARED_BYTES: usize = 256 << 10;

/// The body of a list: an object with the list in one of its properties, or the list alone.
pub(crate) struct ListBody<E, T = Invitation> {
    /// The items; one that cannot be read is an error.
    pub items: Vec<Result<T>>,
    /// What is beside the list, as a type of the bindings; or why it is not of that type.
    pub envelope: Result<E, String>,
    /// The JSON of what is beside the list.
    rest: String,
}

impl<E: DeserializeOwned, T: ListItem> ListBody<E, T> {
    /// Reads the list in `property`. `convert` makes an item of what the bindings read, `decode` of an object
    /// that they cannot read.
    ///
    /// # Errors
    ///
    /// There is no such list.
    pub fn read<W: DeserializeOwned>(
        context: &OperationContext<'_>,
        reply: &Reply,
        property: &'static str,
        convert: impl Fn(W, Option<&dyn ObjectText>) -> Result<T, String>,
        decode: fn(&Value) -> Result<T, String>,
    ) -> Result<Self> {
        if reply.status != StatusCode::OK {
            // A part of a list (206), or something else altogether.
            return Err(context.decode_error(reply, "its status is not that of a whole list"));
        }
        let mut collected = Collected::new(context, reply);
        let texts = Texts::new(reply, property);
        let text = str::from_utf8(&reply.body).ok();
        let streamed = text.and_then(|text| {
            let visitor = ListVisitor {
                property,
                each: |item: W, index| {
                    let text = ItemText {
                        texts: &texts,
                        index,
                    };
                    collected.push(index, convert(item, Some(&text)), None)
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
            // One odd item spoils the whole: look at each alone.
            None => {
                collected = Collected::new(context, reply);
                let layout = scan::layout(&reply.body, property);
                let layout = layout.map_err(|why| context.decode_error(reply, &why))?;
                for (index, span) in layout.items.iter().enumerate() {
                    let item = &reply.body[span.range()];
                    let read = read_alone(item, |wire| convert(wire, Some(&Text(item))), decode);
                    if !collected.push(index, read, Some(item)) {
                        break;
                    }
                }
                rest_of(&reply.body, &layout)
            }
        };
        Ok(Self {
            items: collected.finish(),
            envelope: parse(rest.as_bytes()).map_err(|error| error.to_string()),
            rest,
        })
    }

    /// What is beside the list, as values.
    pub fn rest(&self) -> Map<String, Value> {
        serde_json::from_str(&self.rest).unwrap_or_default()
    }

    /// What is beside the list but for the properties `fields`.
    pub fn extra(&self, fields: &[&str]) -> Extra {
        let mut rest = self.rest();
        rest.retain(|name, _| !fields.contains(&name.as_str()));
        rest.into()
    }
}

/// Reads one item that stands alone.
fn read_alone<W: DeserializeOwned, T>(
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

/// The object of the properties beside a list.
fn rest_of(body: &[u8], layout: &Layout) -> String {
    let text = |span: &Span| String::from_utf8_lossy(&body[span.range()]);
    let property = |(name, value): &(Span, Span)| format!("{}:{}", text(name), text(value));
    let properties: Vec<_> = layout.rest.iter().map(property).collect();
    format!("{{{}}}", properties.join(","))
}

/// The items so far, with a bound to the errors among them.
struct Collected<'a, T> {
    context: &'a OperationContext<'a>,
    reply: &'a Reply,
    items: Vec<Result<T>>,
    errors: usize,
}

impl<'a, T: ListItem> Collected<'a, T> {
    fn new(context: &'a OperationContext<'_>, reply: &'a Reply) -> Self {
        Self {
            context,
            reply,
            items: Vec::new(),
            errors: 0,
        }
    }

    /// Adds an item; false once there are so many odd ones that the rest is not to be read.
    fn push(&mut self, index: usize, item: Result<T, String>, text: Option<&[u8]>) -> bool {
        match item {
            Ok(item) => self.items.push(Ok(item)),
            Err(why) => {
                self.errors += 1;
                if self.errors <= MAX_ITEM_ERRORS {
                    let message = format!("item {index} of the page: {}", self.cut(&why));
                    let error = self.error(message);
                    let error = match text {
                        Some(text) => error.with_body_excerpt(&self.context.redact_body(text)),
                        None => error,
                    };
                    self.items.push(Err(error));
                }
            }
        }
        self.errors < MAX_ODD_ITEMS
    }

    fn finish(mut self) -> Vec<Result<T>> {
        for (index, id) in ids_of_two_people(&self.items) {
            let message = format!("the id {} is given to two addresses", self.cut(&id));
            self.items[index] = Err(self.error(message));
        }
        if let Some(more @ 1..) = self.errors.checked_sub(MAX_ITEM_ERRORS) {
            let message = if self.errors < MAX_ODD_ITEMS {
                format!("{more} further items of the page cannot be read")
            } else {
                format!(
                    "{MAX_ODD_ITEMS} items of the page cannot be read, and what comes after them was not"
                )
            };
            self.items.push(Err(self.error(message)));
        }
        self.items
    }

    fn cut(&self, why: &str) -> String {
        excerpt(&self.context.redact(why))
    }

    fn error(&self, message: String) -> Error {
        let (context, kind) = (self.context, ErrorKind::Decode);
        context.error_from_reply(self.reply, kind, message)
    }
}

/// The items whose id another item with another address has too. Acting on such an id may hit the other.
fn ids_of_two_people<T: ListItem>(items: &[Result<T>]) -> Vec<(usize, String)> {
    let mut first = HashMap::new();
    let mut shared = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Ok(item) = item else { continue };
        let (id, Some(own)) = (item.id(), item.email()) else {
            continue;
        };
        let (place, email) = *first.entry(id).or_insert((index, own));
        if place != index && !same_email(email, own) {
            shared.push((place, id.to_owned()));
            shared.push((index, id.to_owned()));
        }
    }
    shared
}

/// Reads a list in an object in one pass, until `each` returns false; the result is the JSON of what is beside the list.
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
        /// Borrowed where the text has it without escapes.
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
                return Err(A::Error::custom("the list is there twice"));
            }
            found = true;
            map.next_value_seed(Items {
                each: &mut self.each,
                item: PhantomData,
            })?;
        }
        if !found {
            return Err(A::Error::custom("there is no list"));
        }
        rest.push('}');
        Ok(rest)
    }
}

struct Items<'f, W, F> {
    each: &'f mut F,
    item: PhantomData<W>,
}

impl<'de, W: DeserializeOwned, F: FnMut(W, usize) -> bool> DeserializeSeed<'de>
    for Items<'_, W, F>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, W: DeserializeOwned, F: FnMut(W, usize) -> bool> Visitor<'de> for Items<'_, W, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(item) = items.next_element()? {
            if !(self.each)(item, index) {
                return Err(A::Error::custom("too many items are odd"));
            }
            index += 1;
        }
        Ok(())
    }
}

/// The texts of the items of a body, looked for when the first is needed.
struct Texts<'a> {
    body: &'a [u8],
    property: &'static str,
    shared: OnceCell<Arc<ListText>>,
    layout: OnceCell<Layout>,
}

impl<'a> Texts<'a> {
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
    texts: &'a Texts<'a>,
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

/// The text of a list, kept by its items.
pub(crate) struct ListText {
    text: Box<str>,
    property: &'static str,
    layout: OnceLock<Layout>,
}

impl ListText {
    fn new(body: &[u8], property: &'static str) -> Self {
        Self {
            text: String::from_utf8_lossy(body).into(),
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
