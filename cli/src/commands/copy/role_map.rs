//! The file of `copy --role-map`.

use std::{collections::HashMap, fs, path::Path};

use org_invitations::{Invitation, RoleGrant, Roles};
use serde::Deserialize;

use crate::{failure::Failure, suggest::with_suggestion};

/// The roles of the target for each role of the source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleMap {
    roles: HashMap<String, RoleIds>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a role, as `NAME[@SCOPE]` or an id, or a list of roles"
)]
enum RoleIds {
    One(String),
    Many(Vec<String>),
}

impl RoleMap {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |why: String| Failure::Usage(format!("--role-map {}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failure(error.to_string()))?;
        // The error's `Display` would quote the line.
        toml::from_str(&text).map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.bytes().take(at);
            let line = before.filter(|byte| *byte == b'\n').count() + 1;
            failure(format!("line {line}: {}", with_suggestion(error.message())))
        })
    }

    /// The roles at the target for those of an invitation.
    pub fn roles(&self, invitation: &Invitation) -> Result<Option<Roles>, String> {
        let mut names: Vec<Vec<&str>> = Vec::new();
        for role in invitation.roles.iter().flatten() {
            names.push(
                [&role.id, &role.name]
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect(),
            );
        }
        if names.is_empty() {
            names.extend(invitation.role.as_deref().map(|role| vec![role]));
        }
        let mut ids: Vec<String> = Vec::new();
        for names in &names {
            let found = names.iter().find_map(|name| self.roles.get(*name));
            match found {
                Some(RoleIds::One(id)) => ids.push(id.clone()),
                Some(RoleIds::Many(more)) => ids.extend(more.iter().cloned()),
                None => {
                    let name = names.last().copied().unwrap_or("without a name");
                    return Err(format!("the role map has no entry for the role {name}"));
                }
            }
        }
        ids.sort();
        ids.dedup();
        let grants = ids.iter().map(RoleGrant::from).collect();
        Ok((!names.is_empty()).then_some(Roles::Grants(grants)))
    }
}
