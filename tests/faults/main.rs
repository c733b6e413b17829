//! What becomes of a call when the network or the server fails, shown by the sandbox's ledger.

mod capture;
mod echoes;
mod evidence;
mod exactly_once;
mod guards;
#[cfg(feature = "client-credentials")]
mod identity_provider;
mod limits;
mod origins;
mod secrets;
mod soak;
mod support;
mod token_failures;
mod tokens;
mod tracing;
