//! Runs every decoder and header parser on arbitrary bytes, which must not panic. Compiled for tests and `fuzz/` only.

use std::sync::LazyLock;

use bytes::Bytes;
use chrono::Utc;
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderValue},
};

use crate::{
    clickhouse::ClickHouse,
    confluent::Confluent,
    http::{Reply, headers},
    invitation::InvitationId,
    list::{ListQuery, PageToken},
};

static CONFLUENT: LazyLock<Option<Confluent>> =
    LazyLock::new(|| Confluent::builder().api_key("key", "secret").build().ok());

static CLICKHOUSE: LazyLock<Option<ClickHouse>> = LazyLock::new(|| {
    ClickHouse::builder("org")
        .api_key("key", "secret")
        .build()
        .ok()
});

/// Decodes `data` as a reply: two bytes of status, one line per header, and the body after an empty line.
pub fn decode_anything(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (&[][..], data),
    };
    let code = head
        .iter()
        .take(2)
        .fold(0_u16, |code, byte| code * 256 % 900 + u16::from(*byte));
    let mut headers = HeaderMap::new();
    let names = [
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "location",
        "x-request-id",
        "www-authenticate",
        "date",
    ];
    for (name, line) in names
        .into_iter()
        .zip(head.get(2..).unwrap_or_default().split(|b| *b == b'\n'))
    {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.insert(name, value);
        }
    }
    let _ = headers::retry_after(&headers, Utc::now());
    let _ = headers::rate_limit(&headers);
    let status = StatusCode::from_u16(code % 1_000).unwrap_or(StatusCode::OK);
    let bytes = Bytes::copy_from_slice(body);
    let reply = || Reply::new(status, headers.clone(), bytes.clone());
    let text = String::from_utf8_lossy(body);
    let _ = InvitationId::new(text.as_ref());
    if let Some(provider) = &*CONFLUENT {
        provider.decode_anything(reply);
    }
    if let Some(provider) = &*CLICKHOUSE {
        let query = ListQuery::new().page_size(1 + u32::from(code) % 7);
        provider.decode_anything(reply, &query, &PageToken::new(text));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::decode_anything;

    /// JSON that resembles a reply.
    fn reply() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<bool>().prop_map(|truth| truth.to_string()),
            "[a-zA-Z0-9:/?&=_.@ \\u{80}-\\u{ffff}]{0,40}".prop_map(|text| format!("{text:?}")),
            Just(r#""2026-01-01T00:00:00Z""#.to_owned()),
            Just("1e999".to_owned()),
            Just(r#""\ud800""#.to_owned()),
            Just(r#""https://x/?page_token=t""#.to_owned()),
        ];
        let key = prop_oneof![
            Just("data"),
            Just("metadata"),
            Just("next"),
            Just("id"),
            Just("email"),
            Just("status"),
            Just("errors"),
            Just("detail"),
            Just("source"),
            Just("result"),
            Just("error"),
            Just("requestId"),
            Just("assignedRoles"),
            Just("createdAt"),
            Just("expireAt"),
            Just("user"),
            Just("total_size"),
            Just("message"),
            Just("roleId"),
            Just("expires_at"),
        ];
        scalar.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|entries| {
                    let entries = entries
                        .iter()
                        .map(|(key, value)| format!("{key:?}:{value}"));
                    format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    // `fuzz/` looks further.
    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn no_bytes_make_a_decoder_panic(data in proptest::collection::vec(any::<u8>(), 0..400)) {
            decode_anything(&data);
        }

        #[test]
        fn no_json_makes_a_decoder_panic(
            status in any::<[u8; 2]>(),
            headers in "[ -~\n]{0,120}",
            body in reply(),
        ) {
            let head = [&status[..], headers.as_bytes()].concat();
            decode_anything(&[&head[..], b"\n\n", body.as_bytes()].concat());
        }
    }
}
