//! Clocks and timers: those of Tokio, or of the JavaScript that a module of WebAssembly runs in.

use std::time::Duration;

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
pub(crate) use tokio::time::{Instant, sleep, sleep_until, timeout};
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub(crate) use wasmtimer::{
    std::Instant,
    tokio::{sleep, sleep_until, timeout},
};

use crate::error::{Error, ErrorKind, Operation, Result};

/// Longer durations are cut to this one, so that an `Instant` cannot overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Fails outside of a Tokio runtime, where the first timer would panic.
///
/// # Errors
///
/// [`ErrorKind::Config`]: there is no runtime.
#[cfg_attr(
    all(target_arch = "wasm32", target_os = "unknown"),
    allow(unused_variables)
)]
pub(crate) fn expect_runtime(operation: Operation) -> Result<()> {
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    if tokio::runtime::Handle::try_current().is_err() {
        let message = "the call waits outside of a Tokio runtime, which its timers need; await it in one, such as under \
                       `#[tokio::main]` or in `Runtime::block_on`";
        return Err(Error::new(ErrorKind::Config, operation, message));
    }
    Ok(())
}
