//! Clocks and timers: those of Tokio, or of the JavaScript that a module of WebAssembly runs in.

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
pub(crate) use tokio::time::{Instant, sleep, sleep_until, timeout};
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub(crate) use wasmtimer::{
    std::Instant,
    tokio::{sleep, sleep_until, timeout},
};
