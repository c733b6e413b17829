//! From the body of a success to values of generated types.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    client::{Call, Reply},
    error::{Error, ErrorKind, Result, excerpt},
    invitation::Invitation,
};

/// Decodes a whole body. What serde says of it may quote it, so only the beginning of that is kept.
pub(crate) fn decode<T: DeserializeOwned>(call: &Call<'_>, reply: &Reply) -> Result<T> {
    parse(&reply.body).map_err(|error| unreadable(call, reply, &error.to_string()))
}

/// Decodes JSON. Making sure once that all of it is text costs less than for every string in it.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        // For the error, which says where; or for a value that leaves the place out.
        Err(_) => serde_json::from_slice(body),
    }
}

/// The error for a success whose body is not what the provider documents.
pub(crate) fn unreadable(call: &Call<'_>, reply: &Reply, why: &str) -> Error {
    call.error_from(reply, ErrorKind::Decode, excerpt(&redacted(call, why)))
        .with_body_excerpt(&call.redacted(&reply.body))
}

/// The items of a list, each converted as soon as it is read, so that never are all of them there in two
/// forms.
pub(crate) struct Items<W> {
    items: Vec<Result<Invitation, String>>,
    wire: PhantomData<W>,
}

impl<W> Items<W> {
    /// The items, with what is odd about one as its error.
    pub fn into_results(self, call: &Call<'_>, reply: &Reply) -> Vec<Result<Invitation>> {
        let items = self.items.into_iter().enumerate();
        items
            .map(|(index, item)| item.map_err(|why| odd_item(call, reply, index, &why)))
            .collect()
    }
}

impl<'de, W> Deserialize<'de> for Items<W>
where
    W: Deserialize<'de> + TryInto<Invitation, Error = String>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self {
            items: Vec::new(),
            wire: PhantomData,
        })
    }
}

impl<'de, W> Visitor<'de> for Items<W>
where
    W: Deserialize<'de> + TryInto<Invitation, Error = String>,
{
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(item) = list.next_element::<W>()? {
            self.items.push(item.try_into());
        }
        Ok(self)
    }
}

/// The items of the list in one property of the body, and the other properties, all as they came.
///
/// `error` says why the body could not be read whole.
pub(crate) fn list_in<'a>(
    call: &Call<'_>,
    reply: &'a Reply,
    property: &str,
    error: &serde_json::Error,
) -> Result<(Vec<&'a RawValue>, BTreeMap<String, &'a RawValue>)> {
    let object: serde_json::Result<BTreeMap<_, &RawValue>> = parse(&reply.body);
    let mut object = object.map_err(|_| unreadable(call, reply, &error.to_string()))?;
    let list = object.remove(property);
    let list = list.and_then(|list| serde_json::from_str(list.get()).ok());
    let why = || unreadable(call, reply, &format!("its `{property}` is not a list"));
    Ok((list.ok_or_else(why)?, object))
}

/// Decodes and converts the items of a list one by one, so that one odd item hides none of the others.
pub(crate) fn items_of<W>(
    call: &Call<'_>,
    reply: &Reply,
    items: Vec<&RawValue>,
) -> Vec<Result<Invitation>>
where
    W: DeserializeOwned + TryInto<Invitation, Error = String>,
{
    let decode = |(index, item): (usize, &RawValue)| {
        let item: W = serde_json::from_str(item.get()).map_err(|error| {
            odd_item(call, reply, index, &error.to_string())
                .with_body_excerpt(&call.redacted(item.get().as_bytes()))
        })?;
        item.try_into()
            .map_err(|why| odd_item(call, reply, index, &why))
    };
    items.into_iter().enumerate().map(decode).collect()
}

/// The error for one item of a list.
fn odd_item(call: &Call<'_>, reply: &Reply, index: usize, why: &str) -> Error {
    call.error_from(
        reply,
        ErrorKind::Decode,
        format!(
            "item {index} of the page: {}",
            excerpt(&redacted(call, why))
        ),
    )
}

fn redacted(call: &Call<'_>, why: &str) -> String {
    call.connection.authorization.redact(why)
}
