//! The roles of a row: ids, or the deprecated single role with its prefix.

use org_invitations::Roles;
use serde::Deserialize;

/// The roles of a row, in each of the forms that a roster may have.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RolesField {
    List(Vec<String>),
    Text(String),
    /// As the JSON of `list` and `plan` has them.
    AsPrinted(Roles),
}

/// The prefix of the deprecated single role.
const LEGACY: &str = "legacy:";

impl RolesField {
    pub fn roles(self) -> Result<Option<Roles>, String> {
        let ids = match self {
            Self::AsPrinted(roles) => return Ok(Some(roles)),
            Self::List(ids) => ids,
            Self::Text(text) => text
                .split([';', ',', '|', ' '])
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        match &ids[..] {
            [] => Ok(None),
            [one] if one.starts_with(LEGACY) => {
                Ok(Some(Roles::Legacy(one[LEGACY.len()..].to_owned())))
            }
            _ if ids.iter().any(|id| id.starts_with(LEGACY)) => {
                Err(format!("`{LEGACY}…` cannot be combined with other roles"))
            }
            _ => Ok(Some(Roles::Ids(ids))),
        }
    }
}

/// Roles as one cell of a roster.
pub(crate) fn roles_cell(roles: Option<&Roles>) -> String {
    match roles {
        Some(Roles::Ids(ids)) => ids.join(";"),
        Some(Roles::Legacy(role)) => format!("{LEGACY}{role}"),
        _ => String::new(),
    }
}
