//! The roles of a row: names or ids, or the deprecated single role with its prefix.

use org_invitations::{RoleGrant, Roles};
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
                .split([';', ',', '|'])
                .flat_map(ids_or_name)
                .filter(|role| !role.is_empty())
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
            _ => Ok(Some(Roles::Grants(
                ids.iter().map(RoleGrant::from).collect(),
            ))),
        }
    }
}

/// A name may have blanks in it; ids are separated by them.
fn ids_or_name(text: &str) -> Vec<&str> {
    let is_uuid = |word: &str| {
        word.len() == 36
            && word
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    };
    match text.split_whitespace().all(is_uuid) {
        true => text.split_whitespace().collect(),
        false => vec![text.trim()],
    }
}

/// Roles as one cell of a roster.
pub(crate) fn roles_cell(roles: Option<&Roles>) -> String {
    match roles {
        Some(Roles::Grants(grants)) => {
            let grants: Vec<String> = grants.iter().map(ToString::to_string).collect();
            grants.join(";")
        }
        Some(Roles::Legacy(role)) => format!("{LEGACY}{role}"),
        _ => String::new(),
    }
}
