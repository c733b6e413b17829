//! The roles of a row: names or ids, or the deprecated single role with its prefix.

use org_invitations::{RoleAssignment, RoleGrant, Roles};
use serde_json::Value;

/// The roles of a row, in each of the forms that a roster may have.
pub(super) enum RolesField {
    List(Vec<RoleGrant>),
    Text(String),
    /// As the JSON of `list` and `plan` has them.
    AsPrinted(Roles),
}

/// The prefix of the deprecated single role.
const LEGACY: &str = "legacy:";

impl RolesField {
    /// Takes the roles from JSON: text, a list, or what the command prints.
    pub fn from_json(value: Value) -> Result<Option<Self>, String> {
        Ok(Some(match value {
            Value::Null => return Ok(None),
            Value::String(text) => Self::Text(text),
            Value::Array(items) => {
                Self::List(items.into_iter().map(grant).collect::<Result<_, _>>()?)
            }
            other => Self::AsPrinted(serde_json::from_value(other.clone()).map_err(|_| {
                let shown = excerpt(&other);
                format!(
                    "the roles are {shown}; write \"NAME@SCOPE;NAME\" or [\"NAME@SCOPE\", \"NAME\"]"
                )
            })?),
        }))
    }

    pub fn roles(self) -> Result<Option<Roles>, String> {
        let grants = match self {
            Self::AsPrinted(roles) => return Ok(Some(roles)),
            Self::List(grants) => grants,
            Self::Text(text) => text
                .split([';', ',', '|'])
                .flat_map(ids_or_name)
                .filter(|role| !role.is_empty())
                .map(RoleGrant::from)
                .collect(),
        };
        match &grants[..] {
            [] => Ok(None),
            [one] if one.role.starts_with(LEGACY) => {
                Ok(Some(Roles::Legacy(one.role[LEGACY.len()..].to_owned())))
            }
            _ if grants.iter().any(|grant| grant.role.starts_with(LEGACY)) => {
                Err(format!("`{LEGACY}…` cannot be combined with other roles"))
            }
            _ => Ok(Some(Roles::Grants(grants))),
        }
    }
}

/// A role in a list: text, a grant, or an assignment as the command prints it.
fn grant(value: Value) -> Result<RoleGrant, String> {
    if let Ok(grant) = serde_json::from_value(value.clone()) {
        return Ok(grant);
    }
    let assignment = serde_json::from_value::<RoleAssignment>(value.clone()).ok();
    let grant = assignment.and_then(|assignment| assignment.grant());
    grant.ok_or_else(|| {
        let shown = excerpt(&value);
        format!("a role is {shown}; it has to be text such as \"NAME@SCOPE\"")
    })
}

/// The beginning of a value, for a message.
pub(super) fn excerpt(value: &Value) -> String {
    const MAX_LETTERS: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(MAX_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
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
        Some(Roles::Legacy(role)) => legacy_cell(role),
        _ => String::new(),
    }
}

/// The deprecated single role as one cell of a roster.
pub(crate) fn legacy_cell(role: &str) -> String {
    format!("{LEGACY}{role}")
}
