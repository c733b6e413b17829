//! Errors as data.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::error::Error;

/// An object with what the error has: `kind`, `operation`, `message`, `attempts` and `may_have_executed` always, and
/// `provider`, `target`, `status`, `code`, `request_id`, `details`, `retry_after_seconds` and `conflicting_id` where
/// they are known. It holds no secret.
///
/// ```
/// use org_invitations::{Error, ErrorKind, Operation};
///
/// let error = Error::new(ErrorKind::NotFound, Operation::Get, "no such invitation").with_status(404);
/// let data = serde_json::to_value(&error)?;
/// assert_eq!(data["kind"], "not_found");
/// assert_eq!(data["status"], 404);
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Error", 13)?;
        object.serialize_field("kind", &self.kind())?;
        object.serialize_field("operation", &self.operation())?;
        object.serialize_field("message", self.message())?;
        let texts = [
            ("provider", self.provider()),
            ("target", self.target()),
            ("code", self.code()),
            ("request_id", self.request_id()),
            ("conflicting_id", self.conflicting_id().map(AsRef::as_ref)),
        ];
        for (name, text) in texts {
            match text {
                Some(text) => object.serialize_field(name, text)?,
                None => object.skip_field(name)?,
            }
        }
        match self.status() {
            Some(status) => object.serialize_field("status", &status)?,
            None => object.skip_field("status")?,
        }
        match self.retry_after() {
            Some(wait) => object.serialize_field("retry_after_seconds", &wait.as_secs_f64())?,
            None => object.skip_field("retry_after_seconds")?,
        }
        match self.details() {
            [] => object.skip_field("details")?,
            details => object.serialize_field("details", details)?,
        }
        object.serialize_field("attempts", &self.attempts())?;
        object.serialize_field("may_have_executed", &self.may_have_executed())?;
        object.end()
    }
}
