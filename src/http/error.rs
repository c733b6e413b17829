//! The errors of the transport: of a call, and of building a client.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, Response, StatusCode, header::HeaderMap};

/// A shared cause.
type Source = Arc<dyn StdError + Send + Sync>;

/// Why a call got no complete response.
///
/// A call through the bindings returns it inside a `reqwest::Error`; [`TransportError::find`] extracts it. A complete
/// response is never a `TransportError`, whatever its status.
///
/// `Display` is one line and never holds a secret.
#[derive(Clone)]
pub struct TransportError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: TransportErrorKind,
    message: String,
    attempts: u32,
    may_have_executed: bool,
    wait: Option<Duration>,
    /// The head of a response whose body failed.
    head: Option<(StatusCode, HeaderMap)>,
    source: Option<Source>,
}

/// The kind of a [`TransportError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: name resolution failed, the port is closed, TLS failed. The request was not executed.
    Connect,
    /// The server's certificate is not accepted. The request was not executed, and is not retried.
    Certificate,
    /// No response within the time limits. The request may have been executed.
    Timeout,
    /// The connection broke after the request went out. The request may have been executed.
    Transport,
    /// The response is larger than the limit. The request was executed if the status says so.
    BodyTooLarge,
    /// The rate limit admits no request before the deadline; [`TransportError::wait`] says when it does. Nothing was sent.
    RateLimitDeadline,
    /// No token was available; the source is the token provider's error. Nothing was sent.
    Credentials,
    /// The credentials have expired, and nothing renews them. Nothing was sent.
    CredentialsExpired,
    /// The request is invalid, for example for another origin. Nothing was sent.
    InvalidRequest,
    /// The call runs outside of a Tokio runtime. Nothing was sent.
    NoRuntime,
    /// An interceptor of the program's refused the attempt; the source is its error. Nothing was sent by this attempt.
    Intercepted,
}

impl TransportError {
    pub(crate) fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            attempts: 0,
            may_have_executed: false,
            wait: None,
            head: None,
            source: None,
        }))
    }

    /// The kind of the error.
    pub fn kind(&self) -> TransportErrorKind {
        self.0.kind
    }

    /// The error message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How many requests were sent for the call.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the server may have executed one of these requests although the call failed.
    ///
    /// `false` is a promise: a request that changes something changed nothing.
    pub fn may_have_executed(&self) -> bool {
        self.0.may_have_executed
    }

    /// The minimum time until the rate limit admits a request, if that is why nothing was sent.
    pub fn wait(&self) -> Option<Duration> {
        self.0.wait
    }

    /// The status of a response whose body failed.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.head.as_ref().map(|(status, _)| *status)
    }

    /// The headers of a response whose body failed.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.head.as_ref().map(|(_, headers)| headers)
    }

    /// Finds the `TransportError` in an error and its sources.
    ///
    /// `error` is a `reqwest::Error`, the `Error` of a generated client, or any error with one of them as a source.
    pub fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    pub(crate) fn shared_source(&self) -> Option<&Source> {
        self.0.source.as_ref()
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_may_have_executed(mut self, may_have_executed: bool) -> Self {
        self.0.may_have_executed = may_have_executed;
        self
    }

    pub(crate) fn with_wait(mut self, wait: Duration) -> Self {
        self.0.wait = Some(wait);
        self
    }

    /// Adds the head of the response whose body failed.
    pub(crate) fn with_head(mut self, status: StatusCode, headers: HeaderMap) -> Self {
        self.0.head = Some((status, headers));
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Converts the error of a request or of a truncated body. Keeps the host and port of the URL only.
    pub(crate) fn from_reqwest(error: reqwest::Error) -> Self {
        Self::from_reqwest_by(error, None)
    }

    /// The same, for a request through this proxy.
    pub(crate) fn from_reqwest_by(error: reqwest::Error, proxy: Option<&str>) -> Self {
        let (kind, message) = if error.is_connect() {
            let host = error.url().and_then(host_and_port);
            let host = host.unwrap_or_else(|| "the server".to_owned());
            let by = proxy.map_or_else(String::new, |proxy| format!(" by the proxy {proxy}"));
            if is_about_a_certificate(&error) {
                let message = format!("the certificate of {host}{by} is not accepted");
                (TransportErrorKind::Certificate, message)
            } else {
                let message = format!("{host} could not be reached{by}");
                (TransportErrorKind::Connect, message)
            }
        } else if error.is_timeout() {
            return Self::timeout().with_source(error.without_url());
        } else if error.is_builder() {
            let message = "the request cannot be built";
            return Self::new(TransportErrorKind::InvalidRequest, message)
                .with_source(error.without_url());
        } else {
            let message = "the connection broke before the answer was complete".to_owned();
            (TransportErrorKind::Transport, message)
        };
        let message = match root_cause(&error) {
            Some(cause) => format!("{message}: {cause}"),
            None => message,
        };
        Self::new(kind, message).with_source(error.without_url())
    }

    /// The error of a response that did not arrive in time.
    pub(crate) fn timeout() -> Self {
        Self::new(
            TransportErrorKind::Timeout,
            "the server did not answer in time",
        )
    }

    /// Wraps this error in the type that the hooks of a generated client return.
    pub(crate) async fn into_reqwest(self) -> reqwest::Error {
        loop {
            // reqwest has no constructor for errors, but a body that fails makes it build one.
            let failing = stream::iter([Err::<Bytes, _>(self.clone())]);
            let response = Response::from(http::Response::new(Body::wrap_stream(failing)));
            // The first item of the stream is the error, so the first round returns.
            if let Err(error) = response.bytes().await {
                return error;
            }
        }
    }
}

/// `host:port`, without anything that may be secret.
pub(crate) fn host_and_port(url: &url::Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Whether a connection failed because of a certificate. The TLS libraries share no error type, but they share this
/// word.
fn is_about_a_certificate(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if cause.to_string().to_lowercase().contains("certificate") {
            return true;
        }
        next = cause.source();
    }
    false
}

/// The message of the innermost error, which has the cause.
fn root_cause(error: &reqwest::Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let attempts = (self.0.attempts > 1).then(|| format!("{} attempts", self.0.attempts));
        let open = (self.0.may_have_executed).then(|| "it may have been carried out".to_owned());
        let facts: Vec<_> = attempts.into_iter().chain(open).collect();
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        Ok(())
    }
}

