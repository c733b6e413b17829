//! The sandbox from outside, over plain HTTP. Every reply is also validated against the OpenAPI document of its API.

// Clippy's exception for tests does not cover their helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod admin;
mod admin_document;
mod api;
mod browser;
mod clickhouse;
mod clickhouse_members;
mod clock;
mod confluent;
mod confluent_api_keys;
mod confluent_bindings;
mod confluent_list;
mod confluent_users;
mod documents;
mod faults_answers;
mod faults_connection;
mod faults_lag;
mod faults_list;
mod ledger;
mod limits;
mod organizations;
mod origins;
mod page;
mod protocol;
mod quota;
mod raw_http;
mod roles;
mod seed;
mod server;
mod state_file;
mod states;
mod sts;
mod vendor_client;
mod wire;
