//! The client that the build generates from `specs/confluent-sts-v1.yaml`.

crate::client::generated_client!("confluent_sts.rs");
