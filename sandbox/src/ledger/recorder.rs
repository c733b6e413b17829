//! Writing the ledger.

use std::collections::{BTreeMap, VecDeque};

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use chrono::{DateTime, Utc};

use super::{Change, CommitEntry, Ledger, RequestEntry};
use crate::auth;
use crate::faults::Fault;
use crate::state::Provider;

/// The ledger as it is written: the entries still kept, and how many are no longer.
#[derive(Debug)]
pub(crate) struct Recorder {
    requests: VecDeque<Record>,
    commits: VecDeque<CommitEntry>,
    dropped_requests: u64,
    dropped_commits: u64,
    last_sequence: u64,
    /// How many entries of each kind are kept.
    limit: usize,
}

/// A request as it is kept: small, and quickly written, as there may be a great many.
#[derive(Debug)]
struct Record {
    sequence: u64,
    at: DateTime<Utc>,
    provider: Option<Provider>,
    operation: Option<&'static str>,
    method: Method,
    status: Option<StatusCode>,
    /// The path, with the query if there is one.
    target: Box<str>,
    /// A header a line: its name, a colon, its value.
    headers: Box<str>,
    request_id: Box<str>,
    fault: Option<Box<Fault>>,
}

/// How many entries of each kind are kept unless told otherwise.
const DEFAULT_LIMIT: usize = 1_000_000;

/// What is known of a request when its head has arrived.
pub(crate) struct ReceivedRequest<'a> {
    pub(crate) provider: Option<Provider>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) request_id: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) fault: Option<&'a Fault>,
}

impl Recorder {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self {
            requests: VecDeque::new(),
            commits: VecDeque::new(),
            dropped_requests: 0,
            dropped_commits: 0,
            last_sequence: 0,
            limit: limit.unwrap_or(DEFAULT_LIMIT),
        }
    }

    /// An empty one that numbers its entries on from here.
    pub(crate) fn cleared(&self) -> Self {
        Self {
            last_sequence: self.last_sequence,
            ..Self::new(Some(self.limit))
        }
    }

    /// Records a request and returns its sequence, for [`Recorder::answered`].
    pub(crate) fn received(&mut self, arrival: ReceivedRequest<'_>) -> u64 {
        let sequence = self.next_sequence();
        let target = arrival.uri.path_and_query().map_or("", |it| it.as_str());
        self.requests.push_back(Record {
            sequence,
            at: Utc::now(),
            provider: arrival.provider,
            operation: arrival.operation,
            method: arrival.method.clone(),
            status: None,
            target: target.into(),
            headers: printable(arrival.headers),
            request_id: arrival.request_id.into(),
            fault: arrival.fault.cloned().map(Box::new),
        });
        self.dropped_requests += trim(&mut self.requests, self.limit);
        sequence
    }

    /// How many requests have arrived.
    pub(crate) fn received_count(&self) -> u64 {
        self.dropped_requests + self.requests.len() as u64
    }

    pub(crate) fn answered(&mut self, sequence: u64, status: StatusCode) {
        let found = self
            .requests
            .binary_search_by_key(&sequence, |entry| entry.sequence);
        if let Some(entry) = found.ok().and_then(|index| self.requests.get_mut(index)) {
            entry.status = Some(status);
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

    pub(crate) fn snapshot(&self) -> Ledger {
        Ledger {
            requests: self.requests.iter().map(Record::entry).collect(),
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

impl Record {
    fn entry(&self) -> RequestEntry {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        RequestEntry {
            sequence: self.sequence,
            at: self.at,
            provider: self.provider,
            operation: self.operation,
            method: self.method.to_string(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers(&self.headers),
            status: self.status.map(|status| status.as_u16()),
            request_id: self.request_id.to_string(),
            fault: self.fault.as_deref().cloned(),
        }
    }
}

/// Drops the oldest entries over the limit and returns how many.
fn trim<T>(entries: &mut VecDeque<T>, limit: usize) -> u64 {
    let over = entries.len().saturating_sub(limit);
    entries.drain(..over).count() as u64
}

/// The lines of a [`Record`]'s headers.
fn printable(headers: &HeaderMap) -> Box<str> {
    let mut lines = String::with_capacity(256);
    for (name, value) in headers {
        lines.push_str(name.as_str());
        lines.push(':');
        if name == header::AUTHORIZATION || name == header::PROXY_AUTHORIZATION {
            lines.push_str(auth::scheme(value));
        } else {
            // Neither names nor values have line breaks.
            lines.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        lines.push('\n');
    }
    lines.into_boxed_str()
}

fn headers(lines: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for (name, value) in lines.lines().filter_map(|line| line.split_once(':')) {
        all.entry(name.to_owned())
            .and_modify(|joined| {
                joined.push_str(", ");
                joined.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    all
}
