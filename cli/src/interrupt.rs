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
        // From now on, and not only once the task runs.
        let signals = Signals::catch();
        tokio::spawn(async move {
            if let Ok(mut signals) = signals {
                while signals.next().await.is_some() {
                    count.send_modify(|count| *count += 1);
                }
            }
            // Where signals cannot be caught, the channel stays open so that receivers keep waiting.
            count.closed().await;
        });
        Self(receiver)
    }

    /// Signals that the sender gives, by counting them.
    #[cfg(feature = "mcp")]
    pub fn manual() -> (Self, watch::Sender<u32>) {
        let (count, receiver) = watch::channel(0);
        (Self(receiver), count)
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

/// The signals that ask a command to stop.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Option<()> {
        tokio::select! {
            signal = self.interrupt.recv() => signal,
            signal = self.terminate.recv() => signal,
            signal = self.hang_up.recv() => signal,
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn catch() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> Option<()> {
        self.0.recv().await
    }
}

/// Ctrl-C, as far as the platform has it.
#[cfg(not(any(unix, windows)))]
struct Signals;

#[cfg(not(any(unix, windows)))]
impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<()> {
        tokio::signal::ctrl_c().await.ok()
    }
}
