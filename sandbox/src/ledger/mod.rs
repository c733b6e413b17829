//! What the sandbox was asked and what it changed, in order.

mod recorder;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::faults::Fault;
use crate::state::Provider;

pub(crate) use recorder::{ReceivedRequest, Recorder};

/// Every vendor request received and every change of state made, oldest first; or the latest million of each, or
/// as many as the sandbox was [told to keep](crate::SandboxBuilder::ledger_limit).
///
/// One numbering runs over both lists, so that a request and the change it made can be put in order: the
/// change's `sequence` lies after that of its request. Times are the machine's, whatever the sandbox's clock says.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Ledger {
    /// The requests, refused and unrouted ones included.
    pub requests: Vec<RequestEntry>,
    /// The changes of state.
    pub commits: Vec<CommitEntry>,
    /// How many more requests there were, no longer kept.
    pub dropped_requests: u64,
    /// How many more changes there were, no longer kept.
    pub dropped_commits: u64,
}

impl Ledger {
    /// Counts the requests answered with this status.
    pub fn count_status(&self, status: u16) -> usize {
        let answered = |entry: &&RequestEntry| entry.status == Some(status);
        self.requests.iter().filter(answered).count()
    }
}

/// One request to a vendor's API.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RequestEntry {
    /// Position in the ledger.
    pub sequence: u64,
    /// When the request's head arrived.
    pub at: DateTime<Utc>,
    /// The API the path belongs to; `None` for a path of neither.
    pub provider: Option<Provider>,
    /// The `operationId` in the vendor's document; `None` for an unrouted path or method.
    pub operation: Option<&'static str>,
    /// The HTTP method.
    pub method: String,
    /// The path as received, still percent-encoded.
    pub path: String,
    /// The query as received, without the `?`; empty when there was none.
    pub query: String,
    /// The headers by lower-case name. Of `authorization` only the scheme is kept.
    pub headers: BTreeMap<String, String>,
    /// The status answered; `None` until the answer is ready, and for good when a fault lets none out.
    pub status: Option<u16>,
    /// The id of the request in the vendor's own form.
    pub request_id: String,
    /// The fault that hit the request.
    pub fault: Option<Fault>,
}

/// One change of state.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CommitEntry {
    /// Position in the ledger.
    pub sequence: u64,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// The API whose state changed.
    pub provider: Provider,
    /// What happened to the invitation.
    pub operation: Change,
    /// The id of the invitation.
    pub id: String,
    /// The invitee's address as the vendor keeps it.
    pub email: String,
    /// The id of the vendor request that made the change; `None` for one made from outside the APIs.
    pub request_id: Option<String>,
}

/// What can happen to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// It came into being.
    Create,
    /// The invitee accepted it.
    Accept,
    /// It was deleted.
    Delete,
}
