//! Messages for people: on stderr and, for a command that another program runs, in a list too.
//!
//! `eprintln!` in this crate is [`print`]: what a command says beside its result belongs to the answer of the server that
//! runs it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

tokio::task_local! {
    static CAPTURED: Messages;
}

/// The messages of one command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages(Arc<Mutex<Vec<String>>>);

impl Messages {
    /// Runs a command, whose messages are added.
    #[cfg(feature = "mcp")]
    pub async fn capture<T>(&self, command: impl Future<Output = T>) -> T {
        CAPTURED.scope(self.clone(), command).await
    }

    /// The messages so far.
    #[cfg(feature = "mcp")]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, message: String) {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push(message);
    }
}

/// Whether another program runs the command, so that nobody is there to answer.
pub(crate) fn are_captured() -> bool {
    CAPTURED.try_with(|_| ()).is_ok()
}

/// Prints a message on stderr.
pub(crate) fn print(message: fmt::Arguments<'_>) {
    let _ = CAPTURED.try_with(|messages| messages.push(message.to_string()));
    std::eprintln!("{message}");
}

/// The messages of [`print`].
macro_rules! eprintln {
    () => { $crate::messages::print(::std::format_args!("")) };
    ($($message:tt)*) => { $crate::messages::print(::std::format_args!($($message)*)) };
}
