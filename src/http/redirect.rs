//! Follows redirects within the configured origin, with the same method, headers and body.

use reqwest::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION},
};
use url::Url;

use crate::http::{Endpoint, HttpClient, TransportError, TransportErrorKind, outgoing::Outgoing};

/// The largest number of redirects of a request.
const MAX_REDIRECTS: usize = 5;

impl HttpClient {
    /// Sends a request and follows its redirects.
    pub(super) async fn follow(
        &self,
        outgoing: &mut Outgoing,
        authorization: Option<&HeaderValue>,
        added: &HeaderMap,
    ) -> Result<Response, TransportError> {
        let request = outgoing.next_request().ok_or_else(|| {
            let message = "the request's body cannot be sent again";
            TransportError::new(TransportErrorKind::InvalidRequest, message)
        })?;
        let mut pending = self.start(request, authorization, added);
        let mut redirects = 0;
        loop {
            let response = pending
                .await
                .map_err(|error| TransportError::from_reqwest_by(error, self.proxy.as_deref()))?;
            let target = redirect_target(
                &self.endpoint,
                outgoing.method(),
                response.url(),
                response.status(),
                response.headers(),
            );
            let target = target.filter(|_| redirects < MAX_REDIRECTS);
            match target.and_then(|target| outgoing.redirected(target)) {
                Some(request) => pending = self.start(request, authorization, added),
                None => return Ok(response),
            }
            redirects += 1;
        }
    }

    fn start(
        &self,
        mut request: Request,
        authorization: Option<&HeaderValue>,
        added: &HeaderMap,
    ) -> impl Future<Output = reqwest::Result<Response>> + use<> {
        for (name, value) in added {
            request.headers_mut().insert(name, value.clone());
        }
        if let Some(authorization) = authorization {
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        self.http.execute(request)
    }
}

/// The target of a redirect that is to be followed.
fn redirect_target(
    endpoint: &Endpoint,
    method: &Method,
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<Url> {
    let keeps_method = match status {
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::FOUND | StatusCode::SEE_OTHER => method == Method::GET,
        _ => false,
    };
    if !keeps_method {
        return None;
    }
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let target = url.join(location).ok()?;
    endpoint.is_same_origin(&target).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &Method, status: u16, location: &str) -> Option<String> {
        let endpoint = Endpoint::new(
            &crate::http::BaseUrl::parse("https://a.example/base").unwrap(),
            None,
        );
        let url = Url::parse("https://a.example/base/things/1?q=1").unwrap();
        let location = HeaderValue::from_str(location).unwrap();
        let headers = HeaderMap::from_iter([(LOCATION, location)]);
        let status = StatusCode::from_u16(status).unwrap();
        redirect_target(&endpoint, method, &url, status, &headers).map(String::from)
    }

    #[test]
    fn redirects_that_keep_the_method_are_followed() {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            for status in [301, 307, 308] {
                assert_eq!(
                    target(&method, status, "/moved?k=v").as_deref(),
                    Some("https://a.example/moved?k=v")
                );
            }
            for status in [302, 303] {
                let followed = target(&method, status, "/moved").is_some();
                assert_eq!(followed, method == Method::GET, "{method} {status}");
            }
            for status in [200, 201, 300, 304, 305, 409, 500] {
                assert_eq!(target(&method, status, "/moved"), None, "{status}");
            }
        }
    }

    #[test]
    fn redirects_to_another_origin_or_nowhere_are_not_followed() {
        for location in [
            "https://b.example/",
            "http://a.example/",
            "https://a.example:444/",
            "//b.example/",
            "https://a.example@b.example/",
            "http://",
            "\\\\b.example/",
        ] {
            assert_eq!(target(&Method::GET, 307, location), None, "{location}");
        }
    }
}
