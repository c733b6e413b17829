//! What a fault does to a request and its answer.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version, header, response};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::Value;

use super::throttled_body::{ThrottledBody, raw};
use super::{DuplicateAnswer, ErrorBody, Fault, FilterMode, When};
use crate::connection::{AfterWrite, ConnectionHandle};
use crate::exchange::Exchange;
use crate::limits::{self, Allowance};
use crate::state::Provider;
use crate::{clickhouse, confluent};

/// Refuses connections from here on for a while, and resets the one of the request.
pub(crate) async fn refuse(
    exchange: &Exchange,
    connection: &ConnectionHandle,
    for_ms: u64,
) -> Infallible {
    if for_ms > 0 {
        let outage = &exchange.shared().outage;
        outage.take_effect(Duration::from_millis(for_ms)).await;
    }
    connection.reset().await
}

/// Answers a request that a fault has hit, if the fault lets an answer out.
pub(crate) async fn inject(
    fault: Fault,
    exchange: &Exchange,
    connection: &ConnectionHandle,
) -> Response {
    let response = match fault {
        Fault::Refuse { for_ms } => match refuse(exchange, connection, for_ms).await {},
        Fault::Reset { when } => {
            handle_if_after(when, exchange);
            match connection.reset().await {}
        }
        Fault::Hang { when } => {
            handle_if_after(when, exchange);
            pending().await
        }
        Fault::SlowBody { bytes, every_ms } => {
            let (head, body) = read(exchange.handle()).await;
            let pause = Duration::from_millis(every_ms);
            Response::from_parts(head, Body::new(ThrottledBody::new(body, bytes, pause)))
        }
        Fault::TruncatedBody { keep } => truncate(keep, exchange, connection).await,
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
            handle_if_after(when, exchange);
            let mut response = refusal(exchange, status_code(status), body);
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
            handle_if_after(when, exchange);
            let request_id = &exchange.request.request_id;
            match exchange.route.provider() {
                Some(Provider::Confluent) => confluent::locked(request_id),
                Some(Provider::ClickHouse) => clickhouse::locked(request_id),
                None => page(StatusCode::CONFLICT),
            }
        }
        Fault::HtmlBody { when } => {
            handle_if_after(when, exchange);
            page(StatusCode::OK)
        }
        Fault::WrongContentType { content_type } => {
            let mut response = exchange.handle();
            if let Some(given) = response.headers_mut().get_mut(header::CONTENT_TYPE)
                && let Ok(other) = HeaderValue::try_from(content_type)
            {
                *given = other;
            }
            response
        }
        Fault::ExpiredToken => {
            let request_id = &exchange.request.request_id;
            match exchange.route.provider() {
                Some(Provider::Confluent) => confluent::expired(request_id),
                Some(Provider::ClickHouse) => clickhouse::inactive(request_id),
                None => page(StatusCode::UNAUTHORIZED),
            }
        }
        Fault::NextRepeats
        | Fault::NextElsewhere { .. }
        | Fault::NextEmpty
        | Fault::NextNull
        | Fault::NextAbsent
        | Fault::EmptyPage => rewrite_page(&fault, exchange).await,
        Fault::FiltersIgnored => exchange.filtering(FilterMode::Ignored).handle(),
        Fault::FiltersAsPrefixes => exchange.filtering(FilterMode::Prefix).handle(),
        Fault::AnotherPerson { email } => swap(exchange, "email", email).await,
        Fault::AnotherId { id } => {
            let random = || match exchange.route.provider() {
                Some(Provider::ClickHouse) => clickhouse::random_id(),
                _ => confluent::random_id(),
            };
            swap(exchange, "id", id.unwrap_or_else(random)).await
        }
        Fault::LateCommit { delay_ms, status } => {
            let later = exchange.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                if later.is_current() {
                    later.handle();
                }
            });
            match status {
                Some(status) => page(status_code(status)),
                None => match connection.reset().await {},
            }
        }
        Fault::Duplicate { answer } => {
            let first = exchange.answered(exchange.handle());
            let again = exchange.again(&Fault::Duplicate { answer });
            let second = again.answered(again.handle());
            return match answer {
                DuplicateAnswer::First => first,
                DuplicateAnswer::Second => second,
            };
        }
    };
    exchange.answered(response)
}

