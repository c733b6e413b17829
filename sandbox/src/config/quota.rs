//! Quotas on the number of invitations in an organisation.

use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};

/// The quotas of each API. Default none. ClickHouse's documents have no quota.
///
/// In JSON `{"confluent": {"invitations_per_org": 50, "status": 402}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Quotas {
    /// The quota of each organisation on Confluent Cloud.
    pub confluent: Option<Quota>,
}

/// The number of invitations that an organisation may have, and the status that answers one more.
///
/// Accepted and expired invitations count; deleted ones do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Quota {
    /// The largest number of invitations.
    pub invitations_per_org: usize,
    /// The status that answers a create over the quota: 402, as documented, or 400, which the real service was seen
    /// to answer. Default 402.
    #[serde(default = "payment_required", deserialize_with = "status")]
    pub status: u16,
}

impl Quotas {
    /// Sets the quota of Confluent Cloud.
    #[must_use]
    pub fn confluent(self, quota: Quota) -> Self {
        Self {
            confluent: Some(quota),
        }
    }
}

impl Quota {
    /// Creates a quota that answers 402.
    pub fn new(invitations_per_org: usize) -> Self {
        Self {
            invitations_per_org,
            status: payment_required(),
        }
    }

    /// Answers 400 in place of 402.
    #[must_use]
    pub fn as_bad_request(self) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST.as_u16(),
            ..self
        }
    }

    /// The status over the quota. Any value but 400 counts as 402.
    pub(crate) fn error_status(&self) -> StatusCode {
        if self.status == StatusCode::BAD_REQUEST.as_u16() {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::PAYMENT_REQUIRED
        }
    }
}

fn payment_required() -> u16 {
    StatusCode::PAYMENT_REQUIRED.as_u16()
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match u16::deserialize(deserializer)? {
        status @ (400 | 402) => Ok(status),
        other => Err(serde::de::Error::custom(format!(
            "the status of a quota is 402 or 400, not {other}"
        ))),
    }
}
