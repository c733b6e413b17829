//! The errors of Confluent.
//!
//! Documented: `{"errors": [{id, status, code, title, detail, source}]}`, every field optional, and a 429 without a
//! body. Observed besides: `{message}`, `{error: {message}}`, HTML, nothing at all.

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::{
    confluent::convert::id_in_link,
    error::{Error, ErrorDetail, ErrorKind, Operation},
    http::{Reply, headers},
    operation::{OperationContext, kind_of_status},
};

/// The id of a request, from a header.
pub(super) fn request_id(headers: &HeaderMap, _: &[u8]) -> Option<String> {
    headers::text(headers, "x-request-id").map(str::to_owned)
}

/// Whether a 429 is Confluent's own: a list of errors, or an empty body, as documented, with `Retry-After` or rate limit
/// headers.
pub(super) fn is_own_refusal(headers: &HeaderMap, body: &[u8]) -> bool {
    if !body.is_empty() {
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        return !details(&body).is_empty();
    }
    headers.contains_key("retry-after") || headers::rate_limit(headers).is_some()
}

/// Converts a reply that is not a success into an error.
pub(super) fn failure(context: &OperationContext<'_>, reply: &Reply) -> Error {
    let body = reply.json();
    let details = body.map(details).unwrap_or_default();
    if details.is_empty() {
        let message = body.and_then(gateway_message);
        return match (message, reply.status) {
            (_, StatusCode::TOO_MANY_REQUESTS) if reply.body.is_empty() => {
                if !is_own_refusal(&reply.headers, &reply.body) {
                    context.mark_ambiguous();
                }
                context.error_from_reply(reply, ErrorKind::RateLimited, "too many requests")
            }
            (Some(message), status) => {
                context.mark_ambiguous();
                // A gateway's 404 is about the URL, not about an invitation.
                let kind = kind_of_status(status, context.operation)
                    .filter(|kind| *kind != ErrorKind::NotFound);
                context.error_from_reply(reply, kind.unwrap_or(ErrorKind::Unexpected), message)
            }
            _ => context.unexpected_response(reply),
        };
    }
    let kind = kind(context.operation, reply.status, &details);
    let mut error = context.error_from_reply(reply, kind, message(&details));
    if let Some(code) = details.iter().find_map(|detail| detail.code.clone()) {
        error = error.with_code(code);
    }
    if reply.status == StatusCode::CONFLICT
        && let Some(id) = reply.header("location").and_then(id_in_link)
    {
        error = error.with_conflicting_id(id);
    }
    error.with_details(details)
}

fn kind(operation: Operation, status: StatusCode, details: &[ErrorDetail]) -> ErrorKind {
    let says = |words: &str| {
        let mut texts = details.iter().flat_map(|detail| {
            [&detail.code, &detail.title, &detail.detail]
                .into_iter()
                .flatten()
        });
        texts.any(|text| text.to_ascii_lowercase().contains(words))
    };
    match (status.as_u16(), operation) {
        // Observed: an exhausted quota and the deletion of an accepted invitation may be a 400.
        (400, Operation::Delete) if says("already accepted") => ErrorKind::AlreadyAccepted,
        (400, Operation::Create) if says("quota") => ErrorKind::QuotaExceeded,
        // "This user already exists within the Organization", "resource_already_exists".
        (409, Operation::Create) if says("already") || says("exists") => ErrorKind::AlreadyExists,
        _ => kind_of_status(status, operation).unwrap_or(ErrorKind::Unexpected),
    }
}

fn details(body: &Value) -> Vec<ErrorDetail> {
    let entries = body
        .get("errors")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let read = |entry: &Value| ErrorDetail {
        id: text(&entry["id"]),
        // Documented as a string; a number is accepted too.
        status: text(&entry["status"]).or_else(|| entry["status"].as_u64().map(|n| n.to_string())),
        code: text(&entry["code"]),
        title: text(&entry["title"]),
        detail: text(&entry["detail"]),
        pointer: text(&entry["source"]["pointer"]),
        parameter: text(&entry["source"]["parameter"]),
    };
    entries
        .iter()
        .filter(|entry| entry.is_object())
        .map(read)
        .collect()
}

/// The largest number of entries in a message, which counts the others.
const MAX_IN_MESSAGE: usize = 10;

/// The texts of the entries, each with the field that it is about.
fn message(details: &[ErrorDetail]) -> String {
    let words = |detail: &ErrorDetail| {
        let text = detail
            .detail
            .as_ref()
            .or(detail.title.as_ref())
            .or(detail.code.as_ref());
        let text = text.map_or("no reason given", String::as_str);
        match detail.pointer.as_ref().or(detail.parameter.as_ref()) {
            Some(pointer) => format!("{text} (at {pointer})"),
            None => text.to_owned(),
        }
    };
    let mut message = details
        .iter()
        .take(MAX_IN_MESSAGE)
        .map(words)
        .collect::<Vec<_>>()
        .join("; ");
    if details.len() > MAX_IN_MESSAGE {
        message += &format!("; and {} more", details.len() - MAX_IN_MESSAGE);
    }
    message
}

fn gateway_message(body: &Value) -> Option<&str> {
    body["message"]
        .as_str()
        .or_else(|| body["error"]["message"].as_str())
}
