//! The ledger: every request to the emulated APIs and every change of what they hold, in order.

mod bodies;
mod recorder;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::faults::Fault;
use crate::provider::Provider;
use crate::redact::Redactor;

pub(crate) use bodies::{BodyPair, KeptBody};
pub(crate) use recorder::{Numbering, ReceivedRequest, Recorder};

/// Every request to the emulated APIs and every change of an invitation, a member or a role binding, oldest first.
///
/// The ledger keeps the latest million of each, or [another number](crate::SandboxBuilder::ledger_limit). Both lists
/// share one numbering: the `sequence` of a change comes after that of its request. Times are those of the machine's
/// clock, whatever the sandbox's clock says.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Ledger {
    /// The requests, whatever their answer.
    pub requests: Vec<RequestEntry>,
    /// The changes.
    pub commits: Vec<CommitEntry>,
    /// Number of older requests that are no longer kept.
    pub dropped_requests: u64,
    /// Number of older changes that are no longer kept.
    pub dropped_commits: u64,
}

impl Ledger {
    /// Counts the requests that were answered with a status.
    pub fn count_status(&self, status: u16) -> usize {
        let answered = |entry: &&RequestEntry| entry.status == Some(status);
        self.requests.iter().filter(answered).count()
    }
}

/// A request to one of the emulated APIs.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RequestEntry {
    /// Position in the ledger.
    pub sequence: u64,
    /// When the request's head arrived.
    pub at: DateTime<Utc>,
    /// The API that the path belongs to; `None` if it belongs to neither.
    pub provider: Option<Provider>,
    /// The `operationId` in the vendor's document; `None` if no operation has this method and path.
    pub operation: Option<&'static str>,
    /// The HTTP method.
    pub method: String,
    /// The path as received, still percent-encoded.
    pub path: String,
    /// The query as received, without the `?`; empty when there was none. Secrets are hidden.
    pub query: String,
    /// The headers by lower-case name. Of credentials the ledger keeps the scheme only, and of cookies and of headers
    /// for secrets nothing.
    pub headers: BTreeMap<String, String>,
    /// The status of the answer; `None` until the answer is ready, and forever if a fault suppresses it.
    pub status: Option<u16>,
    /// The request id, in the vendor's form.
    pub request_id: String,
    /// The fault that was injected.
    pub fault: Option<Fault>,
}

/// A request with what was sent and answered, without secrets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Exchange {
    request: RequestEntry,
    request_body: Option<ShownBody>,
    response_headers: Option<BTreeMap<String, String>>,
    response_body: Option<ShownBody>,
}

/// The beginning of a body as text.
#[derive(Clone, Debug, Serialize)]
struct ShownBody {
    text: String,
    /// The length of the whole body in bytes.
    bytes: usize,
}

impl Exchange {
    fn new(request: RequestEntry, bodies: Option<&BodyPair>, redactor: &Redactor) -> Self {
        let show = |kept: &KeptBody| ShownBody {
            text: redactor.body(&String::from_utf8_lossy(&kept.start)),
            bytes: kept.length,
        };
        let headers = bodies.and_then(|it| it.response_headers.as_ref());
        let headers = headers.map(|headers| {
            let shown = headers.iter();
            shown
                .map(|(name, value)| (name.to_string(), redactor.header(name, value)))
                .collect()
        });
        Self {
            request,
            request_body: bodies.and_then(|it| it.request.as_ref()).map(show),
            response_headers: headers,
            response_body: bodies.and_then(|it| it.response.as_ref()).map(show),
        }
    }
}

/// A change of an invitation, a member or a role binding.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CommitEntry {
    /// Position in the ledger.
    pub sequence: u64,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// The API that the change belongs to.
    pub provider: Provider,
    /// The kind of change.
    pub operation: Change,
    /// The id of what was changed: the invitation, unless the kind of change says otherwise.
    pub id: String,
    /// The person's address as the vendor keeps it; empty if the change is about no person.
    pub email: String,
    /// The id of the request that made the change; `None` for a change from outside the APIs.
    pub request_id: Option<String>,
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// The invitation was created.
    Create,
    /// The invitee accepted it.
    Accept,
    /// The invitation was deleted.
    Delete,
    /// A role binding was created; [`CommitEntry::id`] is its id.
    Bind,
    /// A role binding was deleted; [`CommitEntry::id`] is its id.
    Unbind,
    /// A member was changed; [`CommitEntry::id`] is the member's id.
    Update,
    /// A member was removed; [`CommitEntry::id`] is the member's id.
    Remove,
}
