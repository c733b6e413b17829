//! Writing the ledger.

use std::collections::{BTreeMap, VecDeque};

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use chrono::Utc;

use crate::auth;
use crate::faults::Fault;
use crate::ledger::{Change, CommitEntry, Ledger, RequestEntry};
use crate::state::Provider;

/// The ledger as it is written: the entries still kept, and how many are no longer.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    requests: VecDeque<RequestEntry>,
    commits: VecDeque<CommitEntry>,
    dropped_requests: u64,
    dropped_commits: u64,
    last_sequence: u64,
    /// How many entries of each kind are kept.
    limit: Option<usize>,
}

/// What is known of a request when its head has arrived.
pub(crate) struct Arrival<'a> {
    pub(crate) provider: Option<Provider>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) request_id: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) fault: Option<&'a Fault>,
}

impl Journal {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// An empty one that numbers its entries on from here.
    pub(crate) fn fresh(&self) -> Self {
        Self {
            last_sequence: self.last_sequence,
            ..Self::new(self.limit)
        }
    }

    /// Records a request and returns its sequence, for [`Journal::answered`].
    pub(crate) fn received(&mut self, arrival: Arrival<'_>) -> u64 {
        let sequence = self.next_sequence();
        self.requests.push_back(RequestEntry {
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
            fault: arrival.fault.cloned(),
        });
        self.dropped_requests += trim(&mut self.requests, self.limit);
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
        self.commits.push_back(CommitEntry {
            sequence,
            at: Utc::now(),
            provider,
            operation,
            id: id.to_owned(),
            email: email.to_owned(),
            request_id: request_id.map(str::to_owned),
        });
        self.dropped_commits += trim(&mut self.commits, self.limit);
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger {
            requests: self.requests.iter().cloned().collect(),
            commits: self.commits.iter().cloned().collect(),
            dropped_requests: self.dropped_requests,
            dropped_commits: self.dropped_commits,
        }
    }

    fn next_sequence(&mut self) -> u64 {
        self.last_sequence += 1;
        self.last_sequence
    }
}

/// Drops the oldest entries over the limit and returns how many.
fn trim<T>(entries: &mut VecDeque<T>, limit: Option<usize>) -> u64 {
    let over = limit.map_or(0, |limit| entries.len().saturating_sub(limit));
    entries.drain(..over).count() as u64
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
