//! The sandbox from outside, by plain HTTP. Every reply is also held against the OpenAPI document of its API.

// Clippy's own exception for tests does not reach the helpers of tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod api;
mod clickhouse;
mod confluent;
mod confluent_list;
mod documents;
mod ledger;
mod server;
mod wire;
