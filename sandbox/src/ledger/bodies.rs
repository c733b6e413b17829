//! The bodies of the latest requests and answers, for whoever looks at one of them.

use std::collections::{HashMap, VecDeque};

use axum::body::Bytes;
use axum::http::HeaderMap;

/// The number of requests whose bodies are kept.
const LIMIT: usize = 500;
/// How much of a body is kept.
const MAX_BYTES: usize = 16 * 1024;

/// The bodies of a request and of its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyPair {
    pub(crate) request: Option<KeptBody>,
    pub(crate) response: Option<KeptBody>,
    pub(crate) response_headers: Option<HeaderMap>,
}

/// The beginning of a body.
#[derive(Clone, Debug)]
pub(crate) struct KeptBody {
    pub(super) start: Bytes,
    /// The length of the whole body.
    pub(super) length: usize,
}

impl KeptBody {
    pub(crate) fn new(body: &Bytes) -> Self {
        let start = match body.get(..MAX_BYTES) {
            // A slice would keep all of it in memory.
            Some(start) => Bytes::copy_from_slice(start),
            None => body.clone(),
        };
        let length = body.len();
        Self { start, length }
    }
}

/// The latest bodies, by the sequence of their request.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    by_sequence: HashMap<u64, BodyPair>,
    /// Oldest first.
    order: VecDeque<u64>,
}

impl Bodies {
    pub(super) fn record(&mut self, sequence: u64, bodies: BodyPair) {
        if self.by_sequence.insert(sequence, bodies).is_some() {
            return;
        }
        self.order.push_back(sequence);
        if self.order.len() > LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_sequence.remove(&oldest);
        }
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&BodyPair> {
        self.by_sequence.get(&sequence)
    }
}
