//! The operation that a method and a path ask for.

use axum::http::Method;

/// The operation that a request under `/iam/`, `/org/` or `/sts/` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    List,
    Create,
    Get(String),
    Delete(String),
    ListUsers,
    GetUser(String),
    UpdateUser(String),
    DeleteUser(String),
    ListRoleBindings,
    CreateRoleBinding,
    GetRoleBinding(String),
    DeleteRoleBinding(String),
    ListApiKeys,
    GetApiKey(String),
    ListOrganizations,
    GetOrganization(String),
    ExchangeToken,
    /// The path exists without this method; holds the methods that exist.
    MethodNotAllowed(&'static str),
    NotFound,
}

impl Route {
    /// The route of a path, given by its decoded segments after `iam`.
    pub(crate) fn parse_iam(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["v2", "invitations"] => match *method {
                Method::GET => Self::List,
                Method::POST => Self::Create,
                _ => Self::MethodNotAllowed("GET, POST"),
            },
            ["v2", "invitations", id] if !id.is_empty() => match *method {
                Method::GET => Self::Get((*id).to_owned()),
                Method::DELETE => Self::Delete((*id).to_owned()),
                _ => Self::MethodNotAllowed("GET, DELETE"),
            },
            ["v2", "users"] => match *method {
                Method::GET => Self::ListUsers,
                _ => Self::MethodNotAllowed("GET"),
            },
            ["v2", "users", id] if !id.is_empty() => match *method {
                Method::GET => Self::GetUser((*id).to_owned()),
                Method::PATCH => Self::UpdateUser((*id).to_owned()),
                Method::DELETE => Self::DeleteUser((*id).to_owned()),
                _ => Self::MethodNotAllowed("GET, PATCH, DELETE"),
            },
            ["v2", "role-bindings"] => match *method {
                Method::GET => Self::ListRoleBindings,
                Method::POST => Self::CreateRoleBinding,
                _ => Self::MethodNotAllowed("GET, POST"),
            },
            ["v2", "role-bindings", id] if !id.is_empty() => match *method {
                Method::GET => Self::GetRoleBinding((*id).to_owned()),
                Method::DELETE => Self::DeleteRoleBinding((*id).to_owned()),
                _ => Self::MethodNotAllowed("GET, DELETE"),
            },
            ["v2", "api-keys"] => match *method {
                Method::GET => Self::ListApiKeys,
                _ => Self::MethodNotAllowed("GET"),
            },
            ["v2", "api-keys", id] if !id.is_empty() => match *method {
                Method::GET => Self::GetApiKey((*id).to_owned()),
                _ => Self::MethodNotAllowed("GET"),
            },
            _ => Self::NotFound,
        }
    }

    /// The route of a path, given by its decoded segments after `org`.
    pub(crate) fn parse_org(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["v2", "organizations"] => match *method {
                Method::GET => Self::ListOrganizations,
                _ => Self::MethodNotAllowed("GET"),
            },
            ["v2", "organizations", id] if !id.is_empty() => match *method {
                Method::GET => Self::GetOrganization((*id).to_owned()),
                _ => Self::MethodNotAllowed("GET"),
            },
            _ => Self::NotFound,
        }
    }

    /// The route of a path, given by its decoded segments after `sts`.
    pub(crate) fn parse_sts(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["v1", "oauth2", "token"] => match *method {
                Method::POST => Self::ExchangeToken,
                _ => Self::MethodNotAllowed("POST"),
            },
            _ => Self::NotFound,
        }
    }

    /// The `operationId` in Confluent's documents.
    pub(crate) fn operation_id(&self) -> Option<&'static str> {
        match self {
            Self::List => Some("listIamV2Invitations"),
            Self::Create => Some("createIamV2Invitation"),
            Self::Get(_) => Some("getIamV2Invitation"),
            Self::Delete(_) => Some("deleteIamV2Invitation"),
            Self::ListUsers => Some("listIamV2Users"),
            Self::GetUser(_) => Some("getIamV2User"),
            Self::UpdateUser(_) => Some("updateIamV2User"),
            Self::DeleteUser(_) => Some("deleteIamV2User"),
            Self::ListRoleBindings => Some("listIamV2RoleBindings"),
            Self::CreateRoleBinding => Some("createIamV2RoleBinding"),
            Self::GetRoleBinding(_) => Some("getIamV2RoleBinding"),
            Self::DeleteRoleBinding(_) => Some("deleteIamV2RoleBinding"),
            Self::ListApiKeys => Some("listIamV2ApiKeys"),
            Self::GetApiKey(_) => Some("getIamV2ApiKey"),
            Self::ListOrganizations => Some("listOrgV2Organizations"),
            Self::GetOrganization(_) => Some("getOrgV2Organization"),
            Self::ExchangeToken => Some("exchangeStsV1OauthToken"),
            Self::MethodNotAllowed(_) | Self::NotFound => None,
        }
    }
}
