//! From the body of a success to values of generated types.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{
    client::{Call, Reply},
    error::{Error, ErrorKind, Operation, Result, excerpt},
    invitation::Invitation,
};

/// Decodes a whole body. What serde says of it may quote it, so only the beginning of that is kept.
pub(crate) fn decode<T: DeserializeOwned>(call: &Call<'_>, reply: &Reply) -> Result<T> {
    parse(&reply.body).map_err(|error| unreadable(call, reply, &error.to_string()))
}

/// Decodes JSON. Making sure once that all of it is text costs less than for every string in it.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
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
    items: Vec<Result<Invitation>>,
    wire: PhantomData<W>,
}

impl<W> Items<W> {
    /// The items, with what is odd about one as its error.
    pub fn into_results(mut self, call: &Call<'_>, reply: &Reply) -> Vec<Result<Invitation>> {
        for (index, item) in self.items.iter_mut().enumerate() {
            if let Err(error) = item {
                *error = odd_item(call, reply, index, error.message());
            }
        }
        self.items
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
            let item = item.try_into();
            // What reply it was in is said later.
            let odd = |why| Error::new(ErrorKind::Decode, Operation::List, why);
            self.items.push(item.map_err(odd));
        }
        Ok(self)
    }
}

/// Decodes and converts the items of a list one by one, so that one odd item hides none of the others.
pub(crate) fn items_of<W>(
    call: &Call<'_>,
    reply: &Reply,
    values: &[Value],
) -> Vec<Result<Invitation>>
where
    W: DeserializeOwned + TryInto<Invitation, Error = String>,
{
    let decode = |(index, value): (usize, &Value)| {
        let item = W::deserialize(value).map_err(|error| {
            odd_item(call, reply, index, &error.to_string())
                .with_body_excerpt(&call.redacted(value.to_string().as_bytes()))
        })?;
        item.try_into()
            .map_err(|why| odd_item(call, reply, index, &why))
    };
    values.iter().enumerate().map(decode).collect()
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
