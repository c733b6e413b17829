//! What happens around every request that a generated client sends.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::{
    Body, Method, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use url::Url;

use crate::client::Connection;

/// How often a request may be redirected.
const MAX_REDIRECTS: usize = 5;

tokio::task_local! {
    /// The header that the attempt under way authenticates with.
    pub(crate) static AUTHORIZATION_OF_ATTEMPT: Option<HeaderValue>;
}

/// Includes a client from `$OUT_DIR` and gives it its hooks.
macro_rules! generated_client {
    ($file:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $file));

        #[allow(unused_imports)] // Not every API has times.
        use crate::client::Time;
        use crate::extra::{Extra, Key, Rest};

        type Inner = std::sync::Arc<crate::client::Connection>;

        impl ClientHooks<Inner> for Client {
            async fn pre<E>(
                &self,
                request: &mut reqwest::Request,
                _: &OperationInfo,
            ) -> Result<(), Error<E>> {
                self.inner.prepare(request);
                Ok(())
            }

            async fn exec(
                &self,
                request: reqwest::Request,
                _: &OperationInfo,
            ) -> reqwest::Result<reqwest::Response> {
                self.inner.execute(request).await
            }
        }
    };
}
pub(crate) use generated_client;

impl Connection {
    /// Makes a generated request ours: authenticated, and asking for JSON.
    pub fn prepare(&self, request: &mut Request) {
        let same_origin = self.endpoint.is_same_origin(request.url());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // The attempt that sends this request made it sure to be good.
        let known = AUTHORIZATION_OF_ATTEMPT
            .try_with(Option::clone)
            .ok()
            .flatten();
        if let Some(authorization) = known.filter(|_| same_origin) {
            headers.insert(AUTHORIZATION, authorization);
        }
    }

    /// Sends a request and follows redirects, with the same method, within the configured origin.
    pub async fn execute(self: &Arc<Self>, request: Request) -> reqwest::Result<Response> {
        // What is needed to send it again, which is less than all of it.
        let method = request.method().clone();
        let content_type = request.headers().get(CONTENT_TYPE).cloned();
        let body = request
            .body()
            .and_then(Body::as_bytes)
            .map(Bytes::copy_from_slice);
        let mut response = self.http.execute(request).await?;
        for _ in 0..MAX_REDIRECTS {
            let Some(target) = self.redirect_target(&method, &response) else {
                break;
            };
            let mut request = Request::new(method.clone(), target);
            if let Some(content_type) = &content_type {
                request
                    .headers_mut()
                    .insert(CONTENT_TYPE, content_type.clone());
            }
            *request.body_mut() = body.clone().map(Body::from);
            self.prepare(&mut request);
            response = self.http.execute(request).await?;
        }
        Ok(response)
    }

    fn redirect_target(&self, method: &Method, response: &Response) -> Option<Url> {
        let keeps_method = match response.status() {
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => true,
            StatusCode::FOUND | StatusCode::SEE_OTHER => method == Method::GET,
            _ => false,
        };
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let target = response.url().join(location).ok()?;
        (keeps_method && self.endpoint.is_same_origin(&target)).then_some(target)
    }
}
