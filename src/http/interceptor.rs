//! Interceptors: what a program adds around each attempt.

use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{Method, header::HeaderMap};

use crate::call::{RateLimit, checked_header};
use crate::http::{
    HttpClient, Reply, TransportError,
    attempt::{AttemptResult, request_id},
    headers,
};

/// What an interceptor refuses an attempt with.
type BoxError = Box<dyn Error + Send + Sync>;

/// Code of the program's around each attempt: for logs, metrics, tracing headers, circuit breakers and tests.
///
/// An attempt is one request of a call and its response; a call has several when it is retried, and a redirect that is
/// followed is part of its attempt. Every method has a default that does nothing, and a closure that takes an
/// [`AttemptEvent`] is an interceptor that only observes. With several, each method is called in the order in which they
/// were set. A provider without one pays nothing for them.
///
/// The methods are not async, so that they cost no allocation and no attempt is kept in flight by them: what takes time is
/// prepared elsewhere, such as credentials by a [`CredentialProvider`](crate::CredentialProvider). They are called on the
/// task of the call, also for token exchanges with the API; requests to an identity provider are not intercepted, since
/// they go elsewhere.
///
/// ```
/// use std::{
///     error::Error,
///     sync::atomic::{AtomicU32, Ordering},
/// };
///
/// use org_invitations::{AttemptEvent, AttemptRequest, Confluent, Interceptor, InvitationProvider, ListQuery};
///
/// /// Numbers requests, for the log of a gateway.
/// #[derive(Default)]
/// struct Numbered(AtomicU32);
///
/// impl Interceptor for Numbered {
///     fn before_attempt(&self, attempt: &mut AttemptRequest<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
///         let number = self.0.fetch_add(1, Ordering::Relaxed);
///         attempt.set_header("x-request-number", &number.to_string())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn Error>> {
/// # let sandbox = org_invitations_sandbox::Sandbox::start().await?;
/// # let key = &sandbox.credentials().confluent;
/// # let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str()).base_url(sandbox.url());
/// let provider = builder
///     .interceptor(Numbered::default())
///     .interceptor(|event: &AttemptEvent<'_>| println!("{} took {:?}", event.operation, event.elapsed))
///     .build()?;
/// provider.list_page(&ListQuery::new(), None).await?;
/// # Ok(())
/// # }
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// Called before an attempt is sent, once the rate limit admits it. It may add headers.
    ///
    /// # Errors
    ///
    /// The attempt is not sent, and the call fails as [`PermissionDenied`](crate::ErrorKind::PermissionDenied) with this
    /// error as its source. It is not retried.
    fn before_attempt(&self, attempt: &mut AttemptRequest<'_>) -> Result<(), BoxError> {
        let _ = attempt;
        Ok(())
    }

    /// Called once for each attempt for which [`before_attempt`](Self::before_attempt) was called, whatever came of it.
    fn after_attempt(&self, event: &AttemptEvent<'_>) {
        let _ = event;
    }

    /// Called after each token exchange or question to a [`CredentialProvider`](crate::CredentialProvider).
    fn after_refresh(&self, event: &RefreshEvent<'_>) {
        let _ = event;
    }
}

impl<F: Fn(&AttemptEvent<'_>) + Send + Sync + 'static> Interceptor for F {
    fn after_attempt(&self, event: &AttemptEvent<'_>) {
        self(event);
    }
}

/// An interceptor that the program keeps, or that several providers have.
impl Interceptor for Arc<dyn Interceptor> {
    fn before_attempt(&self, attempt: &mut AttemptRequest<'_>) -> Result<(), BoxError> {
        (**self).before_attempt(attempt)
    }

    fn after_attempt(&self, event: &AttemptEvent<'_>) {
        (**self).after_attempt(event);
    }

    fn after_refresh(&self, event: &RefreshEvent<'_>) {
        (**self).after_refresh(event);
    }
}

/// An attempt that is about to be sent. Credentials are added afterwards: no interceptor sees them.
pub struct AttemptRequest<'a> {
    pub(super) attempt: &'a AttemptInfo<'a>,
    pub(super) path: &'a str,
    pub(super) sent: Option<&'a HeaderMap>,
    pub(super) added: HeaderMap,
}

