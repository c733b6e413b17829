//! Where requests go: the base URL, checked once.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Operation, Result};

/// A base URL as it was given. `Debug` shows no password that is in it by mistake.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct BaseUrl(String);

impl<T: Into<String>> From<T> for BaseUrl {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(&self.0) {
            Ok(url) if url.has_authority() => {
                let visible = &url[url::Position::BeforeHost..url::Position::AfterPath];
                write!(f, "\"{}://{visible}\"", url.scheme())
            }
            _ => f.write_str("[not a URL]"),
        }
    }
}

/// A base URL that credentials may be sent to.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// Parses and checks a base URL; `version` is a path that it may or may not end with.
    pub fn new(text: &BaseUrl, version: Option<&str>) -> Result<Self> {
        let mut url = secure_url(text, "base URL")?;
        if url.query().is_some() {
            let wrong = "the base URL must not have a query";
            return Err(
                Error::new(ErrorKind::Config, Operation::Configure, wrong).with_subject("base URL")
            );
        }
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
        Ok(Self { url })
    }

    /// The base URL as generated clients take it: without a slash at the end.
    pub fn as_base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The host's name, for logs.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Plain http, which only this machine's loopback may have.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    pub fn is_same_origin(&self, other: &Url) -> bool {
        // The scheme is http or https, of which the port is known.
        self.url.scheme() == other.scheme()
            && self.url.host() == other.host()
            && self.url.port_or_known_default() == other.port_or_known_default()
    }
}

/// Parses a URL that secrets may be sent to; `name` is what messages call it.
pub(crate) fn secure_url(text: &BaseUrl, name: &'static str) -> Result<Url> {
    let refuse = |wrong: &str| {
        let message = format!("the {name} {wrong}");
        Error::new(ErrorKind::Config, Operation::Configure, message).with_subject(name)
    };
    let url =
        Url::parse(text.0.trim()).map_err(|error| refuse("is not a URL").with_source(error))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not hold a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(refuse("must not have a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse(
            "must begin with https://: secrets go there (http is for this machine's loopback)",
        )),
        _ => Err(refuse("must begin with https://")),
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
