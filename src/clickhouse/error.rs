//! The errors of ClickHouse.
//!
//! Documented: `{status, error, requestId}`. Observed: `error` is `CODE: detail`, sometimes
//! `CODE detail` or the code alone, and the other two may be missing.

use reqwest::{StatusCode, header::HeaderMap};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::{Error, ErrorKind, Operation},
    http::{Reply, headers},
    operation::{OperationContext, kind_of_status},
};

/// Converts a reply that is not a success into an error.
pub(super) fn failure(context: &OperationContext<'_>, reply: &Reply) -> Error {
    let body = reply.json();
    let Some(text) = body.and_then(|body| body.get("error")?.as_str()) else {
        return context.unexpected_response(reply);
    };
    let (code, detail) = split(text);
    if reply.status == StatusCode::NOT_FOUND && code.is_none() {
        // A framework's response to an unknown URL has the same form and is not about an invitation.
        return context.unexpected_response(reply);
    }
    let kind = kind(context, reply.status, detail);
    let message = if detail.is_empty() { text } else { detail };
    let error = context.error_from_reply(reply, kind, message);
    match code {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// The id of a request, from a header or from `requestId` in the body.
pub(super) fn request_id(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "requestId")]
        request_id: Option<Value>,
    }

    let header = headers::text(headers, "x-request-id").map(str::to_owned);
    header.or_else(|| {
        // serde would decode a bare list as the struct.
        let body = body.trim_ascii_start();
        let body = body.starts_with(b"{").then_some(body)?;
        let envelope: Envelope = serde_json::from_slice(body).ok()?;
        let id = envelope.request_id?;
        id.as_str().map(str::to_owned)
    })
}

/// Whether a 429 is ClickHouse's own: its body has an `error`.
pub(super) fn is_own_refusal(_: &HeaderMap, body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    body.is_some_and(|body| body.get("error").is_some_and(Value::is_string))
}

fn kind(context: &OperationContext<'_>, status: StatusCode, detail: &str) -> ErrorKind {
    match (status.as_u16(), context.operation) {
        // Observed on sibling resources for a well-formed id that does not exist.
        (400, Operation::Get | Operation::Delete) if is_about_the_id(context, detail) => {
            ErrorKind::NotFound
        }
        (409, Operation::Create) if detail.to_ascii_lowercase().contains("already") => {
            ErrorKind::AlreadyExists
        }
        _ => kind_of_status(status, context.operation).unwrap_or(ErrorKind::Unexpected),
    }
}

/// `Invalid … id string:"…"`, about the invitation's id and not the organisation's.
fn is_about_the_id(context: &OperationContext<'_>, detail: &str) -> bool {
    let quoted = context.target.map(|id| format!("\"{id}\""));
    detail.starts_with("Invalid")
        && detail.contains("id string")
        && quoted.is_some_and(|quoted| detail.contains(&quoted))
}

/// Splits `CODE: detail`, `CODE detail` or `CODE`; text without a code is all detail.
fn split(text: &str) -> (Option<&str>, &str) {
    let end = text.find(|character: char| character == ':' || character.is_whitespace());
    let (head, tail) = text.split_at(end.unwrap_or(text.len()));
    let is_code = head.len() > 1
        && head.chars().all(|character| {
            character.is_ascii_uppercase() || matches!(character, '_' | '0'..='9')
        });
    if is_code {
        (Some(head), tail.trim_start_matches(':').trim())
    } else {
        (None, text)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_error_splits_into_code_and_detail() {
        for (text, code, detail) in [
            (
                "BAD_REQUEST: no such role",
                Some("BAD_REQUEST"),
                "no such role",
            ),
            (
                "CONFLICT already invited",
                Some("CONFLICT"),
                "already invited",
            ),
            ("TOO_MANY_REQUESTS", Some("TOO_MANY_REQUESTS"), ""),
            ("Unauthorized", None, "Unauthorized"),
            ("A user: unknown", None, "A user: unknown"),
            ("", None, ""),
        ] {
            assert_eq!(split(text), (code, detail), "{text:?}");
        }
    }
}
