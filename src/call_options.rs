//! What the facade adds to the options of single calls.

use crate::{
    error::{Error, Result},
    http::CallOptions,
};

impl CallOptions {
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
    pub fn header(self, name: &str, value: &str) -> Result<Self> {
        self.with_header(name, value).map_err(Error::from)
    }
}
