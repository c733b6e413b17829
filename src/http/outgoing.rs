//! A request that may be sent more than once.

use reqwest::{Method, Request, header::HeaderMap};
use url::Url;

use crate::http::Endpoint;

/// The request of a call, copied for each attempt and redirect.
pub(crate) struct Outgoing {
    method: Method,
    /// `None` after a request that cannot be copied was sent.
    request: Option<Request>,
    follows_redirects: bool,
}

impl Outgoing {
    pub fn new(request: Request) -> Self {
        Self {
            method: request.method().clone(),
            request: Some(request),
            follows_redirects: true,
        }
    }

    /// Returns redirects as replies instead of following them.
    #[cfg(feature = "client-credentials")]
    pub fn without_redirects(mut self) -> Self {
        self.follows_redirects = false;
        self
    }

    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, or nothing after a request that cannot be copied was sent.
    pub fn path(&self) -> &str {
        self.request
            .as_ref()
            .map_or("", |request| request.url().path())
    }

    /// The headers of every attempt.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.request.as_ref().map(Request::headers)
    }

    /// Sets headers of every attempt.
    pub fn set_headers(&mut self, headers: &HeaderMap) {
        if let Some(request) = &mut self.request {
            for (name, value) in headers {
                request.headers_mut().insert(name, value.clone());
            }
        }
    }

    /// Whether the request goes to this endpoint.
    pub fn is_for(&self, endpoint: &Endpoint) -> bool {
        let request = self.request.as_ref();
        request.is_some_and(|request| endpoint.is_same_origin(request.url()))
    }

    /// The request for the next attempt: a copy, or the request itself if its body is a stream, which cannot be
    /// copied. `None` after that.
    pub fn next_request(&mut self) -> Option<Request> {
        let copy = self.request.as_ref()?.try_clone();
        copy.or_else(|| self.request.take())
    }

    /// Whether there is a next request.
    pub fn is_repeatable(&self) -> bool {
        self.request.is_some()
    }

    /// The same request to another URL, if redirects are followed.
    pub fn redirected(&self, target: Url) -> Option<Request> {
        if !self.follows_redirects {
            return None;
        }
        let mut request = self.request.as_ref()?.try_clone()?;
        *request.url_mut() = target;
        Some(request)
    }
}
