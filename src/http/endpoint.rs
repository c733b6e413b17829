//! The URLs that requests and credentials go to, checked where they are made.

use std::{borrow::Cow, fmt, net::IpAddr};

use serde::{Deserialize, Deserializer, de::Error as _};
use url::{Host, Position, Url};

use crate::http::SetupError;

/// Defines a URL that secrets may be sent to. Its `parse` checks it.
macro_rules! secure_url_type {
    ($(#[$attribute:meta])* $name:ident, $pattern:literal) => {
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schemars", schemars(transparent, extend("pattern" = $pattern)))]
        pub struct $name(#[cfg_attr(feature = "schemars", schemars(with = "String"))] Url);

        impl $name {
            /// The URL as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let visible = &self.0[Position::BeforeHost..Position::AfterPath];
                write!(f, "\"{}://{visible}\"", self.0.scheme())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(D::Error::custom)
            }
        }
    };
}

secure_url_type!(
    /// The base URL of an API: https, or http to a loopback address, without user name, password, query and fragment.
    ///
    /// `Debug` shows no query.
    BaseUrl,
    r"^\s*(https://[^\s/?#@]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)(/[^\s?#]*)?\s*$"
);

impl BaseUrl {
    /// Parses and checks a base URL.
    ///
    /// # Errors
    ///
    /// The URL is not a secure one (see [`secure_url`]), or it has a query.
    pub(crate) fn parse(text: &str) -> Result<Self, SetupError> {
        let url = secure_url(text, "base URL")?;
        if url.query().is_some() {
            return Err(SetupError::new("the base URL must not have a query").about("base URL"));
        }
        Ok(Self(url))
    }
}

#[cfg(feature = "client-credentials")]
secure_url_type!(
    /// The token URL of an identity provider: https, or http to a loopback address, without user name, password and
    /// fragment.
    ///
    /// `Debug` shows no query, which may hold a secret.
    TokenUrl,
    r"^\s*(https://[^\s/?#@]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)([/?][^\s#]*)?\s*$"
);

#[cfg(feature = "client-credentials")]
impl TokenUrl {
    /// Parses and checks a token URL.
    ///
    /// # Errors
    ///
    /// The URL is not a secure one (see [`secure_url`]).
    pub(crate) fn parse(text: &str) -> Result<Self, SetupError> {
        secure_url(text, "token URL").map(Self)
    }

    pub(crate) fn into_url(self) -> Url {
        self.0
    }
}

/// A base URL that credentials may be sent to.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// The endpoint at a base URL. `version` is a path suffix that the URL may have or omit.
    pub fn new(base: &BaseUrl, version: Option<&str>) -> Self {
        let mut url = base.0.clone();
        let path = url.path().trim_end_matches('/');
        let path = match version {
            Some(version) => path
                .strip_suffix(version)
                .unwrap_or(path)
                .trim_end_matches('/'),
            None => path,
        };
        let path = path.to_owned();
        url.set_path(&path);
        Self { url }
    }

    /// The endpoint of requests to exactly this URL.
    #[cfg(feature = "client-credentials")]
    pub fn at(url: Url) -> Self {
        Self { url }
    }

    /// The base URL as generated clients take it: without a trailing slash.
    pub fn as_base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The path that every operation's path is appended to: empty, or `/…` without a trailing slash.
    pub fn base_path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The host's name, for traces.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, for traces.
    pub fn port(&self) -> Option<u16> {
        self.url.port_or_known_default()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether requests go over plain http, which is allowed for loopback addresses only.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether credentials may be sent to `other`.
    pub fn is_same_origin(&self, other: &Url) -> bool {
        // The scheme is http or https, whose default ports are known.
        self.url.scheme() == other.scheme()
            && self.url.host() == other.host()
            && self.url.port_or_known_default() == other.port_or_known_default()
    }
}

/// Parses a URL that secrets may be sent to; `name` is what messages call it.
///
/// # Errors
///
/// The text is not a URL, it has a user name, password or fragment, or it is not https (http is allowed for
/// loopback addresses).
fn secure_url(text: &str, name: &'static str) -> Result<Url, SetupError> {
    let invalid = |wrong: &str| SetupError::new(format!("the {name} {wrong}")).about(name);
    let url =
        Url::parse(text.trim()).map_err(|error| invalid("is not a URL").with_source(error))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("must not hold a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(invalid("must not have a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(invalid(
            "must begin with https://: secrets go there (http is for this machine's loopback)",
        )),
        _ => Err(invalid("must begin with https://")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str, version: Option<&str>) -> Endpoint {
        Endpoint::new(&BaseUrl::parse(text).unwrap(), version)
    }

    #[test]
    fn a_version_and_slashes_at_the_end_are_optional() {
        for (text, base, path) in [
            ("https://a.example", "https://a.example", ""),
            ("https://a.example/", "https://a.example", ""),
            ("https://a.example/v1", "https://a.example", ""),
            ("https://a.example/p/v1/", "https://a.example/p", "/p"),
            ("https://a.example/p//", "https://a.example/p", "/p"),
        ] {
            let endpoint = endpoint(text, Some("/v1"));
            assert_eq!((endpoint.as_base(), endpoint.base_path()), (base, path));
        }
    }

    #[test]
    fn what_secrets_cannot_be_sent_to_is_refused() {
        for text in [
            "",
            "a.example",
            "http://a.example",
            "ftp://a.example",
            "https://user@a.example",
            "https://a.example/?q",
            "https://a.example/#f",
        ] {
            BaseUrl::parse(text).unwrap_err();
        }
        for text in [
            "http://localhost:1",
            "http://127.0.0.9",
            "http://[::1]:8080",
        ] {
            assert!(endpoint(text, None).is_plain(), "{text}");
        }
    }

    #[test]
    fn the_origin_is_scheme_host_and_port() {
        let endpoint = endpoint("https://a.example/p", None);
        for (url, same) in [
            ("https://a.example/other", true),
            ("https://a.example:443/", true),
            ("https://a.example:444/", false),
            ("http://a.example/", false),
            ("https://b.example/", false),
            ("https://a.example.b.example/", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(endpoint.is_same_origin(&url), same, "{url}");
        }
    }
}
