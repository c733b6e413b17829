//! What both backends share: where requests go, how they are authenticated, and how one call is made
//! and its reply read.

mod attempt;
mod authorization;
mod call;
mod clock;
mod connection;
mod credentials;
mod decode;
mod endpoint;
mod exact;
mod failure;
pub(crate) mod headers;
mod hooks;
mod limiter;
mod patience;
mod reply;
mod retry;
mod secrets;
mod settings;
mod time;

pub(crate) use self::{
    authorization::{Authorization, Token, TokenSource},
    call::Call,
    connection::{Connection, Dialect},
    decode::{Items, decode, items_of, parse, unreadable},
    endpoint::Endpoint,
    exact::{create_exactly_once, delete_exactly_once},
    failure::kind_of_status,
    hooks::generated_client,
    limiter::Rate,
    reply::Reply,
    settings::{Settings, common_setters},
    time::{Time, parse_time},
};
pub use self::{
    credentials::Credentials,
    endpoint::BaseUrl,
    reply::{Observer, ReplyInfo},
    retry::RetryPolicy,
};
#[cfg(feature = "oidc")]
pub(crate) use self::{
    endpoint::secure_url,
    patience::Patience,
    reply::{BodyError, read_body},
    secrets::Secrets,
};
