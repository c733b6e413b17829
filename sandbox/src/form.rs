//! Parsing `application/x-www-form-urlencoded`.

use axum::http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The fields of a form, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Whether the headers declare a form.
    pub(crate) fn is_declared(headers: &HeaderMap) -> bool {
        headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(MEDIA_TYPE))
    }

    pub(crate) fn parse(body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let pairs = body.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first field of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let Self(fields) = self;
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Decodes a name or a value.
pub(crate) fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_of_a_name_counts() {
        let form = Form::parse(b"a=1+2%263&&b&a=4&c=x=y");
        let get = |name| form.get(name);
        assert_eq!(get("a"), Some("1 2&3"));
        assert_eq!(get("b"), Some(""));
        assert_eq!(get("c"), Some("x=y"));
        assert_eq!(get("d"), None);
    }
}
