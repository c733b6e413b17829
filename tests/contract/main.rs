//! The contract between the library and both vendors' APIs, one request at a time: what is sent
//! (method, path, query, headers, body) and what is made of each answer.
//!
//! The bodies are written from the vendors' documents and from what was observed on the wire, not from
//! the library, and every request is compared with what those documents ask for.

mod api_keys;
mod backend;
mod bindings;
mod builder;
mod bulk;
mod call_options;
mod clickhouse;
mod clickhouse_failures;
mod clickhouse_list;
mod config;
mod confluent;
mod confluent_details;
mod confluent_failures;
mod confluent_list;
mod credential_provider;
mod environment;
mod extra;
mod http_client;
mod input;
mod interceptors;
mod members;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "redis")]
mod process_limits;
mod provider_ext;
mod raw_http;
mod redirects;
mod relay;
mod route;
mod secrets;
mod serialization;
mod shared_limits;
mod support;
mod transport;
mod undecodable;
