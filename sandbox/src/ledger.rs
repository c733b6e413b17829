//! What the sandbox was asked and what it changed, in order.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::auth;
use crate::state::Provider;

/// Every vendor request received and every change of state made, oldest first.
///
/// One numbering runs over both lists, so that a request and the change it made can be put in order: the
/// change's `sequence` lies after that of its request.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Ledger {
    /// The requests, refused and unrouted ones included.
    pub requests: Vec<RequestEntry>,
    /// The changes of state.
    pub commits: Vec<CommitEntry>,
    #[serde(skip)]
    last_sequence: u64,
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
    /// The status answered; `None` until the answer is ready.
    pub status: Option<u16>,
    /// The id of the request in the vendor's own form.
    pub request_id: String,
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

/// What is known of a request when its head has arrived.
pub(crate) struct Arrival<'a> {
    pub(crate) provider: Option<Provider>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) request_id: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

impl Ledger {
    /// Records a request and returns its sequence, for [`Ledger::answered`].
    pub(crate) fn received(&mut self, arrival: Arrival<'_>) -> u64 {
        let sequence = self.next_sequence();
        self.requests.push(RequestEntry {
            sequence,
            at: Utc::now(),
            provider: arrival.provider,
            operation: arrival.operation,
            method: arrival.method.to_string(),
            path: arrival.uri.path().to_owned(),
            query: arrival.uri.query().unwrap_or_default().to_owned(),
            headers: printable(arrival.headers),
            status: None,
            request_id: arrival.request_id.to_owned(),
        });
        sequence
    }

    pub(crate) fn answered(&mut self, sequence: u64, status: StatusCode) {
        let found = self
            .requests
            .binary_search_by_key(&sequence, |entry| entry.sequence);
        if let Some(entry) = found.ok().and_then(|index| self.requests.get_mut(index)) {
            entry.status = Some(status.as_u16());
        }
    }

    pub(crate) fn commit(
        &mut self,
        provider: Provider,
        operation: Change,
        id: &str,
        email: &str,
        request_id: Option<&str>,
    ) {
        let sequence = self.next_sequence();
        self.commits.push(CommitEntry {
            sequence,
            at: Utc::now(),
            provider,
            operation,
            id: id.to_owned(),
            email: email.to_owned(),
            request_id: request_id.map(str::to_owned),
        });
    }

    fn next_sequence(&mut self) -> u64 {
        self.last_sequence += 1;
        self.last_sequence
    }
}

fn printable(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let text = if name == header::AUTHORIZATION || name == header::PROXY_AUTHORIZATION {
            auth::scheme(value)
        } else {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        all.entry(name.as_str().to_owned())
            .and_modify(|joined| {
                joined.push_str(", ");
                joined.push_str(&text);
            })
            .or_insert(text);
    }
    all
}
