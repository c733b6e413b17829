//! Ctrl-C, counted: the first asks a command to stop, the second insists.

use std::future::Future;

use tokio::sync::watch;

use crate::failure::Failure;

/// Knows how often the command was asked to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<u32>);

impl Interrupt {
    /// Catches Ctrl-C, and on Unix a polite kill, from now on.
    pub fn listen() -> Self {
        let (count, receiver) = watch::channel(0);
        tokio::spawn(async move {
            while wait_for_signal().await.is_ok() {
                count.send_modify(|count| *count += 1);
            }
            // Without signals there is nothing to count, but the channel stays open.
            count.closed().await;
        });
        Self(receiver)
    }

    /// Whether the command was asked to stop.
    pub fn happened(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// How often the command was asked to stop so far.
    #[cfg(feature = "sql")]
    pub fn count(&self) -> u32 {
        *self.0.borrow()
    }

    /// Resolves when the command has been asked to stop so often.
    pub async fn times(&self, times: u32) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending().await
        }
    }

    /// Runs work that may be dropped at any time: it changes nothing.
    pub async fn stops<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = self.times(1) => Err(Failure::Interrupted(String::new())),
        }
    }
}

#[cfg(unix)]
async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
