//! What becomes of a call when the network or the server fails, shown by the sandbox's ledger.

mod capture;
mod evidence;
mod exactly_once;
#[cfg(feature = "client-credentials")]
mod identity_provider;
mod origins;
mod rate_limits;
mod resource_limits;
mod secret_echo;
mod secrets;
mod soak;
mod support;
mod token_failures;
mod token_responses;
mod tokens;
mod tracing;
