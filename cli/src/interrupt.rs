//! Ctrl-C, SIGTERM and SIGHUP, as of a terminal that closes. The first signal asks a command to stop, the second one forces it.

use std::future::Future;

use tokio::sync::watch;

use crate::failure::Failure;

/// Counts the signals that ask the command to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<u32>);

/// What is said of a command that is interrupted before its first change.
pub(crate) const UNCHANGED: &str = "nothing was changed";

impl Interrupt {
    /// Starts to catch Ctrl-C and, on Unix, SIGTERM and SIGHUP.
    pub fn listen() -> Self {
        let (count, receiver) = watch::channel(0);
        tokio::spawn(async move {
            while wait_for_signal().await.is_ok() {
                count.send_modify(|count| *count += 1);
            }
            // Where signals cannot be caught, the channel stays open so that receivers keep waiting.
            count.closed().await;
        });
        Self(receiver)
    }

    /// Whether at least one signal arrived.
    pub fn happened(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// How many signals arrived so far.
    #[cfg(feature = "sql")]
    pub fn count(&self) -> u32 {
        *self.0.borrow()
    }

    /// Resolves once `count` signals have arrived.
    pub async fn signalled(&self, count: u32) {
        let mut receiver = self.0.clone();
        if receiver
            .wait_for(|signals| *signals >= count)
            .await
            .is_err()
        {
            std::future::pending().await
        }
    }

    /// Runs work before the first change, which the first signal cancels.
    pub async fn or_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.or_unchanged(UNCHANGED, work).await
    }

    /// The same in words of what was not done.
    pub async fn or_unchanged<T>(
        &self,
        unchanged: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = self.signalled(1) => Err(Failure::Interrupted(unchanged.to_owned())),
        }
    }
}

#[cfg(unix)]
async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
