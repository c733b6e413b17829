//! What both backends share: where requests go, how they are authenticated, and how one call is made
//! and its reply read.

mod call;
mod connection;
mod credentials;
mod decode;
mod endpoint;
mod headers;
mod hooks;
mod reply;
mod settings;

pub(crate) use self::{
    call::{Call, kind_of_status},
    connection::{Connection, Dialect},
    decode::{decode, items_of, odd_item, unreadable},
    endpoint::Endpoint,
    hooks::generated_client,
    reply::Reply,
    settings::{Settings, common_setters},
};
pub use self::{
    credentials::Credentials,
    reply::{Observer, ReplyInfo},
};
