//! Parses the response headers that both vendors send.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{AsHeaderName, DATE, HeaderMap, RETRY_AFTER};

use crate::call::RateLimit;

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
/// `Reset` counts from the response, in whole (Confluent) or fractional (ClickHouse) seconds. A value above one year is
/// a Unix time instead.
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
            "reset" => limit.reset = limit.reset.or_else(|| wait(text, || clock(headers))),
            _ => {}
        }
    }
    (limit != RateLimit::default()).then_some(limit)
}

/// `Retry-After`, in seconds or as an HTTP date, measured by the `Date` of the response or else by `now`. A date in the
/// past counts as zero, and a number above one year as a Unix time.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER)?;
    let clock = || date(headers).unwrap_or(now);
    wait(text, clock).or_else(|| Some((http_date(text)? - clock()).to_std().unwrap_or_default()))
}

/// `Date`: the server's clock, in whole seconds.
pub(crate) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    text(headers, DATE).and_then(http_date)
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc())
}

/// The server's time from `Date`, or else the local time.
fn clock(headers: &HeaderMap) -> DateTime<Utc> {
    date(headers).unwrap_or_else(Utc::now)
}

/// The longest wait that a server asks for; a larger number is a Unix time.
const MAX_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// A number of seconds or, above [`MAX_WAIT`], the time until a Unix time in seconds or milliseconds.
fn wait(text: &str, now: impl FnOnce() -> DateTime<Utc>) -> Option<Duration> {
    let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
    if seconds <= MAX_WAIT {
        return Some(seconds);
    }
    let now = Duration::try_from_secs_f64(now().timestamp_millis() as f64 / 1_000.0).ok()?;
    // The bound is the year 1973 in milliseconds and the year 5138 in seconds.
    let until = match seconds.as_secs() {
        ..100_000_000_000 => seconds,
        _ => seconds / 1_000,
    };
    let left = until.saturating_sub(now);
    (left <= MAX_WAIT).then_some(left)
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
        for invalid in ["", "soon", "-1", "NaN", "inf", "1e400"] {
            assert_eq!(read(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn a_wait_of_more_than_a_year_is_a_time_by_the_servers_clock() {
        let now = DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z")
            .unwrap()
            .to_utc();
        let epoch = now.timestamp();
        for (text, wait) in [
            ((epoch + 9).to_string(), Some(9)),
            (format!("{}", (epoch + 9) * 1_000), Some(9)),
            ((epoch - 9).to_string(), Some(0)),
            ((365 * 86_400).to_string(), Some(365 * 86_400)),
            ((epoch + 2 * 365 * 86_400).to_string(), None),
        ] {
            let headers = headers("retry-after", &text);
            let wait = wait.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), wait, "{text}");
            let mut headers = self::headers("x-ratelimit-reset", &text);
            let date = HeaderValue::from_static("Thu, 01 Jan 2026 00:00:00 GMT");
            headers.insert(DATE, date);
            let reset = rate_limit(&headers).and_then(|limit| limit.reset);
            assert_eq!(reset, wait, "{text}");
        }
    }

    #[test]
    fn dates_are_by_the_clock_of_the_response() {
        let mut headers = headers("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT");
        let date = HeaderValue::from_static("Thu, 01 Jan 2026 00:00:02 GMT");
        headers.insert(DATE, date);
        let wait = retry_after(&headers, DateTime::UNIX_EPOCH);
        assert_eq!(wait, Some(Duration::from_secs(7)));
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
