//! Times on the wire: parsed fast in the form that servers write, and kept verbatim in any other.

use std::{
    convert::Infallible,
    fmt::{self, Write},
    ops::Range,
    str::FromStr,
};

use chrono::{DateTime, NaiveDate, ParseResult, Timelike, Utc};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor, value},
};
use serde_json::Value;

/// A time in RFC 3339, or any JSON that a server sent in its place.
///
/// An invalid time does not make its object undecodable. [`utc`](Self::utc) is the time; serialising writes what was
/// read.
///
/// ```
/// use org_invitations::bindings::Timestamp;
///
/// let time: Timestamp = serde_json::from_str(r#""2026-03-01T10:00:00.250Z""#)?;
/// assert_eq!(time.utc().map(|utc| utc.timestamp_millis()), Some(1_772_359_200_250));
/// let odd: Timestamp = serde_json::from_str(r#"{"seconds": 7}"#)?;
/// assert_eq!(odd.utc(), None);
/// assert_eq!(serde_json::to_string(&odd)?, r#"{"seconds":7}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Timestamp(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    /// `2026-03-01T10:00:00.250Z`, with the number of digits after the point.
    Rfc3339 { utc: DateTime<Utc>, digits: u8 },
    /// Any other JSON.
    Other(Box<Value>),
}

impl Timestamp {
    /// The time; `None` if the server sent something else.
    pub fn utc(&self) -> Option<DateTime<Utc>> {
        match &self.0 {
            Form::Rfc3339 { utc, .. } => Some(*utc),
            Form::Other(value) => value.as_str()?.parse().ok(),
        }
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(utc: DateTime<Utc>) -> Self {
        let digits = match utc.nanosecond() {
            0 => 0,
            nanos if nanos % 1_000_000 == 0 => 3,
            nanos if nanos % 1_000 == 0 => 6,
            _ => 9,
        };
        Self(Form::Rfc3339 { utc, digits })
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(match parse_rfc3339_fast(text) {
            Some((utc, digits)) => Form::Rfc3339 { utc, digits },
            None => Form::Other(Box::new(text.into())),
        })
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl FromStr for Timestamp {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

/// Writes the time as it was read: text without quotes, anything else as JSON.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Rfc3339 { utc, digits } => f.pad(&write_rfc3339(utc, *digits)),
            Form::Other(value) => match value.as_str() {
                Some(text) => f.pad(text),
                None => f.pad(&value.to_string()),
            },
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Rfc3339 { utc, .. } => utc.fmt(f),
            Form::Other(value) => value.fmt(f),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Rfc3339 { utc, digits } => serializer.serialize_str(&write_rfc3339(utc, *digits)),
            Form::Other(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimestampVisitor;

        fn verbatim<T>(value: impl Into<Value>) -> Result<Timestamp, T> {
            Ok(Timestamp(Form::Other(Box::new(value.into()))))
        }

        impl<'de> Visitor<'de> for TimestampVisitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time in RFC 3339")
            }

            fn visit_str<E>(self, text: &str) -> Result<Timestamp, E> {
                Ok(text.into())
            }

            fn visit_bool<E>(self, value: bool) -> Result<Timestamp, E> {
                verbatim(value)
            }

            fn visit_i64<E>(self, value: i64) -> Result<Timestamp, E> {
                verbatim(value)
            }

            fn visit_u64<E>(self, value: u64) -> Result<Timestamp, E> {
                verbatim(value)
            }

            fn visit_f64<E>(self, value: f64) -> Result<Timestamp, E> {
                verbatim(value)
            }

            fn visit_unit<E>(self) -> Result<Timestamp, E> {
                verbatim(Value::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Timestamp, A::Error> {
                let list = value::SeqAccessDeserializer::new(list);
                verbatim(Value::deserialize(list)?)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Timestamp, A::Error> {
                let map = value::MapAccessDeserializer::new(map);
                verbatim(Value::deserialize(map)?)
            }
        }

        deserializer.deserialize_any(TimestampVisitor)
    }
}

/// Parses a time in any form that chrono takes.
pub(crate) fn parse_rfc3339(text: &str) -> ParseResult<DateTime<Utc>> {
    match parse_rfc3339_fast(text) {
        Some((utc, _)) => Ok(utc),
        None => text.parse(),
    }
}

/// Parses `2026-03-01T10:00:00Z`, with up to nine digits of a fraction or without, and counts them; `None` for any
/// other form. chrono's general parser takes longer than all the rest of an invitation.
fn parse_rfc3339_fast(text: &str) -> Option<(DateTime<Utc>, u8)> {
    let (time, rest) = text.as_bytes().split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(index, sign)| time[*index] != *sign) {
        return None;
    }
    let part = |range: Range<usize>| number(&time[range]);
    let fraction = rest.strip_suffix(b"Z")?;
    let (nanos, digits) = match fraction.strip_prefix(b".") {
        Some(digits @ [_, ..]) if digits.len() <= 9 => {
            let count = digits.len() as u8;
            (number(digits)? * 10_u32.pow(9 - u32::from(count)), count)
        }
        None if fraction.is_empty() => (0, 0),
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(part(0..4)?.try_into().ok()?, part(5..7)?, part(8..10)?)?;
    let time = date.and_hms_nano_opt(part(11..13)?, part(14..16)?, part(17..19)?, nanos)?;
    Some((time.and_utc(), digits))
}

/// The value of at most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(number * 10 + digit)
    })
}

/// Writes the text that `parse_rfc3339_fast` parsed.
fn write_rfc3339(utc: &DateTime<Utc>, digits: u8) -> String {
    let mut text = utc.format("%Y-%m-%dT%H:%M:%S").to_string();
    if digits > 0 {
        let fraction = format!("{:09}", utc.nanosecond() % 1_000_000_000);
        let fraction = fraction.get(..digits.into()).unwrap_or_default();
        // Writing to a String does not fail.
        let _ = write!(text, ".{fraction}");
    }
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn as_chrono_does(text: &str) {
        let expected = text.parse::<DateTime<Utc>>();
        assert_eq!(parse_rfc3339(text), expected, "{text}");
        let json = json!(text);
        let read: Timestamp = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(read.utc(), expected.ok(), "{text}");
        assert_eq!(serde_json::to_value(&read).unwrap(), json);
        assert_eq!(read.to_string(), text);
        assert_eq!(Timestamp::from(text), read);
        if let Some(utc) = read.utc() {
            assert_eq!(Timestamp::from(utc).utc(), Some(utc), "{text}");
        }
    }

    #[test]
    fn every_form_is_read_as_chrono_does_and_written_as_it_came() {
        for text in [
            "2026-03-01T10:00:00Z",
            "2026-03-01T10:00:00.1Z",
            "2026-03-01T10:00:00.100Z",
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

    #[test]
    fn what_is_no_time_is_kept() {
        for value in [
            json!("soon"),
            json!(1_772_359_200),
            json!(-1),
            json!(1.5),
            json!(true),
            json!([1, "two"]),
            json!({ "seconds": [null] }),
        ] {
            let read: Timestamp = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(read.utc(), None, "{value}");
            assert_eq!(serde_json::to_value(&read).unwrap(), value);
            let read: Timestamp = serde_json::from_str(&value.to_string()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), value);
        }
        let none: Option<Timestamp> = serde_json::from_value(Value::Null).unwrap();
        assert_eq!(none, None);
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
