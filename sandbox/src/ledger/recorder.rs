//! Recording the ledger.

use std::collections::{BTreeMap, VecDeque};

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use super::bodies::{Bodies, BodyPair};
use super::{Change, CommitEntry, Exchange, Ledger, RequestEntry};
use crate::faults::Fault;
use crate::provider::Provider;
use crate::redact::Redactor;

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
    bodies: Bodies,
    redactor: Redactor,
    /// Identifies the entries since the start or the last reset.
    run: Uuid,
    /// Counts everything that changes what the sandbox holds.
    revision: watch::Sender<u64>,
}

/// Where an earlier recorder stopped.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Numbering {
    last_sequence: u64,
    requests: u64,
    commits: u64,
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
            bodies: Bodies::default(),
            redactor: Redactor::default(),
            run: Uuid::new_v4(),
            revision: watch::Sender::new(0),
        }
    }

    /// An empty recorder that continues the numbering.
    pub(crate) fn cleared(&self) -> Self {
        Self {
            last_sequence: self.last_sequence,
            redactor: self.redactor.clone(),
            revision: self.revision.clone(),
            ..Self::new(Some(self.limit))
        }
    }

    /// Continues the numbering of an earlier process, whose entries count as dropped.
    pub(crate) fn continue_from(&mut self, numbering: Numbering) {
        self.last_sequence = numbering.last_sequence;
        self.dropped_requests = numbering.requests;
        self.dropped_commits = numbering.commits;
    }

    /// Where the next process continues.
    pub(crate) fn numbering(&self) -> Numbering {
        Numbering {
            last_sequence: self.last_sequence,
            requests: self.received_count(),
            commits: self.dropped_commits + self.commits.len() as u64,
        }
    }

    /// Keeps a secret out of the entries from now on.
    pub(crate) fn hide(&mut self, secret: &str) {
        self.redactor.hide(secret);
    }

    /// Counts a change that is no entry.
    pub(crate) fn touch(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    /// How many changes there were.
    pub(crate) fn revision(&self) -> u64 {
        *self.revision.borrow()
    }

    /// Follows the number of changes.
    pub(crate) fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    pub(crate) fn run(&self) -> Uuid {
        self.run
    }

    pub(crate) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// Records a request and returns its sequence, for [`Recorder::record_status`].
    pub(crate) fn receive(&mut self, request: ReceivedRequest<'_>) -> u64 {
        let sequence = self.next_sequence();
        let target = request.uri.path_and_query().map_or("", |it| it.as_str());
        let target = self.redactor.target(target);
        if request.fault.is_some() {
            self.touch();
        }
        self.requests.push_back(RequestRecord {
            sequence,
            at: Utc::now(),
            provider: request.provider,
            operation: request.operation,
            method: request.method.clone(),
            status: None,
            target: target.into_boxed_str(),
            headers: self.redactor.header_lines(request.headers).into_boxed_str(),
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
        self.touch();
        self.dropped_commits += trim(&mut self.commits, self.limit);
    }

    /// The latest entries of each kind after a sequence, oldest first, and at most so many.
    pub(crate) fn after(&self, sequence: u64, limit: usize) -> Ledger {
        let requests = self.requests.partition_point(|it| it.sequence <= sequence);
        let commits = self.commits.partition_point(|it| it.sequence <= sequence);
        let requests = requests.max(self.requests.len().saturating_sub(limit));
        let commits = commits.max(self.commits.len().saturating_sub(limit));
        let requests = self.requests.range(requests..);
        Ledger {
            requests: requests.map(RequestRecord::entry).collect(),
            commits: self.commits.range(commits..).cloned().collect(),
            dropped_requests: self.dropped_requests,
            dropped_commits: self.dropped_commits,
        }
    }

    /// Remembers the body of a request, and that of its answer, for a while.
    pub(crate) fn record_bodies(&mut self, sequence: u64, bodies: BodyPair) {
        self.bodies.record(sequence, bodies);
    }

    /// A request with its bodies; `None` if it is unknown or was dropped.
    pub(crate) fn exchange(&self, sequence: u64) -> Option<Exchange> {
        let requests = &self.requests;
        let found = requests.binary_search_by_key(&sequence, |entry| entry.sequence);
        let request = requests.get(found.ok()?)?.entry();
        let bodies = self.bodies.get(sequence);
        Some(Exchange::new(request, bodies, &self.redactor))
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

/// The headers of a [`RequestRecord`] by name.
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
