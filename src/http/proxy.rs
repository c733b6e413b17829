//! The proxy that requests go through.

use std::{borrow::Cow, fmt};

use hyper_util::client::proxy::matcher::Matcher;
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use crate::http::{Endpoint, SetupError, error::host_and_port};

/// The schemes of proxies.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
/// The port of a SOCKS proxy whose URL has none.
const SOCKS_PORT: u16 = 1080;

/// The URL of a proxy: `http://`, `https://`, `socks5://` (this machine resolves names) or `socks5h://` (the proxy
/// does), with a host, and perhaps a port, a user name and a password.
///
/// `Debug` and `Display` show neither user name nor password.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(transparent))]
#[cfg_attr(feature = "schemars", schemars(extend("pattern" = r"^\s*(https?|socks5h?)://[^\s/?#]+/?\s*$")))]
pub struct ProxyUrl(#[cfg_attr(feature = "schemars", schemars(with = "String"))] Url);

impl ProxyUrl {
    /// Parses and checks the URL of a proxy. No error quotes it, since it may hold a password.
    ///
    /// # Errors
    ///
    /// The text is not a URL of a known scheme with a host, or it has a path, a query or a fragment.
    pub(crate) fn parse(text: &str) -> Result<Self, SetupError> {
        let invalid = |wrong: &str| SetupError::new(format!("the proxy {wrong}")).about("proxy");
        let must_begin = "must begin with http://, https://, socks5:// or socks5h://";
        let text = text.trim();
        let scheme = text
            .split_once("://")
            .map(|(scheme, _)| scheme.to_lowercase());
        if !scheme.is_some_and(|scheme| SCHEMES.contains(&scheme.as_str())) {
            return Err(invalid(must_begin));
        }
        let url = Url::parse(text).map_err(|error| invalid("is not a URL").with_source(error))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("has no host"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("must end after its host and port"));
        }
        Ok(Self(url))
    }

    /// The proxy as the HTTP client takes it, for all requests.
    pub(super) fn to_reqwest(&self) -> reqwest::Result<reqwest::Proxy> {
        reqwest::Proxy::all(self.0.as_str())
    }

    /// The password, if there is one.
    pub(super) fn password(&self) -> Option<&str> {
        self.0.password()
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = host_and_port(&self.0).unwrap_or_default();
        let scheme = self.0.scheme();
        match self.0.port_or_known_default() {
            Some(_) => f.pad(&format!("{scheme}://{host}")),
            None => f.pad(&format!("{scheme}://{host}:{SOCKS_PORT}")),
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl<'de> Deserialize<'de> for ProxyUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// The proxy for requests to an endpoint, without user name and password: the caller's, else that of the environment,
/// as the HTTP client reads it.
pub(crate) fn proxy_in_use(endpoint: &Endpoint, own: Option<&ProxyUrl>) -> Option<String> {
    match own {
        Some(proxy) => Some(proxy.to_string()),
        None => proxy_among(endpoint, &Matcher::from_system()),
    }
}

fn proxy_among(endpoint: &Endpoint, proxies: &Matcher) -> Option<String> {
    if endpoint.is_plain() {
        return None;
    }
    let target = endpoint.as_base().parse().ok()?;
    let proxy = proxies.intercept(&target)?;
    let (uri, host) = (proxy.uri(), proxy.uri().host()?);
    let scheme = uri.scheme_str().unwrap_or("http");
    Some(match uri.port() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::BaseUrl;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::new(&BaseUrl::parse(url).unwrap(), None)
    }

    #[test]
    fn the_proxy_is_named_without_its_credentials_where_it_is_used() {
        let proxies = Matcher::builder()
            .https("http://user:hush-hush@proxy.example:3128")
            .no("direct.example")
            .build();
        for (url, proxy) in [
            ("https://api.example/v1", Some("http://proxy.example:3128")),
            ("https://direct.example", None),
            // Plain http to loopback uses no proxy.
            ("http://127.0.0.1:9", None),
        ] {
            let seen = proxy_among(&endpoint(url), &proxies);
            assert_eq!(seen.as_deref(), proxy, "{url}");
        }
        let own = ProxyUrl::parse("socks5h://user:hush-hush@proxy.example").unwrap();
        let seen = proxy_in_use(&endpoint("https://api.example"), Some(&own));
        assert_eq!(seen.as_deref(), Some("socks5h://proxy.example:1080"));
        assert!(!format!("{own:?}").contains("hush"), "{own:?}");
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_quoting_it() {
        for (text, why) in [
            ("", "must begin with"),
            ("user:hush-hush@proxy.example:3128", "must begin with"),
            ("ftp://user:hush-hush@proxy.example", "must begin with"),
            ("socks5://", "has no host"),
            ("http://user:hush-hush@", "is not a URL"),
            ("http://user:hush-hush@proxy.example:port", "is not a URL"),
            (
                "socks5://user:hush-hush@proxy.example/path",
                "must end after",
            ),
            ("http://proxy.example?hush-hush", "must end after"),
        ] {
            let error = ProxyUrl::parse(text).unwrap_err();
            assert!(error.message.contains(why), "{text}: {error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        for text in [
            "HTTP://proxy.example",
            "https://[::1]:1",
            " socks5://127.0.0.1 ",
        ] {
            ProxyUrl::parse(text).unwrap();
        }
    }
}
