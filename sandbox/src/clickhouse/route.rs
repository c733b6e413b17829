//! The operation that a method and a path ask for.

use axum::http::Method;

/// The operation that a request under `/v1/` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    List {
        organization: String,
    },
    Create {
        organization: String,
    },
    ListRoles {
        organization: String,
    },
    Get {
        organization: String,
        id: String,
    },
    Delete {
        organization: String,
        id: String,
    },
    /// The path exists without this method; holds the methods that exist.
    MethodNotAllowed(&'static str),
    NotFound,
}

impl Route {
    /// The route of a path, given by its decoded segments after `v1`.
    pub(crate) fn parse(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["organizations", organization, "invitations"] if !organization.is_empty() => {
                let organization = (*organization).to_owned();
                match *method {
                    Method::GET => Self::List { organization },
                    Method::POST => Self::Create { organization },
                    _ => Self::MethodNotAllowed("GET, POST"),
                }
            }
            ["organizations", organization, "roles"] if !organization.is_empty() => {
                let organization = (*organization).to_owned();
                match *method {
                    Method::GET => Self::ListRoles { organization },
                    _ => Self::MethodNotAllowed("GET"),
                }
            }
            ["organizations", organization, "invitations", id]
                if !organization.is_empty() && !id.is_empty() =>
            {
                let (organization, id) = ((*organization).to_owned(), (*id).to_owned());
                match *method {
                    Method::GET => Self::Get { organization, id },
                    Method::DELETE => Self::Delete { organization, id },
                    _ => Self::MethodNotAllowed("GET, DELETE"),
                }
            }
            _ => Self::NotFound,
        }
    }

    /// The `operationId` in ClickHouse's document.
    pub(crate) fn operation_id(&self) -> Option<&'static str> {
        match self {
            Self::List { .. } => Some("invitationGetList"),
            Self::Create { .. } => Some("invitationCreate"),
            Self::ListRoles { .. } => Some("organizationRolesGetList"),
            Self::Get { .. } => Some("invitationGet"),
            Self::Delete { .. } => Some("invitationDelete"),
            Self::MethodNotAllowed(_) | Self::NotFound => None,
        }
    }
}
