//! Parsing the `Authorization` header.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The credentials of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PresentedCredentials {
    /// No header, or one that cannot be parsed.
    Missing,
    /// HTTP Basic.
    Basic { key: String, secret: String },
    /// A bearer token.
    Bearer(String),
}

impl PresentedCredentials {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(Self::parse)
            .unwrap_or(Self::Missing)
    }

    fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
            let (key, secret) = decoded.split_once(':')?;
            Some(Self::Basic {
                key: key.to_owned(),
                secret: secret.to_owned(),
            })
        } else if scheme.eq_ignore_ascii_case("bearer") {
            Some(Self::Bearer(rest.to_owned()))
        } else {
            None
        }
    }
}

/// The scheme of an `Authorization` value. A value without a scheme may be a bare secret, of which nothing is shown.
pub(crate) fn scheme(value: &HeaderValue) -> &str {
    value
        .to_str()
        .ok()
        .and_then(|text| text.trim().split_once(' '))
        .map_or("(no scheme)", |(scheme, _)| scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_case_insensitive() {
        let token = PresentedCredentials::parse("bearer abc").unwrap();
        assert_eq!(token, PresentedCredentials::Bearer("abc".to_owned()));
        let pair = PresentedCredentials::parse("BASIC a2V5OnNlOmNyZXQ=").unwrap();
        let (key, secret) = ("key".to_owned(), "se:cret".to_owned());
        assert_eq!(pair, PresentedCredentials::Basic { key, secret });
    }

    #[test]
    fn an_invalid_value_counts_as_missing() {
        for value in ["", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x"] {
            assert_eq!(PresentedCredentials::parse(value), None, "{value}");
        }
    }

    #[test]
    fn a_value_without_a_scheme_is_not_shown() {
        assert_eq!(scheme(&HeaderValue::from_static("Basic abc")), "Basic");
        assert_eq!(scheme(&HeaderValue::from_static("abc")), "(no scheme)");
    }
}
