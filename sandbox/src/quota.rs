//! Quotas: how many invitations an organisation may have.

use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};

/// The quotas of each API. Default none; ClickHouse's documents name none.
///
/// In JSON `{"confluent": {"invitations_per_org": 50, "status": 402}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Quotas {
    /// Confluent Cloud's.
    pub confluent: Option<Quota>,
}

/// How many invitations each organisation may have, and how one more is refused.
///
/// All count that a list shows, accepted and expired ones too, but not those deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Quota {
    /// How many.
    pub invitations_per_org: usize,
    /// 402, as documented, or 400, which the real service is known to answer at times. Default 402.
    #[serde(default = "payment_required", deserialize_with = "status")]
    pub status: u16,
}

impl Quotas {
    /// A quota for Confluent Cloud.
    #[must_use]
    pub fn confluent(self, quota: Quota) -> Self {
        Self {
            confluent: Some(quota),
        }
    }
}

impl Quota {
    /// So many invitations, refused with 402.
    pub fn new(invitations_per_org: usize) -> Self {
        Self {
            invitations_per_org,
            status: payment_required(),
        }
    }

    /// The same, refused with 400.
    #[must_use]
    pub fn as_bad_request(self) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST.as_u16(),
            ..self
        }
    }

    /// Any status but 400 counts as 402.
    pub(crate) fn refused_as(&self) -> StatusCode {
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
            "{other} is not a status that a quota is refused with: 402 or 400"
        ))),
    }
}
