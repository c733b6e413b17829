//! Recording the ledger.

use std::collections::{BTreeMap, VecDeque};

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use chrono::{DateTime, Utc};

use super::{Change, CommitEntry, Ledger, RequestEntry};
use crate::auth;
use crate::faults::Fault;
use crate::provider::Provider;

/// The ledger as it is recorded, in a compact form.
#[derive(Debug)]
pub(crate) struct Recorder {
    requests: VecDeque<RequestRecord>,
    commits: VecDeque<CommitEntry>,
    dropped_requests: u64,
    dropped_commits: u64,
    last_sequence: u64,
    /// Number of entries of each kind to keep.
    limit: usize,
}

/// A recorded request, small and quick to create.
#[derive(Debug)]
struct RequestRecord {
    sequence: u64,
    at: DateTime<Utc>,
    provider: Option<Provider>,
    operation: Option<&'static str>,
    method: Method,
    status: Option<StatusCode>,
    /// The path, with the query if there is one.
    target: Box<str>,
    /// One header per line: name, colon, value.
    headers: Box<str>,
    request_id: Box<str>,
    fault: Option<Box<Fault>>,
}

/// The default number of entries of each kind to keep.
const DEFAULT_LIMIT: usize = 1_000_000;

/// A request whose head has arrived.
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

    /// An empty recorder that continues the numbering.
    pub(crate) fn cleared(&self) -> Self {
        Self {
            last_sequence: self.last_sequence,
            ..Self::new(Some(self.limit))
        }
    }

    /// Records a request and returns its sequence, for [`Recorder::record_status`].
    pub(crate) fn receive(&mut self, request: ReceivedRequest<'_>) -> u64 {
        let sequence = self.next_sequence();
        let target = request.uri.path_and_query().map_or("", |it| it.as_str());
        self.requests.push_back(RequestRecord {
            sequence,
            at: Utc::now(),
            provider: request.provider,
            operation: request.operation,
            method: request.method.clone(),
            status: None,
            target: target.into(),
            headers: to_lines(request.headers),
            request_id: request.request_id.into(),
            fault: request.fault.cloned().map(Box::new),
        });
        self.dropped_requests += trim(&mut self.requests, self.limit);
        sequence
    }

    /// Number of requests so far.
    pub(crate) fn received_count(&self) -> u64 {
        self.dropped_requests + self.requests.len() as u64
    }

    pub(crate) fn record_status(&mut self, sequence: u64, status: StatusCode) {
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
            requests: self.requests.iter().map(RequestRecord::entry).collect(),
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

impl RequestRecord {
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
            headers: from_lines(&self.headers),
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

/// The headers of a [`RequestRecord`].
fn to_lines(headers: &HeaderMap) -> Box<str> {
    let mut lines = String::with_capacity(256);
    for (name, value) in headers {
        lines.push_str(name.as_str());
        lines.push(':');
        if name == header::AUTHORIZATION || name == header::PROXY_AUTHORIZATION {
            lines.push_str(auth::scheme(value));
        } else {
            // A header has no line breaks.
            lines.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        lines.push('\n');
    }
    lines.into_boxed_str()
}

fn from_lines(lines: &str) -> BTreeMap<String, String> {
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
