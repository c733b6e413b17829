//! The emulated APIs by name.

use serde::{Deserialize, Serialize};

/// One of the two emulated APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Provider {
    /// Confluent Cloud, IAM v2.
    Confluent,
    /// ClickHouse Cloud, v1.
    ClickHouse,
}
