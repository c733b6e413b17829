//! Injecting a fault into a request and its answer.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, Version, header, response};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::connection::{AfterWrite, ConnectionHandle};
use super::exchange::{Exchange, read};
use super::throttled_body::ThrottledBody;
use crate::confluent;
use crate::faults::{DuplicateAnswer, ErrorBody, Fault, When};
use crate::html::gateway_page;
use crate::limits::{self, Allowance};
use crate::request::FilterMode;

/// Refuses connections for a while, and resets that of the request.
pub(super) async fn refuse_connections(
    exchange: &Exchange,
    connection: &ConnectionHandle,
    for_ms: u64,
) -> Infallible {
    if for_ms > 0 {
        let outage = &exchange.app().outage;
        outage.begin_and_wait(Duration::from_millis(for_ms)).await;
    }
    connection.reset().await
}

/// Answers a request with a fault, unless the fault is that there is no answer.
pub(super) async fn inject(
    fault: Fault,
    exchange: &Exchange,
    connection: &ConnectionHandle,
) -> Response {
    let request_id = &exchange.request.request_id;
    let response = match fault {
        Fault::Refuse { for_ms } => match refuse_connections(exchange, connection, for_ms).await {},
        Fault::Reset { when } => {
            handle_if_after(when, exchange).await;
            match connection.reset().await {}
        }
        Fault::Hang { when } => {
            handle_if_after(when, exchange).await;
            pending().await
        }
        Fault::SlowBody { bytes, every_ms } => {
            let (head, body) = exchange.finish_parts(exchange.handle().await).await;
            let interval = Duration::from_millis(every_ms);
            let body = Body::new(ThrottledBody::new(body, bytes, interval));
            return Response::from_parts(head, body);
        }
        Fault::TruncatedBody { keep } => truncate_body(keep, exchange, connection).await,
        Fault::WrongLength { by } => misstate_length(by, exchange, connection).await,
        Fault::RateLimited {
            headers,
            body,
            wait_ms,
        } => rate_limited(exchange, headers, body, wait_ms),
        Fault::Status {
            status,
            when,
            body,
            headers,
        } => {
            handle_if_after(when, exchange).await;
            let mut response = error_response(exchange, status_code(status), body);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(name), HeaderValue::try_from(value))
                {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Fault::Locked { when } => {
            handle_if_after(when, exchange).await;
            exchange.route.locked(request_id)
        }
        Fault::HtmlBody { when } => {
            handle_if_after(when, exchange).await;
            gateway_page(StatusCode::OK)
        }
        Fault::WrongContentType { content_type } => {
            let mut response = exchange.handle().await;
            if let Some(right) = response.headers_mut().get_mut(header::CONTENT_TYPE)
                && let Ok(wrong) = HeaderValue::try_from(content_type)
            {
                *right = wrong;
            }
            response
        }
        Fault::ExpiredToken => exchange.route.expired_credentials(request_id),
        Fault::NextRepeats
        | Fault::NextElsewhere { .. }
        | Fault::NextEmpty
        | Fault::NextNull
        | Fault::NextAbsent
        | Fault::EmptyPage => rewrite_page(&fault, exchange).await,
        Fault::FiltersIgnored => {
            exchange
                .with_filter_mode(FilterMode::Ignored)
                .handle()
                .await
        }
        Fault::FiltersAsPrefixes => exchange.with_filter_mode(FilterMode::Prefix).handle().await,
        Fault::AnotherPerson { email } => replace_property(exchange, "email", email).await,
        Fault::AnotherId { id } => {
            let id = id.unwrap_or_else(|| exchange.route.random_invitation_id());
            replace_property(exchange, "id", id).await
        }
        Fault::LateCommit { delay_ms, status } => {
            let delayed = exchange.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                if delayed.is_current() {
                    delayed.handle().await;
                }
            });
            match status {
                Some(status) => gateway_page(status_code(status)),
                None => match connection.reset().await {},
            }
        }
        Fault::Duplicate { answer } => {
            let first = exchange.finish(exchange.handle().await).await;
            let replay = exchange.replay(&Fault::Duplicate { answer });
            let second = replay.finish(replay.handle().await).await;
            return match answer {
                DuplicateAnswer::First => first,
                DuplicateAnswer::Second => second,
            };
        }
    };
    exchange.finish(response).await
}

