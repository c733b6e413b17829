//! The operations of both APIs, with one name for each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::provider::Provider;

/// An operation, whichever API it belongs to.
///
/// In JSON the lower-case word, such as `"create"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Operation {
    /// `createIamV2Invitation`, `invitationCreate`.
    Create,
    /// `getIamV2Invitation`, `invitationGet`.
    Get,
    /// `listIamV2Invitations`, `invitationGetList`.
    List,
    /// `deleteIamV2Invitation`, `invitationDelete`.
    Delete,
    /// `exchangeStsV1OauthToken`, only on Confluent.
    Exchange,
    /// `organizationRolesGetList`, only on ClickHouse.
    Roles,
}

const IDS: [(&str, Provider, Operation); 10] = [
    (
        "createIamV2Invitation",
        Provider::Confluent,
        Operation::Create,
    ),
    ("getIamV2Invitation", Provider::Confluent, Operation::Get),
    ("listIamV2Invitations", Provider::Confluent, Operation::List),
    (
        "deleteIamV2Invitation",
        Provider::Confluent,
        Operation::Delete,
    ),
    (
        "exchangeStsV1OauthToken",
        Provider::Confluent,
        Operation::Exchange,
    ),
    (
        "organizationRolesGetList",
        Provider::ClickHouse,
        Operation::Roles,
    ),
    ("invitationCreate", Provider::ClickHouse, Operation::Create),
    ("invitationGet", Provider::ClickHouse, Operation::Get),
    ("invitationGetList", Provider::ClickHouse, Operation::List),
    ("invitationDelete", Provider::ClickHouse, Operation::Delete),
];

impl Operation {
    /// Finds the operation of an `operationId` in a vendor's document, and the API that has it.
    pub fn from_id(operation_id: &str) -> Option<(Provider, Self)> {
        IDS.into_iter()
            .find(|(id, ..)| *id == operation_id)
            .map(|(_, provider, operation)| (provider, operation))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Delete => "delete",
            Self::Exchange => "exchange",
            Self::Roles => "roles",
        })
    }
}
