//! What a response said beside its body, for observers.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::http::RateLimit;

/// Sees every response; see [`ResponseEvent`].
pub type ResponseObserver = Arc<dyn Fn(&ResponseEvent<'_>) + Send + Sync>;

/// What a response said beside its body: for logs, metrics and support.
///
/// Given to the observer that a provider was built with, for every response that arrived completely, whatever
/// its status, also of attempts that are repeated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResponseEvent<'a> {
    /// The provider's name.
    pub provider: &'static str,
    /// The operation's name in the bindings, such as `create_iam_v2_invitation`.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The id of the request, for the provider's support.
    pub request_id: Option<&'a str>,
    /// The allowance that is left.
    pub rate_limit: Option<RateLimit>,
    /// Where the new resource is (Confluent, 201), or the conflicting one (409).
    pub location: Option<&'a str>,
    /// The server's time, in whole seconds (`Date`).
    pub date: Option<DateTime<Utc>>,
    /// From the request to the end of the response.
    pub elapsed: Duration,
}
