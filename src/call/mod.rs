//! What a caller says of a call, and what the server says of its allowance: the words that the facade and the transport
//! share. They stand below both, and are there without a transport too.

mod options;
mod rate_limit;

#[cfg(feature = "transport")]
pub(crate) use self::options::checked_header;
pub use self::{
    options::{CallOptions, CallPriority},
    rate_limit::RateLimit,
};
