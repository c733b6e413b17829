//! Locks of state that a panic leaves valid.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, also after a holder panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
