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
    GetRole {
        organization: String,
        id: String,
    },
    ListActivities {
        organization: String,
    },
    ListMembers {
        organization: String,
    },
    GetMember {
        organization: String,
        id: String,
    },
    UpdateMember {
        organization: String,
        id: String,
    },
    DeleteMember {
        organization: String,
        id: String,
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
        let ["organizations", organization, rest @ ..] = segments else {
            return Self::NotFound;
        };
        if organization.is_empty() || rest.iter().any(|segment| segment.is_empty()) {
            return Self::NotFound;
        }
        let organization = (*organization).to_owned();
        match rest {
            ["invitations"] => match *method {
                Method::GET => Self::List { organization },
                Method::POST => Self::Create { organization },
                _ => Self::MethodNotAllowed("GET, POST"),
            },
            ["invitations", id] => {
                let id = (*id).to_owned();
                match *method {
                    Method::GET => Self::Get { organization, id },
                    Method::DELETE => Self::Delete { organization, id },
                    _ => Self::MethodNotAllowed("GET, DELETE"),
                }
            }
            ["members"] => match *method {
                Method::GET => Self::ListMembers { organization },
                _ => Self::MethodNotAllowed("GET"),
            },
            ["members", id] => {
                let id = (*id).to_owned();
                match *method {
                    Method::GET => Self::GetMember { organization, id },
                    Method::PATCH => Self::UpdateMember { organization, id },
                    Method::DELETE => Self::DeleteMember { organization, id },
                    _ => Self::MethodNotAllowed("GET, PATCH, DELETE"),
                }
            }
            ["roles"] => match *method {
                Method::GET => Self::ListRoles { organization },
                _ => Self::MethodNotAllowed("GET"),
            },
            ["roles", id] => {
                let id = (*id).to_owned();
                match *method {
                    Method::GET => Self::GetRole { organization, id },
                    _ => Self::MethodNotAllowed("GET"),
                }
            }
            ["activities"] => match *method {
                Method::GET => Self::ListActivities { organization },
                _ => Self::MethodNotAllowed("GET"),
            },
            _ => Self::NotFound,
        }
    }

    /// The `operationId` in ClickHouse's document.
    pub(crate) fn operation_id(&self) -> Option<&'static str> {
        match self {
            Self::List { .. } => Some("invitationGetList"),
            Self::Create { .. } => Some("invitationCreate"),
            Self::ListRoles { .. } => Some("organizationRolesGetList"),
            Self::GetRole { .. } => Some("organizationRoleGet"),
            Self::ListActivities { .. } => Some("activityGetList"),
            Self::ListMembers { .. } => Some("memberGetList"),
            Self::GetMember { .. } => Some("memberGet"),
            Self::UpdateMember { .. } => Some("memberUpdate"),
            Self::DeleteMember { .. } => Some("memberDelete"),
            Self::Get { .. } => Some("invitationGet"),
            Self::Delete { .. } => Some("invitationDelete"),
            Self::MethodNotAllowed(_) | Self::NotFound => None,
        }
    }
}
