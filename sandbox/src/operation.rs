//! The operations of both APIs, with one name for each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::provider::Provider;

/// An operation, whichever API it belongs to.
///
/// In JSON the words in lower case, such as `"create"` and `"create_role_binding"`. The first four are about invitations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// `listIamV2Users`, `memberGetList`.
    ListMembers,
    /// `getIamV2User`, `memberGet`.
    GetMember,
    /// `updateIamV2User`, `memberUpdate`.
    UpdateMember,
    /// `deleteIamV2User`, `memberDelete`.
    DeleteMember,
    /// `listIamV2RoleBindings`, only on Confluent.
    ListRoleBindings,
    /// `createIamV2RoleBinding`, only on Confluent.
    CreateRoleBinding,
    /// `getIamV2RoleBinding`, only on Confluent.
    GetRoleBinding,
    /// `deleteIamV2RoleBinding`, only on Confluent.
    DeleteRoleBinding,
    /// `listIamV2ApiKeys`, only on Confluent.
    ListApiKeys,
    /// `getIamV2ApiKey`, only on Confluent.
    GetApiKey,
    /// `listOrgV2Organizations`, only on Confluent.
    ListOrganizations,
    /// `getOrgV2Organization`, only on Confluent.
    GetOrganization,
    /// `organizationRolesGetList`, only on ClickHouse.
    Roles,
    /// `organizationRoleGet`, only on ClickHouse.
    GetRole,
    /// `activityGetList`, only on ClickHouse.
    ListActivities,
}

const CONFLUENT: &[(&str, Operation)] = &[
    ("createIamV2Invitation", Operation::Create),
    ("getIamV2Invitation", Operation::Get),
    ("listIamV2Invitations", Operation::List),
    ("deleteIamV2Invitation", Operation::Delete),
    ("exchangeStsV1OauthToken", Operation::Exchange),
    ("listIamV2Users", Operation::ListMembers),
    ("getIamV2User", Operation::GetMember),
    ("updateIamV2User", Operation::UpdateMember),
    ("deleteIamV2User", Operation::DeleteMember),
    ("listIamV2RoleBindings", Operation::ListRoleBindings),
    ("createIamV2RoleBinding", Operation::CreateRoleBinding),
    ("getIamV2RoleBinding", Operation::GetRoleBinding),
    ("deleteIamV2RoleBinding", Operation::DeleteRoleBinding),
    ("listIamV2ApiKeys", Operation::ListApiKeys),
    ("getIamV2ApiKey", Operation::GetApiKey),
    ("listOrgV2Organizations", Operation::ListOrganizations),
    ("getOrgV2Organization", Operation::GetOrganization),
];

const CLICKHOUSE: &[(&str, Operation)] = &[
    ("invitationCreate", Operation::Create),
    ("invitationGet", Operation::Get),
    ("invitationGetList", Operation::List),
    ("invitationDelete", Operation::Delete),
    ("memberGetList", Operation::ListMembers),
    ("memberGet", Operation::GetMember),
    ("memberUpdate", Operation::UpdateMember),
    ("memberDelete", Operation::DeleteMember),
    ("organizationRolesGetList", Operation::Roles),
    ("organizationRoleGet", Operation::GetRole),
    ("activityGetList", Operation::ListActivities),
];

impl Operation {
    /// Whether the operation is a list, which has pages on Confluent.
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Self::List
                | Self::ListMembers
                | Self::ListRoleBindings
                | Self::ListApiKeys
                | Self::ListOrganizations
        )
    }

    /// Whether the operation changes something.
    pub(crate) fn is_change(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Delete
                | Self::UpdateMember
                | Self::DeleteMember
                | Self::CreateRoleBinding
                | Self::DeleteRoleBinding
        )
    }

    /// Finds the operation of an `operationId` in a vendor's document, and the API that has it.
    pub fn from_id(operation_id: &str) -> Option<(Provider, Self)> {
        let in_document = |provider, document: &[(&str, Self)]| {
            let found = document.iter().find(|(id, _)| *id == operation_id);
            found.map(|(_, operation)| (provider, *operation))
        };
        in_document(Provider::Confluent, CONFLUENT)
            .or_else(|| in_document(Provider::ClickHouse, CLICKHOUSE))
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
            Self::ListMembers => "list_members",
            Self::GetMember => "get_member",
            Self::UpdateMember => "update_member",
            Self::DeleteMember => "delete_member",
            Self::ListRoleBindings => "list_role_bindings",
            Self::CreateRoleBinding => "create_role_binding",
            Self::GetRoleBinding => "get_role_binding",
            Self::DeleteRoleBinding => "delete_role_binding",
            Self::ListApiKeys => "list_api_keys",
            Self::GetApiKey => "get_api_key",
            Self::ListOrganizations => "list_organizations",
            Self::GetOrganization => "get_organization",
            Self::Roles => "roles",
            Self::GetRole => "get_role",
            Self::ListActivities => "list_activities",
        })
    }
}
