//! The allowance of a credential, as a server reports it.

use std::time::Duration;

/// The rate limit that a response reported.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The number of requests allowed in one window.
    pub limit: Option<u64>,
    /// The number of requests left in the current window.
    pub remaining: Option<u64>,
    /// The time from the response to the end of the window.
    pub reset: Option<Duration>,
}
