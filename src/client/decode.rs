//! From the body of a success to values of generated types.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    client::{Call, Reply},
    error::{Error, ErrorKind, Result, excerpt},
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

/// Decodes the items of a list one by one, so that one odd item hides none of the others.
pub(crate) fn items_of<T: DeserializeOwned>(
    call: &Call<'_>,
    reply: &Reply,
    values: Vec<Value>,
) -> Vec<Result<T>> {
    let decode = |(index, value): (usize, Value)| {
        T::deserialize(&value).map_err(|error| {
            odd_item(call, reply, index, &error.to_string())
                .with_body_excerpt(&call.redacted(value.to_string().as_bytes()))
        })
    };
    values.into_iter().enumerate().map(decode).collect()
}

/// The error for one item of a list.
pub(crate) fn odd_item(call: &Call<'_>, reply: &Reply, index: usize, why: &str) -> Error {
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
