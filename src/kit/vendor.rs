//! The vendor: its name and capabilities, and what its failures look like.

use std::time::Duration;

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::{
    capabilities::Capabilities,
    error::{Error, ErrorDetail, ErrorKind},
    http::{Reply, headers},
    invitation::InvitationId,
    operation::{OperationContext, kind_of_status},
};

/// A vendor's service, as far as the transport and the errors need it. A provider implements it for itself.
///
/// ```
/// use org_invitations::{
///     Capabilities,
///     kit::{Failure, Rejection, Vendor},
/// };
///
/// struct Acme;
///
/// impl Vendor for Acme {
///     const NAME: &'static str = "acme";
///     const BASE_URL: &'static str = "https://api.acme.example";
///
///     fn capabilities() -> Capabilities {
///         Capabilities::default().filter_email(true).max_page_size(Some(100))
///     }
///
///     fn failure(rejection: &Rejection<'_>) -> Option<Failure> {
///         let message = rejection.body["message"].as_str()?;
///         Some(Failure::new(message))
///     }
/// }
/// ```
pub trait Vendor {
    /// The name in errors, logs and traces.
    const NAME: &'static str;

    /// The base URL of the API, which [`ConnectionBuilder::base_url`](super::ConnectionBuilder::base_url) replaces.
    const BASE_URL: &'static str;

    /// The rate limit that the vendor publishes for one credential: requests in any window of that length. Default: none,
    /// so that the limiter follows the headers of the responses.
    const PUBLISHED_RATE: Option<(usize, Duration)> = None;

    /// What the vendor offers; the provider returns it from
    /// [`InvitationProvider::capabilities`](crate::InvitationProvider::capabilities). What the document can lack is a
    /// constant in the module `offers` of the bindings.
    fn capabilities() -> Capabilities;

    /// Reads a failure in the vendor's own form; `None` if it is in another one, such as a gateway's page.
    ///
    /// A failure in the vendor's form whose status is 400, 401, 402, 403, 404, 409, 422 or 429 promises that the request
    /// was not executed, and a 404 that there is no such invitation. So the form has to be one that no framework or gateway
    /// has for an unknown URL.
    fn failure(rejection: &Rejection<'_>) -> Option<Failure>;

    /// Finds the id of a request in the headers and body of a response. Default: the header `X-Request-Id`.
    fn request_id(headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let _ = body;
        headers::text(headers, "x-request-id").map(str::to_owned)
    }
}

/// A response whose status is not a success, for [`Vendor::failure`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rejection<'a> {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body; null if it is not JSON.
    pub body: &'a Value,
}

/// A failure in the vendor's own form: what [`Vendor::failure`] makes of a [`Rejection`].
///
/// ```
/// use org_invitations::{ErrorKind, kit::Failure};
///
/// let quota = Failure::new("no seats are left").code("seats").kind(ErrorKind::QuotaExceeded);
/// let member = Failure::new("bob@example.com has joined").code("joined").already_a_member();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Failure {
    message: String,
    kind: Option<ErrorKind>,
    code: Option<String>,
    details: Vec<ErrorDetail>,
    conflicting_id: Option<InvitationId>,
}

/// What the message of a failure about a member begins with; the words are those that `is_about_a_member` looks for.
const MEMBER: &str = "already a member of the organisation";

/// The code of a failure about a member that has none.
const MEMBER_CODE: &str = "already_a_member";

impl Failure {
    /// A failure with the vendor's message. Its kind follows from the status.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: None,
            code: None,
            details: Vec::new(),
            conflicting_id: None,
        }
    }

    /// Sets the kind, where the code or the message says more than the status: `AlreadyExists` for an address that is
    /// invited already.
    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets the vendor's code.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Sets the vendor's details.
    pub fn details(mut self, details: Vec<ErrorDetail>) -> Self {
        self.details = details;
        self
    }

    /// Sets the invitation that a create conflicts with, where the response names it.
    pub fn conflicting_id(mut self, id: InvitationId) -> Self {
        self.conflicting_id = Some(id);
        self
    }

    /// Says that the invitee is a member already, so that a create fails with `AlreadyExists` although there is no
    /// invitation.
    pub fn already_a_member(mut self) -> Self {
        self.kind = Some(ErrorKind::AlreadyExists);
        self.message = format!("{MEMBER}: {}", self.message);
        self.code.get_or_insert_with(|| MEMBER_CODE.to_owned());
        self
    }
}

/// The error of a reply that is not a success.
pub(super) fn error_of<V: Vendor>(context: &OperationContext<'_>, reply: &Reply) -> Error {
    let rejection = Rejection {
        status: reply.status.as_u16(),
        headers: &reply.headers,
        body: reply.json().unwrap_or(&Value::Null),
    };
    let Some(failure) = V::failure(&rejection) else {
        return context.unexpected_response(reply);
    };
    let kind = failure
        .kind
        .or_else(|| kind_of_status(reply.status, context.operation))
        .unwrap_or(ErrorKind::Unexpected);
    let mut error = context.error_from_reply(reply, kind, failure.message);
    if let Some(code) = failure.code {
        error = error.with_code(code);
    }
    if let Some(id) = failure.conflicting_id {
        error = error.with_conflicting_id(id);
    }
    error.with_details(failure.details)
}

/// Whether a 429 is in the vendor's own form.
pub(super) fn is_own_refusal<V: Vendor>(headers: &HeaderMap, body: &[u8]) -> bool {
    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
    let rejection = Rejection {
        status: StatusCode::TOO_MANY_REQUESTS.as_u16(),
        headers,
        body: &body,
    };
    V::failure(&rejection).is_some()
}
