//! The HTTP transport of the generated clients: credentials, token cache, rate limit, retries, redirects,
//! deadlines, body cap, redaction, tracing and interceptors.
//!
//! The transport knows no invitation: of this crate it imports nothing but itself and [`call`](crate::call), the options of a call. It sits in the hooks of
//! the generated clients, so a call through the public bindings has all of it, and the facade adds no
//! second mechanism.
//!
//! One call passes [`hooks`] → [`Transport::execute`] → [`HttpClient::send`] (the retry loop) → [`attempt`] (one
//! request under its limits) → [`redirect`] → `reqwest`.

mod attempt;
mod attempt_report;
mod call;
mod client;
mod clock_skew;
mod credentials;
mod endpoint;
mod error;
pub(crate) mod headers;
pub(crate) mod hooks;
mod interceptor;
mod limiter;
mod operation;
mod options;
mod outgoing;
mod path;
mod proxy;
mod redact;
mod redirect;
mod response;
mod retry;
mod retry_budget;
mod send;
mod shared_client;
mod shared_limiter;
mod timeout;
mod token_cache;
mod transport;

#[cfg(feature = "client-credentials")]
pub use self::endpoint::TokenUrl;
#[cfg(feature = "shared-limits")]
pub use self::limiter::SharedRateLimit;
pub(crate) use self::{
    call::CallState,
    client::{HttpClient, Service},
    clock_skew::{ClockSkew, RelativeTime},
    credentials::CredentialSource,
    endpoint::Endpoint,
    error::SetupError,
    hooks::client_hooks,
    interceptor::Interceptors,
    limiter::Rate,
    options::ClientOptions,
    outgoing::Outgoing,
    proxy::proxy_in_use,
    redact::Redactor,
    response::{BodyError, Reply, read_body},
    timeout::RequestTimeouts,
    token_cache::{Authorization, Token, TokenProvider},
};
pub use self::{
    credentials::{CredentialProvider, Credentials, IssuedCredentials},
    endpoint::BaseUrl,
    error::{TransportError, TransportErrorKind},
    interceptor::{AttemptEvent, AttemptOutcome, AttemptRequest, Interceptor, RefreshEvent},
    operation::OperationSpec,
    proxy::ProxyUrl,
    retry::RetryPolicy,
    retry_budget::RetryBudget,
    shared_client::SharedHttpClient,
    transport::Transport,
};

#[cfg(test)]
mod tests;
