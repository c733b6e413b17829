//! Times on the wire: the form that servers write is read without chrono's general parser, which takes longer
//! than all the rest of a resource.

use std::{
    fmt,
    ops::{Deref, Range},
    str::FromStr,
};

use chrono::{DateTime, NaiveDate, ParseError, ParseResult, SecondsFormat, Utc};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// A time, read and written as `DateTime<Utc>` reads and writes itself (RFC 3339).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl From<Timestamp> for DateTime<Utc> {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl Deref for Timestamp {
    type Target = DateTime<Utc>;

    fn deref(&self) -> &DateTime<Utc> {
        &self.0
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(text: &str) -> ParseResult<Self> {
        parse_rfc3339(text).map(Self)
    }
}

/// As it is written in a query.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimestampVisitor;

        impl Visitor<'_> for TimestampVisitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 formatted date and time string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(TimestampVisitor)
    }
}

/// Parses a time in any form that chrono takes.
pub(crate) fn parse_rfc3339(text: &str) -> ParseResult<DateTime<Utc>> {
    parse_rfc3339_fast(text).map_or_else(|| text.parse(), Ok)
}

/// Parses `2026-03-01T10:00:00Z`, with up to nine digits of a fraction or without; `None` for any other form.
fn parse_rfc3339_fast(text: &str) -> Option<DateTime<Utc>> {
    let (time, rest) = text.as_bytes().split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(index, sign)| time[*index] != *sign) {
        return None;
    }
    let part = |range: Range<usize>| number(&time[range]);
    let fraction = rest.strip_suffix(b"Z")?;
    let nanos = match fraction.strip_prefix(b".") {
        Some(digits @ [_, ..]) if digits.len() <= 9 => {
            number(digits)? * 10_u32.pow(9 - digits.len() as u32)
        }
        None if fraction.is_empty() => 0,
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(part(0..4)?.try_into().ok()?, part(5..7)?, part(8..10)?)?;
    let time = date.and_hms_nano_opt(part(11..13)?, part(14..16)?, part(17..19)?, nanos)?;
    Some(time.and_utc())
}

/// The value of at most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(number * 10 + digit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn as_chrono_does(text: &str) {
        let expected = text.parse::<DateTime<Utc>>();
        assert_eq!(parse_rfc3339(text), expected, "{text}");
        let json = serde_json::to_string(text).unwrap();
        let read = serde_json::from_str::<Timestamp>(&json);
        let expected = serde_json::from_str::<DateTime<Utc>>(&json);
        if let (Ok(read), Ok(expected)) = (&read, &expected) {
            let written = serde_json::to_string(read).unwrap();
            assert_eq!(written, serde_json::to_string(expected).unwrap());
            assert_eq!(written, format!("\"{read}\""));
        }
        assert_eq!(
            read.map(DateTime::from).map_err(|error| error.to_string()),
            expected.map_err(|error| error.to_string()),
            "{text}"
        );
    }

    #[test]
    fn every_form_is_read_as_chrono_reads_it() {
        for text in [
            "2026-03-01T10:00:00Z",
            "2026-03-01T10:00:00.1Z",
            "2026-03-01T10:00:00.123456789Z",
            "2026-03-01T10:00:00.1234567891Z",
            "2026-03-01T10:00:00.Z",
            "2026-03-01T10:00:00",
            "2026-03-01T10:00:00z",
            "2026-03-01t10:00:00Z",
            "2026-03-01 10:00:00Z",
            "2026-03-01T10:00:00+02:00",
            "2026-03-01T10:00:00-00:00",
            "2024-02-29T23:59:59Z",
            "2023-02-29T23:59:59Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.5Z",
            "2026-13-01T10:00:00Z",
            "2026-03-01T24:00:00Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
            "+2026-03-01T10:00:00Z",
            "2026-03-01T10:00:0éZ",
            "2026-+3-01T10:00:00Z",
            "",
            "Z",
        ] {
            as_chrono_does(text);
        }
    }

    proptest! {
        #[test]
        fn anything_like_a_time_is_read_as_chrono_reads_it(
            text in "[0-9]{4}-[0-9]{2}-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|\\+01:00)?"
        ) {
            as_chrono_does(&text);
        }
    }
}
