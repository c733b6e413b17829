//! The client that the build generates from `specs/confluent-iam-v2.yaml`.

crate::client::generated_client!("confluent.rs");
