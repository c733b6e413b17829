//! Clients of the vendors' APIs, generated from OpenAPI documents by progenitor.
//!
//! Nothing here is written by hand but the hooks, which send through the crate's
//! [transport](support::Transport), and the types that the generated code takes from [`support`].

pub mod support;
mod timestamp;

pub(crate) use self::timestamp::parse_rfc3339;

/// Includes the bindings of one API from `$OUT_DIR` and connects their client with the transport.
macro_rules! bindings {
    ($file:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $file));

        $crate::http::client_hooks!(Client);
    };
}
