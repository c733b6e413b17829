//! The operation that a method and a path ask for.

use axum::http::Method;

/// The operation that a request under `/iam/` or `/sts/` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    List,
    Create,
    Get(String),
    Delete(String),
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

    /// The `operationId` in Confluent's document.
    pub(crate) fn operation_id(&self) -> Option<&'static str> {
        match self {
            Self::List => Some("listIamV2Invitations"),
            Self::Create => Some("createIamV2Invitation"),
            Self::Get(_) => Some("getIamV2Invitation"),
            Self::Delete(_) => Some("deleteIamV2Invitation"),
            Self::ExchangeToken => Some("exchangeStsV1OauthToken"),
            Self::MethodNotAllowed(_) | Self::NotFound => None,
        }
    }
}