/// Omits the headers: a server may have echoed a secret into them.
impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("attempts", &self.0.attempts)
            .field("may_have_executed", &self.0.may_have_executed)
            .field("status", &self.status())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

/// Why a client cannot be built. Nothing was sent.
#[derive(Clone, Debug)]
pub(crate) struct SetupError {
    /// The value that is wrong: `base URL`, `credentials`.
    pub target: Option<&'static str>,
    pub message: String,
    pub source: Option<Source>,
}

impl SetupError {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            target: None,
            message: message.into(),
            source: None,
        }
    }

    /// Names the value that is wrong.
    pub fn about(mut self, target: &'static str) -> Self {
        self.target = Some(target);
        self
    }

    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for SetupError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_slow() -> TransportError {
        TransportError::timeout()
            .with_attempts(3)
            .with_may_have_executed(true)
            .with_source("the cause")
    }

    #[tokio::test]
    async fn an_error_travels_inside_an_error_of_reqwest() {
        let wrapped = too_slow().into_reqwest().await;
        let found = TransportError::find(&wrapped).unwrap();
        assert_eq!(found.kind(), TransportErrorKind::Timeout);
        assert_eq!((found.attempts(), found.may_have_executed()), (3, true));
        assert_eq!(found.source().unwrap().to_string(), "the cause");

        let client_error = progenitor_client::Error::<()>::CommunicationError(wrapped);
        assert!(TransportError::find(&client_error).is_some());
        assert!(TransportError::find(&SetupError::new("")).is_none());
    }

    #[test]
    fn display_is_one_line_with_attempts_and_outcome() {
        let text = too_slow().to_string();
        let expected =
            "the server did not answer in time (3 attempts, it may have been carried out)";
        assert_eq!(text, expected);
        assert_eq!(
            TransportError::timeout().with_attempts(1).to_string(),
            "the server did not answer in time"
        );
    }

    #[tokio::test]
    async fn a_connection_error_names_host_and_root_cause_and_no_url() {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = format!("http://{address}/secret-path");
        let error = client.get(url.as_str()).send().await.unwrap_err();
        let by_proxy = TransportError::from_reqwest_by(error, Some("proxy.example:3128"));
        let named = format!("{address} could not be reached by the proxy proxy.example:3128: ");
        assert!(by_proxy.message().starts_with(&named), "{by_proxy}");
        let error = client.get(url).send().await.unwrap_err();
        let error = TransportError::from_reqwest(error);
        assert_eq!(error.kind(), TransportErrorKind::Connect);
        assert!(error.message().contains("refused"), "{error}");
        let named = format!("{address} could not be reached: ");
        assert!(error.message().starts_with(&named), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret-path"));
    }
}
