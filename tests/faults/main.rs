//! What becomes of a call when the network or the server fails, shown by the sandbox's ledger.

mod exactly_once;
mod soak;
mod support;