fn handle_if_after(when: When, exchange: &Exchange) {
    if when == When::After {
        exchange.handle();
    }
}

async fn truncate(
    keep: Option<usize>,
    exchange: &Exchange,
    connection: &ConnectionHandle,
) -> Response {
    let response = exchange.answered(exchange.handle());
    if exchange.version == Version::HTTP_2 {
        match connection.reset().await {}
    }
    let (head, body) = read(response).await;
    let mut bytes = raw(&head, body.len());
    if body.is_empty() {
        bytes.truncate(bytes.len() / 2);
    } else {
        let keep = keep.unwrap_or(body.len() / 2).min(body.len());
        bytes.extend_from_slice(&body.slice(..keep));
    }
    match connection.send(bytes, AfterWrite::Close).await {}
}

async fn misstate_length(by: i64, exchange: &Exchange, connection: &ConnectionHandle) -> Response {
    let (head, body) = read(exchange.answered(exchange.handle())).await;
    if body.is_empty() {
        return Response::from_parts(head, Body::empty());
    }
    if exchange.version == Version::HTTP_2 {
        match connection.reset().await {}
    }
    let stated = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let stated = usize::try_from(stated.saturating_add(by)).unwrap_or(0);
    let mut bytes = raw(&head, stated);
    bytes.extend_from_slice(&body);
    match connection.send(bytes, AfterWrite::Wait).await {}
}

fn rate_limited(exchange: &Exchange, headers: bool, body: ErrorBody, wait_ms: u64) -> Response {
    let mut response = refusal(exchange, StatusCode::TOO_MANY_REQUESTS, body);
    limits::unmark(&mut response);
    if let Some(provider) = exchange.route.provider()
        && headers
    {
        let wait = Duration::from_millis(wait_ms);
        limits::mark(&mut response, provider, &Allowance::spent(wait));
    }
    response
}

fn refusal(exchange: &Exchange, status: StatusCode, body: ErrorBody) -> Response {
    let request_id = &exchange.request.request_id;
    let too_many = status == StatusCode::TOO_MANY_REQUESTS;
    match (body, exchange.route.provider()) {
        (ErrorBody::Empty, _) => status.into_response(),
        (ErrorBody::Html, _) | (_, None) => page(status),
        (ErrorBody::Vendor, Some(Provider::Confluent)) if too_many => {
            confluent::too_many_requests(request_id)
        }
        (ErrorBody::Vendor, Some(Provider::ClickHouse)) if too_many => {
            clickhouse::too_many_requests()
        }
        (_, Some(Provider::Confluent)) => confluent::refusal(status, request_id),
        (_, Some(Provider::ClickHouse)) => clickhouse::refusal(status, request_id),
    }
}

/// Rewrites the answer to a list, if it is one.
async fn rewrite_page(fault: &Fault, exchange: &Exchange) -> Response {
    rewrite(exchange.handle(), |page| {
        confluent::rewrite_page(page, fault, exchange.shared(), &exchange.request.uri);
    })
    .await
}

/// Answers a property of the invitation with another value, if the answer has it.
async fn swap(exchange: &Exchange, property: &str, value: String) -> Response {
    rewrite(exchange.handle(), |body| {
        let invitation = match exchange.route.provider() {
            Some(Provider::ClickHouse) => body.get_mut("result"),
            _ => Some(body),
        };
        if let Some(given) = invitation.and_then(|it| it.get_mut(property)) {
            *given = value.into();
        }
    })
    .await
}

/// Rewrites the body of a success.
async fn rewrite(response: Response, change: impl FnOnce(&mut Value)) -> Response {
    let (mut head, body) = read(response).await;
    if head.status.is_success()
        && let Ok(mut json) = serde_json::from_slice::<Value>(&body)
    {
        change(&mut json);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::from(json.to_string()));
    }
    Response::from_parts(head, Body::from(body))
}

/// What a gateway says in place of the API behind it.
fn page(status: StatusCode) -> Response {
    let title = format!(
        "{} {}",
        status.as_str(),
        status.canonical_reason().unwrap_or_default()
    );
    let text = format!(
        "<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
    );
    (status, Html(text)).into_response()
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn read(response: Response) -> (response::Parts, Bytes) {
    let (head, body) = response.into_parts();
    // Bodies of our own making are in memory already: reading them does not fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    (head, body)
}