impl<'a> AttemptRequest<'a> {
    /// The provider's name.
    pub fn provider(&self) -> &'static str {
        self.attempt.provider
    }

    /// The operation's name in the bindings, such as `create_iam_v2_invitation`.
    pub fn operation(&self) -> &'static str {
        self.attempt.operation
    }

    /// The tag of the call; see [`CallOptions::tag`](crate::CallOptions::tag).
    pub fn tag(&self) -> Option<&'a str> {
        self.attempt.tag
    }

    /// The method of the request.
    pub fn method(&self) -> &'a str {
        self.attempt.method.as_str()
    }

    /// The path of the request, without its query.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The number of the attempt in its call; 1 for the first.
    pub fn number(&self) -> u32 {
        self.attempt.number
    }

    /// How long the attempt waited for the rate limit.
    pub fn waited(&self) -> Duration {
        self.attempt.waited
    }

    /// The value of a header that the request has so far, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let own = self.sent.and_then(|headers| headers.get(name));
        self.added.get(name).or(own)?.to_str().ok()
    }

    /// Sets a header of this attempt, in place of one of this name.
    ///
    /// # Errors
    ///
    /// The name or value is none, or the header is the transport's: credentials, cookies, the host, and what frames the
    /// message.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), BoxError> {
        let (name, value) = checked_header(name, value)?;
        self.added.insert(name, value);
        Ok(())
    }
}

impl fmt::Debug for AttemptRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptRequest")
            .field("provider", &self.provider())
            .field("operation", &self.operation())
            .field("number", &self.number())
            .finish_non_exhaustive()
    }
}

/// An attempt and what came of it, for logs, metrics and support. It holds no credentials.
#[derive(Clone)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// The provider's name.
    pub provider: &'static str,
    /// The operation's name in the bindings, such as `create_iam_v2_invitation`.
    pub operation: &'static str,
    /// The tag of the call; see [`CallOptions::tag`](crate::CallOptions::tag).
    pub tag: Option<&'a str>,
    /// The method of the request.
    pub method: &'a str,
    /// The number of the attempt in its call; 1 for the first.
    pub number: u32,
    /// How long the attempt waited for the rate limit.
    pub waited: Duration,
    /// The time from the start of the request to the end of the response.
    pub elapsed: Duration,
    /// What came of the attempt.
    pub outcome: AttemptOutcome<'a>,
    pub(super) client: &'a HttpClient,
    /// `None` after a call that was dropped.
    pub(super) result: Option<&'a AttemptResult>,
}

/// What the response says is read when it is asked for.
impl<'a> AttemptEvent<'a> {
    /// The host that the request went to.
    pub fn host(&self) -> &'a str {
        self.client.endpoint.host()
    }

    /// The port that the request went to.
    pub fn port(&self) -> Option<u16> {
        self.client.endpoint.port()
    }

    /// The id of the request, for the provider's support.
    pub fn request_id(&self) -> Option<String> {
        request_id(self.client, self.result?)
    }

    /// The rate limit that the response reported.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        headers::rate_limit(&self.reply()?.headers)
    }

    /// The `Location` header: the new resource (Confluent, 201), or the conflicting one (409).
    pub fn location(&self) -> Option<&'a str> {
        self.reply()?.header("location")
    }

    /// The server's time from the `Date` header, in whole seconds.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        headers::date(&self.reply()?.headers)
    }

    /// The status of a complete response.
    pub fn status(&self) -> Option<u16> {
        match self.outcome {
            AttemptOutcome::Response(status) => Some(status),
            _ => None,
        }
    }

    /// The `error.type` of OpenTelemetry's conventions: the status of a failure, the kind of the error, or `Cancelled`;
    /// `None` for a success.
    pub fn error_type(&self) -> Option<Cow<'static, str>> {
        match &self.outcome {
            AttemptOutcome::Response(200..=299) => None,
            AttemptOutcome::Response(status) => Some(status.to_string().into()),
            AttemptOutcome::Failed(error) => Some(format!("{:?}", error.kind()).into()),
            AttemptOutcome::Cancelled => Some("Cancelled".into()),
        }
    }

    fn reply(&self) -> Option<&'a Reply> {
        self.result?.as_ref().ok()
    }
}

impl fmt::Debug for AttemptEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptEvent")
            .field("provider", &self.provider)
            .field("operation", &self.operation)
            .field("tag", &self.tag)
            .field("method", &self.method)
            .field("host", &self.host())
            .field("number", &self.number)
            .field("waited", &self.waited)
            .field("elapsed", &self.elapsed)
            .field("outcome", &self.outcome)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AttemptOutcome<'a> {
    /// A complete response with this status.
    Response(u16),
    /// No complete response, or an interceptor refused the attempt.
    Failed(&'a TransportError),
    /// The call was dropped before the attempt was complete.
    Cancelled,
}

/// New credentials, or the failure to get them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefreshEvent<'a> {
    /// The provider's name.
    pub provider: &'static str,
    /// How long it took.
    pub elapsed: Duration,
    /// Why there are none.
    pub error: Option<&'a TransportError>,
}

/// What is known of an attempt before it is sent.
pub(super) struct AttemptInfo<'a> {
    pub provider: &'static str,
    pub operation: &'static str,
    pub tag: Option<&'a str>,
    pub method: Method,
    pub number: u32,
    pub waited: Duration,
}

/// The interceptors of a client, in the order of their calls.
pub(crate) type Interceptors = Vec<Arc<dyn Interceptor>>;
