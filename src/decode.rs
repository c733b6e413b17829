//! Decodes what the bindings could not: a list with an odd item, one by one.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    error::{Error, ErrorKind, Result, excerpt},
    http::Reply,
    invitation::Invitation,
    operation::OperationContext,
};

/// Decodes JSON. Checking once that all of it is UTF-8 costs less than for every string in it.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        // For the error, which says where; or for a value that leaves the place out.
        Err(_) => serde_json::from_slice(body),
    }
}

/// Converts the items that the bindings decoded; one that cannot be converted is an error of its own.
pub(crate) fn convert_items<W>(
    context: &OperationContext<'_>,
    reply: &Reply,
    items: Vec<W>,
) -> Vec<Result<Invitation>>
where
    W: TryInto<Invitation, Error = String>,
{
    let convert = |(index, item): (usize, W)| {
        let item = item.try_into();
        item.map_err(|why| item_error(context, reply, index, &why))
    };
    items.into_iter().enumerate().map(convert).collect()
}

/// Decodes and converts the items of a list one by one, so that one odd item hides none of the others.
pub(crate) fn decode_items<W>(
    context: &OperationContext<'_>,
    reply: &Reply,
    values: &[Value],
) -> Vec<Result<Invitation>>
where
    W: DeserializeOwned + TryInto<Invitation, Error = String>,
{
    let decode = |(index, value): (usize, &Value)| {
        let item = W::deserialize(value).map_err(|error| {
            item_error(context, reply, index, &error.to_string())
                .with_body_excerpt(&context.redact_body(value.to_string().as_bytes()))
        })?;
        item.try_into()
            .map_err(|why| item_error(context, reply, index, &why))
    };
    values.iter().enumerate().map(decode).collect()
}

/// The error for one item of a list.
fn item_error(context: &OperationContext<'_>, reply: &Reply, index: usize, why: &str) -> Error {
    let why = excerpt(&context.redact(why));
    context.error_from_reply(
        reply,
        ErrorKind::Decode,
        format!("item {index} of the page: {why}"),
    )
}
