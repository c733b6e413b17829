//! Reading the response headers that both vendors send.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{AsHeaderName, DATE, HeaderMap, RETRY_AFTER};

/// The allowance that a server reported with a response.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests allowed in one window.
    pub limit: Option<u64>,
    /// Requests left in this window.
    pub remaining: Option<u64>,
    /// Time until the window ends, counted from the response.
    pub reset: Option<Duration>,
}

/// The value of a header that is present and text.
pub(crate) fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers
        .get(name)?
        .to_str()
        .ok()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// `X-RateLimit-Limit`, `-Remaining` and `-Reset`; `None` when the response has none of them.
///
/// `Reset` counts from the response, in whole (Confluent) or fractional (ClickHouse) seconds.
pub(crate) fn rate_limit(headers: &HeaderMap) -> Option<RateLimit> {
    let mut limit = RateLimit::default();
    // Responses have few headers: one pass over them costs less than three lookups.
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("x-ratelimit-") else {
            continue;
        };
        let text = value.to_str().unwrap_or_default().trim();
        match name {
            "limit" => limit.limit = limit.limit.or_else(|| text.parse().ok()),
            "remaining" => limit.remaining = limit.remaining.or_else(|| text.parse().ok()),
            "reset" => limit.reset = limit.reset.or_else(|| seconds(text)),
            _ => {}
        }
    }
    (limit != RateLimit::default()).then_some(limit)
}

/// `Retry-After`, in seconds or as an HTTP date; a date in the past counts as zero.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER)?;
    seconds(text).or_else(|| Some((http_date(text)? - now).to_std().unwrap_or_default()))
}

/// `Date`: the server's clock, in whole seconds.
pub(crate) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    text(headers, DATE).and_then(http_date)
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc())
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z")
            .unwrap()
            .to_utc();
        let read = |value| retry_after(&headers("retry-after", value), now);
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            read("Thu, 01 Jan 2026 00:00:09 GMT"),
            Some(Duration::from_secs(9))
        );
        assert_eq!(read("Wed, 31 Dec 2025 00:00:00 GMT"), Some(Duration::ZERO));
        for odd in ["", "soon", "-1", "NaN", "inf", "1e400"] {
            assert_eq!(read(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn reset_may_have_a_fraction() {
        let read = |value| rate_limit(&headers("x-ratelimit-reset", value));
        assert_eq!(
            read("2.5").and_then(|limit| limit.reset),
            Some(Duration::from_millis(2500))
        );
        assert_eq!(
            read("3").and_then(|limit| limit.reset),
            Some(Duration::from_secs(3))
        );
        assert_eq!(read("tomorrow"), None);
    }
}
