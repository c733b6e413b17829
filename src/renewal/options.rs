//! The options, observer and result of a renewal.

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;

use crate::{
    error::{Error, Result},
    invitation::{Invitation, NewInvitation},
    renewal::Renewal,
};

/// The options of a renewal.
#[derive(Clone)]
#[non_exhaustive]
pub struct RenewalOptions {
    /// The delays between attempts to create, each of which includes the provider's own retries. Default: 0.5 s, 2 s and
    /// 5 s.
    pub retry_delays: Vec<Duration>,
    /// Whether to create the new invitation if the old one does not exist any more. Default: no, since somebody withdrew
    /// it, or the person accepted.
    pub create_if_missing: bool,
    /// Receives the events of the renewal. Default: none.
    pub observer: Arc<dyn RenewalObserver>,
}

impl Default for RenewalOptions {
    fn default() -> Self {
        Self {
            retry_delays: [500, 2_000, 5_000].map(Duration::from_millis).to_vec(),
            create_if_missing: false,
            observer: Arc::new(NoopObserver),
        }
    }
}

setters!(RenewalOptions {
    create_if_missing: bool,
    observer: Arc<dyn RenewalObserver>,
});

impl RenewalOptions {
    /// Sets the delays between attempts to create.
    #[must_use]
    pub fn retry_delays(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.retry_delays = delays.into_iter().collect();
        self
    }
}

impl fmt::Debug for RenewalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewalOptions")
            .field("retry_delays", &self.retry_delays)
            .field("create_if_missing", &self.create_if_missing)
            .finish_non_exhaustive()
    }
}

/// Receives the events of renewals as they happen, to record or show them.
pub trait RenewalObserver: Send + Sync {
    /// The old invitation is about to be withdrawn. A program that has to recover from a crash records the renewal here,
    /// before the request is sent.
    ///
    /// # Errors
    ///
    /// An error ends the renewal with [`RenewalResult::Failed`] before the old invitation is withdrawn.
    fn withdrawing(&self, _renewal: &Renewal) -> Result<()> {
        Ok(())
    }

    /// The old invitation was withdrawn; the person is not invited now.
    fn withdrawn(&self, _renewal: &Renewal) {}

    /// A create failed, and is retried after `delay`.
    fn retrying(&self, _renewal: &Renewal, _error: &Error, _delay: Duration) {}

    /// The provider rejected the new options, and the fallback is created.
    fn falling_back(&self, _renewal: &Renewal, _error: &Error) {}
}

struct NoopObserver;

impl RenewalObserver for NoopObserver {}

/// The result of a [`Renewal`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RenewalResult {
    /// The person is invited: a response or a list has the new invitation, which another client may have created.
    Renewed(Box<Invitation>),
    /// The provider rejected the new options, and the person is invited with the fallback.
    Restored {
        /// The invitation that was created.
        invitation: Box<Invitation>,
        /// Why the provider rejected the new options.
        error: Error,
    },
    /// The person is not lost: as far as is known the old invitation was not withdrawn, or is still there beside the new
    /// one, as the message says; or the person is a member
    /// ([`AlreadyAccepted`](crate::ErrorKind::AlreadyAccepted)), or is invited and lacks a role
    /// ([`Incomplete`](crate::ErrorKind::Incomplete)).
    Failed(Error),
    /// The old invitation was withdrawn, and the new one was not created, unless the error's
    /// [`may_have_executed`](Error::may_have_executed) is set.
    Lost {
        /// The invitation to create so that the person is invited.
        invite: Box<NewInvitation>,
        /// Why the new invitation could not be created.
        error: Error,
    },
}
