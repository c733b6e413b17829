//! What a provider of another vendor is written with (feature `provider-kit`).
//!
//! A provider outside of this crate is a few conversions around bindings that its own build generates from the vendor's
//! OpenAPI document. The kit has the rest: the transport of [`Confluent`](crate::Confluent) and
//! [`ClickHouse`](crate::ClickHouse) (credentials, rate limit, retries, redirects, deadlines, redaction, tracing), creates
//! whose lost answers are resolved, lists item by item, and errors that say what may have been executed.
//!
//! **It evolves**: the kit is outside of the promises of semver, as [`bindings`](crate::bindings) are. Pin the version of
//! this crate to `=x.y.z` if you build on it.
//!
//! | part | what the provider does with it |
//! |---|---|
//! | [`bindings!`] | includes the generated client, and puts the transport under it |
//! | [`Vendor`] | says what the vendor offers, and what its failures look like: [`Rejection`] to [`Failure`] |
//! | [`Connection`] | credentials and options, from [`ConnectionBuilder`] |
//! | [`InvitationObject`], [`InvitationList`] | convert the generated types, with [`invitation_of`] and [`time_of`] |
//! | [`Call`] | one create, get, list or delete |
//!
//! The guide [writing a provider](crate::guide::custom_provider) leads through a provider for WorkOS,
//! [`examples/workos`](https://github.com/org-invitations/org-invitations/tree/main/examples/workos), and the feature
//! `conformance` has the suite that it passes.

mod call;
mod connection;
mod object;
#[cfg(test)]
#[cfg(feature = "clickhouse")]
mod tests;
mod vendor;

pub use self::{
    call::Call,
    connection::{Connection, ConnectionBuilder},
    object::{InvitationList, InvitationObject},
    vendor::{Failure, Rejection, Vendor},
};
#[doc(no_inline)]
pub use crate::bindings::{SourceDocument, Timestamp};
#[doc(inline)]
pub use crate::decode::{invitation_of, time_of};
// What the generated code refers to.
#[doc(inline)]
pub use crate::http::{OperationSpec, Transport};
#[doc(inline)]
pub use crate::kit_bindings as bindings;

/// Includes the bindings that `build.rs` generated as `$OUT_DIR/<file>`, and connects their `Client` with the transport.
///
/// The build script names this module as the support of the bindings:
///
/// ```no_run
/// use org_invitations_codegen::{Bindings, Source};
///
/// Bindings::new("acme")
///     .module("crate::bindings")
///     .support("::org_invitations::kit")
///     .env("ACME_SPEC")
///     .source(Source::new("specs/acme.yaml").operation("GET /invitations/{id}", "getInvitation"))
///     .generate();
/// ```
///
/// and the module of that name holds one line: `org_invitations::kit::bindings!("acme.rs");`. It then has `Client`,
/// `types`, `offers`, `OPERATIONS`, `PROPERTIES` and `DOCUMENTS`, and besides the generated methods `Client` has
///
/// - `Client::over(&Connection)`, the client of a [`Connection`];
/// - `within(&Call)`, the same client for the requests of one [`Call`].
///
/// The crate depends on `progenitor-client`, `reqwest`, `serde` and `serde_json` in the versions that this crate has, and on
/// what else the generated code names.
#[macro_export]
#[doc(hidden)]
macro_rules! kit_bindings {
    ($file:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $file));

        $crate::client_hooks!(
            Client,
            [$crate::kit::hooks],
            &$crate::kit::Connection,
            $crate::kit::Call<'_>
        );
    };
}

/// What [`bindings!`] expands to.
#[doc(hidden)]
pub mod hooks {
    use std::sync::Arc;

    use super::{Call, Connection};
    use crate::http::hooks;
    pub use crate::http::hooks::{Transport, execute, keeps_replies, prepare, undecodable};

    /// The parts of a generated client: base URL, HTTP client and transport.
    pub fn connect(connection: &Connection) -> (String, reqwest::Client, Transport) {
        hooks::connect(Arc::clone(connection.client()))
    }

    /// The same transport, for requests that are part of `call`.
    pub fn within(transport: &Transport, call: &Call<'_>) -> Transport {
        hooks::within(transport, call.state())
    }
}
