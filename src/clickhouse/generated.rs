//! The client that the build generates from `specs/clickhouse-cloud-v1.json`.

crate::client::generated_client!("clickhouse.rs");
