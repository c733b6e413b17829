//! The rate-limit headers of both vendors.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Allowance;
use crate::provider::Provider;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("x-ratelimit-policy");

/// Describes an allowance in the headers of a 429, and of the answers that have rate-limit headers anyway.
pub(crate) fn set_headers(response: &mut Response, provider: Provider, allowance: &Allowance) {
    let is_limited = response.status() == StatusCode::TOO_MANY_REQUESTS;
    let has_headers = is_limited || response.headers().contains_key(LIMIT);
    remove_headers(response);
    if !has_headers || !allowance.headers {
        return;
    }
    let headers = response.headers_mut();
    headers.insert(LIMIT, allowance.limit.into());
    headers.insert(REMAINING, allowance.remaining.unwrap_or(0).into());
    // Rounded up, so that a client that waits this long waits long enough.
    let millis = allowance.resets_in.as_micros().div_ceil(1000);
    match provider {
        Provider::Confluent => {
            let seconds = u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX);
            headers.insert(RESET, seconds.into());
            if is_limited {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
        }
        Provider::ClickHouse => {
            let reset = format!("{}.{:03}", millis / 1000, millis % 1000);
            for (name, text) in [(RESET, reset), (POLICY, allowance.policy.clone())] {
                if let Ok(value) = HeaderValue::try_from(text) {
                    headers.insert(name, value);
                }
            }
        }
    }
}

/// Removes every rate-limit header.
pub(crate) fn remove_headers(response: &mut Response) {
    for name in [LIMIT, REMAINING, RESET, POLICY, header::RETRY_AFTER] {
        response.headers_mut().remove(name);
    }
}
