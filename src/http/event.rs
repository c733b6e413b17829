//! Response metadata for observers.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::http::RateLimit;

/// A callback for every response; see [`ResponseEvent`].
pub type ResponseObserver = Arc<dyn Fn(&ResponseEvent<'_>) + Send + Sync>;

/// The metadata of a response, for logs, metrics and support.
///
/// The observer of a provider receives one for every complete response, whatever its status, also for attempts that
/// are retried.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResponseEvent<'a> {
    /// The provider's name.
    pub provider: &'static str,
    /// The operation's name in the bindings, such as `create_iam_v2_invitation`.
    pub operation: &'static str,
    /// The tag of the call; see [`CallOptions::tag`](crate::CallOptions::tag).
    pub tag: Option<&'a str>,
    /// The HTTP status.
    pub status: u16,
    /// The id of the request, for the provider's support.
    pub request_id: Option<&'a str>,
    /// The rate limit that the response reported.
    pub rate_limit: Option<RateLimit>,
    /// The `Location` header: the new resource (Confluent, 201), or the conflicting one (409).
    pub location: Option<&'a str>,
    /// The server's time from the `Date` header, in whole seconds.
    pub date: Option<DateTime<Utc>>,
    /// The time from the start of the request to the end of the response.
    pub elapsed: Duration,
}
