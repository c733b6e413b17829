//! What the facade adds to rate limits that processes share.

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    http::SharedRateLimit,
};

impl SharedRateLimit {
    /// Shares the limit with the processes of all machines that name the same key of the same Redis server (feature
    /// `redis`), by whose clock it counts. The URL is `redis://` with a host, and perhaps a user name, a password, a port
    /// and the number of a database; `rediss://` needs a feature of the crate `redis` for TLS, which the program sets.
    ///
    /// Nothing is sent yet. Each request costs four round trips, and the key expires two days after the last one.
    ///
    /// ```
    /// use org_invitations::SharedRateLimit;
    ///
    /// let shared = SharedRateLimit::redis("redis://127.0.0.1:6379", "clickhouse-key-1")?;
    /// assert!(SharedRateLimit::redis("nowhere", "clickhouse-key-1").is_err());
    /// # drop(shared);
    /// # Ok::<(), org_invitations::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config): the URL is invalid. No error quotes it.
    pub fn redis(url: &str, key: impl Into<String>) -> Result<Self> {
        Self::with_redis(url, key.into()).ok_or_else(|| {
            let message = "the URL of Redis is invalid; it is like redis://host:6379/0";
            Error::new(ErrorKind::Config, Operation::Configure, message)
                .with_target("shared rate limit")
        })
    }
}
