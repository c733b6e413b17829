//! The sandbox from outside, by plain HTTP. Every reply is also held against the OpenAPI document of its API.

// Clippy's own exception for tests does not reach the helpers of tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod admin;
mod api;
mod clickhouse;
mod clock;
mod confluent;
mod confluent_list;
mod documents;
mod faults_answers;
mod faults_connection;
mod faults_lag;
mod faults_list;
mod ledger;
mod limits;
mod organizations;
mod protocol;
mod quota;
mod raw;
mod roles;
mod seed;
mod server;
mod states;
mod steering;
mod sts;
mod vendor_client;
mod wire;
