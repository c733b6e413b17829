//! The options of single calls, in place of those of the provider.

use std::{
    future::Future,
    sync::{Arc, LazyLock},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, ErrorKind, Operation, Result};

tokio::task_local! {
    /// The options of the calls that the current task makes.
    static CURRENT: Arc<CallOptions>;
}

/// The options outside of every scope.
static NONE: LazyLock<Arc<CallOptions>> = LazyLock::new(Arc::default);

/// Headers that the transport sets or that frame the message.
const RESERVED: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
];

/// A header that a program may add to requests.
///
/// # Errors
///
/// The name or value is none, or the header is the transport's.
pub(crate) fn checked_header(
    name: &str,
    value: &str,
) -> std::result::Result<(HeaderName, HeaderValue), String> {
    let wrong = |why: &str| format!("the header {name:?} {why}");
    let parsed = HeaderName::try_from(name).map_err(|_| wrong("has no valid name"))?;
    if RESERVED.contains(&parsed) {
        return Err(wrong(
            "is set by the transport, and cannot be set otherwise",
        ));
    }
    let value = HeaderValue::from_str(value).map_err(|_| wrong("has no valid value"))?;
    Ok((parsed, value))
}

/// Which calls the rate limit of a provider admits first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallPriority {
    /// Somebody waits for the call: it goes before every bulk call that was not admitted yet.
    #[default]
    Interactive,
    /// One of many calls, which nobody waits for in particular.
    Bulk,
}

/// Options of some calls, in place of those of their provider.
///
/// They hold for every call that is made within [`scope`](Self::scope): of any provider, also through a `dyn` pointer or
/// a wrapper, and of everything that consists of several calls, such as a bulk run or a renewal. They do not follow a
/// task that is spawned within. Inner scopes replace what they set, and keep the rest. Requests for tokens keep the
/// options of their credentials, as they serve other calls too.
///
/// ```
/// use std::time::Duration;
///
/// use org_invitations::{CallOptions, InvitationProvider, InvitationProviderExt, NewInvitation};
///
#[doc = example!(confluent)]
/// let quick = CallOptions::new().deadline(Duration::from_secs(5)).max_attempts(1);
/// let invited = quick.scope(provider.create(NewInvitation::new("ann@example.com"))).await?;
/// let tagged = CallOptions::new().tag("ticket 4711");
/// let found = tagged.scope(async {
///     provider.create_if_not_exists(NewInvitation::new("ann@example.com")).await
/// });
/// let (found, is_new) = found.await?;
/// assert_eq!((found.id, is_new), (invited.id, false));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// The time limit of one request, including its response. Default: the provider's `timeout`.
    pub timeout: Option<Duration>,
    /// The time limit of a call, with all its attempts and waits. Default: that of the provider's
    /// [`RetryPolicy`](crate::RetryPolicy).
    pub deadline: Option<Duration>,
    /// How often a call is attempted at most; 1 for no retries. Default: that of the provider's [`RetryPolicy`](crate::RetryPolicy).
    pub max_attempts: Option<u32>,
    /// What the trace events and [`AttemptEvent`](crate::AttemptEvent)s of the calls are tagged with, such as the
    /// ticket that they are for. It is not sent. Default: none.
    pub tag: Option<String>,
    /// Which calls the rate limit admits first. Default: [`Interactive`](CallPriority::Interactive), and
    /// [`Bulk`](CallPriority::Bulk) in a bulk run.
    pub priority: Option<CallPriority>,
    headers: HeaderMap,
}

impl CallOptions {
    /// No options: everything is as the provider has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time limit of one request, including its response.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the time limit of a call, with all its attempts and waits.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets how often a call is attempted at most; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts.max(1));
        self
    }

    /// Sets what trace events and attempt events are tagged with.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Sets which calls the rate limit admits first.
    #[must_use]
    pub fn priority(mut self, priority: CallPriority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Adds a header to every request, in place of one of this name that the provider sends.
    ///
    /// ```
    /// use org_invitations::CallOptions;
    ///
    /// let traced = CallOptions::new().header("traceparent", "00-4bf92f35-00f067aa-01")?;
    /// assert!(CallOptions::new().header("Authorization", "Basic …").is_err());
    /// # Ok::<(), org_invitations::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config): the name or value cannot be one, or the header is the transport's, such as
    /// credentials, cookies, the host, and what frames the message.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self> {
        let (name, value) = checked_header(name, value).map_err(|wrong| {
            Error::new(ErrorKind::Config, Operation::Configure, wrong).with_target("header")
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Makes the calls of `calls` with these options.
    pub async fn scope<F: Future>(self, calls: F) -> F::Output {
        CURRENT.scope(Arc::new(self.within_current()), calls).await
    }

    /// Makes the calls of a stream, such as a list, with these options, wherever it is polled.
    pub fn scope_stream<'a, S>(self, calls: S) -> BoxStream<'a, S::Item>
    where
        S: Stream + Send + 'a,
    {
        let options = Arc::new(self.within_current());
        let mut calls = Box::pin(calls);
        stream::poll_fn(move |context| {
            CURRENT.sync_scope(Arc::clone(&options), || calls.as_mut().poll_next(context))
        })
        .boxed()
    }

    /// This priority, unless the scope around has another.
    pub(crate) fn default_priority(priority: CallPriority) -> Self {
        let outer = CURRENT.try_with(|outer| outer.priority).ok().flatten();
        Self::new().priority(outer.unwrap_or(priority))
    }

    /// The options of the calls that the current task makes.
    pub(crate) fn current() -> Arc<Self> {
        let current = CURRENT.try_with(Arc::clone);
        current.unwrap_or_else(|_| Arc::clone(&NONE))
    }

    /// These options, and those of the scope around for what they leave open.
    fn within_current(mut self) -> Self {
        let Ok(outer) = CURRENT.try_with(Arc::clone) else {
            return self;
        };
        self.timeout = self.timeout.or(outer.timeout);
        self.deadline = self.deadline.or(outer.deadline);
        self.max_attempts = self.max_attempts.or(outer.max_attempts);
        self.tag = self.tag.or_else(|| outer.tag.clone());
        self.priority = self.priority.or(outer.priority);
        for (name, value) in &outer.headers {
            if !self.headers.contains_key(name) {
                self.headers.insert(name, value.clone());
            }
        }
        self
    }

    /// The headers that are added to every request.
    #[cfg(feature = "transport")]
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}
