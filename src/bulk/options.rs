//! The options of a run over many items.

use std::sync::{Arc, atomic::AtomicBool};

use crate::{outage::OutageOptions, removal::RemovalLimit};

/// The options of a run over many items.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BulkOptions {
    /// The number of concurrent items; at least 1. Default: 4.
    pub concurrency: usize,
    /// Whether the outcomes come in the order of the items, and not in the order of completion. Default: false.
    pub ordered: bool,
    /// Stops the run once it is true: items in progress complete, and the rest is `NotAttempted`. Default: never.
    pub stop: Arc<AtomicBool>,
    /// How many invitations a `delete_many` may withdraw. With more distinct ids, every item fails before a request is
    /// sent, except the list that a limit in percent needs. Default: no limit.
    pub removals: Option<RemovalLimit>,
    /// When the run pauses because the server is unreachable, and when it gives up, with `NotAttempted` for the rest.
    pub outage: OutageOptions,
}

impl Default for BulkOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            ordered: false,
            stop: Arc::default(),
            removals: None,
            outage: OutageOptions::default(),
        }
    }
}

setters!(BulkOptions {
    concurrency: usize,
    ordered: bool,
    stop: Arc<AtomicBool>,
    outage: OutageOptions,
});

impl BulkOptions {
    /// Sets how many invitations a `delete_many` may withdraw.
    #[must_use]
    pub fn removals(mut self, limit: RemovalLimit) -> Self {
        self.removals = Some(limit);
        self
    }
}