async fn handle_if_after(when: When, exchange: &Exchange) {
    if when == When::After {
        exchange.handle().await;
    }
}

async fn truncate_body(
    keep: Option<usize>,
    exchange: &Exchange,
    connection: &ConnectionHandle,
) -> Response {
    let (head, body) = exchange.finish_parts(exchange.handle().await).await;
    if exchange.version == Version::HTTP_2 {
        match connection.reset().await {}
    }
    let mut bytes = http1_head(&head, body.len());
    if body.is_empty() {
        bytes.truncate(bytes.len() / 2);
    } else {
        let keep = keep.unwrap_or(body.len() / 2).min(body.len());
        bytes.extend_from_slice(&body.slice(..keep));
    }
    match connection.send(bytes, AfterWrite::Close).await {}
}

async fn misstate_length(by: i64, exchange: &Exchange, connection: &ConnectionHandle) -> Response {
    let (head, body) = exchange.finish_parts(exchange.handle().await).await;
    if body.is_empty() {
        return Response::from_parts(head, Body::empty());
    }
    if exchange.version == Version::HTTP_2 {
        match connection.reset().await {}
    }
    let stated = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let stated = usize::try_from(stated.saturating_add(by)).unwrap_or(0);
    let mut bytes = http1_head(&head, stated);
    bytes.extend_from_slice(&body);
    match connection.send(bytes, AfterWrite::Wait).await {}
}

fn rate_limited(exchange: &Exchange, headers: bool, body: ErrorBody, wait_ms: u64) -> Response {
    let mut response = error_response(exchange, StatusCode::TOO_MANY_REQUESTS, body);
    limits::remove_headers(&mut response);
    if let Some(provider) = exchange.route.provider()
        && headers
    {
        let wait = Duration::from_millis(wait_ms);
        limits::set_headers(&mut response, provider, &Allowance::exhausted(wait));
    }
    response
}

fn error_response(exchange: &Exchange, status: StatusCode, body: ErrorBody) -> Response {
    let request_id = &exchange.request.request_id;
    match body {
        ErrorBody::Empty => status.into_response(),
        ErrorBody::Html => gateway_page(status),
        ErrorBody::Vendor if status == StatusCode::TOO_MANY_REQUESTS => {
            exchange.route.too_many_requests(request_id)
        }
        ErrorBody::Vendor | ErrorBody::Json => exchange.route.error_response(status, request_id),
    }
}

/// Rewrites a page of Confluent's list.
async fn rewrite_page(fault: &Fault, exchange: &Exchange) -> Response {
    rewrite_json(exchange.handle().await, |page| {
        let url = &exchange.app().credentials.url;
        confluent::rewrite_page(page, fault, url, &exchange.request.uri);
    })
    .await
}

/// Replaces a property of the invitation in the answer, if the answer has it.
async fn replace_property(exchange: &Exchange, property: &str, value: String) -> Response {
    rewrite_json(exchange.handle().await, |body| {
        let invitation = exchange.route.invitation_in(body);
        if let Some(found) = invitation.and_then(|it| it.get_mut(property)) {
            *found = value.into();
        }
    })
    .await
}

/// Rewrites the body of a success.
async fn rewrite_json(response: Response, rewrite: impl FnOnce(&mut Value)) -> Response {
    let (mut head, body) = read(response).await;
    if head.status.is_success()
        && let Ok(mut json) = serde_json::from_slice::<Value>(&body)
    {
        rewrite(&mut json);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::from(json.to_string()));
    }
    Response::from_parts(head, Body::from(body))
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The head of an HTTP/1.1 answer with this `Content-Length`.
fn http1_head(head: &response::Parts, content_length: usize) -> Vec<u8> {
    let reason = head.status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", head.status.as_str()).into_bytes();
    for (name, value) in &head.headers {
        if name != header::CONTENT_LENGTH {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(format!("content-length: {content_length}\r\n\r\n").as_bytes());
    bytes
}
